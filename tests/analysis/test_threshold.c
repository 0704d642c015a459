/* Thresholds of recipes from branch tests: cases whose threshold is known. */
#include "analysis/threshold.h"
#include "base/rng.h"
#include "harness/harness.h"
#include <math.h>
#include <string.h>

enum { MOST = 64 };

/* Tests of two replicates without spread. */
static sl_threshold of(const double *score, const double *difference, size_t n)
{
    sl_threshold_test test[MOST];
    sl_threshold t;

    for (size_t i = 0; i < n; i++)
        test[i] = (sl_threshold_test){ score[i], difference[i], 0.0, 2.0 };
    T_OK(sl_threshold_of(&t, test, n));
    return t;
}

/* The difference is 2 (score - .34): interpolation of a line is the line, in any order of tests. */
static void test_a_line_crosses_where_it_does(void **state)
{
    const double score[] = { .6, .2, .4, .3, .5 };
    double difference[5];
    sl_threshold t;

    (void)state;
    for (size_t i = 0; i < 5; i++)
        difference[i] = 2.0 * (score[i] - .34);
    t = of(score, difference, 5);
    assert_int_equal(t.kind, SL_THRESHOLD_CROSSED);
    T_CLOSE(t.value, .34, TOL_F64);
    T_CLOSE(t.low, .2, TOL_F64);
    T_CLOSE(t.high, .6, TOL_F64);
    /* without spread the two scores beside it are certain */
    T_CLOSE(t.interval.lower, .3, TOL_F64);
    T_CLOSE(t.interval.upper, .4, TOL_F64);
    assert_true(t.excludes_half);
    assert_non_null(strstr(t.reason, "measure.tau=0.34"));
}

/* -.2 and -.4 fall and become -.3 each: from -.3 at .4 to .3 at .5 zero lies at .45. */
static void test_falls_are_pooled(void **state)
{
    const double score[] = { .2, .3, .4, .5 }, difference[] = { -1.0, -.2, -.4, .3 };

    (void)state;
    T_CLOSE(of(score, difference, 4).value, .45, TOL_F64);
}

/* Three tests at .4 count as their mean, -.1, with weight 3: below .6 at .3 it pulls the block of
 * both to (.6 - .3)/4 = .075, so that the fit crosses between .2 and .3: at .2 + .1 .5/.575. */
static void test_equal_scores_are_one(void **state)
{
    const double score[] = { .4, .2, .4, .3, .4 }, difference[] = { .1, -.5, -.3, .6, -.1 };

    (void)state;
    T_CLOSE(of(score, difference, 5).value, .2 + .1 * .5 / .575, TOL_F64);
}

/* Scores .2 .4 .6 .8, differences -1 -.1 .1 1, two replicates each. Spread pooled: 4 degrees of
 * freedom, t/z = 2.776445/1.959964. A threshold beyond .6 would move .1 to 0, squares 2 * .01, one
 * beyond .8 also 1: refused where .02 > 2.28692 (t/z)^2 s^2, at s^2 = .004358. */
static void test_interval_follows_the_spread(void **state)
{
    static const double score[] = { .2, .4, .6, .8 }, difference[] = { -1.0, -.1, .1, 1.0 };
    const double edge = .02 / (2.28692 * pow(2.776445105 / 1.959963985, 2.0));
    sl_threshold_test test[4];
    sl_threshold t;

    (void)state;
    for (int wide = 0; wide < 2; wide++) {
        for (size_t i = 0; i < 4; i++)
            test[i] = (sl_threshold_test){ score[i], difference[i],
                                           sqrt(edge * (wide ? 1.001 : .999)), 2.0 };
        T_OK(sl_threshold_of(&t, test, 4));
        T_CLOSE(t.value, .5, TOL_F64);
        T_CLOSE(t.interval.lower, wide ? .2 : .4, TOL_F64);
        T_CLOSE(t.interval.upper, wide ? .8 : .6, TOL_F64);
        assert_false(t.excludes_half);
        assert_non_null(strstr(t.reason, "keep 1/2"));
    }
}

static void test_no_crossing_is_said(void **state)
{
    const double score[] = { .2, .3, .4, .5 }, up[] = { .1, .2, .3, .4 };
    const double down[] = { -.4, -.3, -.2, -.1 };
    sl_threshold t = of(score, up, 4);

    (void)state;
    assert_int_equal(t.kind, SL_THRESHOLD_ON_POLICY);
    assert_true(t.value == -INFINITY && t.interval.lower == -INFINITY && t.excludes_half);
    T_CLOSE(t.interval.upper, .2, TOL_F64);
    assert_non_null(strstr(t.reason, "below 0.20"));
    t = of(score, down, 4);
    assert_int_equal(t.kind, SL_THRESHOLD_STATIC);
    assert_true(t.value == INFINITY && t.interval.upper == INFINITY && !t.excludes_half);
    T_CLOSE(t.interval.lower, .5, TOL_F64);
    assert_non_null(strstr(t.reason, "above 0.50"));
}

static void test_too_few(void **state)
{
    const double score[] = { .2, .3, .4, .5, NAN }, difference[] = { -1.0, -.5, NAN, .5, 1.0 };
    const double same[] = { .3, .3, .3, .3 }, some[] = { -1.0, 0.0, 1.0, 2.0 };
    sl_threshold t = of(score, difference, 5); /* three of them are numbers */

    (void)state;
    assert_int_equal(t.tests, 3);
    assert_int_equal(t.kind, SL_THRESHOLD_NONE);
    assert_true(isnan(t.value) && isnan(t.interval.lower) && !t.excludes_half);
    assert_non_null(strstr(t.reason, "3 branch tests: a threshold wants 4"));
    t = of(same, some, 4);
    assert_int_equal(t.tests, 4);
    assert_int_equal(t.kind, SL_THRESHOLD_NONE);
    t = of(score, difference, 0);
    assert_int_equal(t.tests, 0);
}

/* n tests at scores in .1 to .9, difference 3 (score - tau), two noisy replicates each; `extra`
 * moves both, as starts that differ at one score do. */
static sl_threshold simulate(size_t n, double tau, double noise, double extra, uint64_t seed)
{
    sl_rng rng = sl_rng_at(seed, sl_rng_stream("tests"), 0);
    sl_threshold_test test[MOST];
    sl_threshold t;

    for (size_t i = 0; i < n; i++) {
        const double score = .1 + .8 * sl_rng_uniform(&rng);
        const double mean = 3.0 * (score - tau) + extra * sl_rng_normal(&rng);
        const double a = noise * sl_rng_normal(&rng), b = noise * sl_rng_normal(&rng);

        test[i] = (sl_threshold_test){ score, mean + (a + b) / 2.0, fabs(a - b) / sqrt(2.0), 2.0 };
    }
    T_OK(sl_threshold_of(&t, test, n));
    return t;
}

/* How often the interval holds the truth, and how often it speaks against 1/2 where 1/2 is right.
 */
static void coverage(size_t n, double noise, double extra)
{
    enum { RUNS = 500 };
    size_t held = 0, found = 0;

    for (uint64_t r = 0; r < RUNS; r++) {
        const sl_threshold right = simulate(n, .5, noise, extra, 2 * r);
        const sl_threshold low = simulate(n, .25, noise, extra, 2 * r + 1);

        held += right.interval.lower <= .5 && .5 <= right.interval.upper;
        held += low.interval.lower <= .25 && .25 <= low.interval.upper;
        found += low.excludes_half;
    }
    print_message(
        "%zu tests, noise %g and %g: holds the truth in %.3f, finds .25 below 1/2 in %.3f\n", n,
        noise, extra, (double)held / (2 * RUNS), (double)found / RUNS);
    assert_true(held >= 2 * RUNS * 90 / 100); /* nominal .95, standard error .007 */
}

static void test_interval_holds_the_truth(void **state)
{
    (void)state;
    coverage(4, .3, 0.0);
    coverage(6, .3, .2);
    coverage(12, .1, 0.0);
    coverage(12, .3, .2);
    coverage(24, .6, 0.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_line_crosses_where_it_does),
        cmocka_unit_test(test_falls_are_pooled),
        cmocka_unit_test(test_equal_scores_are_one),
        cmocka_unit_test(test_interval_follows_the_spread),
        cmocka_unit_test(test_no_crossing_is_said),
        cmocka_unit_test(test_too_few),
        cmocka_unit_test(test_interval_holds_the_truth),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
