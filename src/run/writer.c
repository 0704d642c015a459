#include "run/writer_int.h"

#include "base/alloc.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

enum message_kind {
    MESSAGE_ROW,
    MESSAGE_TEXT,
    MESSAGE_COMMIT,
    MESSAGE_DROP,
    MESSAGE_SYNC,
    MESSAGE_END,
    MESSAGE_QUIT
};

typedef struct message {
    uint16_t kind, what; /* what: table, kind of unit, or how the run ended */
    uint32_t bytes;      /* that follow */
    int64_t step;
} message;

struct sl_writer {
    sl_ring *ring;
    sl_sealer *sealer;
    sl_run_settings settings;
    pthread_t thread;
    int has_thread, was_told_to_end; /* step thread's */

    /* the thread's own */
    sl_journal_out out;
    double run_born, journal_born, last_sync; /* monotonic seconds */

    /* shared */
    atomic_int is_failed;
    _Atomic int64_t durable_step;
    _Atomic uint64_t written_bytes;
    pthread_mutex_t lock;
    pthread_cond_t answered;
    uint64_t asked, answers; /* asked: step thread's; answers: under the lock */
    sl_err_record error;     /* under the lock */
};

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The geometric rule keeps the number of segments small however long the run. */
static int wants_seal(const sl_writer *w)
{
    const sl_run_settings *s = &w->settings;
    const double now = now_s(), ranks = (double)w->out.begin.identity->world_size;
    const double grown = (double)sl_sealer_bytes(w->sealer) * ranks / 32;
    double age = fmax(10, (now - w->run_born) * ranks / 32);

    if (s->seal_every_s > 0)
        age = fmin(age, s->seal_every_s);
    return w->out.units && ((double)w->out.journal_bytes >= fmax((double)s->seal_bytes, grown) ||
                            now - w->journal_born >= age);
}

static sl_status rotate_when_due(sl_writer *w)
{
    const uint32_t number = w->out.begin.number;

    SL_TRY(sl_sealer_check(w->sealer));
    if (!wants_seal(w) || !sl_sealer_is_idle(w->sealer))
        return SL_OK;
    SL_TRY(sl_journal_out_end(&w->out, SL_ENDED_ROTATED));
    SL_TRY(sl_journal_out_next(&w->out));
    w->journal_born = w->last_sync = now_s();
    sl_sealer_put(w->sealer, number, 0);
    return SL_OK;
}

static sl_status sync_now(sl_writer *w)
{
    SL_TRY(sl_journal_out_sync(&w->out));
    w->last_sync = now_s();
    atomic_store(&w->durable_step, w->out.durable_step);
    return SL_OK;
}

static sl_status sync_when_due(sl_writer *w)
{
    if (w->out.unsynced_bytes >= w->settings.fsync_every_bytes ||
        now_s() - w->last_sync >= w->settings.fsync_every_s)
        return sync_now(w);
    return SL_OK;
}

static sl_status commit_unit(sl_writer *w, const message *m)
{
    SL_TRY(sl_journal_out_commit(&w->out, (sl_unit_kind)m->what, m->step));
    SL_TRY(sync_when_due(w));
    SL_TRY(rotate_when_due(w));
    atomic_store(&w->written_bytes, w->out.written_bytes);
    atomic_store(&w->durable_step, w->out.durable_step);
    return SL_OK;
}

static sl_status end_run(sl_writer *w, const message *m)
{
    const uint32_t number = w->out.begin.number;

    SL_TRY(sl_journal_out_end(&w->out, (sl_ended)m->what));
    atomic_store(&w->durable_step, w->out.durable_step);
    SL_TRY(sl_sealer_wait(w->sealer));
    sl_sealer_put(w->sealer, number, m->what == SL_ENDED_COMPLETE);
    return sl_sealer_wait(w->sealer);
}

static void skip(sl_writer *w, size_t bytes)
{
    unsigned char piece[4096];

    while (bytes) {
        const size_t n = bytes < sizeof piece ? bytes : sizeof piece;

        sl_ring_take(w->ring, piece, n);
        bytes -= n;
    }
}

static void fail(sl_writer *w)
{
    pthread_mutex_lock(&w->lock);
    sl_err_save(&w->error);
    pthread_mutex_unlock(&w->lock);
    sl_err_clear();
    atomic_store(&w->is_failed, 1);
}

static sl_status store(sl_writer *w, unsigned char *to, size_t bytes)
{
    if (!to) {
        skip(w, bytes);
        return SL_ENOMEM; /* recorded by who had none */
    }
    sl_ring_take(w->ring, to, bytes);
    return SL_OK;
}

static sl_status handle(sl_writer *w, const message *m)
{
    switch ((enum message_kind)m->kind) {
    case MESSAGE_ROW:
        return store(w, sl_unit_out_row(&w->out.unit, (sl_table)m->what, m->bytes), m->bytes);
    case MESSAGE_TEXT:
        return store(w, sl_unit_out_text(&w->out.unit, m->bytes), m->bytes);
    case MESSAGE_COMMIT:
        return commit_unit(w, m);
    case MESSAGE_DROP:
        sl_unit_out_clear(&w->out.unit);
        return SL_OK;
    case MESSAGE_SYNC:
        return sync_now(w);
    case MESSAGE_END:
        return end_run(w, m);
    case MESSAGE_QUIT:
        return SL_OK;
    }
    return SL_OK;
}

static void answer(sl_writer *w)
{
    pthread_mutex_lock(&w->lock);
    w->answers++;
    pthread_cond_broadcast(&w->answered);
    pthread_mutex_unlock(&w->lock);
}

/* After a failure messages are still taken, so that the step thread never waits for ever. */
static void one_message(sl_writer *w, message *m)
{
    sl_ring_take(w->ring, m, sizeof *m);
    if (atomic_load(&w->is_failed))
        skip(w, m->bytes);
    else if (handle(w, m) != SL_OK)
        fail(w);
    sl_ring_free(w->ring);
    if (m->kind == MESSAGE_SYNC || m->kind == MESSAGE_END)
        answer(w);
}

/* Seconds until something may be due without a message. */
static double idle_s(const sl_writer *w)
{
    const double every = w->settings.fsync_every_s;

    return fmax(w->out.unsynced_bytes ? every - (now_s() - w->last_sync) : every, 0.001);
}

static void *write_loop(void *with)
{
    sl_writer *w = with;
    message m = { .kind = MESSAGE_ROW };

    while (m.kind != MESSAGE_END && m.kind != MESSAGE_QUIT) {
        if (sl_ring_has_data(w->ring) || sl_ring_wait_data(w->ring, idle_s(w)))
            one_message(w, &m);
        else if (!atomic_load(&w->is_failed) && sync_when_due(w) != SL_OK)
            fail(w);
    }
    return NULL;
}

static void send(sl_writer *w, const message *m, const void *data, double *waited_s)
{
    if (!sl_ring_has_room(w->ring, sizeof *m + m->bytes)) {
        const double before = now_s();

        sl_ring_wait_room(w->ring, sizeof *m + m->bytes);
        if (waited_s)
            *waited_s += now_s() - before;
    }
    sl_ring_append(w->ring, m, sizeof *m);
    sl_ring_append(w->ring, data, m->bytes);
    sl_ring_publish(w->ring);
}

int sl_writer_row(sl_writer *w, sl_table table, const void *packed, size_t bytes, int may_drop,
                  double *waited_s)
{
    const message m = { .kind = MESSAGE_ROW, .what = (uint16_t)table, .bytes = (uint32_t)bytes };

    if (may_drop && !sl_ring_has_room(w->ring, sizeof m + bytes))
        return 0;
    send(w, &m, packed, waited_s);
    return 1;
}

void sl_writer_text(sl_writer *w, const char *line, size_t bytes, double *waited_s)
{
    const message m = { .kind = MESSAGE_TEXT, .bytes = (uint32_t)bytes };

    send(w, &m, line, waited_s);
}

void sl_writer_commit(sl_writer *w, sl_unit_kind kind, int64_t step, double *waited_s)
{
    const message m = { .kind = MESSAGE_COMMIT, .what = (uint16_t)kind, .step = step };

    send(w, &m, NULL, waited_s);
    sl_ring_wake(w->ring);
}

void sl_writer_drop(sl_writer *w)
{
    const message m = { .kind = MESSAGE_DROP };

    send(w, &m, NULL, NULL);
}

static sl_status ask(sl_writer *w, const message *m)
{
    const uint64_t ticket = ++w->asked;

    send(w, m, NULL, NULL);
    sl_ring_wake(w->ring);
    pthread_mutex_lock(&w->lock);
    while (w->answers < ticket)
        pthread_cond_wait(&w->answered, &w->lock);
    pthread_mutex_unlock(&w->lock);
    return sl_writer_check(w);
}

sl_status sl_writer_sync(sl_writer *w)
{
    const message m = { .kind = MESSAGE_SYNC };

    return ask(w, &m);
}

sl_status sl_writer_end(sl_writer *w, sl_ended ended)
{
    const message m = { .kind = MESSAGE_END, .what = (uint16_t)ended };

    w->was_told_to_end = 1;
    return ask(w, &m);
}

sl_status sl_writer_check(sl_writer *w)
{
    sl_err_record error;
    const int64_t step = atomic_load(&w->durable_step);
    sl_status st;

    if (!atomic_load(&w->is_failed))
        return SL_OK;
    pthread_mutex_lock(&w->lock);
    error = w->error;
    pthread_mutex_unlock(&w->lock);
    st = sl_err_where(sl_err_restore(&error), "%s", w->out.rank_folder);
    return sl_err_hint(st,
                       "the record is whole up to step %lld; make room or mend the disk, then "
                       "--resume",
                       (long long)(step < 0 ? 0 : step));
}

int64_t sl_writer_durable_step(sl_writer *w)
{
    return atomic_load(&w->durable_step);
}

uint64_t sl_writer_queue_bytes(sl_writer *w)
{
    return sl_ring_used(w->ring);
}

uint64_t sl_writer_written_bytes(sl_writer *w)
{
    return atomic_load(&w->written_bytes);
}

size_t sl_writer_ring_bytes(const sl_writer *w)
{
    return sl_ring_size(w->ring);
}

static int start_quiet(sl_writer *w)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    w->has_thread = !pthread_create(&w->thread, NULL, write_loop, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return w->has_thread;
}

sl_status sl_writer_open(sl_writer **out, const sl_journal_begin *begin,
                         const sl_run_settings *settings, sl_sealer *sealer)
{
    sl_writer *w = NULL;
    sl_status st = SL_OK;

    *out = NULL;
    SL_TRY(sl_take(&w, 1, sizeof *w));
    w->out.fd = w->out.text_fd = -1;
    w->settings = *settings;
    w->sealer = sealer;
    w->run_born = w->journal_born = w->last_sync = now_s();
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->answered, NULL);
    SL_TRY_OUT(sl_ring_open(&w->ring, settings->ring_bytes));
    SL_TRY_OUT(sl_journal_out_open(&w->out, begin));
    atomic_store(&w->durable_step, w->out.durable_step);
    if (!start_quiet(w))
        SL_TRY_OUT(SL_FAIL(SL_EIO, "want a thread for writing, found none"));
    *out = w;
    return SL_OK;
out:
    sl_writer_close(&w);
    return st;
}

void sl_writer_close(sl_writer **writer)
{
    const message quit = { .kind = MESSAGE_QUIT };
    sl_writer *w = *writer;

    if (!w)
        return;
    if (w->has_thread && !w->was_told_to_end) {
        send(w, &quit, NULL, NULL);
        sl_ring_wake(w->ring);
    }
    if (w->has_thread)
        pthread_join(w->thread, NULL);
    sl_journal_out_close(&w->out);
    sl_ring_close(&w->ring);
    pthread_cond_destroy(&w->answered);
    pthread_mutex_destroy(&w->lock);
    sl_free(w);
    *writer = NULL;
}
