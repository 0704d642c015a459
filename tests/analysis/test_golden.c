/* The published test vectors through the functions that the analyzer uses; and that the runner can
 * turn red. */
#include "analysis/golden.h"
#include "base/alloc.h"
#include "harness/harness.h"
#include <stdlib.h>
#include <string.h>

enum { FILE_MOST = 64 << 20 };

static const char *golden_path;

static void print_red(const sl_json *result)
{
    const sl_json *tests = json_object_get(result, "tests");

    for (size_t i = 0; i < json_array_size(tests); i++) {
        const sl_json *t = json_array_get(tests, i);

        if (!json_is_true(json_object_get(t, "pass")))
            print_error("%s: %s\n", json_string_value(json_object_get(t, "name")),
                        json_string_value(json_object_get(t, "why")));
    }
}

static void test_every_vector_passes(void **state)
{
    sl_json *file, *result;
    sl_golden_counts counts;

    (void)state;
    T_OK(sl_json_load(&file, golden_path, FILE_MOST));
    T_OK(sl_golden_run(&result, &counts, file));
    print_red(result);
    assert_int_equal(counts.failed, 0);
    assert_int_equal(counts.unknown, 0);
    assert_int_equal(counts.passed, json_array_size(json_object_get(file, "tests")));
    sl_json_close(&result);
    sl_json_close(&file);
}

/* The first number below a tree, moved by one part in 10^6. */
static int spoil(json_t *value)
{
    const char *key;
    json_t *child;
    size_t i;

    if (json_is_real(value)) {
        json_real_set(value, json_real_value(value) + 1e-6 * (1.0 + json_real_value(value)));
        return 1;
    }
    json_array_foreach(value, i, child) if (spoil(child)) return 1;
    json_object_foreach(value, key, child) if (strncmp(key, "zlib", 4) && spoil(child)) return 1;
    return 0;
}

/* A wrong golden must turn the runner red, whatever the metric. */
static void test_a_wrong_number_fails(void **state)
{
    sl_json *file, *result;
    sl_golden_counts counts;
    size_t i, spoilt = 0;
    json_t *test;

    (void)state;
    T_OK(sl_json_load(&file, golden_path, FILE_MOST));
    json_array_foreach(json_object_get(file, "tests"), i, test)
    {
        if (json_number_value(json_object_get(test, "tol")) < 1e-7)
            spoilt += (size_t)spoil(json_object_get(test, "expected"));
    }
    T_OK(sl_golden_run(&result, &counts, file));
    assert_true(spoilt > 30);
    assert_int_equal(counts.failed, spoilt);
    sl_json_close(&result);
    sl_json_close(&file);
}

static void run_text(sl_golden_counts *counts, const char *text)
{
    sl_json *file, *result;

    T_OK(sl_json_parse(&file, text, strlen(text), "test"));
    T_OK(sl_golden_run(&result, counts, file));
    sl_json_close(&result);
    sl_json_close(&file);
}

#define WILSON(k, lo)                                                                              \
    "{\"tests\":[{\"name\":\"a\",\"metric\":\"wilson\",\"tol\":1e-9,\"params\":{\"alpha\":0.05},"  \
    "\"inputs\":{\"cases\":[[0,10]]},\"expected\":{\"intervals\":[{\"k\":" #k ",\"lo\":" #lo       \
    "}]}}]}"

static void test_rules_of_comparison(void **state)
{
    sl_golden_counts c;

    (void)state;
    run_text(&c, WILSON(0, 0.0));
    assert_int_equal(c.passed, 1);
    run_text(&c, WILSON(1, 0.0));
    assert_int_equal(c.failed, 1);
    run_text(&c, WILSON(0, null));
    assert_int_equal(c.failed, 1);
    run_text(&c, "{\"tests\":[{\"name\":\"a\",\"metric\":\"no such\",\"tol\":1,\"inputs\":{},"
                 "\"params\":{},\"expected\":{}}]}");
    assert_int_equal(c.unknown, 1);
    assert_int_equal(c.passed, 0);
    run_text(&c, "{\"tests\":[{\"name\":\"a\",\"metric\":\"wilson\",\"tol\":1,\"inputs\":{},"
                 "\"params\":{},\"expected\":{}}]}");
    assert_int_equal(c.failed, 1);
}

static void test_a_file_of_another_shape_is_refused(void **state)
{
    sl_json *file, *result;
    sl_golden_counts counts;

    (void)state;
    T_OK(sl_json_parse(&file, "{}", 2, "test"));
    T_FAILS(sl_golden_run(&result, &counts, file), SL_EFORMAT, "want \"tests\"");
    sl_json_close(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_vector_passes),
        cmocka_unit_test(test_a_wrong_number_fails),
        cmocka_unit_test(test_rules_of_comparison),
        cmocka_unit_test(test_a_file_of_another_shape_is_refused),
    };

    golden_path = t_shared("goldens/metrics.json");
    if (!golden_path)
        return T_SKIP;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
