/* Memory that gives out at every place in turn, once or from then on: SL_ENOMEM, nothing leaks. */
#include "base/file.h"
#include "harness/fault.h"
#include "harness/harness.h"
#include "toy.h"
#include <stdio.h>
#include <string.h>

enum { ROWS = 12 };

static char path[4200];

static sl_status open_file(sl_data **out)
{
    toy state = { .merges = 0 };
    const sl_encoder encoder = toy_encoder(&state);
    const sl_file_settings set = { .path = path,
                                   .encoder = &encoder,
                                   .max_prompt_tok = 64,
                                   .max_answer_tok = 64,
                                   .probe_share = 0.3,
                                   .keeps_text = 1,
                                   .allows = SL_ALLOW_EOS_MISSING,
                                   .eos = TOY_EOS };

    return sl_data_open_file(out, &set);
}

static sl_status open_world(sl_data **out)
{
    const sl_world_settings set = sl_world_defaults();

    return sl_data_open_world(out, &set);
}

static void sweep(sl_status (*open)(sl_data **out))
{
    for (int is_lasting = 0; is_lasting < 2; is_lasting++) {
        int is_fired = 1;

        for (size_t n = 0; is_fired; n++) {
            sl_data *data = NULL;
            sl_status st;

            assert_true(n < 100000);
            t_fault_begin(n, is_lasting);
            st = open(&data);
            sl_data_close(&data);
            is_fired = t_fault_end();
            assert_int_equal(t_fault_held(), 0);
            assert_int_equal(st, is_fired ? SL_ENOMEM : SL_OK);
            sl_err_clear();
        }
    }
}

static void test_open_file(void **state)
{
    (void)state;
    sweep(open_file);
}

static void test_open_world(void **state)
{
    (void)state;
    sweep(open_world);
}

static int write_rows(void **state)
{
    static const char *const row[] = {
        "{\"prompt\":\"p%d\",\"chosen\":\"yes\",\"rejected\":\"no\"}\n",
        "{\"prompt_ids\":[1,%d],\"chosen_ids\":[4,5],\"rejected_ids\":[6]}\n",
        "{\"prompt\":[{\"role\":\"user\",\"content\":\"q%d\"}],"
        "\"chosen\":[{\"role\":\"assistant\",\"content\":\"yes\"}],"
        "\"rejected\":[{\"role\":\"assistant\",\"content\":\"no\"}]}\n"
    };
    FILE *f;

    (void)state;
    snprintf(path, sizeof path, "%s/pairs.jsonl", t_scratch());
    f = fopen(path, "w");
    assert_non_null(f);
    for (int i = 0; i < ROWS; i++)
        fprintf(f, row[i % 3], i);
    assert_int_equal(fclose(f), 0);
    return 0;
}

static int remove_rows(void **state)
{
    (void)state;
    t_scratch_remove();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open_file),
        cmocka_unit_test(test_open_world),
    };

    return cmocka_run_group_tests(tests, write_rows, remove_rows);
}
