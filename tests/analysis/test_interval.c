/* Special functions against published values, intervals against their definitions. */
#include "analysis/interval.h"
#include "analysis/special.h"
#include "harness/harness.h"

#define QUANTILE 1e-11  /* a continued fraction of up to a hundred terms */
#define BOOTSTRAP 0.005 /* 500 replicates: the error of a standard error of .025 is 3 % */

/* Abramowitz and Stegun 26.1 and 26.10; NIST tables; R 4 (qt, qf, qbeta, pbeta). */
static void test_quantiles(void **state)
{
    (void)state;
    T_CLOSE(sl_normal_quantile(0.975), 1.959963984540054, TOL_F64);
    T_CLOSE(sl_normal_quantile(0.001), -3.090232306167813, TOL_F64);
    T_CLOSE(sl_normal_quantile(0.5), 0.0, TOL_EXACT);
    T_CLOSE(sl_student_quantile(0.975, 1.0), 12.706204736174694, QUANTILE);
    T_CLOSE(sl_student_quantile(0.975, 5.0), 2.570581835636314, TOL_F64);
    T_CLOSE(sl_student_quantile(0.025, 5.0), -2.570581835636314, TOL_F64);
    T_CLOSE(sl_student_quantile(0.975, 30.0), 2.042272456301238, TOL_F64);
    T_CLOSE(sl_f_quantile(0.95, 1.0, 10.0), 4.964602743730712, QUANTILE);
    T_CLOSE(sl_f_quantile(0.95, 3.0, 20.0), 3.09839121214078, QUANTILE);
    T_CLOSE(sl_beta_quantile(0.5, 1.0, 1.0), 0.5, TOL_F64);
    assert_true(isnan(sl_normal_quantile(1.5)));
    assert_true(isnan(sl_beta_quantile(0.5, -1.0, 1.0)));
}

/* Closed forms: I_x(1,b) = 1-(1-x)^b, I_x(a,1) = x^a, and the reflection I_x(a,b) = 1-I_{1-x}(b,a).
 */
static void test_incomplete_beta(void **state)
{
    const double xs[] = { 0.01, 0.2, 0.5, 0.77, 0.999 };

    (void)state;
    for (size_t i = 0; i < 5; i++)
        for (double a = 0.5; a < 2000.0; a *= 3.7) {
            T_CLOSE(sl_beta_cdf(xs[i], 1.0, a), -expm1(a * log1p(-xs[i])), TOL_F64);
            T_CLOSE(sl_beta_cdf(xs[i], a, 1.0), pow(xs[i], a), TOL_F64);
            T_CLOSE(sl_beta_cdf(xs[i], a, 7.5) + sl_beta_cdf(1.0 - xs[i], 7.5, a), 1.0, QUANTILE);
        }
    assert_true(sl_log_beta_inc(0.5, 1e5, 10.0) < -5e4); /* far below the smallest double */
}

static void test_stable_sums(void **state)
{
    const double huge[3] = { 1000.0, 1000.0, -1000.0 };

    (void)state;
    T_CLOSE(sl_log_sum_exp(huge, 3), 1000.0 + log(2.0), TOL_F64);
    assert_true(isinf(sl_log_sum_exp(huge, 0)));
    T_CLOSE(sl_softplus(1000.0), 1000.0, TOL_EXACT);
    T_CLOSE(sl_softplus(-50.0), exp(-50.0), TOL_F64);
    T_CLOSE(sl_sigmoid(-800.0), 0.0, TOL_F64);
    T_CLOSE(sl_sigmoid(3.0) + sl_sigmoid(-3.0), 1.0, TOL_F64);
}

static void test_mean_drops_and_counts(void **state)
{
    const double x[5] = { 1.0, NAN, 3.0, INFINITY, 5.0 };
    const sl_mean m = sl_mean_of(x, 5), none = sl_mean_of(x, 0), one = sl_mean_of(x, 1);

    (void)state;
    T_CLOSE(m.value, 3.0, TOL_EXACT);
    T_CLOSE(m.sd, 2.0, TOL_EXACT);
    T_CLOSE(m.se, 2.0 / sqrt(3.0), TOL_F64);
    assert_int_equal(m.used, 3);
    assert_int_equal(m.dropped, 2);
    assert_true(isnan(none.value) && isnan(one.se));
    T_CLOSE(one.value, 1.0, TOL_EXACT);
}

static void test_quantile_type_7(void **state)
{
    const double x[4] = { 1.0, 2.0, 4.0, 8.0 };

    (void)state;
    T_CLOSE(sl_quantile_sorted(x, 4, 0.0), 1.0, TOL_EXACT);
    T_CLOSE(sl_quantile_sorted(x, 4, 0.5), 3.0, TOL_EXACT);
    T_CLOSE(sl_quantile_sorted(x, 4, 0.9), 6.8, TOL_F64);
    T_CLOSE(sl_quantile_sorted(x, 4, 1.0), 8.0, TOL_EXACT);
}

static double wins[400];

static void fill_votes(double p, uint64_t seed)
{
    sl_rng rng = sl_rng_at(seed, sl_rng_stream("test interval"), 0);

    for (size_t i = 0; i < 400; i++)
        wins[i] = sl_rng_uniform(&rng) < p;
}

/* Intervals contain the truth about as often as they say: 1000 samples, 4 standard errors. */
static void test_coverage(void **state)
{
    const double p = 0.6, se = sqrt(0.95 * 0.05 / 1000.0);
    double wilson = 0.0, student = 0.0;

    (void)state;
    for (uint64_t r = 0; r < 1000; r++) {
        sl_mean m;
        sl_interval w, s;

        fill_votes(p, r);
        m = sl_mean_of(wins, 400);
        w = sl_wilson(m.value * 400.0, 400.0, 0.05);
        s = sl_student_interval(&m, 0.05);
        wilson += (w.lower <= p && p <= w.upper) / 1000.0;
        student += (s.lower <= p && p <= s.upper) / 1000.0;
    }
    assert_true(fabs(wilson - 0.95) < 4.0 * se + 0.01);
    assert_true(fabs(student - 0.95) < 4.0 * se + 0.01);
}

static void test_bootstrap_is_seeded(void **state)
{
    sl_bootstrap a, b, c;

    (void)state;
    fill_votes(0.6, 1);
    T_OK(sl_bootstrap_mean(&a, wins, 400, 500, 0.05, 11));
    T_OK(sl_bootstrap_mean(&b, wins, 400, 500, 0.05, 11));
    T_OK(sl_bootstrap_mean(&c, wins, 400, 500, 0.05, 12));
    T_CLOSE(a.se, b.se, TOL_EXACT);
    assert_true(a.se != c.se);
    T_CLOSE(a.se, sl_mean_of(wins, 400).se, BOOTSTRAP);
    T_FAILS(sl_bootstrap_mean(&a, wins, 0, 500, 0.05, 11), SL_EARG, "want 1 to");
}

/* The design effect of votes that are copies of one another is the number of copies. */
static void test_copies_of_a_vote(void **state)
{
    static double votes[400];
    static size_t first[101];
    sl_clustered c;

    (void)state;
    fill_votes(0.5, 3);
    for (size_t i = 0; i <= 100; i++)
        first[i] = 4 * i;
    for (size_t i = 0; i < 400; i++)
        votes[i] = wins[i / 4];
    c = sl_clustered_votes(votes, first, 100, 0.05);
    T_CLOSE(c.icc, 1.0, TOL_F64);
    T_CLOSE(c.design_effect, 4.0, TOL_F64);
    T_CLOSE(c.n_effective, 100.0, QUANTILE);
    T_CLOSE(c.mean.se, sl_mean_of(wins, 100).se, TOL_F64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quantiles),           cmocka_unit_test(test_incomplete_beta),
        cmocka_unit_test(test_stable_sums),         cmocka_unit_test(test_mean_drops_and_counts),
        cmocka_unit_test(test_quantile_type_7),     cmocka_unit_test(test_coverage),
        cmocka_unit_test(test_bootstrap_is_seeded), cmocka_unit_test(test_copies_of_a_vote),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
