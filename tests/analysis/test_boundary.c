/* The measurement as an algorithm, and what is decided from it. */
#include "analysis/boundary.h"
#include "analysis/decide.h"
#include "analysis/run_analysis.h"
#include "analysis/table.h"
#include "base/alloc.h"
#include "base/file.h"
#include "harness/harness.h"
#include <stdlib.h>
#include <string.h>

static sl_prompt_mean prompt_of(double mean, size_t votes)
{
    return (sl_prompt_mean){ .mean = mean,
                             .v_on = mean * (double)votes,
                             .v_off = (1.0 - mean) * (double)votes,
                             .margin_on = NAN,
                             .margin_off = 0.5,
                             .votes = votes };
}

static void open(sl_boundary *b)
{
    const sl_boundary_settings set = sl_boundary_defaults();

    T_OK(sl_boundary_begin(b, &set));
}

/* Prompts with P(vote) = p until settled or 2000; the verdict. */
static sl_verdict measure(double p, uint64_t seed, int is_swapped)
{
    sl_rng rng = sl_rng_at(seed, sl_rng_stream("test boundary"), 0);
    sl_boundary b;
    sl_verdict v;

    open(&b);
    while (!sl_boundary_is_settled(&b) && b.prompts < 2000) {
        double mean = 0.0;
        sl_prompt_mean prompt;

        for (int k = 0; k < 4; k++)
            mean += 0.25 * (sl_rng_uniform(&rng) < p);
        prompt = prompt_of(is_swapped ? 1.0 - mean : mean, 4);
        T_OK(sl_boundary_add(&b, &prompt));
    }
    T_OK(sl_boundary_verdict(&v, &b));
    sl_boundary_close(&b);
    return v;
}

static void test_sides_far_apart_are_settled_early(void **state)
{
    const sl_verdict low = measure(0.2, 1, 0), high = measure(0.8, 1, 0);

    (void)state;
    assert_int_equal(low.stage, SL_STAGE_INJECTION);
    assert_int_equal(high.stage, SL_STAGE_FINE_TUNING);
    assert_true(low.prompts < 60 && high.prompts < 60);
    assert_int_equal(low.votes, 4 * low.prompts);
    assert_int_equal(low.prompts_used, low.prompts);
    assert_true(low.sequence.lower <= low.bs.value && low.bs.value <= low.sequence.upper);
    T_CLOSE(low.v_on / (double)low.votes, low.bs.value, TOL_F64);
    T_CLOSE(low.margin_off, 0.5, TOL_F64);
    assert_true(isnan(low.margin_on));
    assert_true(low.log_e_inj >= log(20.0) && low.log_e_ft < log(20.0));
}

static void test_swapped_roles(void **state)
{
    const sl_verdict a = measure(0.35, 2, 0), b = measure(0.35, 2, 1);

    (void)state;
    T_CLOSE(a.bs.value, 1.0 - b.bs.value, TOL_F64);
    T_CLOSE(a.sequence.lower, 1.0 - b.sequence.upper, TOL_F64);
    assert_int_equal(a.stage, SL_STAGE_INJECTION);
    assert_int_equal(b.stage, SL_STAGE_FINE_TUNING);
    assert_int_equal(a.prompts, b.prompts);
}

/* The first answer stays, whatever comes after it. */
static void test_a_verdict_is_not_taken_back(void **state)
{
    const sl_prompt_mean win = prompt_of(1.0, 1), loss = prompt_of(0.0, 1);
    sl_boundary b;
    sl_verdict v;
    size_t used = 0;

    (void)state;
    open(&b);
    while (!sl_boundary_is_settled(&b)) {
        T_OK(sl_boundary_add(&b, &win));
        used++;
    }
    for (int i = 0; i < 200; i++)
        T_OK(sl_boundary_add(&b, &loss));
    T_OK(sl_boundary_verdict(&v, &b));
    assert_int_equal(v.stage, SL_STAGE_FINE_TUNING);
    assert_int_equal(v.prompts_used, used);
    assert_int_equal(v.prompts, used + 200);
    sl_boundary_close(&b);
}

static void test_undefined_before_the_first_prompt(void **state)
{
    const sl_prompt_mean dropped = prompt_of(NAN, 0);
    sl_boundary b;
    sl_verdict v;

    (void)state;
    open(&b);
    T_OK(sl_boundary_add(&b, &dropped));
    T_OK(sl_boundary_verdict(&v, &b));
    assert_true(isnan(v.bs.value) && isnan(v.bs.se) && isnan(v.fixed.lower));
    T_CLOSE(v.sequence.lower, 0.0, TOL_EXACT);
    T_CLOSE(v.sequence.upper, 1.0, TOL_EXACT);
    assert_int_equal(v.stage, SL_STAGE_UNDECIDED);
    assert_int_equal(v.prompts, 0);
    assert_int_equal(v.dropped, 1);
    sl_boundary_close(&b);
}

static void test_another_threshold_moves_the_sides(void **state)
{
    sl_boundary_settings set = sl_boundary_defaults();
    const sl_prompt_mean tie = prompt_of(0.5, 2);
    sl_boundary b;

    (void)state;
    set.tau = 0.7;
    T_OK(sl_boundary_begin(&b, &set));
    for (int i = 0; i < 500 && !sl_boundary_is_settled(&b); i++)
        T_OK(sl_boundary_add(&b, &tie));
    assert_int_equal(b.stage, SL_STAGE_INJECTION); /* 1/2 is below .7 */
    sl_boundary_close(&b);
    set.tau = 0.99;
    T_FAILS(sl_boundary_begin(&b, &set), SL_EARG, "want a threshold");
    set = sl_boundary_defaults();
    set.alpha = 0.0;
    T_FAILS(sl_boundary_begin(&b, &set), SL_EARG, "want alpha");
}

/* --- decisions ------------------------------------------------------------------------------- */

enum { U = SL_STAGE_UNDECIDED, I = SL_STAGE_INJECTION, F = SL_STAGE_FINE_TUNING };

static void check_states(int consecutive, const sl_stage *side, const sl_stage *want, size_t n)
{
    sl_hysteresis h = { .consecutive = consecutive };

    for (size_t i = 0; i < n; i++) {
        const sl_stage before = h.state;

        assert_int_equal(sl_hysteresis_step(&h, side[i]), want[i] != before);
        assert_int_equal(h.state, want[i]);
    }
}

/* The first decided measurement sets the state; an undecided one keeps it and breaks the count. */
static void test_hysteresis(void **state)
{
    const sl_stage side[] = { U, I, F, U, F, F, I, F, I, I };
    const sl_stage one[] = { U, I, F, F, F, F, I, F, I, I };
    const sl_stage two[] = { U, I, I, I, I, F, F, F, F, I };

    (void)state;
    check_states(1, side, one, 10);
    check_states(2, side, two, 10);
}

/* A flat series of noisy measurements switches at most once in 95 of 100 runs. */
static void test_no_switch_on_a_flat_series(void **state)
{
    int quiet = 0;

    (void)state;
    for (uint64_t run = 0; run < 100; run++) {
        sl_hysteresis h = { .consecutive = 2 };
        int switches = -1; /* the first decided measurement is no switch */

        for (uint64_t k = 0; k < 6; k++)
            switches += sl_hysteresis_step(&h, measure(0.42, 1000 + 6 * run + k, 0).stage);
        quiet += switches <= 0;
    }
    assert_true(quiet >= 95);
}

static void test_mixing_weights(void **state)
{
    (void)state;
    for (double bs = 0.0; bs <= 1.0; bs += 0.01) {
        T_CLOSE(sl_mix_linear(bs, 0.45, 0.55) + sl_mix_linear(1.0 - bs, 0.45, 0.55), 1.0, TOL_F64);
        T_CLOSE(sl_mix_smoothstep(bs, 0.45, 0.55) + sl_mix_smoothstep(1.0 - bs, 0.45, 0.55), 1.0,
                TOL_F64);
        T_CLOSE(sl_mix_logistic(bs, 0.5, 0.05) + sl_mix_logistic(1.0 - bs, 0.5, 0.05), 1.0,
                TOL_F64);
    }
    T_CLOSE(sl_posterior_above_half(12.0, 12.0, 0.5), 0.5, TOL_F64);
    T_CLOSE(sl_posterior_above_half(1.0, 0.0, 1.0), 0.75, TOL_F64); /* 1 - (1/2)^2 */
}

/* A row says what the verdict says; the action follows the state, not the last look. */
static void test_rows(void **state)
{
    sl_decision_state decided = { .hysteresis.state = SL_STAGE_INJECTION };
    sl_decision_rule rule = sl_decision_rule_defaults();
    const sl_prompt_mean win = prompt_of(1.0, 4);
    sl_row_boundary row;
    sl_row_decisions decision;
    sl_boundary b;

    (void)state;
    open(&b);
    while (!sl_boundary_is_settled(&b))
        T_OK(sl_boundary_add(&b, &win));
    T_OK(sl_boundary_row(&row, &b, 2000));
    T_CLOSE(row.bs, 1.0, TOL_EXACT);
    assert_int_equal(row.stage, SL_STAGE_FINE_TUNING);
    assert_int_equal(row.votes, 4 * row.prompts);
    assert_int_equal(row.max_prompts, 2000);
    assert_true(isnan(row.lc_bs));
    rule.consecutive = 2;
    T_OK(sl_decision_row(&decision, &decided, &rule, &b, 0.0));
    assert_int_equal(decision.stage, SL_STAGE_FINE_TUNING);
    assert_int_equal(decision.action, SL_ACTION_STATIC); /* one of two */
    T_OK(sl_decision_row(&decision, &decided, &rule, &b, 0.0));
    assert_int_equal(decision.action, SL_ACTION_ON_POLICY);
    T_CLOSE(decision.mix_weight, 1.0, TOL_EXACT);
    sl_boundary_close(&b);
}

/* --- tables ---------------------------------------------------------------------------------- */

static void test_table_is_exact(void **state)
{
    const double values[] = { 0.1, 1.0 / 3.0, 1e-300, -2.5e17, 0.0 };
    const char *folder = t_scratch();
    char path[4200], *text, *at;
    size_t bytes;
    sl_table_out t;

    (void)state;
    T_OK(sl_table_open(&t, folder, "x.tsv", "a\tb"));
    for (size_t i = 0; i < 5; i++) {
        sl_table_f64(&t, values[i]);
        sl_table_text(&t, "tab\tand\nline");
        sl_table_end_row(&t);
    }
    sl_table_f64(&t, NAN);
    sl_table_i64(&t, -7);
    sl_table_end_row(&t);
    T_OK(sl_table_close(&t));
    T_OK(sl_file_join(path, sizeof path, folder, "x.tsv"));
    T_OK(sl_file_read(&text, &bytes, path, 1 << 20));
    assert_true(!strncmp(text, "a\tb\n", 4));
    at = strchr(text, '\n') + 1;
    for (size_t i = 0; i < 5; i++) {
        T_CLOSE(strtod(at, &at), values[i], TOL_EXACT);
        assert_true(!strncmp(at, "\ttab and line\n", 14));
        at = strchr(at, '\n') + 1;
    }
    assert_string_equal(at, "nan\t-7\n");
    sl_free(text);
    t_scratch_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sides_far_apart_are_settled_early),
        cmocka_unit_test(test_swapped_roles),
        cmocka_unit_test(test_a_verdict_is_not_taken_back),
        cmocka_unit_test(test_undefined_before_the_first_prompt),
        cmocka_unit_test(test_another_threshold_moves_the_sides),
        cmocka_unit_test(test_hysteresis),
        cmocka_unit_test(test_no_switch_on_a_flat_series),
        cmocka_unit_test(test_mixing_weights),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_table_is_exact),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
