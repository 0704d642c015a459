/* A trainer killed at any moment: what it synced is there, what is there is a prefix of whole
 * units, and the resumed run ends with the digest of an unbroken one. */
#include "run/play.h"

#include "base/file.h"
#include "run/digest.h"
#include "run/files.h"
#include "run/reader.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LAST = 60, SYNC_EVERY = 4 };
static int most_kills = 12; /* --full: 200 */
static char path[SL_RUN_PATH], whole[SL_RUN_PATH];

static void begin(void)
{
    const char *scratch = t_scratch();

    (void)snprintf(path, sizeof path, "%s/run", scratch);
    (void)snprintf(whole, sizeof whole, "%s/whole", scratch);
}

/* In the child: goes on from `first` and tells each synced step through the pipe. */
static void train(int tell, int64_t first, int is_new)
{
    sl_run_settings settings = play_settings();
    sl_run *run;

    settings.seal_every_s = 0.02;
    if (is_new)
        play_create(&run, path, &settings);
    else
        play_resume(&run, path, first - 1, &settings);
    for (int64_t s = first; s <= LAST; s++) {
        T_OK(play_step(run, s));
        if (s % SYNC_EVERY)
            continue;
        T_OK(sl_run_sync(run));
        assert_int_equal(write(tell, &s, sizeof s), sizeof s);
    }
    for (;;) /* waits to be killed: never closes */
        pause();
}

/* Runs the child from `first`, kills it after wait_us; the last step it said was synced. */
static int64_t train_and_kill(int64_t first, int is_new, unsigned wait_us)
{
    const struct timespec wait = { .tv_nsec = (long)wait_us * 1000 };
    int ends[2];
    int64_t step, synced = first - 1;
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (!child) {
        close(ends[0]);
        train(ends[1], first, is_new);
        _exit(0);
    }
    close(ends[1]);
    nanosleep(&wait, NULL);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    while (read(ends[0], &step, sizeof step) == sizeof step)
        synced = step;
    close(ends[0]);
    return synced;
}

/* Live rows up to the last whole step are those of the unbroken run. */
static void check_prefix(int64_t synced)
{
    sl_run_scan_result scan;
    char got[65], want[65];
    int64_t until;

    T_OK(sl_run_scan(&scan, path));
    assert_true(scan.last_step >= synced || !synced);
    assert_true(scan.last_step <= LAST);
    assert_int_equal(scan.ended, SL_ENDED_KILLED);
    assert_false(scan.is_running);
    until = scan.last_step - 1; /* of the last step the update may be missing */
    if (until < synced)
        until = synced;
    play_digest(got, path, until);
    play_digest(want, whole, until);
    assert_string_equal(got, want);
}

/* Killed while it was created: it has no journal yet, and nothing to lose. */
static int was_killed_at_birth(void)
{
    char journal[SL_RUN_PATH + 64], segment[SL_RUN_PATH + 64];

    (void)snprintf(journal, sizeof journal, "%s/rank000/journal-000001.log", path);
    (void)snprintf(segment, sizeof segment, "%s/rank000/seg-000001.h5", path);
    return sl_file_exists(path) && !sl_file_exists(journal) && !sl_file_exists(segment);
}

static void test_kill_and_resume(void **state)
{
    const sl_run_settings settings = play_settings();
    sl_rng rng = sl_rng_at(3, sl_rng_stream("kill"), 0);
    char got[65], want[65];
    int64_t synced = 0;
    sl_run *run;

    (void)state;
    begin();
    play_whole(whole, LAST);
    for (int kills = 0; kills < most_kills;) {
        synced =
            train_and_kill(synced + 1, !sl_file_exists(path), 1000 + sl_rng_below(&rng, 80000));
        if (!sl_file_exists(path))
            continue;
        if (!synced && was_killed_at_birth()) {
            T_OK(sl_file_remove_tree(path));
            continue;
        }
        check_prefix(synced);
        kills++;
        if (synced >= LAST - SYNC_EVERY)
            synced = SYNC_EVERY * (int64_t)sl_rng_below(&rng, 4); /* an older checkpoint */
    }
    play_resume(&run, path, synced, &settings);
    play_steps(run, synced + 1, LAST);
    T_OK(sl_run_close(&run, SL_ENDED_COMPLETE));
    T_OK(sl_digest_run(got, path));
    T_OK(sl_digest_run(want, whole));
    assert_string_equal(got, want);
    t_scratch_remove();
}

static void test_resume_twice_then_from_an_older_checkpoint(void **state)
{
    static const struct {
        int64_t from, to;
    } attempts[] = { { 0, 20 }, { 12, 15 }, { 12, 30 }, { 5, 8 }, { 8, 9 }, { 0, 3 }, { 3, LAST } };
    const sl_run_settings settings = play_settings();
    char got[65], want[65];
    sl_run_scan_result scan;
    sl_run *run;

    (void)state;
    begin();
    play_whole(whole, LAST);
    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) {
        if (i)
            play_resume(&run, path, attempts[i].from, &settings);
        else
            play_create(&run, path, &settings);
        play_steps(run, attempts[i].from + 1, attempts[i].to);
        T_OK(sl_run_close(&run, SL_ENDED_INTERRUPTED));
        T_OK(sl_run_scan(&scan, path));
        assert_int_equal(scan.attempt, i + 1);
        assert_int_equal(scan.last_step, attempts[i].to);
    }
    T_OK(sl_digest_run(got, path));
    T_OK(sl_digest_run(want, whole));
    assert_string_equal(got, want);
    t_scratch_remove();
}

static void test_checkpoints_ahead_of_a_resume_are_set_aside(void **state)
{
    const sl_run_settings settings = play_settings();
    char folder[SL_RUN_PATH];
    sl_run_scan_result scan;
    sl_run *run;

    (void)state;
    begin();
    play_create(&run, path, &settings);
    for (int64_t s = 1; s <= 6; s++) {
        play_steps(run, s, s);
        T_OK(sl_run_checkpoint_begin(run, folder, s));
        T_OK(sl_run_checkpoint_publish(run, folder, s));
    }
    T_OK(sl_run_close(&run, SL_ENDED_INTERRUPTED));
    T_FAILS(sl_run_resume(&run, path, NULL, 7, &settings), SL_EARG, "found 7");
    play_resume(&run, path, 3, &settings);
    T_OK(sl_run_scan(&scan, path));
    assert_int_equal(scan.newest_checkpoint, 3);
    assert_int_equal(scan.last_step, 3);
    play_steps(run, 4, 4);
    T_OK(sl_run_checkpoint_begin(run, folder, 4));
    T_OK(sl_run_checkpoint_publish(run, folder, 4));
    T_OK(sl_run_close(&run, SL_ENDED_COMPLETE));
    t_scratch_remove();
}

static void publish(sl_run *run, int64_t step)
{
    char folder[SL_RUN_PATH], file[SL_RUN_PATH + 8];

    play_steps(run, step, step);
    T_OK(sl_run_checkpoint_begin(run, folder, step));
    (void)snprintf(file, sizeof file, "%s/model", folder);
    T_OK(sl_file_write_atomic(file, "weights", 7));
    T_OK(sl_run_checkpoint_publish(run, folder, step));
}

static void kept(int64_t oldest, int64_t newest, size_t count)
{
    sl_checkpoint_span span;

    T_OK(sl_checkpoint_span_of(&span, path));
    assert_int_equal(span.oldest, oldest);
    assert_int_equal(span.newest, newest);
    assert_int_equal(span.count, count);
}

/* The last k stay, whatever a crash leaves of those that went; a resume never lacks one. */
static void test_old_checkpoints_go(void **state)
{
    const sl_run_settings settings = play_settings();
    char gone[SL_RUN_PATH], half[SL_RUN_PATH + 8];
    const sl_row_events *row;
    sl_reader *reader = NULL;
    size_t rows, removed = 0;
    sl_run *run;

    (void)state;
    begin();
    play_create(&run, path, &settings);
    for (int64_t s = 1; s <= 5; s++) {
        publish(run, s);
        T_OK(sl_run_checkpoint_keep(run, 2));
        kept(s > 1 ? s - 1 : 1, s, s > 1 ? 2 : 1);
    }
    publish(run, 6);
    T_OK(sl_checkpoint_path(gone, path, 4)); /* as a crash between name and files leaves it */
    (void)snprintf(half, sizeof half, "%s.tmp", gone);
    assert_int_equal(rename(gone, half), 0);
    T_OK(sl_run_close(&run, SL_ENDED_INTERRUPTED));
    kept(5, 6, 2);
    play_resume(&run, path, 6, &settings);
    assert_false(sl_file_exists(half));
    T_OK(sl_run_checkpoint_keep(run, 0)); /* the newest is what a resume needs */
    kept(6, 6, 1);
    T_OK(sl_run_close(&run, SL_ENDED_INTERRUPTED));
    play_resume(&run, path, 6, &settings);
    T_OK(sl_run_close(&run, SL_ENDED_COMPLETE));
    T_OK(sl_reader_open(&reader, path));
    T_OK(sl_reader_rows(reader, SL_TABLE_EVENTS, &row, &rows));
    for (size_t i = 0; i < rows; i++)
        removed += row[i].kind == SL_EVENT_CHECKPOINT && row[i].text_hash;
    assert_int_equal(removed, 4); /* 1, 2, 3 and 5 */
    sl_reader_close(&reader);
    t_scratch_remove();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kill_and_resume),
        cmocka_unit_test(test_resume_twice_then_from_an_older_checkpoint),
        cmocka_unit_test(test_checkpoints_ahead_of_a_resume_are_set_aside),
        cmocka_unit_test(test_old_checkpoints_go),
    };

    if (argc > 1 && !strcmp(argv[1], "--full"))
        most_kills = 200;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
