#include "run/survive.h"

#include "base/file.h"
#include "run/digest.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

char survive_root[SL_RUN_PATH], survive_path[SL_RUN_PATH];
int survive_is_full;
static char scratch[SL_RUN_PATH], whole[SL_RUN_PATH], want[SURVIVE_LAST + 1][65];
enum { EXIT_DONE = 0, EXIT_REFUSED = 3, EXIT_SILENT = 4, KEEP = 2 };

sl_run_settings survive_settings(void)
{
    sl_run_settings s = play_settings();

    s.fsync_every_s = 100; /* only the syncs asked for: the same calls in the same order */
    s.seal_bytes = 40000;
    return s;
}

static void join(char *out, const char *folder, const char *name)
{
    T_OK(sl_file_join(out, SL_RUN_PATH, folder, name));
}

void survive_begin(void)
{
    assert_non_null(realpath(t_scratch(), scratch));
    join(survive_root, scratch, "disk");
    T_OK(sl_file_new_folder(survive_root));
    join(survive_path, survive_root, "run");
    join(whole, scratch, "whole");
    t_disk_begin(&(t_disk_plan){ .root = scratch }); /* syncs of the test itself cost nothing */
    play_whole(whole, SURVIVE_LAST);
    for (int64_t s = 1; s <= SURVIVE_LAST; s++)
        play_digest(want[s], whole, s);
}

void survive_end(void)
{
    (void)t_disk_end(NULL);
    t_scratch_remove();
}

static sl_status publish(sl_run *run, int64_t step)
{
    char folder[SL_RUN_PATH], file[SL_RUN_PATH];

    SL_TRY(sl_run_checkpoint_begin(run, folder, step));
    SL_TRY(sl_file_join(file, sizeof file, folder, "model"));
    SL_TRY(sl_file_write_atomic(file, "weights", 7));
    SL_TRY(sl_run_checkpoint_publish(run, folder, step));
    return sl_run_checkpoint_keep(run, KEEP);
}

static sl_status train_on(sl_run *run, int64_t resumed_from, int64_t *synced, int64_t *published)
{
    for (int64_t s = resumed_from + 1; s <= SURVIVE_LAST; s++) {
        SL_TRY(play_step(run, s));
        if (s % 2)
            SL_TRY(sl_run_sync(run));
        if (s % 2) {
            *synced = s;
            t_disk_mark(s);
        }
        if (s % SURVIVE_CHECKPOINT_EVERY)
            continue;
        SL_TRY(publish(run, s));
        *published = *synced = s;
        t_disk_mark(s);
    }
    return SL_OK;
}

sl_status survive_train(int64_t resumed_from, int64_t *synced, int64_t *published)
{
    const sl_run_settings settings = survive_settings();
    sl_run *run = NULL;
    sl_err_record error;
    sl_status st;

    if (resumed_from < 0)
        SL_TRY(sl_run_create(&run, survive_path, NULL, NULL, &settings));
    else
        SL_TRY(sl_run_resume(&run, survive_path, NULL, resumed_from, &settings));
    st = train_on(run, resumed_from < 0 ? 0 : resumed_from, synced, published);
    if (st == SL_OK)
        return sl_run_close(&run, SL_ENDED_COMPLETE);
    sl_err_save(&error);
    sl_err_clear();
    if (sl_run_close(&run, SL_ENDED_ERROR) != SL_OK)
        sl_err_clear();
    return sl_err_restore(&error);
}

static int64_t newest_checkpoint(const char *path)
{
    int64_t step;

    T_OK(sl_checkpoint_newest(&step, path));
    return step < 0 ? 0 : step;
}

/* The child's end of the story: what it promised stands in memory that both see, so a kill between
 * promise and message cannot hide it. */
static void child(survived *story, const t_disk_plan *plan, int is_new)
{
    const int64_t from = is_new ? -1 : newest_checkpoint(survive_path);
    sl_status st;

    t_disk_begin(plan);
    st = survive_train(from, &story->synced, &story->checkpoint);
    (void)t_disk_end(story->calls);
    story->has_hit = t_disk_hit();
    if (st == SL_OK)
        exit(EXIT_DONE);
    if (st != SL_EIO || !*sl_err_message() || plan->fault == T_DISK_SLOW)
        (void)fprintf(stderr, "call %zu: %s: %s: status %d: %s (%s)\n", plan->at,
                      strerror(plan->error), sl_err_place(), st, sl_err_message(), sl_err_source());
    exit(st == SL_EIO && *sl_err_message() ? EXIT_REFUSED : EXIT_SILENT);
}

static survived *story_open(void)
{
    void *p =
        mmap(NULL, sizeof(survived), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    assert_true(p != MAP_FAILED);
    return p;
}

survived survive_child(const t_disk_plan *plan, int is_new)
{
    survived *shared = story_open(), story;
    const pid_t pid = fork();
    int status;

    assert_true(pid >= 0);
    if (!pid)
        child(shared, plan, is_new);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    story = *shared;
    (void)munmap(shared, sizeof *shared);
    story.is_killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    story.is_refused = WIFEXITED(status) && WEXITSTATUS(status) == EXIT_REFUSED;
    if (!story.is_killed && !story.is_refused && !(WIFEXITED(status) && !WEXITSTATUS(status)))
        fail_msg("fault %d at call %zu (%s): the trainer ended with status %d", plan->fault,
                 plan->at, strerror(plan->error), status);
    return story;
}

/* The record as text, and clears it. */
static const char *said(void)
{
    static char text[512];

    (void)snprintf(text, sizeof text, "%s: %s", sl_err_place(), sl_err_message());
    sl_err_clear();
    return text;
}

int survive_is_lost(const char *path, int64_t promised, const char **why)
{
    sl_run_scan_result scan;
    char got[65];
    int64_t until;

    if (sl_run_scan(&scan, path) != SL_OK) {
        *why = said();
        return promised > 0;
    }
    *why = "the last steps are gone";
    if (promised && scan.last_step < promised)
        return 1;
    *why = "a checkpoint lies ahead of the record";
    if (scan.newest_checkpoint > 0 && scan.newest_checkpoint > scan.last_step)
        return 1;
    until = scan.last_step - 1 < promised ? promised : scan.last_step - 1;
    if (until < 1)
        return 0;
    if (play_digest_try(got, path, until) != SL_OK) {
        *why = said();
        return 1;
    }
    *why = "rows differ";
    return strcmp(got, want[until]) != 0;
}

static sl_status go_on(const char *path, char got[65])
{
    const sl_run_settings settings = survive_settings();
    const int64_t from = newest_checkpoint(path);
    sl_status st = SL_OK;
    sl_run *run = NULL;

    SL_TRY(sl_run_resume(&run, path, NULL, from, &settings));
    for (int64_t s = from + 1; st == SL_OK && s <= SURVIVE_LAST; s++)
        st = play_step(run, s);
    if (st != SL_OK) {
        sl_err_clear();
        (void)!sl_run_close(&run, SL_ENDED_ERROR);
        return SL_FAIL(SL_EINTERNAL, "want to go on, found a failed step");
    }
    SL_TRY(sl_run_close(&run, SL_ENDED_COMPLETE));
    return sl_digest_run(got, path);
}

int survive_resumes(const char *path, const char **why)
{
    char got[65] = "";

    if (go_on(path, got) != SL_OK) {
        *why = said();
        return 0;
    }
    *why = "it goes on to another end";
    return !strcmp(got, want[SURVIVE_LAST]);
}

int survive_check(const survived *before)
{
    char identity[SL_RUN_PATH];
    const char *why;

    join(identity, survive_path, "run.json");
    if (!before->synced && !sl_file_exists(identity)) {
        if (sl_file_exists(survive_path))
            T_OK(sl_file_remove_tree(survive_path));
        return 0;
    }
    if (survive_is_lost(survive_path, before->synced, &why))
        fail_msg("promised step %lld: %s", (long long)before->synced, why);
    assert_true(newest_checkpoint(survive_path) >= before->checkpoint);
    if (!survive_resumes(survive_path, &why))
        fail_msg("after step %lld: %s", (long long)before->synced, why);
    T_OK(sl_file_remove_tree(survive_path));
    return 1;
}

void survive_options(int argc, char **argv)
{
    survive_is_full = argc > 1 && !strcmp(argv[1], "--full");
    if (argc > 2)
        cmocka_set_test_filter(argv[2]);
}
