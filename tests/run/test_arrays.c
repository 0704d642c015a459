/* Arrays of plain HDF5 files: what is written is read; what a stranger may have put there is
 * refused with its name. */
#include "base/alloc.h"
#include "harness/harness.h"
#include "run/arrays.h"
#include <hdf5.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char folder[4096];

static const char *path_of(const char *name)
{
    static char path[4200];

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void test_round_trip(void **state)
{
    const float x[6] = { 1, 2.5f, -3, 4, 5, 6 };
    const int32_t ids[3] = { 7, -1, 2147483647 };
    const size_t dims[2] = { 2, 3 }, three = 3;
    size_t count = 0, found[SL_ARRAY_RANK];
    float *back = NULL;
    int32_t *ids_back = NULL;
    char *names = NULL;
    sl_arrays *a = NULL;

    (void)state;
    T_OK(sl_arrays_create(&a, path_of("a.h5")));
    T_OK(sl_arrays_write(a, "one/x", SL_ARRAY_F32, x, dims, 2));
    T_OK(sl_arrays_write(a, "one/ids", SL_ARRAY_I32, ids, &three, 1));
    assert_int_not_equal(access(path_of("a.h5"), F_OK), 0); /* not whole yet */
    T_OK(sl_arrays_finish(&a));
    T_OK(sl_arrays_open(&a, path_of("a.h5")));
    T_OK(sl_arrays_read(&back, &count, found, a, "one/x", SL_ARRAY_F32));
    assert_int_equal(count, 6);
    assert_int_equal(found[0], 2);
    assert_int_equal(found[1], 3);
    assert_memory_equal(back, x, sizeof x);
    T_OK(sl_arrays_read(&ids_back, &count, NULL, a, "one/ids", SL_ARRAY_I32));
    assert_memory_equal(ids_back, ids, sizeof ids);
    T_OK(sl_arrays_list(&names, &count, a, "one"));
    assert_int_equal(count, 2);
    assert_string_equal(names, "ids");
    assert_string_equal(names + SL_ARRAY_NAME, "x");
    assert_true(sl_arrays_has(a, "one") && sl_arrays_has(a, "one/x") && !sl_arrays_has(a, "x"));
    sl_arrays_close(&a);
    sl_free(names);
    sl_free(ids_back);
    sl_free(back);
}

static void test_unfinished_leaves_nothing(void **state)
{
    sl_arrays *a = NULL;

    (void)state;
    T_OK(sl_arrays_create(&a, path_of("b.h5")));
    sl_arrays_close(&a);
    assert_int_not_equal(access(path_of("b.h5"), F_OK), 0);
    assert_int_not_equal(access(path_of("b.h5.part"), F_OK), 0);
}

static void test_nothing_is_overwritten(void **state)
{
    sl_arrays *a = NULL;

    (void)state;
    T_OK(sl_arrays_create(&a, path_of("c.h5")));
    T_OK(sl_arrays_finish(&a));
    T_FAILS(sl_arrays_create(&a, path_of("c.h5")), SL_EIO, "want a new file");
}

/* One of each thing that HDF5 would follow or invent. */
static void make_hostile(const char *path)
{
    const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hsize_t huge[2] = { (hsize_t)1 << 40, (hsize_t)1 << 20 }, two = 2;
    const hid_t big = H5Screate_simple(2, huge, NULL), small = H5Screate_simple(1, &two, NULL);
    const hid_t external = H5Pcreate(H5P_DATASET_CREATE), chunked = H5Pcreate(H5P_DATASET_CREATE);
    const hsize_t chunk[2] = { 1, 1024 };
    const hid_t text = H5Tcopy(H5T_C_S1);
    const int64_t wide[2] = { 1, (int64_t)1 << 40 };
    hid_t set;

    assert_true(file >= 0);
    assert_true(H5Lcreate_external("other.h5", "/x", file, "link", H5P_DEFAULT, H5P_DEFAULT) >= 0);
    assert_true(H5Lcreate_soft("/wide", file, "soft", H5P_DEFAULT, H5P_DEFAULT) >= 0);
    assert_true(H5Pset_external(external, "/etc/hostname", 0, 8) >= 0);
    assert_true(H5Pset_chunk(chunked, 2, chunk) >= 0);
    assert_true(H5Tset_size(text, H5T_VARIABLE) >= 0);
    set = H5Dcreate2(file, "outside", H5T_NATIVE_FLOAT, small, H5P_DEFAULT, external, H5P_DEFAULT);
    assert_true(set >= 0 && H5Dclose(set) >= 0);
    set = H5Dcreate2(file, "huge", H5T_NATIVE_FLOAT, big, H5P_DEFAULT, chunked, H5P_DEFAULT);
    assert_true(set >= 0 && H5Dclose(set) >= 0);
    set = H5Dcreate2(file, "text", text, small, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(set >= 0 && H5Dclose(set) >= 0);
    set = H5Dcreate2(file, "wide", H5T_NATIVE_INT64, small, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(set >= 0 &&
                H5Dwrite(set, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, wide) >= 0 &&
                H5Dclose(set) >= 0);
    set = H5Dcreate2(file, "real", H5T_NATIVE_DOUBLE, small, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(set >= 0 && H5Dclose(set) >= 0);
    assert_true(H5Tclose(text) >= 0 && H5Pclose(external) >= 0 && H5Pclose(chunked) >= 0);
    assert_true(H5Sclose(big) >= 0 && H5Sclose(small) >= 0 && H5Fclose(file) >= 0);
}

static void test_hostile(void **state)
{
    static const struct {
        const char *name;
        sl_array_type type;
    } cases[] = { { "link", SL_ARRAY_F32 }, { "soft", SL_ARRAY_I64 }, { "outside", SL_ARRAY_F32 },
                  { "huge", SL_ARRAY_F32 }, { "text", SL_ARRAY_F32 }, { "wide", SL_ARRAY_I32 },
                  { "real", SL_ARRAY_I32 }, { "none", SL_ARRAY_F32 } };
    sl_arrays *a = NULL;
    void *x = NULL;
    size_t count = 0;

    (void)state;
    make_hostile(path_of("hostile.h5"));
    T_OK(sl_arrays_open(&a, path_of("hostile.h5")));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const sl_status st = sl_arrays_read(&x, &count, NULL, a, cases[i].name, cases[i].type);

        assert_int_equal(st, SL_EFORMAT);
        assert_non_null(strstr(sl_err_place(), cases[i].name));
        assert_null(x);
        sl_err_clear();
    }
    T_OK(sl_arrays_read(&x, &count, NULL, a, "wide", SL_ARRAY_I64)); /* what is right is read */
    sl_free(x);
    sl_arrays_close(&a);
}

static void test_not_hdf5(void **state)
{
    FILE *f = fopen(path_of("text.h5"), "w");
    sl_arrays *a = NULL;

    (void)state;
    assert_non_null(f);
    assert_true(fputs("no HDF5", f) >= 0 && fclose(f) == 0);
    T_FAILS(sl_arrays_open(&a, path_of("text.h5")), SL_EFORMAT, "HDF5");
    T_FAILS(sl_arrays_open(&a, path_of("nowhere.h5")), SL_EIO, "found none");
}

/* --- arrays that are larger than a window */

enum { ROWS = 70001, COLUMNS = 3 };

/* A dataset (ROWS, COLUMNS) of the numbers 0, 1, 2, ... in chunks of chunk_rows rows, 0: none. */
static void put_counting(hid_t file, const char *name, hid_t type, hsize_t chunk_rows, int deflate)
{
    const hsize_t dims[2] = { ROWS, COLUMNS }, chunk[2] = { chunk_rows, COLUMNS };
    const hid_t space = H5Screate_simple(2, dims, NULL), made = H5Pcreate(H5P_DATASET_CREATE);
    static int64_t x[ROWS * COLUMNS];
    hid_t set;

    for (size_t i = 0; i < ROWS * COLUMNS; i++)
        x[i] = (int64_t)i;
    if (chunk_rows)
        assert_true(H5Pset_chunk(made, 2, chunk) >= 0);
    if (deflate)
        assert_true(H5Pset_shuffle(made) >= 0 && H5Pset_deflate(made, 1) >= 0);
    set = H5Dcreate2(file, name, type, space, H5P_DEFAULT, made, H5P_DEFAULT);
    assert_true(set >= 0 && H5Dwrite(set, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, x) >= 0);
    assert_true(H5Dclose(set) >= 0 && H5Pclose(made) >= 0 && H5Sclose(space) >= 0);
}

typedef struct counting {
    size_t next, rows;
} counting;

/* sl_arrays_visitor */
static sl_status expect_counting(void *with, const void *x, size_t first, size_t count)
{
    counting *c = with;

    assert_int_equal(first, c->rows);
    for (size_t i = 0; i < count * COLUMNS; i++, c->next++)
        assert_true(((const double *)x)[i] == (double)c->next);
    c->rows += count;
    return SL_OK;
}

static void test_windows(void **state)
{
    /* in the rows of a window, not dividing them, beyond them, and one of more rows than there are
     */
    static const hsize_t chunk_rows[] = { 0, 1000, 4097, 30000, 70001 };
    const hid_t file = H5Fcreate(path_of("long.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t types[] = { H5T_NATIVE_DOUBLE, H5T_IEEE_F64BE, H5T_NATIVE_INT32 };
    enum { CHUNKS = sizeof chunk_rows / sizeof *chunk_rows };
    char name[16];
    sl_arrays *a = NULL;

    (void)state;
    for (size_t i = 0; i < 3 * CHUNKS; i++) {
        (void)snprintf(name, sizeof name, "x%zu", i);
        put_counting(file, name, types[i / CHUNKS], chunk_rows[i % CHUNKS], i % 2 && i % CHUNKS);
    }
    assert_true(H5Fclose(file) >= 0);
    T_OK(sl_arrays_open(&a, path_of("long.h5")));
    for (size_t i = 0; i < 3 * CHUNKS; i++) {
        size_t dims[SL_ARRAY_RANK], count = 0;
        counting c = { 0 };
        double *x = NULL;

        (void)snprintf(name, sizeof name, "x%zu", i);
        T_OK(sl_arrays_visit(dims, a, name, SL_ARRAY_F64, expect_counting, &c));
        assert_true(dims[0] == ROWS && dims[1] == COLUMNS && c.rows == ROWS);
        T_OK(sl_arrays_read(&x, &count, dims, a, name, SL_ARRAY_F64));
        assert_int_equal(count, ROWS * COLUMNS);
        c = (counting){ 0 };
        T_OK(expect_counting(&c, x, 0, ROWS));
        sl_free(x);
    }
    sl_arrays_close(&a);
}

/* sl_arrays_visitor */
static sl_status stop_at_second(void *with, const void *x, size_t first, size_t count)
{
    (void)x;
    *(size_t *)with = first + count;
    return first ? SL_FAIL(SL_EFORMAT, "want fewer rows") : SL_OK;
}

static void test_a_visit_that_ends_early(void **state)
{
    const hid_t file = H5Fcreate(path_of("early.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    size_t seen = 0, count;
    sl_arrays *a = NULL;
    int32_t *x = NULL;

    (void)state;
    put_counting(file, "x", H5T_NATIVE_INT64, 0, 0);
    assert_true(H5Fclose(file) >= 0);
    T_OK(sl_arrays_open(&a, path_of("early.h5")));
    T_FAILS(sl_arrays_visit(NULL, a, "x", SL_ARRAY_F64, stop_at_second, &seen), SL_EFORMAT,
            "want fewer rows");
    assert_true(seen && seen < ROWS);
    T_OK(sl_arrays_read(&x, &count, NULL, a, "x", SL_ARRAY_I32)); /* what was left is let go */
    for (size_t i = 0; i < ROWS * COLUMNS; i++)
        assert_int_equal(x[i], i);
    sl_free(x);
    sl_arrays_close(&a);
}

/* A number of a late window that does not fit ends the reading; nothing is taken. */
static void test_a_late_number_is_looked_at(void **state)
{
    const hsize_t n = 200000;
    const hid_t file = H5Fcreate(path_of("late.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t space = H5Screate_simple(1, &n, NULL);
    const hid_t set =
        H5Dcreate2(file, "x", H5T_NATIVE_INT64, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    static int64_t x[200000];
    sl_arrays *a = NULL;
    int32_t *back = NULL;
    size_t count = 0;

    (void)state;
    x[199999] = (int64_t)1 << 31;
    assert_true(H5Dwrite(set, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, x) >= 0);
    assert_true(H5Dclose(set) >= 0 && H5Sclose(space) >= 0 && H5Fclose(file) >= 0);
    T_OK(sl_arrays_open(&a, path_of("late.h5")));
    T_FAILS(sl_arrays_read(&back, &count, NULL, a, "x", SL_ARRAY_I32), SL_EFORMAT,
            "want integers of 32 bits, found 2147483648");
    assert_null(back);
    sl_arrays_close(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_unfinished_leaves_nothing),
        cmocka_unit_test(test_nothing_is_overwritten),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_not_hdf5),
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_a_visit_that_ends_early),
        cmocka_unit_test(test_a_late_number_is_looked_at),
    };

    int red;

    (void)snprintf(folder, sizeof folder, "%s", t_scratch());
    red = cmocka_run_group_tests(tests, NULL, NULL);
    t_scratch_remove();
    return red;
}
