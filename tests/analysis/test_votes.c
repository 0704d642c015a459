/* Files of votes: formats, both orders of a pair, what is dropped, what is refused and where; and
 * the document made of them. */
#include "analysis/report.h"
#include "base/file.h"
#include "harness/fault.h"
#include "harness/harness.h"
#include <stdio.h>
#include <string.h>
#include <zlib.h>

static char path[4200];

static const char *write_file(const char *name, const char *text)
{
    static const char *folder;

    if (!folder)
        folder = t_scratch();
    snprintf(path, sizeof path, "%s/%s", folder, name);
    T_OK(sl_file_write_atomic(path, text, strlen(text)));
    return path;
}

static sl_json *analyze_with(const char *text, int is_soft, const sl_votes_settings *settings)
{
    sl_vote_set set = { .is_soft = is_soft };
    sl_json *out;

    T_OK(sl_votes_read(&set, write_file("votes.jsonl", text)));
    T_OK(sl_analyze_votes(&out, &set, settings));
    sl_votes_close(&set);
    return out;
}

static sl_json *analyze(const char *text)
{
    const sl_votes_settings settings = sl_votes_settings_defaults();

    return analyze_with(text, 0, &settings);
}

static const sl_json *point(const sl_json *document, size_t i)
{
    return json_array_get(json_object_get(document, "points"), i);
}

static double number(const sl_json *tree, const char *key)
{
    double value = NAN;

    T_OK(sl_json_f64(&value, tree, key));
    return value;
}

static double score(const sl_json *p)
{
    return number(json_object_get(p, "bs"), "value");
}

#define ROW(prompt, rest) "{\"prompt_id\":\"" prompt "\"," rest "}\n"

static void test_prompts_are_the_unit(void **state)
{
    sl_json *d = analyze(ROW("a", "\"vote\":1") ROW("a", "\"vote\":1") ROW("a", "\"vote\":0")
                             ROW("b", "\"vote\":0") ROW("b", "\"vote\":null"));
    const double mean = (2.0 / 3.0 + 0.0) / 2.0;

    (void)state;
    T_CLOSE(score(point(d, 0)), mean, TOL_F64);
    T_CLOSE(number(json_object_get(point(d, 0), "bs"), "se"), 1.0 / 3.0, TOL_F64);
    T_CLOSE(number(point(d, 0), "prompts"), 2, TOL_EXACT);
    T_CLOSE(number(point(d, 0), "votes"), 4, TOL_EXACT);
    T_CLOSE(number(point(d, 0), "dropped"), 1, TOL_EXACT);
    T_CLOSE(number(point(d, 0), "wins"), 2, TOL_EXACT);
    assert_string_equal(json_string_value(json_object_get(point(d, 0), "name")), "votes");
    assert_true(json_is_null(json_object_get(point(d, 0), "judge")));
    sl_json_close(&d);
}

#define PAIR(on, off) "\"on_id\":\"" on "\",\"off_id\":\"" off "\","

static void test_both_orders_are_one_pair(void **state)
{
    sl_json *d = analyze(ROW("a", PAIR("x", "y") "\"vote\":1,\"order\":\"on-first\"")
                             ROW("a", PAIR("x", "z") "\"vote\":1,\"order\":\"on-first\"")
                                 ROW("a", PAIR("x", "y") "\"vote\":0,\"order\":\"off-first\"")
                                     ROW("a", PAIR("x", "z") "\"vote\":1,\"order\":\"off-first\""));
    const sl_json *bias = json_object_get(point(d, 0), "position_bias");

    (void)state;
    T_CLOSE(score(point(d, 0)), 0.75, TOL_F64); /* pairs: 1/2 and 1 */
    T_CLOSE(number(point(d, 0), "ties"), 1, TOL_EXACT);
    T_CLOSE(number(point(d, 0), "wins"), 1, TOL_EXACT);
    T_CLOSE(number(bias, "value"), 0.5, TOL_F64); /* differences 1 and 0 */
    T_CLOSE(number(bias, "se"), 0.5, TOL_F64);
    sl_json_close(&d);
}

static void test_scores_become_votes(void **state)
{
    const char *text = ROW("a", "\"score_on\":2,\"score_off\":1")
        ROW("b", "\"score_on\":1,\"score_off\":1") ROW("c", "\"score_on\":0,\"score_off\":3")
            ROW("d", "\"score_on\":null,\"score_off\":3");
    const sl_votes_settings settings = sl_votes_settings_defaults();
    sl_json *hard = analyze(text), *soft = analyze_with(text, 1, &settings);

    (void)state;
    T_CLOSE(score(point(hard, 0)), 0.5, TOL_F64);
    T_CLOSE(number(point(hard, 0), "dropped"), 1, TOL_EXACT);
    T_CLOSE(score(point(soft, 0)), (1.0 / (1.0 + exp(-1.0)) + 0.5 + 1.0 / (1.0 + exp(3.0))) / 3.0,
            TOL_F64);
    sl_json_close(&hard);
    sl_json_close(&soft);
}

static void test_swapped_roles_give_one_minus(void **state)
{
    static char on[1 << 16], off[1 << 16];
    sl_rng rng = sl_rng_at(4, sl_rng_stream("test votes"), 0);
    size_t a = 0, b = 0;
    sl_json *x, *y;

    (void)state;
    for (int i = 0; i < 300; i++) {
        const double v = (double)sl_rng_below(&rng, 5) / 4.0;
        const int length = (int)sl_rng_below(&rng, 900), other = (int)sl_rng_below(&rng, 900);

        a += (size_t)snprintf(on + a, sizeof on - a,
                              "{\"prompt_id\":%d,\"vote\":%g,\"len_on\":%d,\"len_off\":%d}\n",
                              i / 2, v, length, other);
        b += (size_t)snprintf(off + b, sizeof off - b,
                              "{\"prompt_id\":%d,\"vote\":%g,\"len_on\":%d,\"len_off\":%d}\n",
                              i / 2, 1.0 - v, other, length);
    }
    x = analyze(on);
    y = analyze(off);
    T_CLOSE(score(point(x, 0)), 1.0 - score(point(y, 0)), TOL_F64);
    T_CLOSE(number(json_object_get(point(x, 0), "length"), "lc_bs"),
            1.0 - number(json_object_get(point(y, 0), "length"), "lc_bs"), TOL_F64);
    T_CLOSE(number(json_object_get(point(x, 0), "sequence"), "lower"),
            1.0 - number(json_object_get(point(y, 0), "sequence"), "upper"), TOL_F64);
    sl_json_close(&x);
    sl_json_close(&y);
}

static void test_array_of_annotations(void **state)
{
    sl_json *d = analyze(
        "[{\"instruction\":\"q\",\"output_1\":\"four\",\"generator_1\":\"base\",\"output_2\":"
        "\"\xc3\xa9t\xc3\xa9\",\"generator_2\":\"ours\",\"annotator\":\"j\",\"preference\":2.0},"
        "{\"instruction\":\"r\",\"output_1\":\"a\",\"output_2\":\"b\",\"generator_2\":\"ours\","
        "\"annotator\":\"j\",\"preference\":0},"
        "{\"instruction\":\"s\",\"output_1\":\"a\",\"output_2\":\"b\",\"generator_2\":\"ours\","
        "\"annotator\":\"j\",\"preference\":null}]");
    const sl_json *p = point(d, 0);

    (void)state;
    T_CLOSE(score(p), 0.75, TOL_F64);
    T_CLOSE(number(p, "dropped"), 1, TOL_EXACT);
    T_CLOSE(number(json_object_get(p, "length"), "on_mean"), 2.0, TOL_F64); /* characters */
    T_CLOSE(number(json_object_get(p, "length"), "off_mean"), 2.5, TOL_F64);
    assert_string_equal(json_string_value(json_object_get(p, "name")), "ours");
    assert_string_equal(json_string_value(json_object_get(p, "judge")), "j");
    sl_json_close(&d);
}

static void test_gzip_is_read_as_it_is(void **state)
{
    const char *text = ROW("a", "\"vote\":1") ROW("b", "\"vote\":0.5");
    sl_vote_set set = { 0 };
    gzFile file;

    (void)state;
    write_file("votes.jsonl.gz", "");
    file = gzopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(gzwrite(file, text, (unsigned)strlen(text)), (int)strlen(text));
    assert_int_equal(gzclose(file), Z_OK);
    T_OK(sl_votes_read(&set, path));
    assert_int_equal(set.points, 1);
    assert_int_equal(set.point[0].count, 2);
    sl_votes_close(&set);
}

static void refuse(const char *text, const char *message)
{
    sl_vote_set set = { 0 };

    T_FAILS(sl_votes_read(&set, write_file("bad.jsonl", text)), SL_EFORMAT, message);
    sl_votes_close(&set);
}

static void test_faults_name_the_line(void **state)
{
    (void)state;
    refuse(ROW("a", "\"vote\":1") "\n" ROW("b", "\"vote\":2"),
           "bad.jsonl:3: want \"vote\" in [0,1]");
    refuse("{\"vote\":1}\n", "bad.jsonl:1: want \"prompt_id\"");
    refuse(ROW("a", "\"vote\":\"yes\""), "bad.jsonl:1: want \"vote\" (a number), found text");
    refuse(ROW("a", "\"vote\":1,\"order\":\"up\""), "want \"order\" on-first or off-first");
    refuse(ROW("a", "\"wote\":1"), "bad.jsonl:1: want \"vote\", \"score_on\"");
    refuse(ROW("a", "\"vote\":1,\"step\":1.5"), "want \"step\" (an integer)");
    refuse(ROW("a", "\"vote\":1") "{\"prompt_id\":\n", "bad.jsonl:2 column");
    refuse("17\n", "bad.jsonl:1: want an object");
    refuse("\n\n", "bad.jsonl: want rows, found an empty file");
    refuse("[{\"prompt_id\":1,\"vote\":0.5},{\"prompt_id\":1,\"vote\":-1}]", "element 1");
    refuse("{\"prompt\":\"p\",\"output\":\"o\",\"preference\":0.5}\n", "want \"preference\" in");
}

static size_t write_path(char *text, size_t size, double from, double to, int steps)
{
    sl_rng rng = sl_rng_at(8, sl_rng_stream("test path"), 0);
    size_t at = 0;

    for (int s = 0; s < steps; s++)
        for (int i = 0; i < 400; i++) {
            const double p = from + (to - from) * s / (steps - 1.0);

            at += (size_t)snprintf(text + at, size - at,
                                   "{\"prompt_id\":%d,\"step\":%d,\"vote\":%d}\n", i, 100 * s,
                                   sl_rng_uniform(&rng) < p);
        }
    return at;
}

/* A path from .3 to .7 over steps 0..800 crosses 1/2 at 400. */
static void test_the_crossing_is_found(void **state)
{
    static char text[1 << 19];
    const sl_json *b, *bracket, *estimates;
    sl_json *d;
    double low, high;

    (void)state;
    write_path(text, sizeof text, 0.3, 0.7, 9);
    d = analyze(text);
    b = json_object_get(d, "boundary");
    assert_string_equal(json_string_value(json_object_get(b, "verdict")), "crossed");
    bracket = json_object_get(b, "bracket");
    low = json_number_value(json_array_get(bracket, 0));
    high = json_number_value(json_array_get(bracket, 1));
    assert_true(low <= 400.0 && 400.0 <= high && high - low <= 600.0);
    estimates = json_object_get(b, "estimates");
    assert_int_equal(json_array_size(estimates), 13);
    for (size_t i = 0; i < 2; i++) {
        const sl_json *e = json_array_get(estimates, i);

        assert_true(fabs(number(e, "value") - 400.0) < 80.0);
        assert_true(number(e, "lower") < number(e, "value"));
        assert_true(number(e, "upper") > number(e, "value"));
        assert_true(number(e, "lower") > 200.0 && number(e, "upper") < 600.0);
    }
    sl_json_close(&d);
}

static void test_a_flat_path_does_not_cross(void **state)
{
    static char text[1 << 19];
    sl_json *d;
    const sl_json *b;

    (void)state;
    write_path(text, sizeof text, 0.3, 0.3, 4);
    d = analyze(text);
    b = json_object_get(d, "boundary");
    assert_string_equal(json_string_value(json_object_get(b, "verdict")), "always-injection");
    assert_true(json_is_null(json_object_get(b, "bracket")));
    assert_true(
        json_is_null(json_object_get(json_array_get(json_object_get(b, "estimates"), 0), "value")));
    sl_json_close(&d);
}

/* Another order of prompts may stop elsewhere; score and counts stay. */
static void test_seed_shuffles_only_the_test(void **state)
{
    static char text[1 << 19];
    sl_votes_settings settings = sl_votes_settings_defaults();
    sl_json *a, *b, *c;

    (void)state;
    write_path(text, sizeof text, 0.4, 0.4, 2);
    a = analyze(text);
    settings.is_shuffled = 1;
    settings.seed = 3;
    b = analyze_with(text, 0, &settings);
    c = analyze_with(text, 0, &settings);
    assert_true(json_equal(b, c));
    T_CLOSE(score(point(a, 0)), score(point(b, 0)), TOL_F64);
    assert_true(number(json_object_get(point(a, 0), "test"), "prompts_used") !=
                number(json_object_get(point(b, 0), "test"), "prompts_used"));
    sl_json_close(&a);
    sl_json_close(&b);
    sl_json_close(&c);
}

/* The n-th allocation fails, n = 0, 1, ...: SL_ENOMEM, and nothing is kept. */
static void test_out_of_memory(void **state)
{
    const sl_votes_settings settings = sl_votes_settings_defaults();
    const char *file = write_file("votes.jsonl", ROW("a", "\"vote\":1,\"step\":1")
                                                     ROW("a", "\"vote\":0,\"step\":2"));
    int has_fired = 1;

    (void)state;
    for (size_t n = 0; has_fired; n++) {
        sl_vote_set set = { 0 };
        sl_json *out = NULL;
        sl_status st;

        t_fault_begin(n, 1);
        st = sl_votes_read(&set, file);
        if (st == SL_OK)
            st = sl_analyze_votes(&out, &set, &settings);
        sl_json_close(&out);
        sl_votes_close(&set);
        assert_int_equal(t_fault_held(), 0);
        has_fired = t_fault_end();
        assert_int_equal(st, has_fired ? SL_ENOMEM : SL_OK);
        sl_err_clear();
    }
}

static int end(void **state)
{
    (void)state;
    t_scratch_remove();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prompts_are_the_unit),
        cmocka_unit_test(test_both_orders_are_one_pair),
        cmocka_unit_test(test_scores_become_votes),
        cmocka_unit_test(test_swapped_roles_give_one_minus),
        cmocka_unit_test(test_array_of_annotations),
        cmocka_unit_test(test_gzip_is_read_as_it_is),
        cmocka_unit_test(test_faults_name_the_line),
        cmocka_unit_test(test_the_crossing_is_found),
        cmocka_unit_test(test_a_flat_path_does_not_cross),
        cmocka_unit_test(test_seed_shuffles_only_the_test),
        cmocka_unit_test(test_out_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, end);
}
