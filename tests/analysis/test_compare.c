/* Comparisons against formulas and published examples. */
#include "analysis/bradley_terry.h"
#include "analysis/compare_int.h"
#include "harness/harness.h"
#include <stdio.h>
#include <string.h>

enum { N = 400 };

/* Two players: the difference is the log odds of the mean, its variance that of the mean by the
 * delta method. */
static void test_two_players(void **state)
{
    sl_rng rng = sl_rng_at(4, sl_rng_stream("games"), 0);
    sl_game game[N];
    double y[N], theta[2], cov[4], p;
    sl_mean mean;

    (void)state;
    for (size_t i = 0; i < N; i++) {
        y[i] = sl_rng_uniform(&rng) < 0.3 ? 1.0 : 0.5 * (sl_rng_uniform(&rng) < 0.2);
        game[i] = (sl_game){ (i * 7919) % 100003 + 1, 0, 1, y[i] };
    }
    mean = sl_mean_of(y, N);
    p = mean.value;
    T_OK(sl_bradley_terry_games(theta, cov, game, N, 2, 0.0));
    T_CLOSE(theta[0] - theta[1], log(p / (1 - p)), TOL_F64);
    T_CLOSE(cov[0] + cov[3] - 2 * cov[1], pow(mean.se / (p * (1 - p)), 2.0), TOL_F64);
}

/* Every vote four times on the same prompt is no news: with a prompt a cluster the covariance
 * stays, while that of independent games would fall to a quarter. */
static void test_votes_of_a_prompt_are_one_cluster(void **state)
{
    sl_rng rng = sl_rng_at(5, sl_rng_stream("games"), 0);
    sl_game once[N], four[4 * N];
    double theta[3], cov[9], again[3], wide[9];

    (void)state;
    for (size_t i = 0; i < N; i++) {
        once[i] = (sl_game){ i / 2 + 1, i % 3, (i + 1) % 3, sl_rng_uniform(&rng) < 0.6 };
        for (size_t k = 0; k < 4; k++)
            four[4 * i + k] = once[i];
    }
    T_OK(sl_bradley_terry_games(theta, cov, once, N, 3, 0.0));
    T_OK(sl_bradley_terry_games(again, wide, four, 4 * (size_t)N, 3, 0.0));
    for (size_t k = 0; k < 3; k++)
        T_CLOSE(again[k], theta[k], 1e-9);
    for (size_t k = 0; k < 9; k++)
        T_CLOSE(wide[k], cov[k], 1e-9);
}

static void test_games_need_prompts(void **state)
{
    sl_game game[2] = { { 1, 0, 1, 1.0 }, { 1, 0, 1, 0.0 } };
    double theta[2], cov[4];

    (void)state;
    assert_int_equal(sl_bradley_terry_games(theta, cov, game, 2, 2, 0.0), SL_EARG);
    sl_err_clear();
}

/* Holm 1979 by hand: .01 .04 .03 .005 become .03 .06 .06 .02; a row without a test stays without.
 */
static void test_holm(void **state)
{
    sl_json *list = json_pack("[{s:f},{s:f},{s:n},{s:f},{s:f}]", "p", 0.01, "p", 0.04, "p", "p",
                              0.03, "p", 0.005);
    static const double want[] = { 0.03, 0.06, NAN, 0.06, 0.02 };

    (void)state;
    T_OK(sl_compare_holm(list));
    for (size_t i = 0; i < 5; i++) {
        const sl_json *p = json_object_get(json_array_get(list, i), "p_holm");

        if (isnan(want[i]))
            assert_true(json_is_null(p));
        else
            T_CLOSE(json_number_value(p), want[i], TOL_F64);
    }
    sl_json_close(&list);
}

/* Prompts 2, 3, 4 in common; votes of one prompt become its mean; differences .5, 0, -.5 + ... */
static void test_paired_differences(void **state)
{
    static const uint64_t prompt_a[] = { 4, 1, 2, 3, 2 }, prompt_b[] = { 3, 2, 4, 9 };
    static const double a[] = { 0.0, 1.0, 1.0, 1.0, 0.0 }, b[] = { 0.0, 0.25, 0.25, 1.0 };
    sl_subjects all = { 0 };
    sl_subject *s;
    sl_json *out = json_object();
    const sl_json *row;
    const double se = sqrt(
        (pow(0.25 - 1.0 / 3, 2) + pow(1.0 - 1.0 / 3, 2) + pow(-0.25 - 1.0 / 3, 2)) / 2.0 / 3.0);

    (void)state;
    T_OK(sl_subject_add(&s, &all, prompt_a, a, 5));
    s->unit = "score";
    T_OK(sl_subject_add(&s, &all, prompt_b, b, 4));
    s->unit = "score";
    T_OK(sl_compare_paired(out, &all, 0.05));
    row = json_array_get(json_object_get(out, "paired"), 0);
    assert_int_equal(json_integer_value(json_object_get(row, "prompts")), 3);
    T_CLOSE(json_number_value(json_object_get(row, "difference")), 1.0 / 3, TOL_F64);
    T_CLOSE(json_number_value(json_object_get(row, "se")), se, TOL_F64);
    /* t with 2 degrees of freedom has a closed form: p = 1 - t/sqrt(t^2 + 2) */
    T_CLOSE(json_number_value(json_object_get(row, "p")),
            1.0 - (1.0 / 3 / se) / sqrt(pow(1.0 / 3 / se, 2) + 2.0), TOL_F64);
    sl_json_close(&out);
    sl_subjects_close(&all);
}

/* Other judges, other baselines, other units: no test. */
static void test_only_like_is_held_against_like(void **state)
{
    static const uint64_t prompt[] = { 1, 2, 3 };
    static const double value[] = { 0.0, 1.0, 1.0 };
    static const struct {
        const char *unit, *judge, *baseline;
    } of[] = { { "score", "j", "x" },
               { "score", "k", "x" },
               { "score", "j", NULL },
               { "margin_per_byte", "j", "x" } };
    sl_subjects all = { 0 };
    sl_json *out = json_object();

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        sl_subject *s;

        T_OK(sl_subject_add(&s, &all, prompt, value, 3));
        s->unit = of[i].unit;
        s->judge = of[i].judge;
        s->baseline = of[i].baseline;
    }
    T_OK(sl_compare_paired(out, &all, 0.05));
    assert_int_equal(json_array_size(json_object_get(out, "paired")), 0);
    sl_json_close(&out);
    sl_subjects_close(&all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_players),
        cmocka_unit_test(test_votes_of_a_prompt_are_one_cluster),
        cmocka_unit_test(test_games_need_prompts),
        cmocka_unit_test(test_holm),
        cmocka_unit_test(test_paired_differences),
        cmocka_unit_test(test_only_like_is_held_against_like),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
