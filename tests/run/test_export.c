/* Rows as plain text: numbers that read back bit by bit, undefined cells empty, names quoted. */
#include "harness/harness.h"

#include "base/alloc.h"
#include "run/export.h"

#include <stdlib.h>
#include <string.h>

static void cell(char *out, sl_table table, const char *name, const void *row)
{
    sl_cell_text(out, sl_column_find(table, name), row, ',');
}

static void test_lines(void **state)
{
    const sl_row_events row = {
        .step = 12, .value = 0.1, .text_hash = 0xabcu, .kind = SL_EVENT_SEAL
    };
    char *line = NULL;

    (void)state;
    T_OK(sl_row_header(&line, SL_TABLE_EVENTS, ','));
    assert_string_equal(line, "step,value,text_hash,kind\n");
    sl_free(line);
    T_OK(sl_row_line(&line, SL_TABLE_EVENTS, &row, ','));
    assert_string_equal(line, "12,0.1,0000000000000abc,seal\n");
    sl_free(line);
}

static void test_undefined_is_empty(void **state)
{
    sl_row_steps row = { .loss = NAN, .margin = -INFINITY };
    char out[SL_CELL_BYTES];

    (void)state;
    cell(out, SL_TABLE_STEPS, "loss", &row);
    assert_string_equal(out, "");
    cell(out, SL_TABLE_STEPS, "margin", &row);
    assert_string_equal(out, "-inf");
    assert_true(isnan(sl_cell_f64(sl_column_find(SL_TABLE_STEPS, "loss"), &row)));
}

static void test_reals_read_back(void **state)
{
    sl_rng rng = sl_rng_at(3, sl_rng_stream("cells"), 0);
    char out[SL_CELL_BYTES];

    (void)state;
    for (int i = 0; i < 2000; i++) {
        const double scale = pow(10.0, (double)sl_rng_below(&rng, 60) - 30.0);
        const double x = sl_rng_normal(&rng) * scale;
        const sl_row_steps steps = { .loss = x };
        const sl_row_tokens tokens = { .logp = (float)x };

        cell(out, SL_TABLE_STEPS, "loss", &steps);
        T_CLOSE(strtod(out, NULL), x, TOL_EXACT);
        cell(out, SL_TABLE_TOKENS, "logp", &tokens);
        T_CLOSE(strtof(out, NULL), tokens.logp, TOL_EXACT);
    }
}

static void test_whole_numbers(void **state)
{
    const sl_row_tokens tokens = { .step = INT64_MIN, .token = -1, .pos = UINT32_MAX, .side = 1 };
    const sl_row_clock clock = { .rss_bytes = UINT64_MAX };
    char out[SL_CELL_BYTES];

    (void)state;
    cell(out, SL_TABLE_TOKENS, "step", &tokens);
    assert_string_equal(out, "-9223372036854775808");
    cell(out, SL_TABLE_TOKENS, "token", &tokens);
    assert_string_equal(out, "-1");
    cell(out, SL_TABLE_TOKENS, "pos", &tokens);
    assert_string_equal(out, "4294967295");
    cell(out, SL_TABLE_TOKENS, "side", &tokens);
    assert_string_equal(out, "rejected");
    cell(out, SL_TABLE_CLOCK, "rss_bytes", &clock);
    assert_string_equal(out, "18446744073709551615");
    T_CLOSE(sl_cell_f64(sl_column_find(SL_TABLE_TOKENS, "token"), &tokens), -1.0, TOL_EXACT);
    T_CLOSE(sl_cell_f64(sl_column_find(SL_TABLE_TOKENS, "pos"), &tokens), 4294967295.0, TOL_EXACT);
}

static void test_names_are_quoted(void **state)
{
    sl_row_names row = { .name = "a \"b\", c" };
    char out[SL_CELL_BYTES];

    (void)state;
    cell(out, SL_TABLE_NAMES, "name", &row);
    assert_string_equal(out, "\"a \"\"b\"\", c\"");
    memset(row.name, '"', 63); /* the longest: 126 + 2 bytes */
    cell(out, SL_TABLE_NAMES, "name", &row);
    assert_int_equal(strlen(out), 128);
    memcpy(row.name, "plain", 6);
    cell(out, SL_TABLE_NAMES, "name", &row);
    assert_string_equal(out, "plain");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_undefined_is_empty),
        cmocka_unit_test(test_reals_read_back),
        cmocka_unit_test(test_whole_numbers),
        cmocka_unit_test(test_names_are_quoted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
