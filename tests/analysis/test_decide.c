/* Decisions from measurements: the share of on-policy data under every rule, its limits, what is
 * remembered from one measurement to the next. */
#include "analysis/decide.h"
#include "base/alloc.h"
#include "harness/harness.h"
#include <string.h>

static const double pi = 3.14159265358979323846;

/* One measurement: n prompts whose mean votes are all bs. */
static sl_row_decisions decide(sl_decision_state *state, const sl_decision_rule *rule, double bs,
                               int n, double share)
{
    const sl_boundary_settings set = sl_boundary_defaults();
    const sl_prompt_mean prompt = {
        .mean = bs, .v_on = bs, .v_off = 1.0 - bs, .margin_on = NAN, .margin_off = NAN, .votes = 1
    };
    sl_row_decisions row;
    sl_boundary b;

    T_OK(sl_boundary_begin(&b, &set));
    for (int i = 0; i < n; i++)
        T_OK(sl_boundary_add(&b, &prompt));
    T_OK(sl_decision_row(&row, state, rule, &b, share));
    sl_boundary_close(&b);
    return row;
}

static sl_decision_rule rule_of(sl_advice advice)
{
    sl_decision_rule rule = sl_decision_rule_defaults();

    rule.advice = (int)advice;
    rule.ema = 1.0;
    rule.change = 1.0;
    rule.least = 0.0;
    return rule;
}

/* The values of the goldens' mixing_weight at .52, and a closed form of the Beta law. */
static void test_the_share_of_every_rule(void **state)
{
    static const struct {
        sl_advice advice;
        double bs;
        int prompts;
        double want;
    } rows[] = {
        { SL_ADVICE_LINEAR, 0.52, 8, 0.7 },
        { SL_ADVICE_LINEAR, 0.40, 8, 0.0 },
        { SL_ADVICE_SMOOTHSTEP, 0.52, 8, 0.784 },
        { SL_ADVICE_LOGISTIC, 0.52, 8, 0.5986876601124521 },
        { SL_ADVICE_LOGISTIC, 0.30, 8, 0.01798620996209156 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const sl_decision_rule rule = rule_of(rows[i].advice);
        sl_decision_state s = { 0 };
        const sl_row_decisions row = decide(&s, &rule, rows[i].bs, rows[i].prompts, 0.5);

        assert_int_equal(row.action, SL_ACTION_MIX);
        T_CLOSE(row.mix_weight, rows[i].want, 1e-9);
        T_CLOSE(row.bs, rows[i].bs, TOL_F64);
    }
}

/* I_1/2(3/2, 1/2) = 1/2 - 1/pi: one prompt won. */
static void test_the_posterior_counts_prompts_and_forgets(void **state)
{
    const sl_decision_rule rule = rule_of(SL_ADVICE_POSTERIOR);
    sl_decision_state s = { 0 };

    (void)state;
    T_CLOSE(decide(&s, &rule, 1.0, 1, 0.5).mix_weight, 0.5 + 1.0 / pi, 1e-12);
    T_CLOSE(s.wins, 1.0, TOL_EXACT);
    (void)decide(&s, &rule, 0.25, 8, 0.5);
    T_CLOSE(s.wins, 0.8 + 2.0, TOL_F64);
    T_CLOSE(s.losses, 6.0, TOL_F64);
    s = (sl_decision_state){ 0 };
    T_CLOSE(decide(&s, &rule, 0.5, 40, 0.5).mix_weight, 0.5, TOL_F64);
}

static void test_the_score_is_smoothed(void **state)
{
    sl_decision_rule rule = rule_of(SL_ADVICE_LINEAR);
    sl_decision_state s = { 0 };

    (void)state;
    rule.ema = 0.5;
    (void)decide(&s, &rule, 0.6, 8, 0.5);
    T_CLOSE(s.score, 0.6, TOL_F64); /* the first stands for itself */
    T_CLOSE(decide(&s, &rule, 0.42, 8, 0.5).mix_weight, 0.6, 1e-9); /* of .51 */
    (void)decide(&s, &rule, 0.31, 8, 0.5);
    T_CLOSE(s.score, 0.41, TOL_F64);
}

static void test_the_share_moves_slowly_and_keeps_both_sources(void **state)
{
    static const double up[] = { 0.75, 0.95, 0.95 }, down[] = { 0.7, 0.45, 0.2, 0.05, 0.05 };
    double share = 0.5;

    (void)state;
    for (int advice = SL_ADVICE_LINEAR; sl_advice_names[advice]; advice++) {
        sl_decision_rule rule = sl_decision_rule_defaults();
        sl_decision_state s = { 0 };

        rule.advice = advice;
        share = 0.5;
        for (size_t i = 0; i < 3; i++) {
            share = decide(&s, &rule, 1.0, 50, share).mix_weight;
            T_CLOSE(share, up[i], TOL_F64);
        }
        s = (sl_decision_state){ 0 };
        for (size_t i = 0; i < 5; i++) {
            share = decide(&s, &rule, 0.0, 50, share).mix_weight;
            T_CLOSE(share, down[i], TOL_F64);
        }
    }
}

static void test_without_votes_nothing_changes(void **state)
{
    (void)state;
    for (int advice = 0; sl_advice_names[advice]; advice++) {
        sl_decision_rule rule = sl_decision_rule_defaults();
        sl_decision_state s = { .measured = 1, .score = 0.25, .wins = 3.0, .losses = 1.5 };
        const sl_decision_state before = s;
        sl_row_decisions row;

        rule.advice = advice;
        row = decide(&s, &rule, NAN, 3, 0.375);
        assert_int_equal(row.action, SL_ACTION_KEEP);
        T_CLOSE(row.mix_weight, 0.375, TOL_EXACT);
        T_CLOSE(s.score, before.score, TOL_EXACT);
        T_CLOSE(s.wins, before.wins, TOL_EXACT);
        assert_int_equal(s.measured, before.measured);
    }
}

/* Differences 1, 2: mean 3/2, squares 1/2, se sqrt(1/2)/sqrt(2) = 1/2. Then 2/5 twice: squares 1/2
 * of two degrees of freedom, se sqrt(1/4)/sqrt(2) = .354: within two, though alone it would be
 * beyond. Votes do not count. */
static void test_branches_decide(void **state)
{
    static const double none[] = { 0.0, 0.0 }, clear[] = { 1.0, 2.0 }, near[] = { 0.4, 0.4 };
    const sl_decision_rule rule = rule_of(SL_ADVICE_BRANCH);
    sl_decision_state s = { 0 };
    sl_row_decisions row;

    (void)state;
    sl_decision_branch(&s, none, clear, 2);
    row = decide(&s, &rule, 0.1, 400, 0.0);
    assert_int_equal(row.stage, SL_STAGE_INJECTION);
    assert_int_equal(row.action, SL_ACTION_ON_POLICY);
    T_CLOSE(row.mix_weight, 1.0, TOL_EXACT);
    sl_decision_branch(&s, near, none, 2);
    assert_int_equal(s.branch_dof, 2);
    T_CLOSE(s.branch_ss, 0.5, TOL_EXACT);
    row = decide(&s, &rule, 0.1, 400, 1.0);
    assert_int_equal(row.action, SL_ACTION_ON_POLICY);
    sl_decision_branch(&s, clear, none, 2);
    row = decide(&s, &rule, 0.9, 400, 1.0);
    assert_int_equal(row.action, SL_ACTION_STATIC);
    row = decide(&s, &rule, 0.9, 400, 0.0); /* without a test nothing changes */
    assert_int_equal(row.action, SL_ACTION_STATIC);
    s = (sl_decision_state){ 0 };
    sl_decision_branch(&s, near, none, 2);
    assert_int_equal(s.branch, SL_STAGE_INJECTION);
}

/* A resumed run goes on from the same bits. */
static void test_the_state_survives(void **state)
{
    const sl_decision_state s = { .hysteresis = { .state = SL_STAGE_FINE_TUNING, .count = 2 },
                                  .measured = 5,
                                  .score = 1.0 / 3.0,
                                  .wins = 0.1 * 0.8,
                                  .losses = 2.0e17 / 7.0,
                                  .branch_ss = 1.0 / 7.0,
                                  .branch_dof = 3 };
    sl_decision_state back = { 0 };
    sl_json *tree = NULL, *again = NULL;
    char *text = NULL;

    (void)state;
    T_OK(sl_decision_state_save(&tree, &s));
    T_OK(sl_json_dump(&text, tree, 1));
    T_OK(sl_json_parse(&again, text, strlen(text), "state"));
    T_OK(sl_decision_state_load(&back, again));
    assert_int_equal(back.hysteresis.state, s.hysteresis.state);
    assert_int_equal(back.hysteresis.count, s.hysteresis.count);
    assert_int_equal(back.measured, s.measured);
    T_CLOSE(back.score, s.score, TOL_EXACT);
    T_CLOSE(back.wins, s.wins, TOL_EXACT);
    T_CLOSE(back.losses, s.losses, TOL_EXACT);
    T_CLOSE(back.branch_ss, s.branch_ss, TOL_EXACT);
    assert_int_equal(back.branch_dof, s.branch_dof);
    json_object_set_new(again, "state", json_integer(3));
    T_FAILS(sl_decision_state_load(&back, again), SL_EFORMAT, "want an advisor state of 0 to 2");
    json_object_del(again, "wins");
    T_FAILS(sl_decision_state_load(&back, again), SL_EFORMAT, "wins");
    sl_free(text);
    sl_json_close(&tree);
    sl_json_close(&again);
}

static void test_the_rule_of_a_recipe(void **state)
{
    sl_json *recipe = json_pack("{s:{s:i}, s:{s:s, s:f, s:f}}", "measure", "consecutive", 3,
                                "policy", "advice", "logistic", "mix", 0.25, "width", 0.125);
    sl_decision_rule rule;

    (void)state;
    T_OK(sl_decision_rule_read(&rule, NULL));
    assert_int_equal(rule.advice, SL_ADVICE_HARD);
    T_CLOSE(rule.first, 0.0, TOL_EXACT);
    T_OK(sl_decision_rule_read(&rule, recipe));
    assert_int_equal(rule.advice, SL_ADVICE_LOGISTIC);
    assert_int_equal(rule.consecutive, 3);
    T_CLOSE(rule.first, 0.25, TOL_EXACT);
    T_CLOSE(rule.width, 0.125, TOL_EXACT);
    T_CLOSE(rule.change, 0.25, TOL_EXACT);
    json_object_set_new(json_object_get(recipe, "policy"), "least", json_real(0.75));
    T_FAILS(sl_decision_rule_read(&rule, recipe), SL_EFORMAT, "least 0.75");
    json_object_set_new(json_object_get(recipe, "policy"), "advice", json_string("soft"));
    T_FAILS(sl_decision_rule_read(&rule, recipe), SL_EFORMAT, "found \"soft\"");
    sl_json_close(&recipe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_share_of_every_rule),
        cmocka_unit_test(test_the_posterior_counts_prompts_and_forgets),
        cmocka_unit_test(test_the_score_is_smoothed),
        cmocka_unit_test(test_the_share_moves_slowly_and_keeps_both_sources),
        cmocka_unit_test(test_without_votes_nothing_changes),
        cmocka_unit_test(test_branches_decide),
        cmocka_unit_test(test_the_state_survives),
        cmocka_unit_test(test_the_rule_of_a_recipe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
