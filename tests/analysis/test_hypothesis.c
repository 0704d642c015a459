/* Properties of the sequential tests, and their error rates and costs on simulated votes. */
#include "analysis/hypothesis.h"
#include "harness/harness.h"

#define BISECTED 1e-9   /* 60 halvings times the slope of the log capital */
#define TABLE 0.1       /* what the design promises of its simulated means */
#define QUADRATURE 1e-8 /* midpoint rule, 200000 points */

enum { SERIES = 60, SHORT_RUNS = 100000, SHORT = 20, CAP = 2000 };

static const size_t grid = sizeof sl_kelly_lambda / sizeof sl_kelly_lambda[0];

static sl_kelly fresh(double tau, double delta)
{
    sl_kelly k;

    T_OK(sl_kelly_open(&k, tau, delta, sl_kelly_lambda, grid));
    return k;
}

static void series_of(double *y, size_t n, uint64_t seed)
{
    sl_rng rng = sl_rng_at(seed, sl_rng_stream("test series"), 0);

    for (size_t i = 0; i < n; i++)
        y[i] = sl_rng_uniform(&rng);
}

static void test_swapped_votes_swap_the_sides(void **state)
{
    double y[SERIES];
    sl_kelly a = fresh(0.5, 0.05), b = fresh(0.5, 0.05);

    (void)state;
    series_of(y, SERIES, 1);
    for (size_t i = 0; i < SERIES; i++) {
        sl_kelly_add(&a, y[i]);
        sl_kelly_add(&b, 1.0 - y[i]);
        T_CLOSE(a.log_e_above, b.log_e_below, TOL_F64);
        T_CLOSE(a.log_e_below, b.log_e_above, TOL_F64);
    }
}

static void test_a_tie_changes_nothing_without_a_zone(void **state)
{
    sl_kelly k = fresh(0.5, 0.0);

    (void)state;
    for (size_t i = 0; i < 1000; i++)
        sl_kelly_add(&k, 0.5);
    T_CLOSE(k.log_e_above, 0.0, TOL_EXACT);
    T_CLOSE(k.log_e_below, 0.0, TOL_EXACT);
    assert_int_equal(sl_kelly_side(&k, 0.05), SL_SIDE_NONE);
}

static void test_order_of_votes_does_not_matter(void **state)
{
    double y[SERIES];
    sl_kelly a = fresh(0.5, 0.05), b = fresh(0.5, 0.05);

    (void)state;
    series_of(y, SERIES, 2);
    for (size_t i = 0; i < SERIES; i++) {
        sl_kelly_add(&a, y[i]);
        sl_kelly_add(&b, y[SERIES - 1 - i]);
    }
    T_CLOSE(a.log_e_above, b.log_e_above, TOL_F64);
    T_CLOSE(a.log_e_below, b.log_e_below, TOL_F64);
}

/* Wealth stays finite at the worst votes for any threshold: the cap on the fractions. */
static void test_wealth_stays_positive(void **state)
{
    (void)state;
    for (double tau = 0.1; tau < 0.95; tau += 0.1) {
        sl_kelly k = fresh(tau, 0.05);

        for (size_t i = 0; i < 50; i++)
            sl_kelly_add(&k, i % 2 ? 0.0 : 1.0);
        assert_true(isfinite(k.log_e_above) && isfinite(k.log_e_below));
    }
}

static void test_a_copy_is_a_test_of_its_own(void **state)
{
    sl_kelly a = fresh(0.5, 0.05), b;

    (void)state;
    sl_kelly_add(&a, 1.0);
    b = a;
    sl_kelly_add(&a, 1.0);
    sl_kelly_add(&b, 0.0);
    sl_kelly_add(&b, 1.0);
    assert_true(a.log_e_above > b.log_e_above);
}

static void test_bad_settings_are_refused(void **state)
{
    const double bad = -0.1;
    sl_kelly k;
    sl_sprt s;
    sl_detector d;

    (void)state;
    T_FAILS(sl_kelly_open(&k, 1.0, 0.05, sl_kelly_lambda, grid), SL_EARG, "want a threshold");
    T_FAILS(sl_kelly_open(&k, 0.5, 0.5, sl_kelly_lambda, grid), SL_EARG, "want a threshold");
    T_FAILS(sl_kelly_open(&k, 0.5, 0.05, &bad, 1), SL_EARG, "want betting fractions > 0");
    T_FAILS(sl_kelly_open(&k, 0.5, 0.05, sl_kelly_lambda, 0), SL_EARG, "want 1 to");
    T_FAILS(sl_sprt_open(&s, 0.6, 0.5, 0.05, 0.05), SL_EARG, "want 0 < p0 < p1");
    T_FAILS(sl_detector_open(&d, 0.0, sl_kelly_lambda, grid), SL_EARG, "want a level");
}

/* E[wealth] <= 1 at the null: mean of 1e5 short runs, 4 standard errors. The null of "above" is
 * p = tau - delta, that of "below" p = tau + delta. */
static void check_martingale(double p, int is_above, uint64_t seed)
{
    sl_rng rng = sl_rng_at(seed, sl_rng_stream("test null"), 0);
    const sl_kelly start = fresh(0.5, 0.05);
    double sum = 0.0, squares = 0.0, mean;

    for (size_t r = 0; r < SHORT_RUNS; r++) {
        sl_kelly k = start;
        double e;

        for (size_t i = 0; i < SHORT; i++)
            sl_kelly_add(&k, sl_rng_uniform(&rng) < p);
        e = exp(is_above ? k.log_e_above : k.log_e_below);
        sum += e;
        squares += e * e;
    }
    mean = sum / SHORT_RUNS;
    assert_true(mean <= 1.0 + 4.0 * sqrt((squares / SHORT_RUNS - mean * mean) / SHORT_RUNS));
    assert_true(mean > 0.9); /* and it is fair, not merely small */
}

static void test_wealth_is_fair_at_the_null(void **state)
{
    (void)state;
    check_martingale(0.45, 1, 5);
    check_martingale(0.55, 0, 6);
}

typedef struct outcome {
    double votes, wrong; /* means over runs */
} outcome;

/* One vote per prompt with P(vote = 1) = p. */
static outcome simulate(double p, double delta, size_t runs, uint64_t seed)
{
    sl_rng rng = sl_rng_at(seed, sl_rng_stream("test votes"), 0);
    const sl_kelly start = fresh(0.5, delta);
    outcome o = { 0.0, 0.0 };

    for (size_t r = 0; r < runs; r++) {
        sl_kelly k = start;
        sl_side side = SL_SIDE_NONE;
        size_t n = 0;

        while (n < CAP && side == SL_SIDE_NONE) {
            sl_kelly_add(&k, sl_rng_uniform(&rng) < p);
            side = sl_kelly_side(&k, 0.05);
            n++;
        }
        o.votes += (double)n / (double)runs;
        o.wrong += (side == (p < 0.5 ? SL_SIDE_ABOVE : SL_SIDE_BELOW)) / (double)runs;
    }
    return o;
}

/* The table of votes needed in the design (8000 runs there): means within 10 %, errors below alpha
 * plus 3 standard errors. */
static void test_cost_and_error_of_the_default(void **state)
{
    const struct {
        double p, votes;
    } row[] = { { 0.40, 84 }, { 0.45, 177 }, { 0.55, 177 }, { 0.66, 44 } };
    const size_t runs = 2000;
    const double allowed = 0.05 + 3.0 * sqrt(0.05 * 0.95 / (double)runs);

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        const outcome o = simulate(row[i].p, 0.05, runs, 100 + i);

        T_CLOSE(o.votes, row[i].votes, TABLE);
        assert_true(o.wrong <= allowed);
    }
}

static void test_the_sign_test_rejects_rarely_at_one_half(void **state)
{
    const size_t runs = 1000;
    sl_rng rng = sl_rng_at(9, sl_rng_stream("test sign"), 0);
    const sl_kelly start = fresh(0.5, 0.0);
    double above = 0.0;

    (void)state;
    for (size_t r = 0; r < runs; r++) {
        sl_kelly k = start;
        int has_crossed = 0;

        for (size_t n = 0; n < CAP && !has_crossed; n++) {
            sl_kelly_add(&k, sl_rng_uniform(&rng) < 0.5);
            has_crossed = k.log_e_above >= log(20.0);
        }
        above += has_crossed / (double)runs;
    }
    assert_true(above <= 0.05 + 3.0 * sqrt(0.05 * 0.95 / (double)runs));
}

/* --- betting ------------------------------------------------------------------------------------
 */

static void test_capital_is_monotone_in_the_mean(void **state)
{
    double y[SERIES], lambda[SERIES], plus = INFINITY, minus = -INFINITY;

    (void)state;
    series_of(y, SERIES, 3);
    sl_bet_series(lambda, y, SERIES, 0.05);
    for (double m = 0.0; m <= 1.0; m += 0.001) {
        const double p = sl_bet_log_plus(m, y, lambda, SERIES);
        const double q = sl_bet_log_minus(m, y, lambda, SERIES);

        assert_true(p <= plus && q >= minus);
        plus = p;
        minus = q;
    }
}

static void test_interval_ends_are_where_the_capital_is(void **state)
{
    static double y[400], lambda[400];
    sl_interval i;

    (void)state;
    series_of(y, 400, 4);
    sl_bet_series(lambda, y, 400, 0.05);
    i = sl_bet_interval(y, lambda, 400, 0.05);
    assert_true(i.lower > 0.0 && i.lower < 0.5 && i.upper > 0.5 && i.upper < 1.0);
    T_CLOSE(sl_bet_log_plus(i.lower, y, lambda, 400), log(40.0), BISECTED);
    T_CLOSE(sl_bet_log_minus(i.upper, y, lambda, 400), log(40.0), BISECTED);
}

/* The sequence at every n at once: the truth leaves it in at most alpha of the runs. */
static void test_coverage_of_both_sequences(void **state)
{
    const size_t runs = 300, n = 300;
    static double y[300], lambda[300];
    sl_rng rng = sl_rng_at(12, sl_rng_stream("test sequence"), 0);
    double missed = 0.0, bernstein_missed = 0.0;

    (void)state;
    for (size_t r = 0; r < runs; r++) {
        sl_bernstein b = { .centre = SL_BERNSTEIN_PAPER };
        int has_missed = 0, has_missed_b = 0;

        for (size_t i = 0; i < n; i++)
            y[i] = sl_rng_uniform(&rng) < 0.4;
        sl_bet_series(lambda, y, n, 0.05);
        for (size_t i = 0; i < n; i++) {
            sl_interval e;

            sl_bernstein_add(&b, y[i], 0.05);
            e = sl_bernstein_interval(&b, 0.05);
            has_missed_b |= e.lower > 0.4 || e.upper < 0.4;
            has_missed |= sl_bet_log_plus(0.4, y, lambda, i + 1) > log(40.0) ||
                          sl_bet_log_minus(0.4, y, lambda, i + 1) > log(40.0);
        }
        missed += has_missed / (double)runs;
        bernstein_missed += has_missed_b / (double)runs;
    }
    assert_true(missed <= 0.05 + 3.0 * sqrt(0.05 * 0.95 / (double)runs));
    assert_true(bernstein_missed <= 0.05 + 3.0 * sqrt(0.05 * 0.95 / (double)runs));
}

/* With the whole pool seen, only its own mean is left. */
static void test_pool_excludes_the_impossible(void **state)
{
    const double y[4] = { 1.0, 1.0, 1.0, 0.0 };
    double lambda[4], plus[4], minus[4];

    (void)state;
    sl_bet_series(lambda, y, 4, 0.05);
    sl_bet_pool(plus, minus, y, lambda, 4, 4.0, 0.25);
    assert_true(isinf(plus[3])); /* two successes seen already: a pool of one is impossible */
    sl_bet_pool(plus, minus, y, lambda, 4, 4.0, 0.75);
    assert_true(isfinite(plus[3]) && isfinite(minus[3]));
}

/* The half-Beta mixture is the mean over p in (1/2,1] of the likelihood ratio against 1/2. */
static void test_half_beta_is_the_integral(void **state)
{
    const double wins = 12.0, losses = 5.0, steps = 200000.0;
    double sum = 0.0;

    (void)state;
    for (double k = 0.5; k < steps; k++) {
        const double p = 0.5 + 0.5 * k / steps;

        sum += pow(2.0 * p, wins) * pow(2.0 * (1.0 - p), losses) / steps;
    }
    T_CLOSE(exp(sl_half_beta_log_e(wins, losses, 1.0)), sum, QUADRATURE);
}

static void test_detector_alarms_after_a_rise(void **state)
{
    sl_detector d;
    size_t alarm = 0;

    (void)state;
    T_OK(sl_detector_open(&d, 0.5, sl_kelly_lambda, grid));
    for (size_t i = 0; i < 100; i++) {
        sl_detector_add(&d, i < 50 ? 0.3 : 0.9);
        if (!alarm && d.log_mean_sr >= log(1000.0))
            alarm = i + 1;
    }
    assert_true(alarm > 50 && alarm < 75);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_swapped_votes_swap_the_sides),
        cmocka_unit_test(test_a_tie_changes_nothing_without_a_zone),
        cmocka_unit_test(test_order_of_votes_does_not_matter),
        cmocka_unit_test(test_wealth_stays_positive),
        cmocka_unit_test(test_a_copy_is_a_test_of_its_own),
        cmocka_unit_test(test_bad_settings_are_refused),
        cmocka_unit_test(test_wealth_is_fair_at_the_null),
        cmocka_unit_test(test_cost_and_error_of_the_default),
        cmocka_unit_test(test_the_sign_test_rejects_rarely_at_one_half),
        cmocka_unit_test(test_capital_is_monotone_in_the_mean),
        cmocka_unit_test(test_interval_ends_are_where_the_capital_is),
        cmocka_unit_test(test_coverage_of_both_sequences),
        cmocka_unit_test(test_pool_excludes_the_impossible),
        cmocka_unit_test(test_half_beta_is_the_integral),
        cmocka_unit_test(test_detector_alarms_after_a_rise),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
