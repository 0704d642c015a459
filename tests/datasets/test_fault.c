/* Memory that gives out at every place in turn, once or from then on: SL_ENOMEM, nothing leaks. */
#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "datasets/audit.h"
#include "harness/fault.h"
#include "harness/harness.h"
#include "toy.h"
#include <stdio.h>
#include <string.h>

enum { ROWS = 20 };

static char path[4200];

static sl_file_settings settings(const sl_encoder *encoder)
{
    return (sl_file_settings){ .path = path,
                               .wants = SL_WANTS_PROMPTS,
                               .encoder = encoder,
                               .max_prompt_tok = 64,
                               .max_answer_tok = 64,
                               .probe_share = 0.3,
                               .keeps_text = 1,
                               .allows = SL_ALLOW_EOS_MISSING,
                               .eos = TOY_EOS };
}

static sl_status open_file(sl_data **out)
{
    toy state = { .merges = 0 };
    const sl_encoder encoder = toy_encoder(&state);
    const sl_file_settings set = settings(&encoder);

    return sl_data_open_file(out, &set);
}

/* Of an audit nothing stays; memory that gives out is an error, never a finding. */
static sl_status audit_file(sl_data **out)
{
    toy state = { .merges = 0 };
    const sl_encoder encoder = toy_encoder(&state);
    const sl_audit_settings set = { .file = settings(&encoder), .probe = path };
    sl_audit audit;

    *out = NULL;
    return sl_audit_file(&audit, &set);
}

static sl_status open_world(sl_data **out)
{
    const sl_world_settings set = sl_world_defaults();

    return sl_data_open_world(out, &set);
}

/* Memory of jansson's own never fails here: its lexer (2.14) loses a character when it does, maybe
 * the closing quote, and reads on behind the text. */
static void spare_jansson(void)
{
    sl_json *tree = NULL;

    T_OK(sl_json_parse(&tree, "{}", 2, "warm")); /* puts its own functions in place, once */
    sl_json_close(&tree);
    json_set_alloc_funcs(t_fault_spare, sl_free);
}

static void sweep(sl_status (*open)(sl_data **out))
{
    spare_jansson();
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

static void test_audit_file(void **state)
{
    (void)state;
    sweep(audit_file);
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
        "\"rejected\":[{\"role\":\"assistant\",\"content\":\"no\"}]}\n",
        "{\"chosen\":\"\\n\\nHuman: t%d\\n\\nAssistant: a\",\"rejected\":\"\\n\\nHuman: "
        "t%d\\n\\nAssistant: b\"}\n",
        "{\"prompt\":[{\"role\":\"user\",\"content\":\"r%d\"}],\"responses\":[\"a\",\"b\"],"
        "\"rewards\":[1,2]}\n",
        "{\"instruction\":\"s%d\",\"output_1\":\"a\",\"output_2\":\"b\",\"preference\":1}\n",
        "{\"prompt\":\"u%d\",\"completion\":\"a\"}\n",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"v%d\"},{\"role\":\"assistant\","
        "\"content\":\"a\"}]}\n",
        "{\"instruction\":\"w%d\",\"output\":\"a\"}\n",
        "{\"prompt\":\"x%d\"}\n",
    };
    enum { KINDS = sizeof row / sizeof row[0] };
    FILE *f;

    (void)state;
    snprintf(path, sizeof path, "%s/pairs.jsonl", t_scratch());
    f = fopen(path, "w");
    assert_non_null(f);
    for (int i = 0; i < ROWS; i++)
        fprintf(f, row[i % KINDS], i, i);
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
        cmocka_unit_test(test_audit_file),
        cmocka_unit_test(test_open_world),
    };

    return cmocka_run_group_tests(tests, write_rows, remove_rows);
}
