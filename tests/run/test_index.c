/* run.h5: opens in any tool at any moment and shows the live rows of the sealed segments. */
#include "run/record.h"

#include "base/alloc.h"
#include "base/file.h"
#include "run/segment_read_int.h"
#include "run/userblock_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static rec_run run;
static char index_path[SL_RUN_PATH];

static int setup(void **state)
{
    (void)state;
    rec_run_open(&run, t_scratch());
    T_OK(sl_file_join(index_path, sizeof index_path, run.path, "run.h5"));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rec_run_close(&run);
    t_scratch_remove();
    return 0;
}

static void seal(uint32_t number, uint32_t attempt, int64_t resumed_from, int64_t first,
                 int64_t last)
{
    const rec_journal what = { .number = number,
                               .attempt = attempt,
                               .resumed_from = resumed_from,
                               .first_step = first,
                               .last_step = last,
                               .has_end = 1 };
    sl_segment_info info;
    char path[SL_RUN_PATH];

    rec_write(&run, &what);
    T_OK(sl_segment_build(&info, run.folder, number, 0, &run.identity, NULL));
    T_OK(sl_rank_path(path, run.folder, SL_FILE_JOURNAL, number));
    assert_int_equal(unlink(path), 0);
}

/* Exit code of a shell command on run.h5; -1 where the tool is missing. */
static int tool(const char *name, const char *arguments)
{
    char line[2 * SL_RUN_PATH];
    int code;

    (void)snprintf(line, sizeof line,
                   "command -v %s >/dev/null || exit 99; %s %s '%s' >/dev/null 2>&1", name, name,
                   arguments, index_path);
    code = system(line);
    return code == 99 << 8 ? -1 : code;
}

static void assert_tools_open_it(void)
{
    static const struct {
        const char *name, *arguments;
    } tools[] = {
        { "h5dump", "-H" }, { "h5dump", "" }, { "h5ls", "-r" },
        { "h5ls", "-rvd" }, { "h5stat", "" },
    };

    for (size_t i = 0; i < sizeof tools / sizeof tools[0]; i++)
        if (tool(tools[i].name, tools[i].arguments) > 0)
            fail_msg("%s %s refuses run.h5", tools[i].name, tools[i].arguments);
}

/* h5py sees the same rows in run.h5 as in the segments one after another (live: rows of each). */
static void assert_h5py_agrees(void)
{
    char line[2 * SL_RUN_PATH];
    const char *source = getenv("STAGELINE_SOURCE");

    (void)snprintf(line, sizeof line,
                   "/usr/bin/python3 -c 'import h5py' 2>/dev/null || exit 0; "
                   "/usr/bin/python3 '%s/tests/run/compare_index.py' '%s'",
                   source ? source : ".", run.path);
    assert_int_equal(system(line), 0);
}

/* *rows (count, item_bytes) of a dataset as it stands in run.h5. */
static size_t read_set(unsigned char **rows, const char *path, const sl_h5_set *set)
{
    hid_t file, dataset, type, space;
    hsize_t dims[2] = { 0, 0 };

    *rows = NULL;
    sl_h5_begin();
    T_OK(SL_H5_ID(&file, H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT)));
    T_OK(SL_H5_ID(&dataset, H5Dopen2(file, set->name, H5P_DEFAULT)));
    T_OK(SL_H5_ID(&space, H5Dget_space(dataset)));
    assert_int_equal(H5Sget_simple_extent_dims(space, dims, NULL), set->wide ? 2 : 1);
    T_OK(sl_h5_set_type(&type, set));
    T_OK(sl_take(rows, dims[0] + 1, set->item_bytes));
    if (dims[0])
        T_OK(SL_H5(H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, *rows)));
    sl_h5_close(&type);
    sl_h5_close(&space);
    sl_h5_close(&dataset);
    sl_h5_close(&file);
    sl_h5_end();
    return dims[0];
}

/* Every dataset of every table holds the rows of these steps in order. */
static void assert_shows(const char *path, const int64_t *step, size_t steps)
{
    for (int t = 0; t < SL_TABLE_UNITS; t++) {
        const size_t per = rec_rows_per_step((sl_table)t);
        const size_t row_bytes = sl_table_packed_bytes((sl_table)t, &run.identity.layout);
        sl_h5_set set[SL_TABLE_SETS_MAX];
        const size_t sets = sl_h5_sets(set, (sl_table)t, &run.identity.layout);
        unsigned char *packed = NULL;
        size_t offset = 0;

        T_OK(sl_take(&packed, 1, row_bytes));
        for (size_t k = 0; k < sets; k++) {
            unsigned char *rows;

            assert_int_equal(read_set(&rows, path, &set[k]), steps * per);
            for (size_t i = 0; i < steps * per; i++) {
                rec_row row;
                const void *wide[REC_WIDES];

                rec_make_row(&row, (sl_table)t, step[i / per], i % per, &run.identity.layout);
                rec_wide_of(wide, &row);
                sl_row_pack(packed, (sl_table)t, &row.row, wide, &run.identity.layout);
                if (memcmp(packed + offset, rows + i * set[k].item_bytes, set[k].item_bytes))
                    fail_msg("/%s row %zu differs", set[k].name, i);
            }
            offset += set[k].item_bytes;
            sl_free(rows);
        }
        sl_free(packed);
    }
}

static void test_empty_at_creation(void **state)
{
    int is_stale = 1;

    (void)state;
    T_OK(sl_index_build(run.path, 0, 0, 0));
    assert_tools_open_it();
    assert_shows(index_path, NULL, 0);
    T_OK(sl_index_check(run.path, &is_stale));
    assert_int_equal(is_stale, 0);
}

static void test_three_segments_are_one_table(void **state)
{
    int64_t step[20];
    int is_stale = 1;

    (void)state;
    for (int i = 0; i < 20; i++)
        step[i] = i + 1;
    seal(1, 1, -1, 1, 7);
    seal(2, 1, -1, 8, 8);
    T_OK(sl_index_build(run.path, 0, 0, 0));
    seal(3, 1, -1, 9, 20);
    T_OK(sl_index_check(run.path, &is_stale));
    assert_int_equal(is_stale, 1);
    T_OK(sl_index_build(run.path, 0, 0, 0));
    T_OK(sl_index_check(run.path, &is_stale));
    assert_int_equal(is_stale, 0);
    assert_shows(index_path, step, 20);
    assert_tools_open_it();
    assert_h5py_agrees();
}

/* Attempt 2 goes on from checkpoint 14, attempt 3 from the older checkpoint 5. */
static void test_only_live_rows(void **state)
{
    const int64_t after_two[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18 };
    const int64_t after_three[] = { 1, 2, 3, 4, 5, 6, 7 };

    (void)state;
    seal(1, 1, -1, 1, 10);
    seal(2, 1, -1, 11, 20);
    seal(3, 2, 14, 15, 18);
    T_OK(sl_index_build(run.path, 0, 0, 0));
    assert_shows(index_path, after_two, 18);
    seal(4, 3, 5, 6, 7);
    T_OK(sl_index_build(run.path, 0, 0, 0));
    assert_shows(index_path, after_three, 7);
    assert_tools_open_it();
    assert_h5py_agrees();
}

/* The trap of virtual datasets: rows of a missing source must not look like rows. */
static void test_missing_source_shows(void **state)
{
    sl_h5_set set[SL_TABLE_SETS_MAX];
    unsigned char *rows;
    char path[SL_RUN_PATH];
    sl_row_steps row;

    (void)state;
    seal(1, 1, -1, 1, 2);
    seal(2, 1, -1, 3, 4);
    T_OK(sl_index_build(run.path, 0, 0, 0));
    T_OK(sl_rank_path(path, run.folder, SL_FILE_SEGMENT, 2));
    assert_int_equal(unlink(path), 0);
    (void)sl_h5_sets(set, SL_TABLE_STEPS, &run.identity.layout);
    assert_int_equal(read_set(&rows, index_path, &set[0]), 8);
    for (size_t i = 0; i < 8; i++) {
        sl_row_unpack(&row, SL_TABLE_STEPS, rows + i * set[0].item_bytes);
        assert_int_equal(row.step, i < 4 ? (int64_t)i / 2 + 1 : -1);
        assert_int_equal(isnan(row.loss), i >= 4);
    }
    sl_free(rows);
}

/* After the end: one file that can be sent by itself. */
static void test_packed(void **state)
{
    const int64_t step[] = { 1, 2, 3, 4, 5 };
    char away[SL_RUN_PATH];

    (void)state;
    seal(1, 1, -1, 1, 4);
    seal(2, 2, 3, 4, 5);
    T_OK(sl_index_build(run.path, 0, 1, (uint64_t)1 << 31));
    T_OK(sl_file_join(away, sizeof away, run.path, "quarantine"));
    assert_int_equal(mkdir(away, 0700), 0);
    T_OK(sl_file_join(away, sizeof away, run.path, "quarantine/sent.h5"));
    assert_int_equal(rename(index_path, away), 0);
    assert_shows(away, step, 5);
    T_OK(sl_index_build(run.path, 0, 1, 100)); /* too large to pack: an index */
    assert_shows(index_path, step, 5);
    assert_h5py_agrees();
}

/* Segment `number` as a copy of segment 1 with another number: quicker than building it. */
static void copy_segment(uint32_t number)
{
    char from[SL_RUN_PATH], to[SL_RUN_PATH], tmp[SL_RUN_PATH + 4], *data = NULL;
    size_t bytes;
    sl_segment_info info;
    sl_json *object = NULL;
    FILE *file;

    T_OK(sl_rank_path(from, run.folder, SL_FILE_SEGMENT, 1));
    T_OK(sl_rank_path(to, run.folder, SL_FILE_SEGMENT, number));
    (void)snprintf(tmp, sizeof tmp, "%s.tmp", to);
    T_OK(sl_segment_info_read(&info, from));
    info.number = number;
    T_OK(sl_file_read(&data, &bytes, from, SIZE_MAX / 2));
    file = fopen(tmp, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, bytes, file), bytes);
    assert_int_equal(fclose(file), 0);
    T_OK(sl_segment_info_to_json(&object, &info));
    T_OK(sl_userblock_seal(run.folder, to, object));
    sl_json_close(&object);
    sl_free(data);
}

static long long complete_attribute(void)
{
    hid_t file, attribute;
    int64_t value = -1;

    sl_h5_begin();
    T_OK(SL_H5_ID(&file, H5Fopen(index_path, H5F_ACC_RDONLY, H5P_DEFAULT)));
    T_OK(SL_H5_ID(&attribute, H5Aopen(file, "complete", H5P_DEFAULT)));
    T_OK(SL_H5(H5Aread(attribute, H5T_STD_I64LE, &value)));
    sl_h5_close(&attribute);
    sl_h5_close(&file);
    sl_h5_end();
    return value;
}

/* More sources than half of the usual limit of open files: the list only. */
static void test_too_many_sources(void **state)
{
    (void)state;
    seal(1, 1, -1, 1, 1);
    for (uint32_t number = 2; number <= 512; number++)
        copy_segment(number);
    T_OK(sl_index_build(run.path, 0, 0, 0));
    assert_int_equal(complete_attribute(), 1);
    assert_true(tool("h5dump", "-d /steps") <= 0);
    copy_segment(513);
    T_OK(sl_index_build(run.path, 0, 0, 0));
    assert_int_equal(complete_attribute(), 0);
    assert_true(tool("h5dump", "-d /steps") != 0);
    assert_true(tool("h5dump", "-d /segments") <= 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_empty_at_creation, setup, teardown),
        cmocka_unit_test_setup_teardown(test_three_segments_are_one_table, setup, teardown),
        cmocka_unit_test_setup_teardown(test_only_live_rows, setup, teardown),
        cmocka_unit_test_setup_teardown(test_missing_source_shows, setup, teardown),
        cmocka_unit_test_setup_teardown(test_packed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_too_many_sources, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
