/* A scorer against a rule: shares over prompts and their intervals, written out anew. */
#include "analysis/ranking.h"
#include "harness/harness.h"

#define T_975_DF3 3.182446305284263 /* Student's quantile; Abramowitz and Stegun table 26.10 */

/* Four prompts with 1, 2, 1 and 2 pairs, in no order; ties count half. */
static const sl_ranked_pair pairs[] = {
    { 7, 1.0, -3.0 }, { 2, 0.5, 2.0 },  { 9, -1.0, 4.0 },
    { 4, 2.0, 0.0 },  { 2, 0.0, -1.0 }, { 4, 3.0, 1.0 },
};
/* prompts 2, 4, 7, 9: scorer 3/4 1 1 0; rule 1/2 3/4 0 1; gain 1/4 1/4 1 -1 */

static void test_shares(void **state)
{
    const double gain[4] = { 0.25, 0.25, 1.0, -1.0 };
    double mean = 0.0, squares = 0.0, half;
    sl_ranking r;

    (void)state;
    T_OK(sl_ranking_of(&r, pairs, 6, 0.05));
    assert_int_equal(r.pairs, 6);
    assert_int_equal(r.prompts, 4);
    T_CLOSE(r.scorer.value, 2.75 / 4.0, TOL_F64);
    T_CLOSE(r.rule.value, 2.25 / 4.0, TOL_F64);
    T_CLOSE(r.gain.value, 0.125, TOL_F64);
    for (size_t i = 0; i < 4; i++)
        mean += gain[i] / 4.0;
    for (size_t i = 0; i < 4; i++)
        squares += (gain[i] - mean) * (gain[i] - mean);
    half = T_975_DF3 * sqrt(squares / 3.0 / 4.0);
    T_CLOSE(r.gain.interval.lower, mean - half, 1e-9);
    T_CLOSE(r.gain.interval.upper, mean + half, 1e-9);
    assert_true(r.rule.interval.lower >= 0.0 && r.scorer.interval.upper <= 1.0);
    assert_int_equal(r.verdict, SL_RANKING_UNDECIDED);
}

/* Swapping scorer and rule negates the difference and its verdict. */
static void test_verdicts(void **state)
{
    sl_ranked_pair good[12], bad[12];
    sl_ranking r;

    (void)state;
    for (size_t i = 0; i < 12; i++) {
        good[i] = (sl_ranked_pair){ i, 1.0, i % 4 ? -1.0 : 1.0 };
        bad[i] = (sl_ranked_pair){ i, good[i].rule, good[i].score };
    }
    T_OK(sl_ranking_of(&r, good, 12, 0.05));
    T_CLOSE(r.gain.value, 0.75, TOL_F64);
    assert_int_equal(r.verdict, SL_RANKING_BETTER);
    T_OK(sl_ranking_of(&r, bad, 12, 0.05));
    T_CLOSE(r.gain.value, -0.75, TOL_F64);
    assert_int_equal(r.verdict, SL_RANKING_WORSE);
}

static void test_too_few(void **state)
{
    const sl_ranked_pair bad = { 1, NAN, 1.0 };
    sl_ranking r;

    (void)state;
    T_OK(sl_ranking_of(&r, pairs, 1, 0.05));
    T_CLOSE(r.scorer.value, 1.0, TOL_F64);
    assert_true(isnan(r.gain.interval.lower) && r.verdict == SL_RANKING_UNDECIDED);
    T_OK(sl_ranking_of(&r, NULL, 0, 0.05));
    assert_true(isnan(r.scorer.value) && r.prompts == 0);
    T_FAILS(sl_ranking_of(&r, &bad, 1, 0.05), SL_ENUMERIC, "pair 0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shares),
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_too_few),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
