/* `analyze` must not believe what a record says about itself: a boundary row or a decision that
 * does not follow from the votes is found and named. Numbers of the document against arithmetic by
 * hand: three prompts with votes 1, 1, 0. */
#include "analysis/run_analysis.h"
#include "base/file.h"
#include "cli/analyze.h"
#include "harness/harness.h"
#include "run/run.h"
#include <string.h>

static const double votes[] = { 1, 1, 0 };
enum { PROMPTS = 3 };

/* What is wrong in the record. */
typedef struct lie {
    double bs_factor;
    int action; /* added to the recorded one */
    double mix; /* the same of the share */
    int is_soft;
} lie;

static void put_votes(sl_run *run, uint16_t judge)
{
    for (size_t i = 0; i < PROMPTS; i++) {
        const sl_row_votes row = { .prompt_id = 10 + i,
                                   .a_id = 100 + i,
                                   .b_id = 200 + i,
                                   .vote = (float)votes[i],
                                   .score_a = NAN,
                                   .score_b = NAN,
                                   .judge = judge,
                                   .a_origin = SL_ORIGIN_ON_POLICY,
                                   .b_origin = SL_ORIGIN_STATIC };

        T_OK(sl_run_row(run, SL_TABLE_VOTES, &row, NULL));
    }
}

/* The rows that a truthful measurement has. */
static void measure(sl_row_boundary *look, sl_row_decisions *decision, const sl_decision_rule *rule)
{
    const sl_boundary_settings set = sl_boundary_defaults();
    sl_decision_state decided = { 0 };
    sl_boundary b;

    T_OK(sl_boundary_begin(&b, &set));
    for (size_t i = 0; i < PROMPTS; i++) {
        const sl_prompt_mean p = { .mean = votes[i],
                                   .v_on = votes[i],
                                   .v_off = 1 - votes[i],
                                   .margin_on = NAN,
                                   .margin_off = NAN,
                                   .votes = 1 };

        T_OK(sl_boundary_add(&b, &p));
    }
    T_OK(sl_boundary_row(look, &b, PROMPTS));
    T_OK(sl_decision_row(decision, &decided, rule, &b, rule->first));
    sl_boundary_close(&b);
}

static void write_run(char *path, const lie *l)
{
    sl_run_settings settings = sl_run_settings_defaults();
    sl_json *about = json_pack("{s:s, s:{s:{s:s, s:f}}}", "loss", "dpo", "recipe", "policy",
                               "advice", l->is_soft ? "linear" : "hard", "mix", 0.5);
    sl_decision_rule rule;
    sl_row_boundary look;
    sl_row_decisions decision;
    sl_row_evals gain = { .value = 0.25, .se = 0.5, .origin = SL_ORIGIN_ON_POLICY };
    uint16_t judge;
    sl_run *run;

    T_OK(sl_file_join(path, 4096, t_scratch(), "run"));
    settings.min_free_bytes = 0;
    T_OK(sl_run_create(&run, path, about, NULL, &settings));
    T_OK(sl_run_name(run, &judge, SL_NAME_JUDGE, "truth"));
    T_OK(sl_run_name(run, &gain.eval, SL_NAME_EVAL, "gain"));
    put_votes(run, judge);
    T_OK(sl_decision_rule_read(&rule, json_object_get(about, "recipe")));
    measure(&look, &decision, &rule);
    T_OK(sl_run_name(run, &look.rule, SL_NAME_RULE, SL_BOUNDARY_RULE));
    look.judge = judge;
    look.final = 1;
    look.bs *= l->bs_factor;
    decision.action = (uint8_t)(decision.action + l->action);
    decision.mix_weight += l->mix;
    decision.decision_id = 1;
    T_OK(sl_run_row(run, SL_TABLE_BOUNDARY, &look, NULL));
    T_OK(sl_run_row(run, SL_TABLE_DECISIONS, &decision, NULL));
    T_OK(sl_run_row(run, SL_TABLE_EVALS, &gain, NULL));
    T_OK(sl_run_commit(run, SL_UNIT_VOTES, 0));
    T_OK(sl_run_close(&run, SL_ENDED_COMPLETE));
    sl_json_close(&about);
}

static double number(const sl_json *tree, const char *a, const char *b)
{
    return json_number_value(json_object_get(json_object_get(tree, a), b));
}

static void test_document_of_an_honest_record(void **state)
{
    char path[4096];
    sl_json *document = NULL;
    const sl_json *m, *gain;

    (void)state;
    write_run(path, &(lie){ .bs_factor = 1 });
    T_OK(sl_analyze_run(&document, NULL, path, NULL));
    m = json_array_get(json_object_get(document, "measurements"), 0);
    gain = json_array_get(json_object_get(document, "gains"), 0);
    T_CLOSE(number(m, "bs", "value"), 2.0 / 3.0, TOL_F64);
    T_CLOSE(number(m, "bs", "se"), 1.0 / 3.0, TOL_F64); /* sd sqrt(1/3) over sqrt(3) */
    assert_int_equal(json_integer_value(json_object_get(m, "votes")), PROMPTS);
    assert_true(json_is_null(json_object_get(m, "margin_on")));
    assert_true(json_is_true(json_object_get(m, "is_same")));
    assert_int_equal(json_integer_value(json_object_get(document, "differences")), 0);
    assert_true(json_is_null(json_object_get(document, "first_difference")));
    T_CLOSE(json_real_value(json_object_get(gain, "gain")), 0.25, TOL_EXACT);
    assert_true(json_is_true(json_object_get(gain, "chosen")));
    assert_string_equal(json_string_value(json_object_get(gain, "origin")), "on_policy");
    T_CLOSE(number(document, "cost", "votes"), 3, TOL_EXACT);
    T_CLOSE(number(document, "cost", "fixed_votes"), 2000, TOL_EXACT);
    sl_json_close(&document);
    t_scratch_remove();
}

static void check_lie(const lie *l, const char *what)
{
    char path[4096];
    sl_json *document = NULL;

    write_run(path, l);
    T_FAILS(sl_analyze_run(&document, NULL, path, NULL), SL_EFORMAT, what);
    assert_int_equal(json_integer_value(json_object_get(document, "differences")), 1);
    assert_false(json_is_true(
        json_object_get(json_array_get(json_object_get(document, "measurements"), 0), "is_same")));
    sl_json_close(&document);
    t_scratch_remove();
}

static void test_a_false_score_is_found(void **state)
{
    (void)state;
    check_lie(&(lie){ .bs_factor = 1 + DBL_EPSILON },
              "measurement 0, look at 3 prompts: column bs");
}

static void test_a_false_decision_is_found(void **state)
{
    (void)state;
    check_lie(&(lie){ .bs_factor = 1, .action = 1 }, "measurement 0: another decision");
}

/* Two of three votes: the share goes up, by no more than a quarter. */
static void test_a_share_is_derived_again(void **state)
{
    char path[4096];
    sl_json *document = NULL;
    const sl_json *decision, *recorded;

    (void)state;
    write_run(path, &(lie){ .bs_factor = 1, .is_soft = 1 });
    T_OK(sl_analyze_run(&document, NULL, path, NULL));
    decision =
        json_object_get(json_array_get(json_object_get(document, "measurements"), 0), "decision");
    recorded = json_object_get(decision, "recorded");
    assert_string_equal(json_string_value(json_object_get(recorded, "action")), "mix");
    T_CLOSE(number(decision, "recorded", "mix_weight"), 0.75, TOL_EXACT);
    T_CLOSE(number(decision, "derived", "mix_weight"), 0.75, TOL_EXACT);
    sl_json_close(&document);
    t_scratch_remove();
    check_lie(&(lie){ .bs_factor = 1, .is_soft = 1, .mix = -DBL_EPSILON },
              "measurement 0: another decision");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_document_of_an_honest_record),
        cmocka_unit_test(test_a_false_score_is_found),
        cmocka_unit_test(test_a_false_decision_is_found),
        cmocka_unit_test(test_a_share_is_derived_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
