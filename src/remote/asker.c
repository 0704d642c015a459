#include "remote/asker.h"
#include "base/alloc.h"
#include "remote/process.h"
#include "remote/remote.h"
#include <math.h>
#include <string.h>

struct sl_asker {
    sl_process *process; /* NULL: not running */
    char *line, *env;    /* for /bin/sh; variables that it gets */
    sl_asker_settings set;
    int64_t asked;    /* questions so far: the next id */
    int is_warm;      /* this process has answered */
    int has_answered; /* any process has */
};

/* A batch under way. */
typedef struct asking {
    sl_asker *asker;
    const sl_asker_batch *batch;
    unsigned char *is_kept; /* (count) */
    size_t open;            /* without an answer */
    int64_t first_id;
} asking;

sl_status sl_asker_open(sl_asker **out, const sl_asker_settings *settings)
{
    sl_status st;

    *out = NULL;
    if (!settings->command || !*settings->command)
        return SL_FAIL(SL_EARG, "want a command to run, found none");
    SL_TRY(sl_take(out, 1, sizeof **out));
    (*out)->set = *settings;
    st = sl_strdup(&(*out)->line, settings->command);
    if (st == SL_OK && settings->env)
        st = sl_strdup(&(*out)->env, settings->env);
    if (st != SL_OK)
        sl_asker_close(out);
    return st;
}

void sl_asker_close(sl_asker **asker)
{
    sl_asker *a = *asker;

    if (!a)
        return;
    sl_process_close(&a->process);
    sl_free(a->line);
    sl_free(a->env);
    sl_free(a);
    *asker = NULL;
}

/* The questions still open, a line each. */
static sl_status questions(char **text, size_t *bytes, const asking *a)
{
    const sl_asker_batch *b = a->batch;
    size_t capacity = 0;

    for (size_t i = 0; i < b->count; i++) {
        char *line = NULL;
        size_t n;
        sl_status st;

        if (a->is_kept[i])
            continue;
        SL_TRY(
            sl_err_where(b->write(b->with, &line, i, a->first_id + (int64_t)i), "question %zu", i));
        n = strlen(line);
        st = sl_grow(text, &capacity, *bytes + n + 1, 1);
        if (st == SL_OK) {
            memcpy(*text + *bytes, line, n);
            (*text)[*bytes + n] = '\n';
            *bytes += n + 1;
        }
        sl_free(line);
        SL_TRY(st);
    }
    return SL_OK;
}

static sl_status take_answer(void *with, int *is_done, const char *line, size_t bytes)
{
    asking *a = with;
    const int64_t first = a->first_id, last = first + (int64_t)a->batch->count - 1;
    int64_t id = 0;

    SL_TRY(a->batch->read(a->batch->with, &id, line, bytes));
    if (id < first || id > last)
        return SL_FAIL(SL_EFORMAT, "want an \"id\" from %lld to %lld, found %lld", (long long)first,
                       (long long)last, (long long)id);
    if (a->is_kept[id - first])
        return SL_FAIL(SL_EFORMAT, "want one answer to \"id\" %lld, found two", (long long)id);
    a->batch->keep(a->batch->with, (size_t)(id - first));
    a->is_kept[id - first] = 1;
    a->asker->is_warm = a->asker->has_answered = 1;
    *is_done = --a->open == 0;
    return SL_OK;
}

static sl_status attempt(asking *a)
{
    sl_asker *asker = a->asker;
    const double timeout_s = asker->set.timeout_s + (asker->is_warm ? 0.0 : asker->set.start_s);
    sl_process_settings set = sl_process_defaults();
    char *text = NULL;
    size_t bytes = 0;
    sl_status st = SL_OK;

    if (!asker->process) {
        set.command = asker->line;
        set.env = asker->env;
        set.stop = asker->set.stop;
        SL_TRY(sl_process_open(&asker->process, &set));
    }
    SL_TRY_OUT(questions(&text, &bytes, a));
    SL_TRY_OUT(sl_process_exchange(asker->process, text, bytes, timeout_s, take_answer, a));
out:
    sl_free(text);
    if (st != SL_OK) {
        sl_process_close(&asker->process);
        asker->is_warm = 0;
    }
    return st;
}

static sl_status ask_until_done(asking *a)
{
    const sl_asker_settings *set = &a->asker->set;

    for (uint32_t tries = 0;; tries++) {
        const sl_status st = attempt(a);

        if (st != SL_EIO || tries == set->retries || !a->asker->has_answered)
            return st;
        sl_err_clear();
        SL_TRY(sl_remote_wait(ldexp(set->backoff_s, tries < 8 ? (int)tries : 8), set->stop));
    }
}

sl_status sl_asker_ask(sl_asker *asker, const sl_asker_batch *batch)
{
    asking a = { .asker = asker, .batch = batch, .open = batch->count, .first_id = asker->asked };
    sl_status st;

    if (!batch->count)
        return SL_OK;
    SL_TRY(sl_take(&a.is_kept, batch->count, 1));
    asker->asked += (int64_t)batch->count;
    st = ask_until_done(&a);
    sl_free(a.is_kept);
    return st;
}
