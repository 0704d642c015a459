/* Segments made by a stranger: user block and sum are right, what is inside is not. Each is refused
 * with file and dataset named; nothing is followed, allocated or invented. */
#include "run/scene.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/rng.h"
#include "run/userblock_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum { ROWS = SCENE_ROWS, FILTER_OF_NOBODY = 300, BOMB_BYTES = 640 << 20, FLIPS = 100 };

static rec_run run;
static scene_file file;

static int setup(void **state)
{
    (void)state;
    rec_run_open(&run, t_scratch());
    scene_open(&file, &run);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rec_run_close(&run);
    t_scratch_remove();
    return 0;
}

static void put(scene *s)
{
    scene_put(s, "events");
}

/* A dataset of this name in another file, for those who would follow. */
static void put_elsewhere(const scene *s)
{
    scene away = *s;

    T_OK(sl_h5_create(&away.file, s->other, SL_USERBLOCK_BYTES));
    put(&away);
    T_OK(sl_h5_close_file(&away.file));
}

static void good(scene *s)
{
    put(s);
}

static void absent(scene *s)
{
    (void)s;
}

static void soft_link(scene *s)
{
    hid_t group;

    T_OK(SL_H5_ID(&group, H5Gcreate2(s->file, "g", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT)));
    sl_h5_close(&group);
    T_OK(SL_H5(H5Lcreate_soft("/g", s->file, "events", H5P_DEFAULT, H5P_DEFAULT)));
}

static void external_link(scene *s)
{
    put_elsewhere(s);
    T_OK(SL_H5(
        H5Lcreate_external(s->other, "/events", s->file, "events", H5P_DEFAULT, H5P_DEFAULT)));
}

static void group(scene *s)
{
    hid_t g;

    T_OK(SL_H5_ID(&g, H5Gcreate2(s->file, "events", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT)));
    T_OK(SL_H5(H5Lcreate_hard(s->file, "/", g, "cycle", H5P_DEFAULT, H5P_DEFAULT)));
    sl_h5_close(&g);
}

static void external_storage(scene *s)
{
    sl_h5_close(&s->creation);
    T_OK(SL_H5_ID(&s->creation, H5Pcreate(H5P_DATASET_CREATE)));
    T_OK(SL_H5(H5Pset_external(s->creation, "/etc/passwd", 0, ROWS * s->set.item_bytes)));
    {
        hid_t dataset;

        T_OK(SL_H5_ID(&dataset, H5Dcreate2(s->file, "events", s->type, s->space, H5P_DEFAULT,
                                           s->creation, H5P_DEFAULT)));
        sl_h5_close(&dataset);
    }
}

static void virtual_layout(scene *s)
{
    hid_t dataset;

    put_elsewhere(s);
    sl_h5_close(&s->creation);
    T_OK(SL_H5_ID(&s->creation, H5Pcreate(H5P_DATASET_CREATE)));
    T_OK(SL_H5(H5Pset_virtual(s->creation, s->space, s->other, "/events", s->space)));
    T_OK(SL_H5_ID(&dataset, H5Dcreate2(s->file, "events", s->type, s->space, H5P_DEFAULT,
                                       s->creation, H5P_DEFAULT)));
    sl_h5_close(&dataset);
}

static void other_filter(scene *s)
{
    T_OK(SL_H5(H5Premove_filter(s->creation, H5Z_FILTER_ALL)));
    T_OK(SL_H5(H5Pset_nbit(s->creation)));
    put(s);
}

static size_t pass(unsigned flags, size_t values, const unsigned *value, size_t bytes,
                   size_t *buffer_bytes, void **buffer)
{
    (void)flags;
    (void)values;
    (void)value;
    (void)buffer_bytes;
    (void)buffer;
    return bytes;
}

/* A filter that libhdf5 would look for among its plug-ins. */
static void unknown_filter(scene *s)
{
    static const H5Z_class2_t filter = { .version = H5Z_CLASS_T_VERS,
                                         .id = FILTER_OF_NOBODY,
                                         .encoder_present = 1,
                                         .decoder_present = 1,
                                         .name = "of nobody",
                                         .filter = pass };

    T_OK(SL_H5(H5Zregister(&filter)));
    T_OK(SL_H5(H5Premove_filter(s->creation, H5Z_FILTER_ALL)));
    T_OK(SL_H5(H5Pset_filter(s->creation, FILTER_OF_NOBODY, 0, 0, NULL)));
    put(s);
    T_OK(SL_H5(H5Zunregister(FILTER_OF_NOBODY)));
}

/* bytes (most) = a stream that inflates to BOMB_BYTES zeros; its length. */
static size_t make_bomb(unsigned char *bytes, size_t most)
{
    static unsigned char zeros[1 << 20];
    z_stream z = { .next_out = bytes, .avail_out = (uInt)most };

    assert_int_equal(deflateInit(&z, 1), Z_OK);
    for (int i = 0; i < BOMB_BYTES / (int)sizeof zeros; i++) {
        z.next_in = zeros;
        z.avail_in = sizeof zeros;
        assert_int_equal(deflate(&z, Z_NO_FLUSH), Z_OK);
    }
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(deflateEnd(&z), Z_OK);
    return z.total_out;
}

/* The library would double its buffer until the stream ends. */
static void bomb(scene *s)
{
    const size_t most = (size_t)8 << 20;
    const hsize_t first = 0;
    unsigned char *bytes = NULL;
    hid_t dataset;

    T_OK(sl_take(&bytes, most, 1));
    T_OK(SL_H5(H5Premove_filter(s->creation, H5Z_FILTER_ALL)));
    T_OK(SL_H5(H5Pset_deflate(s->creation, 1)));
    T_OK(SL_H5_ID(&dataset, H5Dcreate2(s->file, "events", s->type, s->space, H5P_DEFAULT,
                                       s->creation, H5P_DEFAULT)));
    T_OK(SL_H5(H5Dwrite_chunk(dataset, H5P_DEFAULT, 0, &first, make_bomb(bytes, most), bytes)));
    sl_h5_close(&dataset);
    sl_free(bytes);
}

static hsize_t extent = (hsize_t)1 << 50;

/* More rows than any disk holds; none is stored. */
static void huge_extent(scene *s)
{
    T_OK(SL_H5(H5Sset_extent_simple(s->space, 1, &extent, NULL)));
    {
        hid_t dataset;

        T_OK(SL_H5_ID(&dataset, H5Dcreate2(s->file, "events", s->type, s->space, H5P_DEFAULT,
                                           s->creation, H5P_DEFAULT)));
        sl_h5_close(&dataset);
    }
}

/* Two groups that hold each other, and the table under one of them by a way around. */
static void cycle(scene *s)
{
    hid_t a, b;

    T_OK(SL_H5_ID(&a, H5Gcreate2(s->file, "events", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT)));
    T_OK(SL_H5_ID(&b, H5Gcreate2(a, "b", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT)));
    T_OK(SL_H5(H5Lcreate_hard(s->file, "events", b, "events", H5P_DEFAULT, H5P_DEFAULT)));
    sl_h5_close(&b);
    sl_h5_close(&a);
}

static void contiguous_unallocated(scene *s)
{
    hid_t dataset;

    T_OK(SL_H5_ID(&dataset, H5Dcreate2(s->file, "events", s->type, s->space, H5P_DEFAULT,
                                       H5P_DEFAULT, H5P_DEFAULT)));
    sl_h5_close(&dataset);
}

static void too_few_rows(scene *s)
{
    const hsize_t dims = ROWS - 1;

    T_OK(SL_H5(H5Pset_chunk(s->creation, 1, &dims)));
    T_OK(SL_H5(H5Sset_extent_simple(s->space, 1, &dims, NULL)));
    put(s);
}

static void growing(scene *s)
{
    const hsize_t dims = ROWS, most = H5S_UNLIMITED;

    T_OK(SL_H5(H5Sset_extent_simple(s->space, 1, &dims, &most)));
    put(s);
}

static void two_dimensions(scene *s)
{
    const hsize_t dims[2] = { ROWS, 1 };

    T_OK(SL_H5(H5Sset_extent_simple(s->space, 2, dims, NULL)));
    T_OK(SL_H5(H5Pset_chunk(s->creation, 2, dims)));
    put(s);
}

static void big_endian(scene *s)
{
    sl_h5_close(&s->type);
    T_OK(SL_H5_ID(&s->type, H5Tcreate(H5T_COMPOUND, s->set.item_bytes)));
    T_OK(SL_H5(H5Tinsert(s->type, "step", 0, H5T_STD_I64BE)));
    put(s);
}

static void variable_length(scene *s)
{
    hid_t dataset, text;

    T_OK(SL_H5_ID(&text, H5Tcopy(H5T_C_S1)));
    T_OK(SL_H5(H5Tset_size(text, H5T_VARIABLE)));
    T_OK(SL_H5_ID(&dataset, H5Dcreate2(s->file, "events", text, s->space, H5P_DEFAULT, H5P_DEFAULT,
                                       H5P_DEFAULT)));
    sl_h5_close(&dataset);
    sl_h5_close(&text);
}

/* Rows that are promised but were never stored read as fill values. */
static void unallocated(scene *s)
{
    const hsize_t chunk = 10, first = 0;
    hid_t dataset, part, memory;

    T_OK(SL_H5(H5Pset_chunk(s->creation, 1, &chunk)));
    T_OK(SL_H5_ID(&dataset, H5Dcreate2(s->file, "events", s->type, s->space, H5P_DEFAULT,
                                       s->creation, H5P_DEFAULT)));
    T_OK(SL_H5_ID(&part, H5Scopy(s->space)));
    T_OK(SL_H5(H5Sselect_hyperslab(part, H5S_SELECT_SET, &first, NULL, &chunk, NULL)));
    T_OK(SL_H5_ID(&memory, H5Screate_simple(1, &chunk, NULL)));
    T_OK(SL_H5(H5Dwrite(dataset, s->type, memory, part, H5P_DEFAULT, s->rows)));
    sl_h5_close(&memory);
    sl_h5_close(&part);
    sl_h5_close(&dataset);
}

static void descending_steps(scene *s)
{
    const int64_t step = 1;

    memcpy(s->rows + 700 * s->set.item_bytes, &step, sizeof step);
    put(s);
}

static void step_after_the_last(scene *s)
{
    const int64_t step = ROWS + 5;

    memcpy(s->rows + (ROWS - 1) * s->set.item_bytes, &step, sizeof step);
    put(s);
}

static void no_such_kind(scene *s)
{
    s->rows[41 * s->set.item_bytes + 24] = 200;
    put(s);
}

static void make_table(scene_maker build, unsigned minor, sl_table table)
{
    scene_make(&file, build, minor, table, ROWS);
}

static void make(scene_maker build, unsigned minor)
{
    make_table(build, minor, SL_TABLE_EVENTS);
}

static sl_status keep_last(void *with, sl_table table, const unsigned char *rows, size_t count,
                           size_t row_bytes)
{
    sl_row_unpack(with, table, rows + (count - 1) * row_bytes);
    return SL_OK;
}

static sl_status read_events(sl_row_events *last)
{
    return sl_segment_rows(file.path, &run.identity, SL_TABLE_EVENTS, 0, ROWS, keep_last, last);
}

static void test_the_scene_itself_is_good(void **state)
{
    sl_row_events last;

    (void)state;
    make(good, SL_SCHEMA_MINOR);
    T_OK(read_events(&last));
    assert_int_equal(last.step, ROWS);
}

static void test_hostile_segments_are_refused(void **state)
{
    static const struct {
        scene_maker build;
        const char *message;
    } cases[] = {
        { absent, "found none" },
        { soft_link, "hard link" },
        { external_link, "hard link" },
        { group, "want a dataset" },
        { external_storage, "external storage" },
        { virtual_layout, "chunked or contiguous" },
        { other_filter, "found filter 5" },
        { unknown_filter, "found filter 300" },
        { bomb, "" },
        { huge_extent, "want a fixed extent (1000,1)" },
        { cycle, "want a dataset" },
        { contiguous_unallocated, "rows stored" },
        { too_few_rows, "want a fixed extent (1000,1)" },
        { growing, "want a fixed extent (1000,1)" },
        { two_dimensions, "" },
        { big_endian, "want the type of the schema" },
        { variable_length, "" },
        { unallocated, "stored" },
        { descending_steps, "steps that ascend from 700" },
        { step_after_the_last, "steps up to 1000" },
        { no_such_kind, "found 200" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sl_row_events last;
        sl_status st;

        make(cases[i].build, SL_SCHEMA_MINOR);
        st = read_events(&last);
        /* the sanitizer's allocator ends a process that gets no memory, before it can say where */
        if (st != SL_EFORMAT || !strstr(sl_err_place(), "seg-000001.h5") ||
            (!strstr(sl_err_place(), "/events") && !getenv("STAGELINE_SANITIZED")))
            fail_msg("case %zu: status %d, place %s", i, st, sl_err_place());
        T_FAILS(st, SL_EFORMAT, cases[i].message);
    }
}

/* The user block promises what the file promises: nothing is allocated for it. */
static void test_a_huge_extent_is_not_believed(void **state)
{
    static const struct {
        uint64_t rows;
        const char *message;
    } cases[] = { { (uint64_t)1 << 50, "want 0 to 2^32-1" }, { UINT32_MAX, "stored" } };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const uint64_t rows = cases[i].rows;
        sl_row_events last;

        extent = rows;
        scene_build(&file, huge_extent, SL_TABLE_EVENTS, ROWS);
        scene_seal(&file, SL_SCHEMA_MINOR, SL_TABLE_EVENTS, rows);
        T_FAILS(
            sl_segment_rows(file.path, &run.identity, SL_TABLE_EVENTS, 0, rows, keep_last, &last),
            SL_EFORMAT, cases[i].message);
    }
}

/* Rows as they came, one after another. */
typedef struct rows_seen {
    unsigned char *at;
    size_t bytes;
} rows_seen;

static sl_status keep_all(void *with, sl_table table, const unsigned char *rows, size_t count,
                          size_t row_bytes)
{
    rows_seen *seen = with;

    (void)table;
    memcpy(seen->at + seen->bytes, rows, count * row_bytes);
    seen->bytes += count * row_bytes;
    return SL_OK;
}

static sl_status read_all(rows_seen *seen)
{
    seen->bytes = 0;
    return sl_segment_rows(file.path, &run.identity, SL_TABLE_EVENTS, 0, ROWS, keep_all, seen);
}

/* What stands under the temporary name, with a sound user block. */
static void seal_bytes(const char *bytes, size_t count)
{
    FILE *f = fopen(file.tmp, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, count, f), count);
    assert_int_equal(fclose(f), 0);
    scene_seal(&file, SL_SCHEMA_MINOR, SL_TABLE_EVENTS, ROWS);
}

static void test_cut_segments_are_refused(void **state)
{
    char *bytes;
    size_t count;
    rows_seen seen = { 0 };

    (void)state;
    T_OK(sl_take(&seen.at, ROWS, SCENE_ROW_BYTES));
    scene_build(&file, good, SL_TABLE_EVENTS, ROWS);
    T_OK(sl_file_read(&bytes, &count, file.tmp, 1 << 20));
    for (size_t parts = 1; parts < 20; parts++) {
        const size_t cut = SL_USERBLOCK_BYTES + 64 + (count - SL_USERBLOCK_BYTES - 64) * parts / 20;

        seal_bytes(bytes, cut);
        T_FAILS(read_all(&seen), SL_EFORMAT, "");
    }
    sl_free(bytes);
    sl_free(seen.at);
}

/* One bit of the file is other than libhdf5 wrote it, and every sum of ours says that it is right:
 * refused, or the same rows. */
static void test_flipped_segments_give_their_rows_or_none(void **state)
{
    sl_rng rng = sl_rng_at(1, sl_rng_stream("flipped segments"), 0);
    char *bytes;
    size_t count, refused = 0;
    rows_seen want = { 0 }, seen = { 0 };

    (void)state;
    T_OK(sl_take(&want.at, ROWS, SCENE_ROW_BYTES));
    T_OK(sl_take(&seen.at, ROWS, SCENE_ROW_BYTES));
    make(good, SL_SCHEMA_MINOR);
    T_OK(read_all(&want));
    scene_build(&file, good, SL_TABLE_EVENTS, ROWS);
    T_OK(sl_file_read(&bytes, &count, file.tmp, 1 << 20));
    for (int i = 0; i < FLIPS; i++) {
        /* behind the version of the superblock, which is looked at before the library */
        const size_t at =
            SL_USERBLOCK_BYTES + 9 + sl_rng_below(&rng, (uint32_t)(count - SL_USERBLOCK_BYTES - 9));
        const char bit = (char)(1 << sl_rng_below(&rng, 8));

        bytes[at] ^= bit;
        seal_bytes(bytes, count);
        bytes[at] ^= bit;
        if (read_all(&seen) == SL_OK) {
            assert_int_equal(seen.bytes, want.bytes);
            assert_memory_equal(seen.at, want.at, want.bytes);
        } else {
            refused++;
            assert_int_equal(sl_err_code(), SL_EFORMAT);
            sl_err_clear();
        }
    }
    print_message("%zu of %d flips refused\n", refused, FLIPS);
    assert_true(refused > FLIPS / 4);
    sl_free(bytes);
    sl_free(want.at);
    sl_free(seen.at);
}

/* A later minor version: known columns are read by name, wherever they stand. */
static void later_minor(scene *s)
{
    unsigned char wide[ROWS * 48] = { 0 };
    size_t count;
    const sl_column *c = sl_table_columns(SL_TABLE_EVENTS, &count);
    size_t offset = 8, from = 0;

    sl_h5_close(&s->type);
    T_OK(SL_H5_ID(&s->type, H5Tcreate(H5T_COMPOUND, s->set.item_bytes + 8)));
    T_OK(SL_H5(H5Tinsert(s->type, "a_new_column", 0, H5T_IEEE_F64LE)));
    for (size_t i = 0; i < count; i++) {
        hid_t type;

        T_OK(sl_h5_column_type(&type, &c[i]));
        T_OK(SL_H5(H5Tinsert(s->type, c[i].name, offset, type)));
        sl_h5_close(&type);
        for (size_t r = 0; r < ROWS; r++)
            memcpy(wide + r * (s->set.item_bytes + 8) + offset,
                   s->rows + r * s->set.item_bytes + from, sl_type_bytes(c[i].type));
        offset += sl_type_bytes(c[i].type);
        from += sl_type_bytes(c[i].type);
    }
    memcpy(wide + 999 * (s->set.item_bytes + 8) + 16, &(const double){ 2.5 }, 8);
    assert_true(sizeof wide >= ROWS * (s->set.item_bytes + 8));
    {
        hid_t dataset;

        T_OK(SL_H5_ID(&dataset, H5Dcreate2(s->file, "events", s->type, s->space, H5P_DEFAULT,
                                           s->creation, H5P_DEFAULT)));
        T_OK(SL_H5(H5Dwrite(dataset, s->type, H5S_ALL, H5S_ALL, H5P_DEFAULT, wide)));
        sl_h5_close(&dataset);
    }
}

static void test_a_later_minor_version_is_read(void **state)
{
    sl_row_events last;

    (void)state;
    make(later_minor, SL_SCHEMA_MINOR + 1);
    T_OK(read_events(&last));
    assert_int_equal(last.step, ROWS);
    T_CLOSE(last.value, 2.5, TOL_EXACT);
    make(later_minor, SL_SCHEMA_MINOR); /* but it must say so */
    T_FAILS(read_events(&last), SL_EFORMAT, "want the type of the schema");
    make(big_endian, SL_SCHEMA_MINOR + 1);
    T_FAILS(read_events(&last), SL_EFORMAT, "want type i64");
}

/* The columns of `clock` that the first minor version had. */
static void earlier_minor(scene *s)
{
    size_t count, old = 0, offset = 0;
    const sl_column *c = sl_table_columns(SL_TABLE_CLOCK, &count);
    hid_t dataset;

    for (size_t i = 0; i < count; i++)
        old += c[i].since ? 0 : sl_type_bytes(c[i].type);
    sl_h5_close(&s->type);
    T_OK(SL_H5_ID(&s->type, H5Tcreate(H5T_COMPOUND, old)));
    for (size_t i = 0; i < count; i++) {
        hid_t type;

        if (c[i].since)
            continue;
        T_OK(sl_h5_column_type(&type, &c[i]));
        T_OK(SL_H5(H5Tinsert(s->type, c[i].name, offset, type)));
        sl_h5_close(&type);
        offset += sl_type_bytes(c[i].type);
    }
    memset(s->rows, 0, sizeof s->rows);
    for (int64_t r = 0; r < ROWS; r++) {
        const int64_t step = r + 1;

        memcpy(s->rows + (size_t)r * old, &step, sizeof step);
        memcpy(s->rows + (size_t)r * old + old - 8, &(const uint32_t){ 77 }, 4); /* stalls */
    }
    T_OK(SL_H5_ID(&dataset, H5Dcreate2(s->file, "clock", s->type, s->space, H5P_DEFAULT,
                                       s->creation, H5P_DEFAULT)));
    T_OK(SL_H5(H5Dwrite(dataset, s->type, H5S_ALL, H5S_ALL, H5P_DEFAULT, s->rows)));
    sl_h5_close(&dataset);
}

/* What a record of an earlier minor version lacks is undefined. */
static void test_an_earlier_minor_version_is_read(void **state)
{
    sl_row_clock last;

    (void)state;
    make_table(earlier_minor, 0, SL_TABLE_CLOCK);
    T_OK(sl_segment_rows(file.path, &run.identity, SL_TABLE_CLOCK, 0, ROWS, keep_last, &last));
    assert_int_equal(last.step, ROWS);
    assert_int_equal(last.stalls, 77);
    assert_true(isnan(last.norms_s) && isnan(last.split_s) && isnan(last.pair_grad_s));
    make_table(earlier_minor, SL_SCHEMA_MINOR, SL_TABLE_CLOCK); /* but it must say so */
    T_FAILS(sl_segment_rows(file.path, &run.identity, SL_TABLE_CLOCK, 0, ROWS, keep_last, &last),
            SL_EFORMAT, "want the type of the schema");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_scene_itself_is_good),
        cmocka_unit_test(test_hostile_segments_are_refused),
        cmocka_unit_test(test_a_huge_extent_is_not_believed),
        cmocka_unit_test(test_cut_segments_are_refused),
        cmocka_unit_test(test_flipped_segments_give_their_rows_or_none),
        cmocka_unit_test(test_a_later_minor_version_is_read),
        cmocka_unit_test(test_an_earlier_minor_version_is_read),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
