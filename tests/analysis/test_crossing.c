/* The verdict on a sequence of checkpoints, on planted paths; PELT against the exact partition; the
 * permutation penalty's error on series without a change; warnings about judges. */
#include "analysis/changepoint.h"
#include "analysis/crossing.h"
#include "analysis/report.h"
#include "base/file.h"
#include "harness/harness.h"
#include <stdio.h>
#include <string.h>

enum { CHECKPOINTS = 9, PROMPTS = 500 };

static double votes[CHECKPOINTS][PROMPTS];

/* BS of checkpoint i. */
typedef double (*path_of)(size_t i);

static double rise(size_t i)
{
    return 0.3 + 0.05 * (double)i;
}

static double jump(size_t i)
{
    return i < 5 ? 0.35 : 0.65;
}

static double low(size_t i)
{
    (void)i;
    return 0.35;
}

static double high(size_t i)
{
    (void)i;
    return 0.65;
}

static double at_half(size_t i)
{
    (void)i;
    return 0.5;
}

static double hump(size_t i)
{
    return i < 3 || i > 5 ? 0.3 : 0.7;
}

static sl_crossing crossing_of(path_of path, uint64_t seed)
{
    const sl_boundary_settings test = sl_boundary_defaults();
    sl_checkpoint at[CHECKPOINTS];
    sl_crossing c;

    for (size_t i = 0; i < CHECKPOINTS; i++) {
        sl_rng rng = sl_rng_at(seed, sl_rng_stream("crossing test"), i);

        for (size_t k = 0; k < PROMPTS; k++)
            votes[i][k] = sl_rng_uniform(&rng) < path(i);
        at[i] = (sl_checkpoint){ 100.0 * (double)i, votes[i], PROMPTS };
    }
    T_OK(sl_crossing_of(&c, at, CHECKPOINTS, &test, 1));
    return c;
}

static void check_path(path_of path, sl_path want, const char *words)
{
    const sl_crossing c = crossing_of(path, 4);

    assert_int_equal(c.path, want);
    if (!strstr(c.reason, words))
        fail_msg("want \"%s\", found \"%s\"", words, c.reason);
}

static void test_verdicts_and_reasons(void **state)
{
    (void)state;
    check_path(rise, SL_PATH_CROSSED, "below 0.5 at step");
    check_path(low, SL_PATH_INJECTION, "above at none of 9 checkpoints: not crossed by step 800");
    check_path(high, SL_PATH_FINE_TUNING, "below at none before");
    check_path(at_half, SL_PATH_UNDECIDED, "no confidence sequence of 9 checkpoints leaves 0.5");
    check_path(hump, SL_PATH_CROSSED, "below again at step 600: the path is not a single rise");
}

/* rise crosses 1/2 at 400, jump between 400 and 500. */
static void test_estimates_of_planted_paths(void **state)
{
    const sl_crossing r = crossing_of(rise, 4), j = crossing_of(jump, 4);

    (void)state;
    assert_true(r.low < 400.0 && r.high > 400.0 && r.low <= r.value && r.value <= r.high);
    for (size_t m = SL_CROSSING_ISOTONIC; m <= SL_CROSSING_LOGISTIC; m++) {
        assert_true(fabs(r.estimate[m].value - 400.0) < 80.0);
        assert_true(r.estimate[m].lower < 400.0 && r.estimate[m].upper > 400.0);
    }
    assert_int_equal(j.low, 400);
    assert_int_equal(j.high, 500);
    for (size_t m = SL_CROSSING_PELT_L2; m <= SL_CROSSING_BOCPD; m++) {
        if (isnan(j.estimate[m].value) || j.estimate[m].value != 500.0)
            fail_msg("%s: want 500, found %g (%s)", sl_crossing_names[m], j.estimate[m].value,
                     j.estimate[m].note);
        T_CLOSE(j.estimate[m].lower, 400, TOL_EXACT);
        assert_int_equal(j.estimate[m].changes, 1);
    }
    T_CLOSE(j.estimate[SL_CROSSING_DETECTOR].value, 500, TOL_EXACT);
    assert_true(isnan(crossing_of(low, 4).estimate[SL_CROSSING_DETECTOR].value));
}

static void test_few_checkpoints_are_said(void **state)
{
    const sl_boundary_settings test = sl_boundary_defaults();
    sl_checkpoint at[2] = { { 0, votes[0], PROMPTS }, { 100, votes[1], PROMPTS } };
    sl_crossing c;

    (void)state;
    crossing_of(rise, 4); /* fills the votes */
    T_OK(sl_crossing_of(&c, at, 2, &test, 1));
    assert_string_equal(c.estimate[SL_CROSSING_SEGMENTED].note, "fewer than 5 checkpoints");
    assert_string_equal(c.estimate[SL_CROSSING_PELT_RBF].note, "fewer than 4 checkpoints");
    T_OK(sl_crossing_of(&c, at, 0, &test, 1));
    assert_int_equal(c.path, SL_PATH_UNDECIDED);
    assert_string_equal(c.reason, "there is no checkpoint with votes");
}

/* On a flat path about 5 % of the series show a change by a calibrated penalty. */
static void test_the_penalty_holds_its_level(void **state)
{
    enum { T = 40, SERIES = 30, N = 50 };
    static double mean[T][N];
    const sl_boundary_settings test = sl_boundary_defaults();
    sl_checkpoint at[T];
    size_t found = 0;

    (void)state;
    for (size_t s = 0; s < SERIES; s++) {
        sl_crossing c;

        for (size_t i = 0; i < T; i++) {
            sl_rng rng = sl_rng_at(s, sl_rng_stream("flat"), i);

            for (size_t k = 0; k < N; k++)
                mean[i][k] = sl_rng_uniform(&rng) < 0.5;
            at[i] = (sl_checkpoint){ (double)i, mean[i], N };
        }
        T_OK(sl_crossing_of(&c, at, T, &test, s));
        found += c.estimate[SL_CROSSING_BINARY_BINOMIAL].changes > 0;
    }
    assert_true(found <= 6); /* 1.5 expected, P(more than 6) = .0006 */
}

static void test_pelt_is_the_optimal_partition(void **state)
{
    static const sl_cost_kind kinds[] = { SL_COST_L2, SL_COST_BINOMIAL };

    (void)state;
    for (uint64_t r = 0; r < 200; r++) {
        sl_rng rng = sl_rng_at(r, sl_rng_stream("pelt"), 0);
        const size_t T = 4 + sl_rng_below(&rng, 40);
        const sl_cost_kind kind = kinds[r % 2];
        const size_t d = kind == SL_COST_BINOMIAL ? 2 : 1;
        const sl_partition_settings set = { .penalty = 3.0 * sl_rng_uniform(&rng),
                                            .min_size = 1 + sl_rng_below(&rng, 3),
                                            .jump = 1 + sl_rng_below(&rng, 2) };
        double x[100];
        sl_cost cost;
        sl_partition exact, pelt;

        for (size_t i = 0; i < T; i++) {
            const double p = i % 13 < 6 ? 0.3 : 0.7;

            x[d * i] = d == 2 ? (double)sl_rng_below(&rng, 21) * p : p + 0.3 * sl_rng_normal(&rng);
            if (d == 2)
                x[2 * i + 1] = 20;
        }
        T_OK(sl_cost_open(&cost, kind, x, T, d));
        T_OK(sl_partition_optimal(&exact, &cost, &set));
        T_OK(sl_partition_pelt(&pelt, &cost, &set));
        T_CLOSE(pelt.cost + set.penalty * (double)pelt.count,
                exact.cost + set.penalty * (double)exact.count, TOL_F64);
        assert_int_equal(pelt.count, exact.count);
        assert_memory_equal(pelt.end, exact.end, exact.count * sizeof *exact.end);
        sl_partition_close(&exact);
        sl_partition_close(&pelt);
        sl_cost_close(&cost);
    }
}

/* --- names, judges, warnings ------------------------------------------------------------------ */

static sl_json *analyze_file(const char *file)
{
    const sl_votes_settings settings = sl_votes_settings_defaults();
    sl_vote_set set = { 0 };
    sl_json *document;

    T_OK(sl_votes_read(&set, file));
    T_OK(sl_analyze_votes(&document, &set, &settings));
    sl_votes_close(&set);
    return document;
}

static const char *text_of(const sl_json *list, size_t i, const char *key)
{
    return json_string_value(json_object_get(json_array_get(list, i), key));
}

/* Two names, two judges: a verdict for each, in order of appearance. */
static void test_every_name_and_judge(void **state)
{
    char path[4200];
    sl_json *d;
    const sl_json *list;
    FILE *f;

    (void)state;
    snprintf(path, sizeof path, "%s/votes.jsonl", t_scratch());
    f = fopen(path, "wb");
    for (int step = 0; step < 3; step++)
        for (int i = 0; i < 300; i++) {
            fprintf(f, "{\"prompt_id\":%d,\"step\":%d,\"name\":\"a\",\"judge\":\"J\",\"vote\":0}\n",
                    i, step);
            fprintf(f, "{\"prompt_id\":%d,\"step\":%d,\"name\":\"a\",\"judge\":\"K\",\"vote\":1}\n",
                    i, step);
            fprintf(f,
                    "{\"prompt_id\":%d,\"step\":%d,\"name\":\"b\",\"judge\":\"J\",\"vote\":%d}\n",
                    i, step, step > 0);
        }
    assert_int_equal(fclose(f), 0);
    d = analyze_file(path);
    list = json_object_get(d, "boundaries");
    assert_int_equal(json_array_size(list), 3);
    assert_string_equal(text_of(list, 0, "verdict"), "always-injection");
    assert_string_equal(text_of(list, 1, "judge"), "K");
    assert_string_equal(text_of(list, 1, "verdict"), "always-fine-tuning");
    assert_string_equal(text_of(list, 2, "name"), "b");
    assert_string_equal(text_of(list, 2, "verdict"), "crossed");
    assert_non_null(strstr(text_of(list, 2, "rule"), "bracket"));
    assert_true(json_equal(json_object_get(d, "boundary"), json_array_get(list, 0)));
    list = json_object_get(d, "warnings"); /* a: no prompt in common, opposite sides */
    assert_int_equal(json_array_size(list), 3 * 3);
    assert_string_equal(json_string_value(json_array_get(list, 0)),
                        "a at step 0, judge J: the other judges see the same winner on 0 % of the "
                        "prompts only");
    assert_string_equal(json_string_value(json_array_get(list, 2)),
                        "a at step 0, judge K: fine-tuning, but injection by judge J");
    sl_json_close(&d);
    t_scratch_remove();
}

/* A judge that only looks at length: longer answers win; the on-policy ones are longer. */
static void test_a_length_biased_judge_is_warned_about(void **state)
{
    char path[4200];
    sl_rng rng = sl_rng_at(5, sl_rng_stream("length"), 0);
    sl_json *d;
    const sl_json *warnings, *point;
    FILE *f;

    (void)state;
    snprintf(path, sizeof path, "%s/votes.jsonl", t_scratch());
    f = fopen(path, "wb");
    for (int i = 0; i < 1500; i++) {
        const double on = 120 + 30 * sl_rng_normal(&rng), off = 100 + 30 * sl_rng_normal(&rng);
        const double p = 1 / (1 + exp(-(on - off) / 20));

        fprintf(
            f,
            "{\"prompt_id\":%d,\"vote\":%d,\"len_on\":%.0f,\"len_off\":%.0f,\"truncated_on\":%s,"
            "\"truncated_off\":false}\n",
            i, sl_rng_uniform(&rng) < p, fmax(on, 1), fmax(off, 1), i % 10 ? "false" : "true");
    }
    assert_int_equal(fclose(f), 0);
    d = analyze_file(path);
    warnings = json_object_get(d, "warnings");
    point = json_object_get(json_array_get(json_object_get(d, "points"), 0), "length");
    assert_int_equal(json_array_size(warnings), 2);
    assert_non_null(strstr(json_string_value(json_array_get(warnings, 0)), "under length control"));
    assert_non_null(strstr(json_string_value(json_array_get(warnings, 1)),
                           "saw 10.0 % of the on-policy and 0.0 % of the static answers cut off"));
    assert_true(fabs(json_number_value(json_object_get(point, "lc_bs")) - 0.5) < 0.06);
    T_CLOSE(json_number_value(json_object_get(point, "cut_on")), 0.1, TOL_F64);
    sl_json_close(&d);
    t_scratch_remove();
}

/* A judge that votes for the first slot three times of four, asked in both orders. */
static void test_a_position_biased_judge_is_warned_about(void **state)
{
    char path[4200];
    sl_json *d;
    const sl_json *warnings;
    FILE *f;

    (void)state;
    snprintf(path, sizeof path, "%s/votes.jsonl", t_scratch());
    f = fopen(path, "wb");
    for (int i = 0; i < 200; i++) {
        fprintf(f, "{\"prompt_id\":%d,\"on_id\":1,\"order\":\"on-first\",\"vote\":%d}\n", i,
                i % 4 > 0);
        fprintf(f, "{\"prompt_id\":%d,\"on_id\":1,\"order\":\"off-first\",\"vote\":%d}\n", i,
                i % 4 == 3);
    }
    assert_int_equal(fclose(f), 0);
    d = analyze_file(path);
    warnings = json_object_get(d, "warnings");
    assert_int_equal(json_array_size(warnings), 1);
    assert_non_null(strstr(json_string_value(json_array_get(warnings, 0)),
                           "prefers the answer shown first by 0.500"));
    sl_json_close(&d);
    t_scratch_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts_and_reasons),
        cmocka_unit_test(test_estimates_of_planted_paths),
        cmocka_unit_test(test_few_checkpoints_are_said),
        cmocka_unit_test(test_the_penalty_holds_its_level),
        cmocka_unit_test(test_pelt_is_the_optimal_partition),
        cmocka_unit_test(test_every_name_and_judge),
        cmocka_unit_test(test_a_length_biased_judge_is_warned_about),
        cmocka_unit_test(test_a_position_biased_judge_is_warned_about),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
