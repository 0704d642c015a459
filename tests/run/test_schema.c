/* The schema table against the structs, the sizes of the specification, and binary16. */
#include "harness/harness.h"
#include "run/schema.h"

#include "base/alloc.h"

#include <string.h>

static void test_structs_have_the_columns_without_gaps(void **state)
{
    (void)state;
    for (int t = 0; t < SL_TABLE_COUNT; t++) {
        size_t count, at = 0, width_before = 8;
        const sl_column *c = sl_table_columns((sl_table)t, &count);

        assert_string_equal(c[0].name, "step");
        assert_int_equal(c[0].type, SL_TYPE_I64);
        for (size_t i = 0; i < count; i++) {
            const size_t align = c[i].type == SL_TYPE_S64 ? 1 : sl_type_bytes(c[i].type);

            assert_int_equal(c[i].table, t);
            assert_true(c[i].unit && c[i].meaning && c[i].meaning[0]);
            assert_true(c[i].since <= SL_SCHEMA_MINOR);
            assert_int_equal(c[i].type == SL_TYPE_E8, sl_column_values(&c[i]) > 0);
            if (c[i].width != SL_WIDTH_ONE)
                continue;
            assert_int_equal(c[i].offset, at);
            assert_int_equal(c[i].size, sl_type_bytes(c[i].type));
            assert_true(align <= width_before); /* 8-byte columns first */
            width_before = align;
            at += c[i].size;
        }
        assert_int_equal(at, sl_table_fixed_bytes((sl_table)t));
        assert_true(at <= sl_table_get((sl_table)t)->row_size);
        assert_int_equal(sl_table_find(sl_table_get((sl_table)t)->name), t);
    }
    assert_int_equal(sl_table_find("nothing"), SL_TABLE_COUNT);
}

static void test_sizes_of_the_specification(void **state)
{
    sl_layout layout = sl_layout_defaults();

    (void)state;
    layout.width[SL_WIDTH_K] = 32;
    layout.width[SL_WIDTH_VOCAB] = 1000;
    assert_int_equal(sl_table_fixed_bytes(SL_TABLE_PAIRS), 155 + 8); /* lengths since 1.1 */
    assert_int_equal(sl_table_fixed_bytes(SL_TABLE_TOKENS), 41);
    assert_int_equal(sl_table_packed_bytes(SL_TABLE_TOPK, &layout), 25 + 6 * 32);
    assert_int_equal(sl_table_packed_bytes(SL_TABLE_PROBE, &layout) -
                         sl_table_fixed_bytes(SL_TABLE_PROBE),
                     2000);
    assert_int_equal(sl_wide_offset(SL_TABLE_TOPK, 1, &layout), 25 + 4 * 32);
}

static void test_the_digest_leaves_out_what_the_clock_decides(void **state)
{
    (void)state;
    for (int t = 0; t < SL_TABLE_COUNT; t++)
        assert_int_equal(sl_table_get((sl_table)t)->is_in_digest,
                         t != SL_TABLE_CLOCK && t != SL_TABLE_EVENTS && t != SL_TABLE_UNITS);
}

static void test_rows_keep_their_values(void **state)
{
    const sl_row_names row = { .step = 7, .index = 3, .kind = SL_NAME_EVAL, .name = "held-out" };
    unsigned char packed[128];
    sl_row_names back;
    const sl_layout layout = sl_layout_defaults();

    (void)state;
    sl_row_pack(packed, SL_TABLE_NAMES, &row, NULL, &layout);
    T_OK(sl_row_check(SL_TABLE_NAMES, packed));
    sl_row_unpack(&back, SL_TABLE_NAMES, packed);
    assert_int_equal(back.step, 7);
    assert_int_equal(back.index, 3);
    assert_string_equal(back.name, "held-out");
    packed[10] = SL_NAME_KINDS;
    T_FAILS(sl_row_check(SL_TABLE_NAMES, packed), SL_EFORMAT, "want a value below 6");
}

/* Any NaN has one bit pattern on disk, so that equal runs have equal bytes. */
static void test_nan_is_canonical(void **state)
{
    sl_row_evals a = { .value = NAN, .se = -NAN }, b = { 0 };
    const uint64_t other = 0xfff0000000000001u;
    unsigned char pa[64], pb[64];
    const sl_layout layout = sl_layout_defaults();

    (void)state;
    memcpy(&b.value, &other, 8);
    b.se = NAN;
    sl_row_pack(pa, SL_TABLE_EVALS, &a, NULL, &layout);
    sl_row_pack(pb, SL_TABLE_EVALS, &b, NULL, &layout);
    assert_memory_equal(pa, pb, sl_table_fixed_bytes(SL_TABLE_EVALS));
    sl_row_unpack(&a, SL_TABLE_EVALS, pa);
    assert_true(isnan(a.value) && isnan(a.se));
}

/* Values of IEEE 754-2008 binary16: largest, smallest normal and subnormal, halfway cases. */
static void test_binary16(void **state)
{
    static const struct {
        float value;
        uint16_t half;
    } known[] = {
        { 0.0f, 0x0000 },
        { -0.0f, 0x8000 },
        { 1.0f, 0x3c00 },
        { -2.0f, 0xc000 },
        { 65504.0f, 0x7bff },
        { 65519.996f, 0x7bff },
        { 65520.0f, 0x7c00 },
        { INFINITY, 0x7c00 },
        { -INFINITY, 0xfc00 },
        { 0x1p-14f, 0x0400 },
        { 0x1p-24f, 0x0001 },
        { 0x1p-25f, 0x0000 },
        { 0x1.8p-25f, 0x0001 },
        { 0x1.8p-24f, 0x0002 },
        { 0x1.ff8p-15f, 0x03ff },
        { 0x1.ffcp-15f, 0x0400 },
        { 1.00048828125f, 0x3c00 },
        { 1.00146484375f, 0x3c02 },
        { 0.333251953125f, 0x3555 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        assert_int_equal(sl_f16_from_f32(known[i].value), known[i].half);
    assert_int_equal(sl_f16_from_f32(NAN), 0x7e00);
    assert_int_equal(sl_f16_from_f32(-NAN), 0x7e00);
    for (uint32_t h = 0; h < 0x10000; h++)
        if ((h & 0x7fff) <= 0x7c00)
            assert_int_equal(sl_f16_from_f32(sl_f16_to_f32((uint16_t)h)), h);
    T_CLOSE(sl_f16_to_f32(0x3555), 0.333251953125, TOL_EXACT);
}

static void test_schema_text_names_every_column(void **state)
{
    char *text;

    (void)state;
    T_OK(sl_schema_text(&text));
    assert_non_null(strstr(text, "steps.step i64\n"));
    assert_non_null(strstr(text, "topk.logp f16[k]\n"));
    assert_non_null(strstr(text, "units.table_rows u32[tables]\n"));
    sl_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_structs_have_the_columns_without_gaps),
        cmocka_unit_test(test_sizes_of_the_specification),
        cmocka_unit_test(test_the_digest_leaves_out_what_the_clock_decides),
        cmocka_unit_test(test_rows_keep_their_values),
        cmocka_unit_test(test_nan_is_canonical),
        cmocka_unit_test(test_binary16),
        cmocka_unit_test(test_schema_text_names_every_column),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
