/* What the tests promise, by simulation with fixed seeds: error rates, votes needed, coverage.
 * `bench coverage` is the same at full size. The reference numbers of votes come from 8000 runs of
 * another implementation (numpy), capped at 2000 prompts. */
#include "analysis/simulate.h"
#include "harness/harness.h"
#include <stdio.h>
#include <string.h>

enum { RUNS = 4000 };

/* The promise: at most alpha beyond the zone, also at its ends .45 and .55, also when votes of one
 * prompt are correlated. The default test only; at the ends the error is near .03. */
static void test_errors_and_votes_of_the_default_test(void **state)
{
    size_t seen = 0;

    (void)state;
    for (size_t i = 0; i < sl_simulate_case_count; i++) {
        const sl_simulate_case *c = &sl_simulate_cases[i];
        sl_simulate_result r;

        if (strcmp(c->rule, "kelly:n=2000") != 0 || c->p == 0.5)
            continue;
        T_OK(sl_simulate_rule(&r, c, RUNS, 1));
        if (!(r.error.upper <= 0.05))
            fail_msg("p %g, %d votes: want an error whose 99 %% limit is at most .05, found %g "
                     "(limit %g)",
                     c->p, c->votes, r.error.value, r.error.upper);
        if (!(fabs(r.mean / c->prompts - 1.0) <= 0.1))
            fail_msg("p %g, %d votes: want %g prompts, found %g", c->p, c->votes, c->prompts,
                     r.mean);
        seen++;
    }
    assert_int_equal(seen, 8);
}

/* Every other rule of the table needs what the other implementation needs. */
static void test_votes_of_the_other_rules(void **state)
{
    (void)state;
    for (size_t i = 0; i < sl_simulate_case_count; i++) {
        const sl_simulate_case *c = &sl_simulate_cases[i];
        sl_simulate_result r;

        if (isnan(c->prompts) || !strcmp(c->rule, "kelly:n=2000"))
            continue;
        T_OK(sl_simulate_rule(&r, c, RUNS / 8, 1));
        if (!(fabs(r.mean / c->prompts - 1.0) <= 0.15)) /* 3 standard errors of 500 runs */
            fail_msg("%s, p %g, %d votes: want %g prompts, found %g", c->rule, c->p, c->votes,
                     c->prompts, r.mean);
    }
}

/* Votes of one prompt as if independent: the table of the design has .157 and .160. */
static void test_dependent_votes_break_the_ratio_test(void **state)
{
    static const double p[] = { 0.45, 0.55 };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const sl_simulate_case c = { "sprt-votes:n=2000", p[i], 4, NAN };
        sl_simulate_result r;

        T_OK(sl_simulate_rule(&r, &c, 2000, 1));
        assert_true(fabs(r.error.value - 0.16) < 0.025);
    }
}

/* At every one of 2000 looks. */
static void test_coverage_of_the_confidence_sequences(void **state)
{
    static const double p[] = { 0.1, 0.45, 0.5, 0.66 };

    (void)state;
    for (int kind = 0; kind < SL_SIMULATE_SEQUENCES; kind++)
        for (size_t i = 0; i < sizeof p / sizeof p[0]; i++)
            for (int votes = 1; votes <= 4; votes += 3) {
                sl_simulate_share missed;

                T_OK(sl_simulate_misses(&missed, kind, p[i], votes, 0.05, 300, 1));
                if (!(missed.value <= 0.05))
                    fail_msg("%s, p %g, %d votes: want 95 %% coverage at every look, found %g",
                             sl_simulate_sequence_names[kind], p[i], votes, 1.0 - missed.value);
            }
}

/* A level that is too small is found out: the check can turn red. */
static void test_a_sequence_at_half_the_level_misses_more(void **state)
{
    sl_simulate_share five, ninety;

    (void)state;
    T_OK(sl_simulate_misses(&five, SL_SIMULATE_BETTING, 0.5, 1, 0.05, 200, 1));
    T_OK(sl_simulate_misses(&ninety, SL_SIMULATE_BETTING, 0.5, 1, 0.9, 200, 1));
    assert_true(ninety.value > 0.1 && ninety.value > 2.0 * five.value);
}

/* Sanity of the simulation itself: mean p and the intraclass correlation that it promises. */
static void test_simulated_votes_are_correlated_as_said(void **state)
{
    enum { N = 200000 };
    sl_rng rng = sl_rng_at(1, sl_rng_stream("icc"), 0);
    double sum = 0.0, squares = 0.0, var;

    (void)state;
    for (int i = 0; i < N; i++) {
        const double y = sl_simulate_prompt(&rng, 0.45, 4);

        sum += y / N;
        squares += y * y / N;
    }
    var = squares - sum * sum;
    assert_true(fabs(sum - 0.45) < 0.003);
    /* var = p q (1 + 3 rho)/4 */
    assert_true(fabs(var / (0.45 * 0.55) - (1.0 + 3.0 * 0.3) / 4.0) < 0.005);
}

/* The bracket misses the crossing in at most 5 % of the runs, and a flat path does not cross. */
static void test_coverage_of_the_bracket(void **state)
{
    enum { PATHS = 30 };

    (void)state;
    for (size_t i = 0; i < sl_simulate_path_count; i++) {
        const sl_simulate_path *path = &sl_simulate_paths[i];
        sl_simulate_cover c;

        T_OK(sl_simulate_crossing(&c, path, 200, 1, PATHS, 1));
        if (c.bracket.hits > 2)
            fail_msg("%s: want at most 2 misses of the bracket in %d runs, found %zu", path->name,
                     PATHS, c.bracket.hits);
        if (!strcmp(path->name, "flat"))
            assert_true(c.path[SL_PATH_UNDECIDED] >= PATHS - 2);
        if (!strcmp(path->name, "steep"))
            assert_true(c.path[SL_PATH_CROSSED] >= PATHS - 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_simulated_votes_are_correlated_as_said),
        cmocka_unit_test(test_errors_and_votes_of_the_default_test),
        cmocka_unit_test(test_votes_of_the_other_rules),
        cmocka_unit_test(test_dependent_votes_break_the_ratio_test),
        cmocka_unit_test(test_coverage_of_the_confidence_sequences),
        cmocka_unit_test(test_a_sequence_at_half_the_level_misses_more),
        cmocka_unit_test(test_coverage_of_the_bracket),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
