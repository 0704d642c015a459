/* The open run: what is written comes back, and what must be refused is refused. */
#include "run/play.h"

#include "base/file.h"
#include "run/digest.h"
#include "run/io_int.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LAST = 12 };
static char path[SL_RUN_PATH];

static void begin(void)
{
    (void)snprintf(path, sizeof path, "%s/run", t_scratch());
}

/* Compares live rows with the generator, in order. */
typedef struct comparer {
    int64_t step;
    size_t i, rows;
    sl_layout layout;
} comparer;

static sl_status compare_rows(void *with, sl_table table, const unsigned char *rows, size_t count,
                              size_t row_bytes)
{
    comparer *c = with;

    for (size_t k = 0; k < count; k++) {
        rec_row want;
        const void *wide[REC_WIDES];
        unsigned char packed[8192];

        assert_true(row_bytes <= sizeof packed);
        if (c->i == 1 + (size_t)(c->step + (int64_t)table) % 3) {
            c->step++;
            c->i = 0;
        }
        rec_make_row(&want, table, c->step, c->i++, &c->layout);
        rec_wide_of(wide, &want);
        sl_row_pack(packed, table, &want.row, wide, &c->layout);
        assert_memory_equal(packed, rows + k * row_bytes, row_bytes);
        c->rows++;
    }
    return SL_OK;
}

static void check_against_generator(void)
{
    sl_run_identity identity;
    sl_live_run live = { .run_path = path, .identity = &identity, .until_step = INT64_MAX };

    T_OK(sl_run_identity_load(&identity, path));
    for (int t = 0; t < SL_TABLE_NAMES; t++) {
        comparer c = { .step = 1, .layout = identity.layout };

        T_OK(sl_live_rows(&live, (sl_table)t, compare_rows, &c));
        assert_int_equal(c.step, LAST);
        assert_true(c.rows >= LAST);
    }
    sl_run_identity_close(&identity);
}

static void test_what_is_written_comes_back(void **state)
{
    sl_run_settings settings = play_settings();
    sl_run_scan_result scan;
    sl_run_stats stats;
    sl_run *run;

    (void)state;
    begin();
    settings.seal_every_s = 0.0001;
    play_create(&run, path, &settings);
    play_steps(run, 1, LAST);
    T_OK(sl_run_sync(run));
    sl_run_stats_get(&stats, run);
    assert_int_equal(stats.durable_step, LAST);
    assert_true(stats.written_bytes > 10000);
    T_OK(sl_run_scan(&scan, path));
    assert_int_equal(scan.last_step, LAST);
    assert_true(scan.is_running);
    check_against_generator();
    T_OK(sl_run_close(&run, SL_ENDED_COMPLETE));
    assert_null(run);
    T_OK(sl_run_scan(&scan, path));
    assert_int_equal(scan.last_step, LAST);
    assert_int_equal(scan.ended, SL_ENDED_COMPLETE);
    assert_int_equal(scan.attempt, 1);
    assert_false(scan.is_running);
    check_against_generator();
    t_scratch_remove();
}

static void test_an_existing_run_is_not_written_over(void **state)
{
    const sl_run_settings settings = play_settings();
    sl_run *run = NULL, *other = NULL;

    (void)state;
    begin();
    play_create(&run, path, &settings);
    T_FAILS(sl_run_create(&other, path, NULL, NULL, &settings), SL_EARG, "want a new folder");
    assert_null(other);
    T_FAILS(sl_run_resume(&other, path, NULL, 0, &settings), SL_EARG, "only trainer");
    assert_null(other);
    T_OK(sl_run_close(&run, SL_ENDED_COMPLETE));
    t_scratch_remove();
}

static void test_steps_only_ascend(void **state)
{
    const sl_run_settings settings = play_settings();
    sl_row_evals row = { .step = 5 };
    sl_run *run = NULL;

    (void)state;
    begin();
    play_create(&run, path, &settings);
    T_OK(sl_run_row(run, SL_TABLE_EVALS, &row, NULL));
    T_FAILS(sl_run_commit(run, SL_UNIT_EVALS, 4), SL_EINTERNAL, "commit of step 4");
    T_OK(sl_run_commit(run, SL_UNIT_EVALS, 5));
    row.step = 4;
    T_FAILS(sl_run_row(run, SL_TABLE_EVALS, &row, NULL), SL_EINTERNAL, "evals row of step 4");
    T_OK(sl_run_close(&run, SL_ENDED_COMPLETE));
    t_scratch_remove();
}

static void test_levels_decide_what_is_recorded(void **state)
{
    sl_run_settings settings = play_settings();
    sl_run *run = NULL;

    (void)state;
    begin();
    settings.level = 0;
    settings.tables[SL_TABLE_TOPK] = 1;
    settings.tables[SL_TABLE_CLOCK] = 0;
    play_create(&run, path, &settings);
    assert_true(sl_run_wants(run, SL_TABLE_STEPS));
    assert_false(sl_run_wants(run, SL_TABLE_TOKENS));
    assert_true(sl_run_wants(run, SL_TABLE_TOPK));
    assert_false(sl_run_wants(run, SL_TABLE_CLOCK));
    T_OK(sl_run_close(&run, SL_ENDED_COMPLETE));
    t_scratch_remove();
}

static ssize_t slow_write(int fd, const void *data, size_t bytes)
{
    const struct timespec pause = { .tv_nsec = 3000000 };

    nanosleep(&pause, NULL);
    return write(fd, data, bytes);
}

static void test_a_full_ring_waits_and_counts(void **state)
{
    const sl_io_table slow = { slow_write, fdatasync };
    sl_run_settings settings = play_settings();
    sl_run_stats stats;
    sl_run *run = NULL;

    (void)state;
    begin();
    settings.ring_bytes = 16384;
    play_create(&run, path, &settings);
    sl_io_set(&slow);
    play_steps(run, 1, 12);
    sl_io_set(NULL);
    sl_run_stats_get(&stats, run);
    assert_true(stats.stalls > 0);
    assert_true(stats.stall_s > 0);
    assert_int_equal(stats.dropped, 0);
    T_OK(sl_run_close(&run, SL_ENDED_COMPLETE));
    t_scratch_remove();
}

static void test_a_checkpoint_is_published_after_its_step(void **state)
{
    const sl_run_settings settings = play_settings();
    char folder[SL_RUN_PATH], file[SL_RUN_PATH + 8];
    sl_run_scan_result scan;
    sl_run *run = NULL;

    (void)state;
    begin();
    play_create(&run, path, &settings);
    play_steps(run, 1, 3);
    T_OK(sl_run_checkpoint_begin(run, folder, 4));
    (void)snprintf(file, sizeof file, "%s/model", folder);
    T_OK(sl_file_write_atomic(file, "weights", 7));
    T_FAILS(sl_run_checkpoint_publish(run, folder, 4), SL_EARG, "committed step");
    play_steps(run, 4, 4);
    T_OK(sl_run_checkpoint_publish(run, folder, 4));
    assert_false(sl_file_exists(folder));
    T_OK(sl_checkpoint_path(folder, path, 4));
    assert_true(sl_file_exists(folder));
    T_OK(sl_run_scan(&scan, path));
    assert_int_equal(scan.newest_checkpoint, 4);
    T_OK(sl_run_close(&run, SL_ENDED_INTERRUPTED));
    T_OK(sl_run_scan(&scan, path));
    assert_int_equal(scan.ended, SL_ENDED_INTERRUPTED);
    t_scratch_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_comes_back),
        cmocka_unit_test(test_an_existing_run_is_not_written_over),
        cmocka_unit_test(test_steps_only_ascend),
        cmocka_unit_test(test_levels_decide_what_is_recorded),
        cmocka_unit_test(test_a_full_ring_waits_and_counts),
        cmocka_unit_test(test_a_checkpoint_is_published_after_its_step),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
