#include "harness/fault.h"
#include "harness/harness.h"
#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include <stdio.h>
#include <string.h>

static sl_json *parsed(const char *text)
{
    sl_json *tree = NULL;

    T_OK(sl_json_parse(&tree, text, strlen(text), "test"));
    return tree;
}

static void test_typed_access(void **state)
{
    sl_json *tree = parsed("{\"t\": \"caf\\u00e9\", \"i\": -9223372036854775808, \"f\": 0.1,"
                           " \"b\": true, \"n\": null, \"whole\": 3}");
    const char *text = NULL;
    int64_t i = 0;
    double f = 0.0;
    int b = 0;

    (void)state;
    T_OK(sl_json_text(&text, tree, "t"));
    assert_string_equal(text, "caf\xc3\xa9");
    T_OK(sl_json_i64(&i, tree, "i"));
    assert_true(i == INT64_MIN);
    T_OK(sl_json_f64(&f, tree, "f"));
    assert_true(f == 0.1);
    T_OK(sl_json_f64(&f, tree, "whole"));
    assert_true(f == 3.0);
    T_OK(sl_json_bool(&b, tree, "b"));
    assert_int_equal(b, 1);
    assert_int_equal(sl_json_has(tree, "b"), 1);
    assert_int_equal(sl_json_has(tree, "n"), 0);
    assert_int_equal(sl_json_has(tree, "x"), 0);
    assert_int_equal(sl_json_has(NULL, "x"), 0);
    T_FAILS(sl_json_text(&text, tree, "x"), SL_EFORMAT, "want \"x\" (text), found none");
    T_FAILS(sl_json_text(&text, tree, "n"), SL_EFORMAT, "want \"n\" (text), found none");
    T_FAILS(sl_json_i64(&i, tree, "f"), SL_EFORMAT, "want \"f\" (an integer), found a number");
    T_FAILS(sl_json_f64(&f, tree, "t"), SL_EFORMAT, "want \"t\" (a number), found text");
    T_FAILS(sl_json_bool(&b, tree, "i"), SL_EFORMAT, "(true or false), found an integer");
    sl_json_close(&tree);
    assert_null(tree);
    sl_json_close(&tree);
}

static void test_defaults(void **state)
{
    sl_json *tree = parsed("{\"n\": null, \"t\": \"here\", \"i\": 1}"), *list = parsed("[]");
    const char *text = NULL;
    int64_t i = 0;
    double f = 0.0;
    int b = 0;

    (void)state;
    T_OK(sl_json_text_or(&text, tree, "n", "none"));
    assert_string_equal(text, "none");
    T_OK(sl_json_text_or(&text, tree, "t", "none"));
    assert_string_equal(text, "here");
    T_OK(sl_json_i64_or(&i, tree, "x", 7));
    assert_int_equal(i, 7);
    T_OK(sl_json_f64_or(&f, tree, "x", 0.5));
    assert_true(f == 0.5);
    T_OK(sl_json_bool_or(&b, tree, "x", 1));
    assert_int_equal(b, 1);
    T_FAILS(sl_json_i64_or(&i, tree, "t", 7), SL_EFORMAT, "found text");
    T_FAILS(sl_json_bool_or(&b, tree, "i", 7), SL_EFORMAT, "found an integer");
    T_FAILS(sl_json_f64_or(&f, list, "x", 7), SL_EFORMAT,
            "want an object with \"x\", found an array");
    sl_json_close(&tree);
    sl_json_close(&list);
}

static void test_malformed(void **state)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        { "{\"a\": 1,\n \"a\": 2}", "test:2:4: want JSON, found: duplicate object key" },
        { "{\"a\": 1, \"a\": 2}", "test column 12: want JSON, found: duplicate object key" },
        { "[1, 2\n,\n x]", "test:3:2" },
        { "", "want JSON" },
        { "[1] x", "end of file expected" },
        { "[1e999]", "real number overflow" },
        { "[NaN]", "want JSON" },
        { "[99999999999999999999]", "too big integer" },
        { "[\"\xff\"]", "unable to decode byte 0xff" },
        { "[\"\\u0000\"]", "want JSON" },
        { "{\"a\"", "want JSON" },
    };
    sl_json *tree = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        T_FAILS(sl_json_parse(&tree, rows[i].text, strlen(rows[i].text), "test"), SL_EFORMAT,
                rows[i].want);
        assert_null(tree);
    }
}

static void test_nesting_is_bounded(void **state)
{
    static char deep[1 << 20];
    sl_json *tree = NULL;

    (void)state;
    memset(deep, '[', sizeof deep);
    T_FAILS(sl_json_parse(&tree, deep, sizeof deep, "deep"), SL_EFORMAT, "maximum parsing depth");
}

/* Every prefix of a document is refused, none crashes. */
static void test_every_prefix_is_refused(void **state)
{
    static const char text[] = "{\"a\": [1, -2.5e3, \"x\\n\\u20ac\", {\"b\": null}], \"c\": false}";
    sl_json *tree = NULL;

    (void)state;
    for (size_t n = 0; n < sizeof text - 1; n++)
        T_FAILS(sl_json_parse(&tree, text, n, "prefix"), SL_EFORMAT, "prefix");
    T_OK(sl_json_parse(&tree, text, sizeof text - 1, "prefix"));
    sl_json_close(&tree);
}

static void test_dump(void **state)
{
    static const double values[] = { 0.1, 1.0 / 3.0, 5e-324, 1.7976931348623157e308, -0.0, 1e22 };
    sl_json *list = json_array(), *back = NULL, *object = parsed("{\"z\": 1, \"a\": [true, null]}");
    char *text = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        assert_int_equal(json_array_append_new(list, sl_json_number(values[i])), 0);
    assert_int_equal(json_array_append_new(list, sl_json_number(NAN)), 0);
    assert_int_equal(json_array_append_new(list, sl_json_number(-INFINITY)), 0);
    T_OK(sl_json_dump(&text, list, 0));
    T_OK(sl_json_parse(&back, text, strlen(text), "back"));
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        const double value = json_real_value(json_array_get(back, i));

        assert_memory_equal(&value, &values[i], sizeof value);
    }
    assert_true(json_is_null(json_array_get(back, 6)) && json_is_null(json_array_get(back, 7)));
    sl_free(text);
    T_OK(sl_json_dump(&text, object, 0));
    assert_string_equal(text, "{\"z\":1,\"a\":[true,null]}");
    sl_free(text);
    T_OK(sl_json_dump(&text, object, 1));
    assert_string_equal(text, "{\n  \"z\": 1,\n  \"a\": [\n    true,\n    null\n  ]\n}");
    sl_free(text);
    T_FAILS(sl_json_dump(&text, NULL, 0), SL_EINTERNAL, "bug");
    sl_json_close(&list);
    sl_json_close(&back);
    sl_json_close(&object);
}

static void test_load(void **state)
{
    sl_json *tree = NULL;
    char path[4200];
    int64_t value = 0;

    (void)state;
    T_OK(sl_file_join(path, sizeof path, t_scratch(), "x.json"));
    T_OK(sl_file_write_atomic(path, "{\"a\": 5}\n", 9));
    T_OK(sl_json_load(&tree, path, 100));
    T_OK(sl_json_i64(&value, tree, "a"));
    assert_int_equal(value, 5);
    sl_json_close(&tree);
    T_FAILS(sl_json_load(&tree, path, 8), SL_EFORMAT, "x.json: want at most 8 bytes");
    T_OK(sl_file_write_atomic(path, "{\"a\": }", 7));
    T_FAILS(sl_json_load(&tree, path, 100), SL_EFORMAT, "x.json:1:7: want JSON");
    t_scratch_remove();
    T_FAILS(sl_json_load(&tree, path, 100), SL_EIO, "x.json: want to read it");
    assert_null(tree);
}

/* A message quotes what it found, but never so that it could drive a terminal. */
static void test_control_characters_are_not_quoted(void **state)
{
    sl_json *tree = NULL;

    (void)state;
    assert_int_equal(sl_json_parse(&tree, "[\"a\" \"\033[31m\"]", 13, "x"), SL_EFORMAT);
    assert_null(strchr(sl_err_message(), '\033'));
    sl_err_clear();
}

/* Text and the integer that it spells are the same id; ids are those of the text's bytes. */
static void test_ids(void **state)
{
    sl_json *tree = NULL;
    uint64_t text, number, none = 1;

    (void)state;
    T_OK(sl_json_parse(&tree, "{\"a\":\"-7\",\"b\":-7,\"c\":1.5,\"d\":null}", 34, "x"));
    T_OK(sl_json_id(&text, tree, "a"));
    T_OK(sl_json_id(&number, tree, "b"));
    T_OK(sl_json_id(&none, tree, "d"));
    assert_true(text == number && text == sl_hash_id("-7", 2) && !none);
    T_FAILS(sl_json_id(&none, tree, "c"), SL_EFORMAT, "(text or an integer), found a number");
    sl_json_close(&tree);
}

static sl_status parse_and_dump(char **out)
{
    static const char text[] = "{\"a\": [1, 2.5, \"some text\", {\"b\": null}], \"c\": false}";
    sl_json *tree = NULL;
    sl_status st;

    SL_TRY(sl_json_parse(&tree, text, sizeof text - 1, "sweep"));
    st = sl_json_dump(out, tree, 0);
    sl_json_close(&tree);
    return st;
}

static void test_every_allocation_may_fail(void **state)
{
    int fired = 1;
    size_t n = 0;

    (void)state;
    for (; fired; n++) {
        char *text = NULL;
        sl_status st;

        t_fault_begin(n, 0);
        st = parse_and_dump(&text);
        sl_free(text);
        fired = t_fault_end();
        assert_int_equal(t_fault_held(), 0);
        if (fired)
            T_FAILS(st, SL_ENOMEM, "want memory");
        else
            T_OK(st);
    }
    assert_true(n > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_typed_access),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_nesting_is_bounded),
        cmocka_unit_test(test_every_prefix_is_refused),
        cmocka_unit_test(test_dump),
        cmocka_unit_test(test_load),
        cmocka_unit_test(test_control_characters_are_not_quoted),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_every_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
