/* A decision from outside takes effect at its step: recorded, obeyed at the next refill. */
#include "base/file.h"
#include "cli/advise.h"
#include "harness/harness.h"
#include "run/reader.h"
#include "train/train.h"
#include <stdio.h>

enum { UPDATES = 8, BATCH = 32 };

static const char *const tiny[] = {
    "model.hidden=16",
    "model.intermediate=16",
    "model.heads=2",
    "model.kv_heads=2",
    "model.layers=1",
    "train.prompts=256",
    "train.batch=32",
    "policy.source=advised",
    "policy.refill=1",
    "measure.prompts=64",
    "optim.learning_rate=1.0e-4",
    "record.min_free_gib=0",
    "record.grad_split_every=0",
    "record.probe_every=0",
};

static void open_recipe(sl_recipe *recipe)
{
    T_OK(sl_yaml_defaults(recipe, sl_recipe_keys, sl_recipe_key_count));
    for (size_t i = 0; i < sizeof tiny / sizeof tiny[0]; i++)
        T_OK(sl_yaml_set(recipe, sl_recipe_keys, sl_recipe_key_count, tiny[i]));
}

static void open_run(sl_session *s, const char *path)
{
    const sl_decisions_settings outside = sl_decisions_settings_defaults();
    sl_run_settings set = sl_run_settings_defaults();
    sl_json *run = NULL, *facts = json_object();

    set.vocab = (uint32_t)sl_model_config(s->policy)->V;
    set.k = (uint32_t)s->update.top_k;
    set.groups = (uint32_t)sl_model_tensors(s->policy)->group_count;
    set.min_free_bytes = 0;
    set.tables[SL_TABLE_PROBE] = 0;
    T_OK(sl_session_describe(&run, s));
    T_OK(sl_run_create(&s->run, path, run, facts, &set));
    T_OK(sl_decisions_open(&s->outside, path, NULL, 0, 0, &outside));
    sl_json_close(&run);
    sl_json_close(&facts);
}

static void decide(const char *path, int64_t based_on, int action)
{
    sl_row_decisions row = { .based_on = based_on,
                             .expiry = based_on + 100,
                             .bs = 0.7,
                             .lower = 0.6,
                             .upper = 0.8,
                             .mix_weight = 1.0,
                             .stage = SL_STAGE_FINE_TUNING,
                             .action = (uint8_t)action };
    sl_decider *decider = NULL;

    T_OK(sl_decider_open(&decider, path, SL_DECIDER_PERSON, "{\"rule\":\"by hand\"}"));
    T_OK(sl_decider_put(decider, &row));
    sl_decider_close(&decider);
}

static sl_status train_with(const char *path, int64_t based_on, int action)
{
    const sl_backend *backend = NULL;
    sl_memory_plan plan;
    sl_advise advise;
    sl_recipe recipe = { 0 };
    sl_session s;
    sl_status st;

    open_recipe(&recipe);
    T_OK(sl_backend_open(&backend, "cpu", 1));
    T_OK(sl_session_open(&s, &recipe, backend, NULL, &plan));
    T_OK(sl_advise_open(&advise, &recipe));
    s.advisor = &advise.door;
    open_run(&s, path);
    decide(path, based_on, action);
    st = sl_train(&s, 0, NULL);
    T_OK(sl_run_close(&s.run, st == SL_OK ? SL_ENDED_COMPLETE : SL_ENDED_INTERRUPTED));
    sl_advise_close(&advise);
    sl_session_close(&s);
    return st;
}

static void test_a_decision_is_obeyed_at_its_step(void **state)
{
    const sl_row_decisions *d = NULL;
    const sl_row_steps *steps = NULL;
    sl_reader *reader = NULL;
    char path[4096];
    size_t count, person = 0;

    (void)state;
    T_OK(sl_file_join(path, sizeof path, t_scratch(), "run"));
    T_OK(train_with(path, 3, SL_ACTION_ON_POLICY));
    T_OK(sl_reader_open(&reader, path));
    T_OK(sl_reader_rows(reader, SL_TABLE_DECISIONS, &d, &count));
    for (size_t i = 0; i < count; i++)
        if (d[i].decider == SL_DECIDER_PERSON) {
            assert_int_equal(d[i].step, 3);
            assert_int_equal(d[i].outcome, SL_OUTCOME_APPLIED);
            person++;
        }
    assert_int_equal(person, 1);
    T_OK(sl_reader_rows(reader, SL_TABLE_STEPS, &steps, &count));
    assert_int_equal(count, UPDATES);
    for (size_t i = 0; i < count; i++) /* an untrained policy is in injection: static before */
        assert_int_equal(steps[i].pairs_on, steps[i].step <= 3 ? 0 : BATCH);
    sl_reader_close(&reader);
    t_scratch_remove();
}

static void test_a_decision_to_stop_leaves_a_checkpoint(void **state)
{
    sl_run_scan_result scan;
    char path[4096];

    (void)state;
    T_OK(sl_file_join(path, sizeof path, t_scratch(), "run"));
    T_FAILS(train_with(path, 5, SL_ACTION_STOP), SL_EINTERRUPT, "at step 5");
    T_OK(sl_run_scan(&scan, path));
    assert_int_equal(scan.newest_checkpoint, 5);
    assert_int_equal(scan.ended, SL_ENDED_INTERRUPTED);
    t_scratch_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_decision_is_obeyed_at_its_step),
        cmocka_unit_test(test_a_decision_to_stop_leaves_a_checkpoint),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
