/* Crossings, change points, run lengths: planted ones are found, exact methods equal brute force.
 */
#include "analysis/bocpd.h"
#include "analysis/changepoint.h"
#include "analysis/locate.h"
#include "analysis/special.h"
#include "analysis/trajectory.h"
#include "harness/harness.h"

enum { SMALL = 11, LONG = 60 };

static double x[LONG];

static void noise(size_t n, uint64_t seed)
{
    sl_rng rng = sl_rng_at(seed, sl_rng_stream("test locate"), 0);

    for (size_t i = 0; i < n; i++)
        x[i] = sl_rng_normal(&rng);
}

/* Cheapest cost over all partitions of [a, T) with segments of min_size or more. */
static double brute(const sl_cost *c, size_t a, double penalty, size_t min_size)
{
    double best = INFINITY;

    if (a == c->T)
        return 0.0;
    for (size_t b = a + min_size; b <= c->T; b++)
        best = fmin(best, sl_cost_of(c, a, b) + penalty + brute(c, b, penalty, min_size));
    return best;
}

static void test_optimal_is_brute_force(void **state)
{
    const double penalties[] = { 0.0, 0.3, 1.0, 5.0 };

    (void)state;
    for (int kind = SL_COST_L2; kind <= SL_COST_RBF; kind++)
        for (uint64_t seed = 0; seed < 10; seed++)
            for (size_t k = 0; k < 4; k++) {
                const sl_partition_settings set = { .penalty = penalties[k],
                                                    .min_size = 2,
                                                    .jump = 1 };
                sl_cost cost;
                sl_partition p;

                noise(SMALL, seed);
                T_OK(sl_cost_open(&cost, (sl_cost_kind)kind, x, SMALL, 1));
                T_OK(sl_partition_optimal(&p, &cost, &set));
                T_CLOSE(p.cost + set.penalty * (double)p.count,
                        brute(&cost, 0, set.penalty, set.min_size), TOL_F64);
                assert_int_equal(p.end[p.count - 1], SMALL);
                sl_partition_close(&p);
                sl_cost_close(&cost);
            }
}

/* A split never costs more, for the costs that are likelihoods of nested models. */
static void test_a_split_never_costs_more(void **state)
{
    double votes[2 * LONG];
    sl_cost l2, binomial;
    sl_rng rng = sl_rng_at(1, sl_rng_stream("test split"), 0);

    (void)state;
    noise(LONG, 77);
    for (size_t i = 0; i < LONG; i++) {
        votes[2 * i] = (double)sl_rng_below(&rng, 6);
        votes[2 * i + 1] = 5.0;
    }
    T_OK(sl_cost_open(&l2, SL_COST_L2, x, LONG, 1));
    T_OK(sl_cost_open(&binomial, SL_COST_BINOMIAL, votes, LONG, 2));
    for (size_t b = 1; b < LONG; b++) {
        assert_true(sl_cost_of(&l2, 0, b) + sl_cost_of(&l2, b, LONG) <=
                    sl_cost_of(&l2, 0, LONG) + TOL_F64 * LONG);
        assert_true(sl_cost_of(&binomial, 0, b) + sl_cost_of(&binomial, b, LONG) <=
                    sl_cost_of(&binomial, 0, LONG) + TOL_F64 * LONG);
    }
    sl_cost_close(&l2);
    sl_cost_close(&binomial);
}

static void test_prefix_sums_are_the_definition(void **state)
{
    sl_cost l2, normal;

    (void)state;
    noise(LONG, 5);
    T_OK(sl_cost_open(&l2, SL_COST_L2, x, LONG, 1));
    T_OK(sl_cost_open(&normal, SL_COST_NORMAL, x, LONG, 1));
    for (size_t a = 0; a + 2 < LONG; a += 7)
        for (size_t b = a + 2; b <= LONG; b += 5) {
            const sl_mean m = sl_mean_of(x + a, b - a);
            const double sum = m.sd * m.sd * (double)(b - a - 1);

            T_CLOSE(sl_cost_of(&l2, a, b), sum, TOL_F64);
            T_CLOSE(sl_cost_of(&normal, a, b), (double)(b - a) * log(sum / (double)(b - a) + 1e-6),
                    TOL_F64);
        }
    sl_cost_close(&l2);
    sl_cost_close(&normal);
}

static void test_planted_points_are_found(void **state)
{
    const double level[3] = { 0.0, 6.0, 2.0 };
    const size_t want[3] = { 20, 40, 60 };
    double sigma;
    sl_partition_settings set = { .min_size = 2, .jump = 1 };
    sl_cost cost;
    sl_partition p;

    (void)state;
    noise(LONG, 9);
    for (size_t i = 0; i < LONG; i++)
        x[i] += level[i / 20];
    T_OK(sl_noise_by_differences(&sigma, x, LONG));
    assert_true(sigma > 0.6 && sigma < 1.5);
    set.penalty = 2.0 * sigma * sigma * log(LONG);
    T_OK(sl_cost_open(&cost, SL_COST_L2, x, LONG, 1));
    for (int is_optimal = 0; is_optimal < 2; is_optimal++) {
        T_OK(is_optimal ? sl_partition_optimal(&p, &cost, &set)
                        : sl_partition_binary(&p, &cost, &set));
        assert_int_equal(p.count, 3);
        for (size_t k = 0; k < 3; k++)
            assert_int_equal(p.end[k], want[k]);
        sl_partition_close(&p);
    }
    sl_cost_close(&cost);
}

static void test_series_too_short_have_one_segment(void **state)
{
    const sl_partition_settings set = { .min_size = 5, .jump = 1 };
    sl_cost cost;
    sl_partition p;

    (void)state;
    noise(3, 1);
    T_OK(sl_cost_open(&cost, SL_COST_L2, x, 3, 1));
    T_OK(sl_partition_optimal(&p, &cost, &set));
    assert_int_equal(p.count, 1);
    sl_partition_close(&p);
    T_OK(sl_partition_binary(&p, &cost, &set));
    assert_int_equal(p.count, 1);
    sl_partition_close(&p);
    sl_cost_close(&cost);
    T_FAILS(sl_cost_open(&cost, SL_COST_L2, x, 0, 1), SL_EARG, "want observations");
    T_FAILS(sl_cost_open(&cost, SL_COST_BINOMIAL, x, 3, 1), SL_EARG, "want observations");
}

static void test_a_partition_agrees_with_itself(void **state)
{
    const size_t a[3] = { 20, 40, 60 }, whole[1] = { 60 };
    const sl_partition_score same = sl_partition_compare(a, 3, a, 3, 1.0);
    const sl_partition_score none = sl_partition_compare(a, 3, whole, 1, 1.0);

    (void)state;
    T_CLOSE(same.hausdorff, 0.0, TOL_EXACT);
    T_CLOSE(same.rand, 1.0, TOL_F64);
    T_CLOSE(same.precision + same.recall, 2.0, TOL_EXACT);
    assert_true(isinf(none.hausdorff));
    T_CLOSE(none.recall, 0.0, TOL_EXACT);
}

/* --- crossings ------------------------------------------------------------------------------- */

/* The isotonic fit is rising, keeps the weighted mean, and leaves a rising series alone. */
static void test_isotonic_properties(void **state)
{
    double weight[LONG], fit[LONG], again[LONG], mean = 0.0, fitted = 0.0;

    (void)state;
    noise(LONG, 13);
    for (size_t i = 0; i < LONG; i++)
        weight[i] = 1.0 + (double)(i % 4);
    T_OK(sl_isotonic(fit, x, weight, LONG));
    for (size_t i = 0; i < LONG; i++) {
        mean += weight[i] * x[i];
        fitted += weight[i] * fit[i];
        assert_true(!i || fit[i] >= fit[i - 1]);
    }
    T_CLOSE(fitted, mean, TOL_F64);
    T_OK(sl_isotonic(again, fit, weight, LONG));
    for (size_t i = 0; i < LONG; i++)
        T_CLOSE(again[i], fit[i], TOL_F64);
}

static void test_crossing_and_its_infinities(void **state)
{
    const double t[3] = { 0.0, 10.0, 20.0 }, fit[3] = { 0.2, 0.4, 0.8 };
    size_t index;

    (void)state;
    T_CLOSE(sl_isotonic_crossing(&index, t, fit, 3, 0.5), 12.5, TOL_F64);
    assert_int_equal(index, 2);
    assert_true(sl_isotonic_crossing(&index, t, fit, 3, 0.1) == -INFINITY);
    assert_true(sl_isotonic_crossing(&index, t, fit, 3, 0.9) == INFINITY);
    assert_int_equal(index, 3);
}

static void test_bracket_of_intervals(void **state)
{
    const double t[4] = { 0.0, 1.0, 2.0, 3.0 };
    const sl_interval path[4] = { { 0.3, 0.4 }, { 0.4, 0.6 }, { 0.52, 0.7 }, { 0.6, 0.8 } };
    const sl_bracket crossed = sl_bracket_of(t, path, 4, 0.5);
    const sl_bracket above = sl_bracket_of(t, path + 1, 3, 0.5);
    const sl_bracket below = sl_bracket_of(t, path, 2, 0.5);
    const sl_bracket open = sl_bracket_of(t, path + 1, 1, 0.5);

    (void)state;
    assert_int_equal(crossed.path, SL_PATH_CROSSED);
    T_CLOSE(crossed.low, 0.0, TOL_EXACT);
    T_CLOSE(crossed.high, 2.0, TOL_EXACT);
    assert_int_equal(above.path, SL_PATH_FINE_TUNING);
    assert_true(above.low == -INFINITY);
    assert_int_equal(below.path, SL_PATH_INJECTION);
    assert_true(below.high == INFINITY);
    assert_int_equal(open.path, SL_PATH_UNDECIDED);
    assert_true(isnan(open.low));
}

static void test_logistic_recovers_its_model(void **state)
{
    double t[12], p[12], n[12];
    sl_logistic l;

    (void)state;
    for (size_t i = 0; i < 12; i++) {
        t[i] = 50.0 * (double)i;
        p[i] = 1.0 / (1.0 + exp(-(t[i] - 230.0) / 90.0));
        n[i] = 100.0;
    }
    T_OK(sl_logistic_fit(&l, t, p, n, 12, 0.05));
    T_CLOSE(l.crossing, 230.0, TOL_F64);
    T_CLOSE(l.dispersion, 0.0, TOL_F64);
    assert_true(l.fieller.lower < 230.0 && 230.0 < l.fieller.upper);
    for (size_t i = 0; i < 12; i++)
        p[i] = 0.5;
    T_OK(sl_logistic_fit(&l, t, p, n, 12, 0.05));
    assert_true(isinf(l.fieller.lower) && isinf(l.fieller.upper)); /* no slope */
    for (size_t i = 0; i < 12; i++)
        p[i] = i > 5;
    T_OK(sl_logistic_fit(&l, t, p, n, 12, 0.05)); /* separable */
    assert_true(isnan(l.crossing));
    T_OK(sl_logistic_fit(&l, t, p, n, 2, 0.05));
    assert_true(isnan(l.crossing));
}

static void test_knee_is_found(void **state)
{
    double t[20], y[20];
    sl_segmented s;

    (void)state;
    for (size_t i = 0; i < 20; i++) {
        t[i] = (double)i;
        y[i] = 1.0 + 0.1 * t[i] + 0.7 * fmax(t[i] - 12.0, 0.0) + (i % 2 ? 1e-3 : -1e-3);
    }
    T_OK(sl_segmented_fit(&s, t, y, 20, 0.05));
    assert_int_equal(s.tau, 12);
    T_CLOSE(s.coef[2], 0.7, TOL_FD);
    assert_true(s.is_better && s.sse < s.sse_line);
    assert_true(s.interval.lower <= 12.0 && 12.0 <= s.interval.upper);
    T_FAILS(sl_segmented_fit(&s, t, y, 3, 0.05), SL_EARG, "want 4 checkpoints");
}

/* --- run lengths ----------------------------------------------------------------------------- */

static void test_run_length_restarts_at_a_jump(void **state)
{
    sl_bocpd b;

    (void)state;
    T_OK(sl_bocpd_open(&b, sl_bocpd_binomial(1.0, 1.0), 1.0 / 15.0, 1e-8));
    for (size_t i = 0; i < 20; i++)
        T_OK(sl_bocpd_add(&b, i < 12 ? 10.0 : 35.0, 50.0));
    assert_int_equal(b.now.map_run, 8);
    T_CLOSE(b.now.p_zero, 1.0 / 15.0, 1e-6); /* the hazard, but for what was pruned */
    T_OK(sl_bocpd_add(&b, NAN, 50.0));
    assert_int_equal(b.now.map_run, 8); /* a missing evaluation ages nothing */
    assert_true(b.kept < 20);
    sl_bocpd_close(&b);
    T_FAILS(sl_bocpd_open(&b, sl_bocpd_binomial(1.0, 1.0), 1.0, 0.0), SL_EARG, "want a hazard");
}

static void test_a_run_that_never_crosses(void **state)
{
    const double t[3] = { 0.0, 1.0, 2.0 }, zero[3] = { 0.0 }, one[3] = { 1.0, 1.0, 1.0 };
    sl_trajectory run = { .t = t, .truth = zero, .found = zero, .T = 3, .boundary = INFINITY };
    sl_trajectory_score s = sl_trajectory_score_of(NULL, &run);

    (void)state;
    assert_true(s.found == INFINITY && isnan(s.signed_error) && isnan(s.delay));
    assert_int_equal(s.false_switches, 0);
    T_CLOSE(s.accuracy, 1.0, TOL_EXACT);
    run.found = one;
    s = sl_trajectory_score_of(NULL, &run);
    assert_true(s.found == -INFINITY);
    assert_int_equal(s.false_alarms, 3);
}

/* exp(-v) within an unit or two of the last place of the library's, and cut at both ends. */
static void test_exponentials(void **state)
{
    enum { MANY = 4001 };
    double v[MANY], e[MANY];

    (void)state;
    for (size_t i = 0; i < MANY; i++)
        e[i] = v[i] = 0.03125 * (double)i;
    sl_exp_of_minus(e, MANY, 0.9, 1e-2, 1e2);
    for (size_t i = 0; i < MANY; i++) {
        const double want = exp(-fmin(fmax(0.9 * v[i], 1e-2), 1e2));

        assert_true(fabs(e[i] - want) <= 4.0 * DBL_EPSILON * want);
    }
}

/* Gaussian kernel of rows of width d: the scale is the median of all squared distances, and a
 * segment costs its length less the mean of its part of the matrix. */
static void check_rbf(size_t T, size_t d)
{
    const size_t pairs = T * (T - 1) / 2;
    double distance[LONG * LONG], gamma;
    sl_cost cost;
    size_t n = 0;

    for (size_t i = 0; i < T; i++)
        for (size_t j = 0; j < i; j++, n++) {
            distance[n] = 0.0;
            for (size_t k = 0; k < d; k++)
                distance[n] += pow(x[i * d + k] - x[j * d + k], 2.0);
        }
    assert_int_equal(n, pairs);
    sl_sort_f64(distance, pairs);
    gamma = 2.0 / (distance[(pairs - 1) / 2] + distance[pairs / 2]);
    T_OK(sl_cost_open(&cost, SL_COST_RBF, x, T, d));
    T_CLOSE(cost.gamma, gamma, TOL_F64);
    for (size_t a = 0; a + 2 < T; a += 3)
        for (size_t b = a + 2; b <= T; b += 5) {
            double sum = 0.0;

            for (size_t i = a; i < b; i++)
                for (size_t j = a; j < b; j++) {
                    double square = 0.0;

                    for (size_t k = 0; k < d; k++)
                        square += pow(x[i * d + k] - x[j * d + k], 2.0);
                    sum += i == j ? 1.0 : exp(-fmin(fmax(gamma * square, 1e-2), 1e2));
                }
            T_CLOSE(sl_cost_of(&cost, a, b), (double)(b - a) - sum / (double)(b - a), TOL_F64);
        }
    sl_cost_close(&cost);
}

static void test_rbf_is_the_definition(void **state)
{
    (void)state;
    noise(LONG, 6);
    x[7] = x[3]; /* a distance of 0, an outlier beyond the upper cut */
    x[9] = 40.0;
    check_rbf(LONG, 1);     /* an even number of pairs */
    check_rbf(LONG - 1, 1); /* an odd one */
    check_rbf(LONG / 2, 2);
    check_rbf(LONG / 3, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_optimal_is_brute_force),
        cmocka_unit_test(test_a_split_never_costs_more),
        cmocka_unit_test(test_prefix_sums_are_the_definition),
        cmocka_unit_test(test_exponentials),
        cmocka_unit_test(test_rbf_is_the_definition),
        cmocka_unit_test(test_planted_points_are_found),
        cmocka_unit_test(test_series_too_short_have_one_segment),
        cmocka_unit_test(test_a_partition_agrees_with_itself),
        cmocka_unit_test(test_isotonic_properties),
        cmocka_unit_test(test_crossing_and_its_infinities),
        cmocka_unit_test(test_bracket_of_intervals),
        cmocka_unit_test(test_logistic_recovers_its_model),
        cmocka_unit_test(test_knee_is_found),
        cmocka_unit_test(test_run_length_restarts_at_a_jump),
        cmocka_unit_test(test_a_run_that_never_crosses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
