/* Real votes against their published leaderboard numbers: score, standard error, counts, lengths.
 */
#include "analysis/report.h"
#include "base/file.h"
#include "harness/harness.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PUBLISHED 1e-9 /* digits of the leaderboard that the rows must give */

enum { FILE_MOST = 64 << 20, PATH_MOST = 4096 };

static char folder[PATH_MOST];
static sl_json *expected;

static sl_json *analyze(const char *file)
{
    char path[2 * PATH_MOST];
    sl_vote_set set = { 0 };
    const sl_votes_settings settings = sl_votes_settings_defaults();
    sl_json *out;

    snprintf(path, sizeof path, "%s/%s", folder, file);
    T_OK(sl_votes_read(&set, path));
    T_OK(sl_analyze_votes(&out, &set, &settings));
    sl_votes_close(&set);
    return out;
}

static double number(const sl_json *tree, const char *key)
{
    double value = NAN;

    T_OK(sl_json_f64(&value, tree, key));
    return value;
}

static const sl_json *point_of(const sl_json *document)
{
    return json_array_get(json_object_get(document, "points"), 0);
}

static void check_run(const sl_json *run)
{
    const sl_json *want = json_object_get(run, "recomputed");
    const sl_json *length = json_object_get(run, "length_rows");
    const char *file, *model, *judge;
    sl_json *document;
    const sl_json *point, *bs;

    T_OK(sl_json_text(&file, run, "file"));
    T_OK(sl_json_text(&model, run, "model"));
    T_OK(sl_json_text(&judge, run, "judge"));
    document = analyze(file);
    assert_int_equal(json_array_size(json_object_get(document, "points")), 1);
    point = point_of(document);
    bs = json_object_get(point, "bs");
    assert_string_equal(json_string_value(json_object_get(point, "name")), model);
    assert_string_equal(json_string_value(json_object_get(point, "judge")), judge);
    T_CLOSE(number(bs, "value"), number(want, "win_rate") / 100.0, PUBLISHED);
    T_CLOSE(number(bs, "se"), number(want, "standard_error") / 100.0, PUBLISHED);
    T_CLOSE(number(point, "wins"), number(want, "n_wins"), TOL_EXACT);
    T_CLOSE(number(point, "losses"), number(want, "n_wins_base"), TOL_EXACT);
    T_CLOSE(number(point, "ties"), number(want, "n_draws"), TOL_EXACT);
    T_CLOSE(number(point, "votes"), number(want, "n_total"), TOL_EXACT);
    T_CLOSE(number(point, "prompts"), number(want, "n_total"), TOL_EXACT);
    T_CLOSE(number(point, "dropped"), number(want, "n_null"), TOL_EXACT);
    T_CLOSE(number(point, "bs_without_ties"), number(want, "decisive_win_share"), TOL_F64);
    if (number(want, "n_null") == 0.0)
        T_CLOSE(number(json_object_get(point, "length"), "on_mean"),
                number(length, "mean_codepoints"), PUBLISHED);
    sl_json_close(&document);
}

static void test_published_numbers(void **state)
{
    const sl_json *runs = json_object_get(expected, "runs");

    (void)state;
    assert_true(json_array_size(runs) >= 10);
    for (size_t i = 0; i < json_array_size(runs); i++)
        check_run(json_array_get(runs, i));
}

/* The keys that scripts rely on, in their order. */
static void test_shape_of_the_document(void **state)
{
    static const char *const keys[] = { "name",
                                        "step",
                                        "judge",
                                        "prompts",
                                        "votes",
                                        "dropped",
                                        "bs",
                                        "bs_without_ties",
                                        "wins",
                                        "losses",
                                        "ties",
                                        "stage",
                                        "test",
                                        "certified",
                                        "sequence",
                                        "margin",
                                        "length",
                                        "position_bias",
                                        "judge_agreement" };
    sl_json *document = analyze("runs/phi-2.alpaca_eval_gpt4.jsonl.gz");
    const sl_json *input = json_array_get(json_object_get(document, "inputs"), 0);
    const sl_json *point = point_of(document);
    size_t i = 0;
    const char *key;
    json_t *value;

    (void)state;
    assert_string_equal(json_string_value(json_object_get(document, "schema")),
                        "stageline.analysis/1");
    json_object_foreach((json_t *)point, key, value)
    {
        assert_true(i < sizeof keys / sizeof keys[0]);
        assert_string_equal(key, keys[i++]);
    }
    assert_int_equal(i, sizeof keys / sizeof keys[0]);
    assert_int_equal(strlen(json_string_value(json_object_get(input, "sha256"))), 64);
    T_CLOSE(number(input, "rows"), 805, TOL_EXACT);
    T_CLOSE(number(input, "dropped"), 6, TOL_EXACT);
    assert_true(json_is_null(json_object_get(point, "step")));
    assert_true(json_is_null(json_object_get(point, "position_bias")));
    assert_string_equal(json_string_value(json_object_get(point, "stage")), "injection");
    assert_string_equal(json_string_value(json_object_get(point, "certified")), "injection");
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(document, "boundary"), "verdict")),
        "always-injection");
    sl_json_close(&document);
}

/* Two judges of one model: the share of prompts on which they agree is a property of the files. */
static void test_agreement_of_two_judges(void **state)
{
    static const char *const files[] = { "runs/oasst-sft-pythia-12b.claude.jsonl.gz",
                                         "runs/oasst-sft-pythia-12b.weighted_alpaca_eval_gpt4_"
                                         "turbo.jsonl.gz" };
    const sl_votes_settings settings = sl_votes_settings_defaults();
    sl_vote_set set = { 0 };
    sl_json *document;
    double a, b;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        char path[2 * PATH_MOST];

        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        T_OK(sl_votes_read(&set, path));
    }
    T_OK(sl_analyze_votes(&document, &set, &settings));
    a = number(json_array_get(json_object_get(document, "points"), 0), "judge_agreement");
    b = number(json_array_get(json_object_get(document, "points"), 1), "judge_agreement");
    T_CLOSE(a, b, TOL_F64);
    T_CLOSE(a, 534.0 / 805.0, TOL_F64); /* counted from the two files by another program */
    sl_votes_close(&set);
    sl_json_close(&document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_numbers),
        cmocka_unit_test(test_shape_of_the_document),
        cmocka_unit_test(test_agreement_of_two_judges),
    };
    const char *path = t_shared("data/alpacaeval");
    char file[2 * PATH_MOST];
    int red;

    if (!path)
        return T_SKIP;
    snprintf(folder, sizeof folder, "%s", path);
    snprintf(file, sizeof file, "%s/expected.json", folder);
    if (sl_json_load(&expected, file, FILE_MOST) != SL_OK)
        return T_SKIP;
    red = cmocka_run_group_tests(tests, NULL, NULL);
    sl_json_close(&expected);
    return red;
}
