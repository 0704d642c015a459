/* Real votes against their published leaderboard numbers: score, standard error, counts, lengths.
 */
#include "analysis/compare.h"
#include "analysis/length.h"
#include "analysis/report.h"
#include "analysis/sets.h"
#include "base/file.h"
#include "harness/harness.h"
#include <dirent.h>
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

/* The published average is the floor of the mean over all outputs, also those without a vote. */
static void check_length(const sl_json *length, const sl_json *run, int is_all_voted)
{
    const double mean = number(length, "on_mean_of_rows");
    const sl_json *agrees =
        json_object_get(json_object_get(run, "avg_length_matches_published"), "from_rows");

    T_CLOSE(mean, number(json_object_get(run, "length_rows"), "mean_codepoints"), PUBLISHED);
    if (is_all_voted)
        T_CLOSE(number(length, "on_mean"), mean, PUBLISHED);
    if (json_is_true(agrees))
        T_CLOSE(floor(mean), number(json_object_get(run, "published"), "avg_length"), TOL_EXACT);
}

static void check_run(const sl_json *run)
{
    const sl_json *want = json_object_get(run, "recomputed");
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
    check_length(json_object_get(point, "length"), run, number(want, "n_null") == 0.0);
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

/* Every file of the folder is in the list, so that none goes unchecked. */
static void test_every_run_file_is_checked(void **state)
{
    const sl_json *runs = json_object_get(expected, "runs");
    char path[2 * PATH_MOST];
    size_t files = 0;
    DIR *d;

    (void)state;
    snprintf(path, sizeof path, "%s/runs", folder);
    d = opendir(path);
    assert_non_null(d);
    for (const struct dirent *e; (e = readdir(d));) {
        size_t found = 0;

        if (!strstr(e->d_name, ".jsonl"))
            continue;
        for (size_t i = 0; i < json_array_size(runs); i++) {
            const char *file = json_string_value(json_object_get(json_array_get(runs, i), "file"));

            found += file && !strcmp(strrchr(file, '/') + 1, e->d_name);
        }
        assert_int_equal(found, 1);
        files++;
    }
    closedir(d);
    assert_int_equal(files, json_array_size(runs));
}

/* Files without votes are sets of answers; their average length is that of `--tokens characters`.
 */
static void check_outputs(const sl_json *run)
{
    const sl_json *length = json_object_get(run, "length_rows");
    sl_sets_settings settings = sl_sets_settings_defaults();
    sl_answer_sets sets = { 0 };
    char path[2 * PATH_MOST];
    const char *file;
    double mean;

    T_OK(sl_json_text(&file, run, "file"));
    snprintf(path, sizeof path, "%s/%s", folder, file);
    settings.tokens = "characters";
    T_OK(sl_sets_open(&sets, &settings));
    T_OK(sl_sets_read(&sets, path, NULL));
    T_OK(sl_sets_finish(&sets));
    assert_int_equal(sets.sets, 1);
    assert_int_equal(sets.set[0].answers, (size_t)number(length, "n"));
    mean = sl_sets_prompt_value(&sets.set[0], SL_METRIC_TOKENS).value;
    T_CLOSE(mean, number(length, "mean_codepoints"), PUBLISHED);
    if (json_is_true(json_object_get(run, "avg_length_matches_published")))
        T_CLOSE(floor(mean), number(json_object_get(run, "published"), "avg_length"), TOL_EXACT);
    sl_sets_close(&sets);
}

static void test_lengths_of_files_without_votes(void **state)
{
    const sl_json *runs = json_object_get(expected, "outputs_only");

    (void)state;
    assert_int_equal(json_array_size(runs), 2);
    for (size_t i = 0; i < json_array_size(runs); i++)
        check_outputs(json_array_get(runs, i));
}

/* Published length-controlled win rates from the published coefficients, read off at equal length
 * by the function of the fit, over the difficulties that the file gives. */
static void test_published_length_controlled_rates(void **state)
{
    char path[2 * PATH_MOST];
    sl_json *check;
    const sl_json *models, *nodes, *weights;
    double tolerance;

    (void)state;
    snprintf(path, sizeof path, "%s/lc_check.json", folder);
    T_OK(sl_json_load(&check, path, FILE_MOST));
    tolerance = number(check, "tolerance_suggested_pp");
    models = json_object_get(check, "models");
    nodes = json_object_get(check, "difficulty_nodes");
    weights = json_object_get(check, "difficulty_weights");
    assert_true(json_array_size(models) >= 8);
    for (size_t i = 0; i < json_array_size(models); i++) {
        const sl_json *m = json_array_get(models, i);
        const double coef[3] = { number(m, "length_coef"), number(m, "difficulty_coef"),
                                 number(m, "intercept") };
        double rate = 0.0;

        for (size_t k = 0; k < json_array_size(nodes); k++)
            rate += 100.0 * json_number_value(json_array_get(weights, k)) *
                    sl_length_at_zero(coef, json_number_value(json_array_get(nodes, k)));
        if (!(fabs(rate - number(m, "published_lc_win_rate")) <= tolerance))
            fail_msg("model %zu: want %g, found %g", i, number(m, "published_lc_win_rate"), rate);
    }
    sl_json_close(&check);
}

static sl_json *compare(const char *const *file, size_t count)
{
    sl_vote_set set = { 0 };
    const sl_compare_set compared = { .votes = &set, .alpha = 0.05 };
    sl_json *out;

    for (size_t i = 0; i < count; i++) {
        char path[2 * PATH_MOST];

        snprintf(path, sizeof path, "%s/%s", folder, file[i]);
        T_OK(sl_votes_read(&set, path));
    }
    T_OK(sl_compare(&out, &compared));
    sl_votes_close(&set);
    return out;
}

/* Two models against one baseline: the paired difference as another program has it, the strengths
 * the log odds of the published win rates. */
static void test_two_models_side_by_side(void **state)
{
    static const char *const files[] = { "runs/phi-2-sft.alpaca_eval_gpt4.jsonl.gz",
                                         "runs/phi-2.alpaca_eval_gpt4.jsonl.gz" };
    static const double rate[] = { 0.685323383084577, 0.306633291614518 };
    sl_json *document = compare(files, 2);
    const sl_json *pair = json_array_get(json_object_get(document, "paired"), 0);
    const sl_json *differences = json_object_get(document, "differences"), *row;
    size_t i;

    (void)state;
    assert_int_equal(json_array_size(json_object_get(document, "paired")), 1);
    T_CLOSE(number(pair, "prompts"), 799, TOL_EXACT);
    T_CLOSE(number(pair, "difference"), 0.376720901126408, TOL_F64);
    T_CLOSE(number(pair, "se"), 0.020352376491754788, TOL_F64);
    assert_int_equal(json_array_size(differences), 3);
    json_array_foreach(differences, i, row)
    {
        const char *a = json_string_value(json_object_get(row, "a"));
        const char *b = json_string_value(json_object_get(row, "b"));
        const double d = number(row, "difference");

        if (!strcmp(a, "text_davinci_003") && !strcmp(b, "phi-2"))
            T_CLOSE(d, -log(rate[1] / (1 - rate[1])), PUBLISHED);
        if (!strcmp(a, "phi-2-sft") && !strcmp(b, "text_davinci_003"))
            T_CLOSE(d, log(rate[0] / (1 - rate[0])), PUBLISHED);
    }
    sl_json_close(&document);
}

/* Real verdicts of three kinds: the stage of a family against its baseline. */
static void test_stages_of_families(void **state)
{
    static const char *const files[] = { "runs/phi-2.alpaca_eval_gpt4.jsonl.gz",
                                         "runs/phi-2-sft.alpaca_eval_gpt4.jsonl.gz",
                                         "runs/zephyr-7b-beta.alpaca_eval_gpt4.jsonl.gz" };
    static const char *const family[] = { "phi-2", "phi-2", "zephyr" };
    static const char *const stage[] = { "injection", "fine-tuning", "fine-tuning" };
    sl_json *document = compare(files, 3);
    const sl_json *models = json_object_get(document, "models");

    (void)state;
    assert_int_equal(json_array_size(models), 3);
    for (size_t i = 0; i < 3; i++) {
        const sl_json *row = json_array_get(models, i);

        assert_string_equal(json_string_value(json_object_get(row, "family")), family[i]);
        assert_string_equal(json_string_value(json_object_get(row, "baseline")),
                            "text_davinci_003");
        assert_string_equal(json_string_value(json_object_get(row, "stage")), stage[i]);
    }
    sl_json_close(&document);
}

/* Of all files one verdict changes at equal length: phi-2-sft writes twice as much as its baseline,
 * and its judge likes that. The score at equal length is that of another program's ridge fit. */
static void test_real_verdict_that_is_only_length(void **state)
{
    const sl_json *runs = json_object_get(expected, "runs");
    const sl_votes_settings settings = sl_votes_settings_defaults();
    char baselines[2 * PATH_MOST];
    size_t warned = 0;

    (void)state;
    snprintf(baselines, sizeof baselines, "%s/baselines.jsonl.gz", folder);
    for (size_t i = 0; i < json_array_size(runs); i++) {
        const char *file;
        char path[2 * PATH_MOST];
        sl_vote_set set = { 0 };
        sl_json *document;
        size_t filled;
        const sl_json *warnings;

        T_OK(sl_json_text(&file, json_array_get(runs, i), "file"));
        snprintf(path, sizeof path, "%s/%s", folder, file);
        T_OK(sl_votes_read(&set, path));
        T_OK(sl_votes_baselines(&filled, &set, baselines));
        assert_int_equal(filled, set.point[0].count);
        T_OK(sl_analyze_votes(&document, &set, &settings));
        warnings = json_object_get(document, "warnings");
        warned += json_array_size(warnings);
        if (!strcmp(file, "runs/phi-2-sft.alpaca_eval_gpt4.jsonl.gz")) {
            const sl_json *length = json_object_get(point_of(document), "length");

            T_CLOSE(number(length, "lc_bs"), 0.42827265320416563, PUBLISHED);
            assert_string_equal(json_string_value(json_object_get(length, "lc_stage")),
                                "injection");
            assert_int_equal(json_array_size(warnings), 1);
            assert_non_null(strstr(json_string_value(json_array_get(warnings, 0)),
                                   "the verdict changes under length control: fine-tuning"));
        }
        sl_json_close(&document);
        sl_votes_close(&set);
    }
    assert_int_equal(warned, 1);
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
        cmocka_unit_test(test_every_run_file_is_checked),
        cmocka_unit_test(test_lengths_of_files_without_votes),
        cmocka_unit_test(test_published_length_controlled_rates),
        cmocka_unit_test(test_two_models_side_by_side),
        cmocka_unit_test(test_stages_of_families),
        cmocka_unit_test(test_real_verdict_that_is_only_length),
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
