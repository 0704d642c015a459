#include "run/seal_int.h"

#include "base/alloc.h"
#include "base/file.h"
#include "run/files.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SEAL_NICE = 10 };

struct sl_sealer {
    char run_path[SL_RUN_PATH], rank_folder[SL_RUN_PATH];
    uint32_t rank;
    const sl_run_identity *identity;
    uint64_t pack_bytes;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* under the lock */
    uint32_t job; /* journal to seal; 0: idle */
    int job_is_final, is_closing, has_previous;
    sl_segment_info previous;
    uint64_t sealed_bytes;
    uint32_t seals;
    sl_err_record error;
};

static sl_status remove_file(const char *path)
{
    if (unlink(path) && errno != ENOENT)
        return sl_err_where(SL_FAIL(SL_EIO, "want to remove it, found: %s", strerror(errno)), "%s",
                            path);
    return SL_OK;
}

sl_status sl_seal_remove_sources(const char *rank_folder, uint32_t number)
{
    char path[SL_RUN_PATH];

    SL_TRY(sl_rank_path(path, rank_folder, SL_FILE_JOURNAL, number));
    SL_TRY(remove_file(path));
    SL_TRY(sl_rank_path(path, rank_folder, SL_FILE_TEXTS, number));
    return remove_file(path);
}

sl_status sl_seal_journal(sl_segment_info *out, const char *rank_folder, uint32_t number,
                          uint32_t rank, const sl_run_identity *identity,
                          const sl_segment_info *previous)
{
    SL_TRY(sl_segment_build(out, rank_folder, number, rank, identity, previous));
    return sl_seal_remove_sources(rank_folder, number);
}

/* run.h5 is rebuilt before the journal goes, so that a crash in between leaves a stale index beside
 * a journal, which recovery knows how to read. */
static sl_status seal_one(sl_sealer *s, uint32_t number, int is_final, sl_segment_info *info)
{
    const sl_segment_info previous = s->previous;

    SL_TRY(sl_segment_build(info, s->rank_folder, number, s->rank, s->identity,
                            s->has_previous ? &previous : NULL));
    SL_TRY(sl_index_build(s->run_path, s->identity->is_own, is_final, s->pack_bytes));
    return sl_seal_remove_sources(s->rank_folder, number);
}

static void finish(sl_sealer *s, sl_status st, const sl_segment_info *info)
{
    pthread_mutex_lock(&s->lock);
    if (st == SL_OK) {
        s->previous = *info;
        s->has_previous = 1;
        s->sealed_bytes += info->bytes + info->text_bytes;
        s->seals++;
    } else {
        sl_err_save(&s->error);
        sl_err_clear();
    }
    s->job = 0;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

static void *seal_loop(void *with)
{
    sl_sealer *s = with;
    sl_segment_info info;

    setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), SEAL_NICE);
    for (;;) {
        uint32_t job;
        int is_final;

        pthread_mutex_lock(&s->lock);
        while (!s->job && !s->is_closing)
            pthread_cond_wait(&s->changed, &s->lock);
        job = s->job;
        is_final = s->job_is_final;
        pthread_mutex_unlock(&s->lock);
        if (!job)
            return NULL;
        finish(s, seal_one(s, job, is_final, &info), &info);
    }
}

/* Signals belong to the thread that opened the run. */
static int start_quiet(pthread_t *thread, void *(*loop)(void *), void *with)
{
    sigset_t all, before;
    int failed;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(thread, NULL, loop, with);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

sl_status sl_sealer_open(sl_sealer **out, const char *run_path, const char *rank_folder,
                         uint32_t rank, const sl_run_identity *identity,
                         const sl_segment_info *previous, uint64_t sealed_bytes,
                         uint64_t pack_bytes)
{
    sl_sealer *s = NULL;

    *out = NULL;
    SL_TRY(sl_take(&s, 1, sizeof *s));
    snprintf(s->run_path, sizeof s->run_path, "%s", run_path);
    snprintf(s->rank_folder, sizeof s->rank_folder, "%s", rank_folder);
    s->rank = rank;
    s->identity = identity;
    s->sealed_bytes = sealed_bytes;
    s->pack_bytes = pack_bytes;
    if (previous) {
        s->previous = *previous;
        s->has_previous = 1;
    }
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    if (start_quiet(&s->thread, seal_loop, s)) {
        sl_free(s);
        return SL_FAIL(SL_EIO, "want a thread for sealing, found none");
    }
    *out = s;
    return SL_OK;
}

void sl_sealer_close(sl_sealer **sealer)
{
    sl_sealer *s = *sealer;

    if (!s)
        return;
    pthread_mutex_lock(&s->lock);
    s->is_closing = 1;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    sl_free(s);
    *sealer = NULL;
}

int sl_sealer_is_idle(sl_sealer *s)
{
    int idle;

    pthread_mutex_lock(&s->lock);
    idle = !s->job;
    pthread_mutex_unlock(&s->lock);
    return idle;
}

void sl_sealer_put(sl_sealer *s, uint32_t number, int is_final)
{
    pthread_mutex_lock(&s->lock);
    s->job = number;
    s->job_is_final = is_final;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

sl_status sl_sealer_check(sl_sealer *s)
{
    sl_err_record error;

    pthread_mutex_lock(&s->lock);
    error = s->error;
    pthread_mutex_unlock(&s->lock);
    return error.code == SL_OK ? SL_OK : sl_err_restore(&error);
}

sl_status sl_sealer_wait(sl_sealer *s)
{
    pthread_mutex_lock(&s->lock);
    while (s->job)
        pthread_cond_wait(&s->changed, &s->lock);
    pthread_mutex_unlock(&s->lock);
    return sl_sealer_check(s);
}

uint64_t sl_sealer_bytes(sl_sealer *s)
{
    uint64_t bytes;

    pthread_mutex_lock(&s->lock);
    bytes = s->sealed_bytes;
    pthread_mutex_unlock(&s->lock);
    return bytes;
}

uint32_t sl_sealer_count(sl_sealer *s)
{
    uint32_t seals;

    pthread_mutex_lock(&s->lock);
    seals = s->seals;
    pthread_mutex_unlock(&s->lock);
    return seals;
}
