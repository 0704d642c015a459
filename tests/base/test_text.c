#include "harness/harness.h"
#include "base/text.h"
#include <string.h>

static void test_nearest(void **state)
{
    static const char *const list[] = { "beta", "delta", "learning_rate", "loss", "steps", NULL };
    static const struct {
        const char *word, *want;
    } rows[] = {
        { "bta", "beta" },  { "beat", "beta" },  { "dleta", "delta" },
        { "beta", "beta" }, { "los", "loss" },   { "lerning_rat", "learning_rate" },
        { "rate", NULL },   { "zzzzzzz", NULL }, { "xq", NULL },
        { "", NULL },
    };
    char long_word[200];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *near = sl_text_nearest(rows[i].word, list);

        assert_string_equal(near ? near : "none", rows[i].want ? rows[i].want : "none");
    }
    memset(long_word, 'a', sizeof long_word - 1);
    long_word[sizeof long_word - 1] = 0;
    assert_null(sl_text_nearest(long_word, list));
    assert_null(sl_text_nearest("beta", list + 5));
    assert_null(sl_text_nearest("ab", (const char *const[]){ "lr", NULL }));
}

static void test_i64(void **state)
{
    static const char *const bad[] = {
        "", " 1", "1 ", "+1", "0x10", "1.0", "1e3", "abc", "-", "--1", "9223372036854775808"
    };
    int64_t value = 0;

    (void)state;
    T_OK(sl_text_i64(&value, "9223372036854775807"));
    assert_true(value == INT64_MAX);
    T_OK(sl_text_i64(&value, "-9223372036854775808"));
    assert_true(value == INT64_MIN);
    T_OK(sl_text_i64(&value, "010"));
    assert_int_equal(value, 10);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        T_FAILS(sl_text_i64(&value, bad[i]), SL_EARG, "want an integer");
    assert_int_equal(value, 10);
}

static void test_f64(void **state)
{
    static const char *const bad[] = { "",    " 1", "1 ", "nan", "inf",   "-inf", "0x1p3", "1e",
                                       "1e+", ".",  "-.", "1,5", "1e400", "1f",   "e5" };
    static const struct {
        const char *text;
        double want;
    } good[] = { { "0.3", 0.3 },       { "-2", -2.0 },
                 { "1e-3", 0.001 },    { ".5", 0.5 },
                 { "5.", 5.0 },        { "1E+2", 100.0 },
                 { "5e-324", 5e-324 }, { "1.7976931348623157e308", DBL_MAX } };
    double value = 0.0;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        T_OK(sl_text_f64(&value, good[i].text));
        assert_true(value == good[i].want);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        T_FAILS(sl_text_f64(&value, bad[i]), SL_EARG, "want a number");
}

static void test_lines(void **state)
{
    static const char text[] = "one\r\n\ntwo\rx\nlast";
    static const char *const want[] = { "one", "", "two\rx", "last" };
    sl_span rest = { text, sizeof text - 1 }, line;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(sl_text_line(&line, &rest), 1);
        assert_int_equal(line.bytes, strlen(want[i]));
        assert_memory_equal(line.at, want[i], line.bytes);
    }
    assert_int_equal(sl_text_line(&line, &rest), 0);
    rest = (sl_span){ "a\n", 2 };
    assert_int_equal(sl_text_line(&line, &rest), 1);
    assert_int_equal(sl_text_line(&line, &rest), 0);
}

static void test_utf8(void **state)
{
    static const char *const good[] = { "",
                                        "plain",
                                        "\xc3\xa9",
                                        "\xe2\x82\xac",
                                        "\xed\x9f\xbf",
                                        "\xee\x80\x80",
                                        "\xf0\x9f\x98\x80",
                                        "\xf4\x8f\xbf\xbf" };
    static const char *const bad[] = { "\x80",
                                       "\xc0\x80",
                                       "\xc1\xbf",
                                       "\xc3",
                                       "\xe0\x9f\xbf",
                                       "\xed\xa0\x80",
                                       "\xf0\x8f\xbf\xbf",
                                       "\xf4\x90\x80\x80",
                                       "\xf5\x80\x80\x80",
                                       "\xe2\x82",
                                       "a\xff",
                                       "\xe2\x28\xa1" };

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_int_equal(sl_text_is_utf8(good[i], strlen(good[i])), 1);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(sl_text_is_utf8(bad[i], strlen(bad[i])), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nearest), cmocka_unit_test(test_i64),  cmocka_unit_test(test_f64),
        cmocka_unit_test(test_lines),   cmocka_unit_test(test_utf8),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
