/* The reading door: segments and tail as one, live rows, texts and names, while a trainer writes.
 */
#include "run/record.h"

#include "base/alloc.h"
#include "base/file.h"
#include "run/reader.h"
#include "run/segment_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <unistd.h>

static rec_run run;

static int setup(void **state)
{
    (void)state;
    rec_run_open(&run, t_scratch());
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rec_run_close(&run);
    t_scratch_remove();
    return 0;
}

static void write_journal(uint32_t number, uint32_t attempt, int64_t resumed_from, int64_t first,
                          int64_t last, size_t torn_bytes)
{
    const rec_journal what = { .number = number,
                               .attempt = attempt,
                               .resumed_from = resumed_from,
                               .first_step = first,
                               .last_step = last,
                               .has_end = !torn_bytes,
                               .ended = SL_ENDED_ROTATED,
                               .torn_bytes = torn_bytes };

    rec_write(&run, &what);
}

static void remove_file(sl_rank_file kind, uint32_t number)
{
    char path[SL_RUN_PATH];

    T_OK(sl_rank_path(path, run.folder, kind, number));
    assert_int_equal(unlink(path), 0);
}

static void seal(uint32_t number)
{
    sl_segment_info info;

    T_OK(sl_segment_build(&info, run.folder, number, 0, &run.identity, NULL));
    remove_file(SL_FILE_JOURNAL, number);
    remove_file(SL_FILE_TEXTS, number);
}

/* Every table shows the rows of these steps, wide columns too. */
static void assert_shows(sl_reader *reader, const int64_t *step, size_t steps)
{
    for (int t = 0; t < SL_TABLE_UNITS; t++) {
        const size_t per = rec_rows_per_step((sl_table)t);
        const size_t size = sl_table_get((sl_table)t)->row_size;
        const char *rows = NULL;
        size_t count = 0;

        T_OK(sl_reader_rows(reader, (sl_table)t, &rows, &count));
        assert_int_equal(count, steps * per);
        for (size_t i = 0; i < count; i++) {
            rec_row want;

            rec_make_row(&want, (sl_table)t, step[i / per], i % per, sl_reader_layout(reader));
            if (memcmp(rows + i * size, &want.row, size))
                fail_msg("/%s row %zu differs", sl_table_get((sl_table)t)->name, i);
        }
        sl_reader_release(reader, (sl_table)t);
    }
}

static void assert_wide(sl_reader *reader, const int64_t *step, size_t first, size_t count)
{
    const sl_layout *layout = sl_reader_layout(reader);
    const size_t V = layout->width[SL_WIDTH_VOCAB], k = layout->width[SL_WIDTH_K];
    float *logp = malloc(count * V * sizeof *logp);
    uint32_t *id = malloc(count * k * sizeof *id);

    T_OK(sl_reader_wide(reader, SL_TABLE_PROBE, 0, first, count, logp));
    T_OK(sl_reader_wide(reader, SL_TABLE_TOPK, 0, first, count, id));
    for (size_t i = 0; i < count; i++) {
        const size_t per_probe = rec_rows_per_step(SL_TABLE_PROBE);
        const size_t per_topk = rec_rows_per_step(SL_TABLE_TOPK), at = first + i;
        rec_row want;

        rec_make_row(&want, SL_TABLE_PROBE, step[at / per_probe], at % per_probe, layout);
        T_CLOSE_ALL(logp + i * V, want.wide[0].f32, V, TOL_EXACT);
        rec_make_row(&want, SL_TABLE_TOPK, step[at / per_topk], at % per_topk, layout);
        assert_memory_equal(id + i * k, want.wide[0].u32, k * sizeof *id);
    }
    free(logp);
    free(id);
}

static void test_a_run_without_rows(void **state)
{
    sl_reader *reader = NULL;
    sl_reader_state now;

    (void)state;
    T_OK(sl_reader_open(&reader, run.path));
    assert_shows(reader, NULL, 0);
    T_OK(sl_reader_state_get(reader, &now));
    assert_int_equal(now.last_step, -1);
    assert_int_equal(now.attempts, 0);
    assert_string_equal(json_string_value(json_object_get(sl_reader_json(reader), "loss")), "dpo");
    sl_reader_close(&reader);
    assert_null(reader);
    sl_reader_close(&reader);
}

static void test_segments_and_tail(void **state)
{
    int64_t step[12];
    sl_reader *reader = NULL;
    sl_reader_state now;
    float buffer[300];

    (void)state;
    for (int i = 0; i < 12; i++)
        step[i] = i + 1;
    write_journal(1, 1, -1, 1, 4, 0);
    seal(1);
    write_journal(2, 1, -1, 5, 6, 0);
    seal(2);
    write_journal(3, 1, -1, 7, 9, 0); /* being sealed */
    write_journal(4, 1, -1, 10, 12, 3000);
    T_OK(sl_reader_open(&reader, run.path));
    assert_shows(reader, step, 12);
    assert_wide(reader, step, 0, 48);
    assert_wide(reader, step, 13, 20);
    T_FAILS(sl_reader_wide(reader, SL_TABLE_PROBE, 0, 48, 1, buffer), SL_EARG, "want wide column");
    T_FAILS(sl_reader_wide(reader, SL_TABLE_PROBE, 1, 0, 1, buffer), SL_EARG, "want wide column");
    T_OK(sl_reader_state_get(reader, &now));
    assert_int_equal(now.first_step, 1);
    assert_int_equal(now.last_step, 12);
    assert_int_equal(now.ended, SL_ENDED_KILLED);
    sl_reader_close(&reader);
}

/* Attempt 2 goes on from checkpoint 6, while its rows still stand in a journal. */
static void test_attempts(void **state)
{
    const int64_t live[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    const int64_t all[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 7, 8 };
    sl_reader *reader = NULL;

    (void)state;
    write_journal(1, 1, -1, 1, 4, 0);
    seal(1);
    write_journal(2, 1, -1, 5, 9, 0);
    seal(2);
    write_journal(3, 2, 6, 7, 8, 1000);
    T_OK(sl_reader_open(&reader, run.path));
    assert_shows(reader, live, 8);
    assert_wide(reader, live, 20, 12);
    sl_reader_set_all_attempts(reader, 1);
    assert_shows(reader, all, 11);
    assert_int_equal(sl_reader_attempts(reader)->count, 2);
    assert_int_equal(sl_reader_attempts(reader)->row[1].resumed_from, 6);
    sl_reader_close(&reader);
}

static void test_refresh(void **state)
{
    const int64_t step[] = { 1, 2, 3, 4, 5 };
    sl_reader *reader = NULL;
    int is_changed = 1;

    (void)state;
    write_journal(1, 1, -1, 1, 2, 2000);
    T_OK(sl_reader_open(&reader, run.path));
    assert_shows(reader, step, 2);
    T_OK(sl_reader_refresh(reader, &is_changed));
    assert_int_equal(is_changed, 0);
    run.seq = 0;
    write_journal(1, 1, -1, 1, 4, 0); /* the same journal, longer */
    T_OK(sl_reader_refresh(reader, &is_changed));
    assert_int_equal(is_changed, 1);
    assert_shows(reader, step, 4);
    seal(1);
    write_journal(2, 1, -1, 5, 5, 0);
    T_OK(sl_reader_refresh(reader, &is_changed));
    assert_int_equal(is_changed, 1);
    assert_shows(reader, step, 5);
    sl_reader_close(&reader);
}

static void test_texts_and_names(void **state)
{
    sl_reader *reader = NULL;
    char want[128];
    const char *found = NULL;
    rec_row row;

    (void)state;
    write_journal(1, 1, -1, 1, 3, 0);
    seal(1);
    write_journal(2, 1, -1, 4, 5, 0);
    T_OK(sl_reader_open(&reader, run.path));
    for (int64_t step = 1; step <= 5; step++) {
        const uint64_t hash = rec_text(want, sizeof want, step);

        T_OK(sl_reader_text(reader, hash, &found));
        assert_non_null(found);
        assert_string_equal(found, want);
    }
    T_OK(sl_reader_text(reader, 12345, &found));
    assert_null(found);
    rec_make_row(&row, SL_TABLE_NAMES, 4, 1, sl_reader_layout(reader));
    T_OK(sl_reader_name(reader, row.row.names.kind, row.row.names.index, &found));
    assert_string_equal(found, row.row.names.name);
    T_OK(sl_reader_name(reader, SL_NAME_GROUP, 0, &found));
    assert_string_equal(found, "all");
    T_OK(sl_reader_name(reader, 99, 1, &found));
    assert_null(found);
    sl_reader_close(&reader);
}

static void test_damage_names_the_file(void **state)
{
    sl_reader *reader = NULL;
    char path[SL_RUN_PATH];
    size_t count;
    const sl_row_steps *rows;
    char *data = NULL;
    size_t bytes;

    (void)state;
    write_journal(1, 1, -1, 1, 3, 0);
    seal(1);
    T_OK(sl_rank_path(path, run.folder, SL_FILE_SEGMENT, 1));
    T_OK(sl_file_read(&data, &bytes, path, SIZE_MAX / 2));
    data[9000] ^= 1;
    T_OK(sl_file_write_atomic(path, data, bytes));
    sl_free(data);
    T_OK(sl_reader_open(&reader, run.path));
    assert_int_equal(sl_reader_rows(reader, SL_TABLE_STEPS, &rows, &count), SL_EFORMAT);
    assert_non_null(strstr(sl_err_place(), "seg-000001.h5"));
    assert_null(strstr(strstr(sl_err_place(), "seg-000001.h5") + 1, "seg-000001.h5")); /* once */
    sl_err_clear();
    sl_reader_close(&reader);
    remove_file(SL_FILE_SEGMENT, 1);
    write_journal(2, 1, -1, 4, 5, 0);
    T_FAILS(sl_reader_open(&reader, run.path), SL_EFORMAT, "want segment or journal 1");
}

/* The first `keep` bytes of a journal, one bit of byte `flip` changed. */
static void spoil_journal(uint32_t number, size_t keep, size_t flip)
{
    char path[SL_RUN_PATH], *data = NULL;
    size_t bytes;

    T_OK(sl_rank_path(path, run.folder, SL_FILE_JOURNAL, number));
    T_OK(sl_file_read(&data, &bytes, path, SIZE_MAX / 2));
    data[flip] ^= 1;
    T_OK(sl_file_write_atomic(path, data, keep < bytes ? keep : bytes));
    sl_free(data);
}

/* A journal that has just been made is not there yet; a damaged one is not taken for it. */
static void test_newest_journal_without_start(void **state)
{
    const int64_t step[] = { 1, 2 };
    sl_reader *reader = NULL;

    (void)state;
    write_journal(1, 1, -1, 1, 2, 0);
    write_journal(2, 1, -1, 3, 4, 0);
    spoil_journal(2, 100, 60);
    T_OK(sl_reader_open(&reader, run.path));
    assert_shows(reader, step, 2);
    sl_reader_close(&reader);
    write_journal(2, 1, -1, 3, 4, 0);
    spoil_journal(2, SIZE_MAX, 60);
    assert_int_equal(sl_reader_open(&reader, run.path), SL_EFORMAT);
    sl_err_clear();
    spoil_journal(1, SIZE_MAX, 9000); /* its end is no longer reached */
    write_journal(2, 1, -1, 3, 4, 0);
    T_FAILS(sl_reader_open(&reader, run.path), SL_EFORMAT, "journal 1");
}

static void test_lock_means_running(void **state)
{
    sl_reader *reader = NULL;
    sl_reader_state now;
    char path[SL_RUN_PATH];
    int fd;

    (void)state;
    T_OK(sl_file_join(path, sizeof path, run.path, "lock"));
    fd = open(path, O_RDWR | O_CREAT, 0600);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    T_OK(sl_reader_open(&reader, run.path));
    T_OK(sl_reader_state_get(reader, &now));
    assert_int_equal(now.is_running, 1);
    assert_int_equal(close(fd), 0);
    T_OK(sl_reader_state_get(reader, &now));
    assert_int_equal(now.is_running, 0);
    sl_reader_close(&reader);
}

enum { ROTATIONS = 40, PAUSE_US = 300 };

/* out = the segment's path; ready: where it waits until it is published. */
static void segment_paths(char *out, char *ready, uint32_t number)
{
    T_OK(sl_rank_path(out, run.folder, SL_FILE_SEGMENT, number));
    (void)snprintf(ready, SL_RUN_PATH, "%.4000s.ready", out);
}

/* What the trainer does at a seal, in its order, as fast as it can. */
static void publish_all(void)
{
    char path[SL_RUN_PATH], ready[SL_RUN_PATH];

    for (uint32_t n = 1; n <= ROTATIONS + 1; n++) { /* the last as at the end of a run */
        segment_paths(path, ready, n);
        assert_int_equal(rename(ready, path), 0);
        remove_file(SL_FILE_JOURNAL, n);
        remove_file(SL_FILE_TEXTS, n);
        (void)usleep(PAUSE_US);
    }
}

/* Looks at all steps: none may be missing, whatever is sealed meanwhile. */
static void assert_whole(sl_reader *reader)
{
    const sl_row_steps *rows = NULL;
    size_t count = 0;

    T_OK(sl_reader_rows(reader, SL_TABLE_STEPS, &rows, &count));
    assert_int_equal(count, 2 * (ROTATIONS + 1));
    for (size_t i = 0; i < count; i++)
        assert_int_equal(rows[i].step, i / 2 + 1);
}

static void test_reading_while_the_trainer_seals(void **state)
{
    char path[SL_RUN_PATH], ready[SL_RUN_PATH];
    sl_segment_info info;
    sl_reader *fresh = NULL, *old = NULL;
    int status = 0, done = 0;
    pid_t child;

    (void)state;
    for (uint32_t n = 1; n <= ROTATIONS + 1; n++) {
        write_journal(n, 1, -1, n, n, 0);
        T_OK(sl_segment_build(&info, run.folder, n, 0, &run.identity, NULL));
        segment_paths(path, ready, n);
        assert_int_equal(rename(path, ready), 0);
    }
    T_OK(sl_reader_open(&old, run.path));
    child = fork();
    assert_true(child >= 0);
    if (!child) {
        publish_all();
        _exit(0);
    }
    while (!done) {
        done = waitpid(child, &status, WNOHANG) == child;
        T_OK(sl_reader_refresh(old, NULL));
        assert_whole(old);
        T_OK(sl_reader_open(&fresh, run.path));
        assert_whole(fresh);
        sl_reader_close(&fresh);
    }
    sl_reader_close(&old);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_run_without_rows, setup, teardown),
        cmocka_unit_test_setup_teardown(test_segments_and_tail, setup, teardown),
        cmocka_unit_test_setup_teardown(test_attempts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refresh, setup, teardown),
        cmocka_unit_test_setup_teardown(test_texts_and_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_damage_names_the_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_newest_journal_without_start, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lock_means_running, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reading_while_the_trainer_seals, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
