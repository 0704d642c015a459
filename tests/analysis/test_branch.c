/* Verdicts of branch tests: numbers by hand, with t of the tables of Student's distribution. */
#include "analysis/branch.h"
#include "harness/harness.h"
#include <math.h>

static void near(double found, double want)
{
    if (!(fabs(found - want) <= 1e-9 * fmax(1.0, fabs(want))))
        fail_msg("want %.12g, found %.12g", want, found);
}

/* d = 1, 2: mean 1.5, sd sqrt(1/2), se 1/2, t(.975, 1) = tan(.475 pi). */
static void test_two_replicates(void **state)
{
    static const double off[] = { 1.0, 1.0 }, on[] = { 2.0, 3.0 };
    const double half = 0.5 * tan(0.475 * acos(-1.0));
    sl_branch_verdict v;
    double d[3];

    (void)state;
    sl_branch_verdict_of(&v, d, off, on, 2, 0.05);
    near(v.off, 1.0);
    near(v.on, 2.5);
    near(v.difference.value, 1.5);
    near(v.difference.se, 0.5);
    near(v.interval.lower, 1.5 - half);
    near(v.interval.upper, 1.5 + half);
    assert_int_equal(v.winner, SL_STAGE_FINE_TUNING);
    sl_branch_verdict_of(&v, d, on, off, 2, 0.05);
    near(v.difference.value, -1.5);
    assert_int_equal(v.winner, SL_STAGE_INJECTION);
}

/* Pairing: gains that vary a lot by replicate, and differ by the same amount in each. */
static void test_pairs_take_out_what_is_common(void **state)
{
    static const double off[] = { 1.0, 5.0, 9.0 }, on[] = { 1.5, 5.25, 9.75 };
    sl_branch_verdict v;
    double d[3];

    (void)state;
    sl_branch_verdict_of(&v, d, off, on, 3, 0.05);
    near(v.difference.value, 0.5);
    near(v.difference.sd, 0.25);
    assert_int_equal(v.winner, SL_STAGE_FINE_TUNING);
}

/* Two standard errors exactly are not beyond them: d = 0, 1 has mean 1/2 and se 1/2. */
static void test_undecided(void **state)
{
    static const double none[] = { 0.0, 0.0 }, one[] = { 0.0, 1.0 };
    static const double edge[] = { 0.25, 0.75 }; /* mean 1/2, se 1/4: 2 se exactly */
    static const double broken[] = { NAN, 1.0 };
    sl_branch_verdict v;
    double d[3];

    (void)state;
    sl_branch_verdict_of(&v, d, none, one, 2, 0.05);
    assert_int_equal(v.winner, SL_STAGE_UNDECIDED);
    sl_branch_verdict_of(&v, d, none, edge, 2, 0.05);
    assert_int_equal(v.winner, SL_STAGE_UNDECIDED);
    sl_branch_verdict_of(&v, d, none, broken, 2, 0.05);
    assert_int_equal(v.difference.used, 1);
    assert_int_equal(v.winner, SL_STAGE_UNDECIDED);
}

static void test_accord(void **state)
{
    (void)state;
    for (int s = 0; s < 3; s++)
        for (int w = 0; w < 3; w++)
            assert_int_equal(sl_branch_accord_of((sl_stage)s, (sl_stage)w),
                             s == SL_STAGE_UNDECIDED || w == SL_STAGE_UNDECIDED ? SL_ACCORD_UNKNOWN
                             : s == w                                           ? SL_ACCORD_SAME
                                      : SL_ACCORD_OPPOSITE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_replicates),
        cmocka_unit_test(test_pairs_take_out_what_is_common),
        cmocka_unit_test(test_undecided),
        cmocka_unit_test(test_accord),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
