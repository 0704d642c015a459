/* Jobs in processes: what they say arrives once each, their errors are the caller's, and one that
 * dies or is stopped takes nothing with it. And the file of the stage benchmark. */
#include "base/alloc.h"
#include "base/file.h"
#include "cli/pool.h"
#include "cli/stage_file.h"
#include "harness/harness.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { JOBS = 17, LONG_BYTES = 300000 }; /* longer than a pipe holds */

typedef struct jobs {
    size_t bad; /* this one fails */
    int how;    /* 0: by an error, 1: by a signal, 2: without a word */
    size_t heard[JOBS];
    volatile int stop;
    int stops_after_one;
} jobs;

static sl_status work(void *state, size_t job, char **text)
{
    const jobs *j = state;

    if (job == j->bad && j->how == 1)
        raise(SIGKILL);
    if (job == j->bad && j->how == 2)
        _exit(0);
    if (job == j->bad)
        return sl_err_hint(SL_FAIL(SL_EFORMAT, "want %d, found %zu", 7, job), "a hint");
    SL_TRY(sl_take(text, LONG_BYTES + 1, 1));
    memset(*text, 'a' + (int)job, LONG_BYTES);
    return SL_OK;
}

static sl_status done(void *state, size_t job, const char *text, size_t bytes)
{
    jobs *j = state;

    assert_int_equal(bytes, LONG_BYTES);
    assert_int_equal(text[0], 'a' + (int)job);
    assert_int_equal(text[LONG_BYTES - 1], 'a' + (int)job);
    j->heard[job]++;
    j->stop = j->stops_after_one;
    return SL_OK;
}

static sl_pool pool_of(jobs *j, size_t processes)
{
    return (sl_pool){
        .state = j, .processes = processes, .work = work, .done = done, .stop = &j->stop
    };
}

static void test_every_job_once(void **state)
{
    (void)state;
    for (size_t processes = 1; processes <= 5; processes += 2) {
        jobs j = { .bad = JOBS };
        const sl_pool pool = pool_of(&j, processes);

        T_OK(sl_pool_run(&pool, JOBS));
        for (size_t i = 0; i < JOBS; i++)
            assert_int_equal(j.heard[i], 1);
    }
}

static void test_errors_arrive(void **state)
{
    jobs j = { .bad = 3 };
    const sl_pool pool = pool_of(&j, 2), none = pool_of(&j, 0);

    (void)state;
    assert_int_equal(sl_pool_run(&pool, JOBS), SL_EFORMAT);
    assert_string_equal(sl_err_message(), "want 7, found 3");
    assert_string_equal(sl_err_hint_text(), "a hint");
    sl_err_clear();
    assert_int_equal(j.heard[JOBS - 1], 0); /* none begins after it */
    j.how = 1;
    assert_int_equal(sl_pool_run(&pool, JOBS), SL_EIO);
    assert_non_null(strstr(sl_err_message(), "found signal 9"));
    sl_err_clear();
    j.how = 2;
    assert_int_equal(sl_pool_run(&pool, JOBS), SL_EIO);
    assert_non_null(strstr(sl_err_message(), "without one"));
    sl_err_clear();
    assert_int_equal(sl_pool_run(&none, JOBS), SL_EARG);
    sl_err_clear();
}

static void test_stop(void **state)
{
    jobs j = { .bad = JOBS, .stops_after_one = 1 };
    const sl_pool pool = pool_of(&j, 1);

    (void)state;
    assert_int_equal(sl_pool_run(&pool, JOBS), SL_EINTERRUPT);
    sl_err_clear();
    for (size_t i = 0; i < JOBS; i++)
        assert_int_equal(j.heard[i], i == 0);
}

/* --- the file -------------------------------------------------------------------------------- */

static void name(sl_stage_row *row, double strength)
{
    sl_stage_cell_init(&row->cell);
    strcpy(row->cell.world, "mini");
    strcpy(row->cell.variant, "plain");
    strcpy(row->cell.method, "dpo");
    strcpy(row->settings, "0123456789abcdef");
    row->cell.seed = 1.0;
    row->cell.strength = strength;
    row->cell.place[SL_PLACE_ON].gain = 1.0 / 3.0;
}

static void test_file_comes_back(void **state)
{
    char folder[] = "/tmp/stageline-pool-XXXXXX", path[64];
    sl_stage_file file, again;
    sl_stage_row row[2];

    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(sl_stage_file_open(&file, folder), SL_EARG); /* a folder of something else */
    sl_err_clear();
    snprintf(path, sizeof path, "%s/new", folder);
    T_OK(sl_stage_file_open(&file, path));
    name(&row[0], 0.0);
    name(&row[1], 1.5);
    T_OK(sl_stage_file_put(&file, row, 2));
    assert_int_equal(sl_stage_file_open(&again, path), SL_EARG); /* at work here */
    sl_err_clear();
    sl_stage_file_close(&file);
    T_OK(sl_stage_file_open(&again, path));
    assert_int_equal(again.count, 2);
    for (size_t i = 0; i < 2; i++) {
        const sl_stage_row *found = sl_stage_file_find(&again, &row[i].cell);

        assert_non_null(found);
        assert_string_equal(found->settings, row[i].settings);
        assert_true(found->cell.place[SL_PLACE_ON].gain == 1.0 / 3.0); /* all digits */
        assert_true(isnan(found->cell.place[SL_PLACE_ON_ON].gain));
    }
    /* the same cell with a branch test takes its place */
    assert_true(isnan(again.row[0].cell.branch.replicates));
    row[0].cell.branch.replicates = 2.0;
    row[0].cell.branch.difference = -1.0 / 7.0;
    T_OK(sl_stage_file_put(&again, row, 1));
    assert_int_equal(again.count, 2);
    sl_stage_file_close(&again);
    T_OK(sl_stage_file_open(&again, path));
    assert_true(again.row[0].cell.branch.difference == -1.0 / 7.0);
    assert_true(isnan(again.row[1].cell.branch.difference));
    row[0].cell.strength = 2.0;
    assert_null(sl_stage_file_find(&again, &row[0].cell));
    sl_stage_file_close(&again);
    T_OK(sl_file_remove_tree(folder));
}

static void test_bad_lines_are_named(void **state)
{
    static const char *const bad[] = {
        "{}\n", "[1]\n", "{\"world\":\"mini\"}\n", "{\"world\":\"a world with a name too long\"}\n",
        "\n",   "{\n",
    };
    sl_stage_row row[2];
    size_t count;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(sl_stage_rows_read(row, &count, 2, bad[i], strlen(bad[i]), "f"),
                         SL_EFORMAT);
        assert_non_null(strstr(sl_err_place(), "f:1"));
        sl_err_clear();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_job_once),
        cmocka_unit_test(test_errors_arrive),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_file_comes_back),
        cmocka_unit_test(test_bad_lines_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
