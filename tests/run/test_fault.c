/* A disk that fails: one clean error that names the last durable step, and everything synced before
 * is still there after a resume. */
#include "run/play.h"

#include "base/file.h"
#include "run/digest.h"
#include "run/io_int.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LAST = 12 };
static char path[SL_RUN_PATH], whole[SL_RUN_PATH];

/* The call that fails, counted from 0, for ever after; how. */
static atomic_int calls, fail_at;
static int fail_errno;
enum { SHORT_WRITES = 7 }; /* bytes that a short write takes */

static int fails_now(void)
{
    return atomic_fetch_add(&calls, 1) >= atomic_load(&fail_at);
}

static ssize_t failing_write(int fd, const void *data, size_t bytes)
{
    if (!fails_now())
        return write(fd, data, bytes);
    if (bytes > 100)
        (void)!write(fd, data, bytes / 2); /* a full disk takes a part first */
    errno = fail_errno;
    return -1;
}

static int failing_sync(int fd)
{
    if (!fails_now())
        return fdatasync(fd);
    errno = fail_errno;
    return -1;
}

static ssize_t short_write(int fd, const void *data, size_t bytes)
{
    if (atomic_fetch_add(&calls, 1) % 3 == 0) {
        errno = EINTR;
        return -1;
    }
    return write(fd, data, bytes < SHORT_WRITES ? bytes : bytes / 2 + 1);
}

static int interrupted_sync(int fd)
{
    if (atomic_fetch_add(&calls, 1) % 2 == 0) {
        errno = EINTR;
        return -1;
    }
    return fdatasync(fd);
}

static void begin(void)
{
    const char *scratch = t_scratch();

    (void)snprintf(path, sizeof path, "%s/run", scratch);
    (void)snprintf(whole, sizeof whole, "%s/whole", scratch);
    play_whole(whole, LAST);
}

/* Steps with a sync after each; the last synced step. st: what stopped it. */
static int64_t train_until_failure(sl_run *run, sl_status *st)
{
    for (int64_t s = 1; s <= LAST; s++) {
        *st = play_step(run, s);
        if (*st == SL_OK)
            *st = sl_run_sync(run);
        if (*st != SL_OK)
            return s - 1;
    }
    return LAST;
}

static void resume_to_the_end(int64_t synced)
{
    const sl_run_settings settings = play_settings();
    char got[65], want[65];
    sl_run *run;

    play_resume(&run, path, synced, &settings);
    play_steps(run, synced + 1, LAST);
    T_OK(sl_run_close(&run, SL_ENDED_COMPLETE));
    T_OK(sl_digest_run(got, path));
    T_OK(sl_digest_run(want, whole));
    assert_string_equal(got, want);
}

static void check_error(sl_status st, int64_t synced)
{
    char step[64];

    (void)snprintf(step, sizeof step, "whole up to step %lld;", (long long)synced);
    assert_int_equal(st, SL_EIO);
    assert_non_null(strstr(sl_err_message(), strerror(fail_errno)));
    assert_non_null(strstr(sl_err_hint_text(), step));
    sl_err_clear();
}

/* The n-th write or sync fails and all after it: n = 0, 1, ... until none does. */
static void test_the_nth_call_fails(void **state)
{
    static const sl_io_table failing = { failing_write, failing_sync };
    static const int errors[] = { ENOSPC, EIO, EDQUOT, EROFS };
    sl_run_settings settings = play_settings();
    int n = 0, is_done = 0;

    (void)state;
    begin();
    settings.fsync_every_s = 100; /* only the syncs asked for: the same calls in the same order */
    for (; !is_done; n += n < 16 ? 1 : 5) {
        sl_status st = SL_OK, closed;
        sl_run *run;
        int64_t synced;

        fail_errno = errors[n % 4];
        play_create(&run, path, &settings);
        atomic_store(&calls, 0);
        atomic_store(&fail_at, n);
        sl_io_set(&failing);
        synced = train_until_failure(run, &st);
        is_done = st == SL_OK;
        if (!is_done)
            check_error(st, synced);
        closed = sl_run_close(&run, SL_ENDED_ERROR);
        sl_io_set(NULL);
        if (!is_done) {
            assert_int_equal(closed, SL_EIO);
            sl_err_clear();
            resume_to_the_end(synced);
        } else if (closed != SL_OK)
            sl_err_clear(); /* failed while it closed: all steps were durable */
        T_OK(sl_file_remove_tree(path));
    }
    assert_true(n > 20);
    t_scratch_remove();
}

static void test_short_and_interrupted_calls_are_completed(void **state)
{
    static const sl_io_table slow = { short_write, interrupted_sync };
    const sl_run_settings settings = play_settings();
    char got[65], want[65];
    sl_run *run;

    (void)state;
    begin();
    sl_io_set(&slow);
    play_create(&run, path, &settings);
    play_steps(run, 1, LAST);
    T_OK(sl_run_close(&run, SL_ENDED_COMPLETE));
    sl_io_set(NULL);
    T_OK(sl_digest_run(got, path));
    T_OK(sl_digest_run(want, whole));
    assert_string_equal(got, want);
    t_scratch_remove();
}

/* In a child: files may not grow beyond `limit` bytes, so writes of every part fail for real. The
 * last step that was synced. */
static int64_t train_in_little_room(size_t limit)
{
    const struct rlimit room = { limit, limit };
    sl_run_settings settings = play_settings();
    sl_status st = SL_OK;
    int64_t synced;
    sl_run *run;

    settings.seal_every_s = 0.001;
    play_create(&run, path, &settings);
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &room);
    synced = train_until_failure(run, &st);
    if (sl_run_close(&run, SL_ENDED_ERROR) == SL_OK && st != SL_OK)
        return -1;
    return synced;
}

static void test_files_that_cannot_grow(void **state)
{
    (void)state;
    begin();
    for (size_t limit = 16384; limit <= 131072; limit += 16384) {
        int status;
        const pid_t child = fork();

        assert_true(child >= 0);
        if (!child)
            _exit((int)train_in_little_room(limit));
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= LAST);
        resume_to_the_end(WEXITSTATUS(status));
        T_OK(sl_file_remove_tree(path));
    }
    t_scratch_remove();
}

static void test_too_little_room_is_refused(void **state)
{
    sl_run_settings settings = play_settings();
    sl_run *run;

    (void)state;
    begin();
    settings.min_free_bytes = (uint64_t)1 << 60;
    T_FAILS(sl_run_create(&run, path, NULL, NULL, &settings), SL_EIO, "MiB free");
    assert_false(sl_file_exists(path));
    t_scratch_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_nth_call_fails),
        cmocka_unit_test(test_short_and_interrupted_calls_are_completed),
        cmocka_unit_test(test_files_that_cannot_grow),
        cmocka_unit_test(test_too_little_room_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
