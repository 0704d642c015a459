/* Readers of logs: event files record by record, comma-separated records, Python's JSON; attempts
 * are told apart. */
#include "harness/harness.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "base/json.h"
#include "import/csv.h"
#include "import/import_int.h"
#include "import/tfevents.h"
#include <stdio.h>
#include <string.h>

/* --- event files ------------------------------------------------------------------------------ */

/* A record around data, as tensorflow/core/lib/io/record_writer.cc writes it. */
static size_t put_record(unsigned char *to, const void *data, size_t bytes)
{
    uint32_t crc;

    for (size_t i = 0; i < 8; i++)
        to[i] = (unsigned char)(bytes >> 8 * i);
    crc = sl_crc32c(0, to, 8);
    crc = (crc >> 15 | crc << 17) + 0xa282ead8u;
    for (size_t i = 0; i < 4; i++)
        to[8 + i] = (unsigned char)(crc >> 8 * i);
    memcpy(to + 12, data, bytes);
    crc = sl_crc32c(0, data, bytes);
    crc = (crc >> 15 | crc << 17) + 0xa282ead8u;
    for (size_t i = 0; i < 4; i++)
        to[12 + bytes + i] = (unsigned char)(crc >> 8 * i);
    return bytes + 16;
}

/* Event { wall_time 2.0, step 300, summary { value { tag "a", simple_value 1.5 } } } */
static const unsigned char event[] = { 0x09, 0,    0,    0,    0,    0,    0,    0,
                                       0x40, 0x10, 0xac, 0x02, 0x2a, 0x0a, 0x0a, 0x08,
                                       0x0a, 0x01, 'a',  0x15, 0,    0,    0xc0, 0x3f };

static sl_status keep(void *with, const sl_tfvalue *v)
{
    sl_tfvalue *kept = with;

    *kept = *v;
    return SL_OK;
}

static void test_record_is_read(void **state)
{
    unsigned char file[64];
    const size_t bytes = put_record(file, event, sizeof event);
    sl_tfrecord r;
    sl_tfvalue v = { 0 };
    sl_tfnext next;
    size_t at = 0;
    int is_there;

    (void)state;
    T_OK(sl_tfrecord_next(&r, &at, &is_there, &next, file, bytes));
    assert_true(is_there && at == bytes);
    T_OK(sl_tfevent_values(&r, keep, &v));
    assert_true(v.is_scalar && v.step == 300 && v.tag_bytes == 1 && *v.tag == 'a');
    T_CLOSE(v.value, 1.5, TOL_EXACT);
    T_CLOSE(v.wall_time, 2.0, TOL_EXACT);
    T_OK(sl_tfrecord_next(&r, &at, &is_there, &next, file, bytes));
    assert_false(is_there);
}

/* Every byte matters: one flipped bit anywhere is noticed. */
static void test_flipped_bits_are_noticed(void **state)
{
    unsigned char file[64];
    const size_t bytes = put_record(file, event, sizeof event);

    (void)state;
    for (size_t bit = 0; bit < 8 * bytes; bit++) {
        sl_tfrecord r;
        sl_tfnext next;
        size_t at = 0;
        int is_there;

        file[bit / 8] ^= (unsigned char)(1u << bit % 8);
        T_FAILS(sl_tfrecord_next(&r, &at, &is_there, &next, file, bytes), SL_EFORMAT,
                "masked CRC32C");
        assert_int_equal(next, bit / 8 < 12 ? SL_TF_DAMAGED : SL_TF_NEXT);
        file[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
}

static void test_cut_records_are_noticed(void **state)
{
    unsigned char file[64];
    const size_t bytes = put_record(file, event, sizeof event);

    (void)state;
    for (size_t n = 1; n < bytes; n++) {
        sl_tfrecord r;
        sl_tfnext next;
        size_t at = 0;
        int is_there;

        T_FAILS(sl_tfrecord_next(&r, &at, &is_there, &next, file, n), SL_EFORMAT, "and the end");
        assert_int_equal(next, SL_TF_CUT);
    }
}

/* --- comma-separated records ------------------------------------------------------------------ */

static void test_csv_cells(void **state)
{
    char text[] = "\xef\xbb\xbf"
                  "a,\"b \"\"c\"\"\",\r\n\n1,\"two\nlines\",3\n,,\n";
    static char *cell[SL_CSV_COLUMNS];
    sl_csv csv;
    size_t count;

    (void)state;
    sl_csv_open(&csv, text, sizeof text - 1);
    T_OK(sl_csv_next(&csv, cell, &count));
    assert_int_equal(count, 3);
    assert_string_equal(cell[0], "a");
    assert_string_equal(cell[1], "b \"c\"");
    assert_string_equal(cell[2], "");
    T_OK(sl_csv_next(&csv, cell, &count));
    assert_int_equal(csv.record_line, 3);
    assert_string_equal(cell[1], "two\nlines");
    T_OK(sl_csv_next(&csv, cell, &count));
    assert_int_equal(csv.record_line, 5);
    assert_int_equal(count, 3);
    T_OK(sl_csv_next(&csv, cell, &count));
    assert_int_equal(count, 0);
}

static void test_csv_refuses_and_goes_on(void **state)
{
    char text[] = "1,\"x\"y,2\n3,\xff,4\n5,6\n\"7";
    static char *cell[SL_CSV_COLUMNS];
    sl_csv csv;
    size_t count;

    (void)state;
    sl_csv_open(&csv, text, sizeof text - 1);
    T_FAILS(sl_csv_next(&csv, cell, &count), SL_EFORMAT, "want a comma or the end of the line");
    T_FAILS(sl_csv_next(&csv, cell, &count), SL_EFORMAT, "want UTF-8");
    T_OK(sl_csv_next(&csv, cell, &count));
    assert_int_equal(csv.record_line, 3);
    assert_int_equal(count, 2);
    T_FAILS(sl_csv_next(&csv, cell, &count), SL_EFORMAT, "want the closing quote");
    T_OK(sl_csv_next(&csv, cell, &count));
    assert_int_equal(count, 0);
}

/* --- Python's numbers ------------------------------------------------------------------------- */

static void test_python_literals(void **state)
{
    const char text[] = "{\"a NaN\": NaN, \"b\": [-Infinity, Infinity, \"\\\"NaN\"], \"c\": 1}";
    sl_json *tree = NULL, *list;

    (void)state;
    T_OK(sl_json_parse_python(&tree, text, sizeof text - 1, "here"));
    list = json_object_get(tree, "b");
    assert_string_equal(json_string_value(json_object_get(tree, "a NaN")), "NaN");
    assert_string_equal(json_string_value(json_array_get(list, 0)), "-Infinity");
    assert_string_equal(json_string_value(json_array_get(list, 1)), "Infinity");
    assert_string_equal(json_string_value(json_array_get(list, 2)), "\"NaN");
    sl_json_close(&tree);
    T_FAILS(sl_json_parse_python(&tree, "{\"a\": Nan}", 10, "here"), SL_EFORMAT, "want JSON");
}

/* --- attempts --------------------------------------------------------------------------------- */

static void test_attempts(void **state)
{
    static sl_import_report report;
    sl_points p;

    (void)state;
    sl_points_open(&p, "wandb", &report);
    T_OK(sl_points_add(&p, 500, "loss", 0.5));
    T_OK(sl_points_add(&p, 500, "epoch", 0.5));
    T_OK(sl_points_add(&p, 500, "eval/loss", 0.5));
    T_OK(sl_points_add(&p, 500, "eval/loss", 0.6)); /* measured twice: no resume */
    T_OK(sl_points_add(&p, 1000, "loss", 0.4));
    T_OK(sl_points_add(&p, 700, "other", 0.4)); /* a counter of its own */
    assert_int_equal(p.attempts, 1);
    T_OK(sl_points_add(&p, 510, "loss", 0.3));
    T_OK(sl_points_add(&p, 510, "epoch", 0.51));
    assert_int_equal(p.attempts, 2);
    assert_int_equal(p.from[1], 509);
    T_OK(sl_points_add(&p, 510, "loss", 0.3)); /* said twice, the same */
    assert_int_equal(p.attempts, 2);
    T_OK(sl_points_add(&p, 510, "loss", 0.31)); /* another update 510 */
    assert_int_equal(p.attempts, 3);
    T_FAILS(sl_points_add(&p, -1, "loss", 0.3), SL_EFORMAT, "want a step of 0 or more");
    sl_points_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_record_is_read),
        cmocka_unit_test(test_flipped_bits_are_noticed),
        cmocka_unit_test(test_cut_records_are_noticed),
        cmocka_unit_test(test_csv_cells),
        cmocka_unit_test(test_csv_refuses_and_goes_on),
        cmocka_unit_test(test_python_literals),
        cmocka_unit_test(test_attempts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
