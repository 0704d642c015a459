#include "cli/pool.h"
#include "base/alloc.h"
#include "base/file.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROCESSES_MOST = 256, READ_BYTES = 1 << 16 };

/* A child and what came from it so far: an error record, then text when there was no error. */
typedef struct worker {
    pid_t pid;
    int from; /* -1: none */
    size_t job, used, capacity;
    char *got;
} worker;

typedef struct workers {
    worker at[PROCESSES_MOST];
    size_t running;
} workers;

static sl_status failed(const char *wanted)
{
    return SL_FAIL(SL_EIO, "want to %s, found: %s", wanted, strerror(errno));
}

/* The life of a child; never returns. */
static void work_and_end(const sl_pool *pool, size_t job, int to)
{
    sl_err_record record;
    char *text = NULL;
    sl_status st = pool->work(pool->state, job, &text);

    memset(&record, 0, sizeof record);
    sl_err_save(&record);
    record.code = st;
    st = sl_file_write_all(to, &record, sizeof record);
    if (st == SL_OK && record.code == SL_OK && text)
        st = sl_file_write_all(to, text, strlen(text));
    _exit(st == SL_OK ? 0 : 1);
}

static sl_status begin(workers *w, const sl_pool *pool, size_t job)
{
    worker *free_one = w->at;
    const pid_t parent = getpid();
    int ends[2];

    while (free_one->from >= 0)
        free_one++;
    if (pipe(ends))
        return failed("make a pipe");
    (void)fflush(NULL); /* what is in buffers would be written twice */
    free_one->pid = fork();
    if (free_one->pid < 0) {
        close(ends[0]);
        close(ends[1]);
        return failed("start a process");
    }
    if (!free_one->pid) {
        close(ends[0]);
        /* who goes on after a kill must not meet those of the attempt before */
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
            _exit(1);
        work_and_end(pool, job, ends[1]);
    }
    close(ends[1]);
    free_one->from = ends[0];
    free_one->job = job;
    free_one->used = 0;
    w->running++;
    return SL_OK;
}

/* What a child that closed its pipe has left. */
static sl_status finish(worker *w, const sl_pool *pool)
{
    sl_err_record record;
    int how = 0;

    close(w->from);
    w->from = -1;
    while (waitpid(w->pid, &how, 0) < 0)
        if (errno != EINTR)
            return failed("wait for a process");
    if (WIFSIGNALED(how))
        return SL_FAIL(SL_EIO, "want job %zu to end by itself, found signal %d", w->job,
                       WTERMSIG(how));
    if (w->used < sizeof record || WEXITSTATUS(how))
        return SL_FAIL(SL_EIO, "want an answer of job %zu, found exit %d without one", w->job,
                       WEXITSTATUS(how));
    memcpy(&record, w->got, sizeof record);
    if (record.code != SL_OK)
        return sl_err_restore(&record);
    return pool->done(pool->state, w->job, w->got + sizeof record, w->used - sizeof record);
}

static sl_status listen_to(workers *all, worker *w, const sl_pool *pool)
{
    ssize_t got;

    SL_TRY(sl_grow(&w->got, &w->capacity, w->used + READ_BYTES, 1));
    got = read(w->from, w->got + w->used, READ_BYTES);
    if (got < 0)
        return errno == EINTR ? SL_OK : failed("hear from a process");
    w->used += (size_t)got;
    if (got)
        return SL_OK;
    all->running--;
    return finish(w, pool);
}

/* Waits until a child says something; ends of children are told by their pipes. */
static sl_status listen(workers *all, const sl_pool *pool)
{
    struct pollfd door[PROCESSES_MOST];
    worker *of[PROCESSES_MOST];
    nfds_t n = 0;

    for (size_t i = 0; i < pool->processes; i++)
        if (all->at[i].from >= 0) {
            of[n] = &all->at[i];
            door[n++] = (struct pollfd){ .fd = all->at[i].from, .events = POLLIN };
        }
    if (poll(door, n, -1) < 0)
        return errno == EINTR ? SL_OK : failed("wait for processes");
    for (nfds_t i = 0; i < n; i++)
        if (door[i].revents)
            SL_TRY(listen_to(all, of[i], pool));
    return SL_OK;
}

/* After the first error: the others end, and what they say is dropped. */
static sl_status wait_for_all(workers *all, const sl_pool *pool, sl_status st)
{
    sl_err_record record;

    sl_err_save(&record);
    for (size_t i = 0; i < pool->processes; i++) {
        worker *w = &all->at[i];

        if (w->from >= 0) {
            close(w->from);
            while (waitpid(w->pid, NULL, 0) < 0 && errno == EINTR)
                continue;
        }
        sl_free(w->got);
    }
    sl_err_clear();
    return st == SL_OK ? SL_OK : sl_err_restore(&record);
}

static sl_status run(workers *all, const sl_pool *pool, size_t count)
{
    size_t next = 0;

    while (next < count || all->running) {
        const int is_stopped = pool->stop && *pool->stop;

        if (is_stopped && !all->running)
            return SL_FAIL(SL_EINTERRUPT, "want %zu jobs, found a request to stop after %zu", count,
                           next);
        if (next < count && !is_stopped && all->running < pool->processes)
            SL_TRY(begin(all, pool, next++));
        else
            SL_TRY(listen(all, pool));
    }
    return SL_OK;
}

sl_status sl_pool_run(const sl_pool *pool, size_t count)
{
    workers all = { .running = 0 };

    if (pool->processes < 1 || pool->processes > PROCESSES_MOST)
        return SL_FAIL(SL_EARG, "want 1 to %d processes, found %zu", PROCESSES_MOST,
                       pool->processes);
    for (size_t i = 0; i < pool->processes; i++)
        all.at[i].from = -1;
    return wait_for_all(&all, pool, run(&all, pool, count));
}
