/* The decider's side of decisions.log. */
#include "run/decision.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"
#include "run/decision_int.h"
#include "run/journal_out_int.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

struct sl_decider {
    sl_run_identity identity;
    sl_journal_out out;
    uint64_t last_id, rule_hash;
    uint32_t *answered; /* (count) measurements that the file holds decisions about, owned */
    size_t count, capacity;
    int who;
};

/* Where the file stands: what the next session goes on from. */
typedef struct where {
    sl_journal_begin begin;
    sl_commit commit;
    uint64_t bytes, last_id;
} where;

static sl_status keep_answered(sl_decider *d, uint32_t measurement)
{
    SL_TRY(sl_grow(&d->answered, &d->capacity, d->count + 1, sizeof d->answered[0]));
    d->answered[d->count++] = measurement;
    return SL_OK;
}

static sl_status read_all(sl_decider *d, sl_decision_log *log, where *w)
{
    sl_row_decisions row;
    const char *rule;
    int there;
    sl_tail tail;

    for (;;) {
        SL_TRY(sl_decision_log_peek(log, &row, &rule, &there));
        sl_decision_log_take(log);
        if (!there)
            break;
        SL_TRY(keep_answered(d, row.measurement));
        if (row.decision_id > w->last_id)
            w->last_id = row.decision_id;
    }
    if (!log->journal)
        return SL_OK;
    sl_journal_tail(log->journal, &tail);
    w->bytes = tail.whole_bytes;
    w->begin.last_seq = tail.last_seq;
    w->begin.attempt = sl_journal_start(log->journal)->attempt + 1;
    memcpy(w->commit.so_far, log->commit.so_far, sizeof w->commit.so_far);
    return SL_OK;
}

/* The end of the last whole unit: only the holder of the lock cuts what a dead decider left. */
static sl_status find_where(sl_decider *d, where *w, const char *path, int fd)
{
    sl_decision_log log = { 0 };
    sl_status st;

    SL_TRY_OUT(sl_decision_log_open(&log, path, &d->identity));
    SL_TRY_OUT(read_all(d, &log, w));
out:
    sl_decision_log_close(&log);
    if (st == SL_OK && ftruncate(fd, (off_t)w->bytes))
        st = SL_FAIL(SL_EIO, "want to cut it to %llu bytes, found: %s",
                     (unsigned long long)w->bytes, strerror(errno));
    return st;
}

static sl_status open_locked(int *fd, const char *path)
{
    *fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (*fd < 0)
        return SL_FAIL(SL_EIO, "want to open it, found: %s", strerror(errno));
    if (!flock(*fd, LOCK_EX | LOCK_NB))
        return SL_OK;
    close(*fd);
    *fd = -1;
    return SL_FAIL(SL_EARG, "want to be the only decider, found another at work");
}

static sl_status begin_session(sl_decider *d, const char *run_path, const char *path, int fd,
                               const char *rule)
{
    static const char *const who[] = { "in_process", "watch", "person" };
    where w = { .begin = { .rank_folder = run_path,
                           .identity = &d->identity,
                           .number = SL_DECISIONS_NUMBER,
                           .attempt = 1,
                           .resumed_from = -1 } };
    sl_json *about = NULL;
    sl_status st;

    st = find_where(d, &w, path, fd);
    if (st == SL_OK) {
        about = json_pack("{s:s, s:s}", "decider", who[d->who], "rule", rule);
        st = about ? SL_OK : SL_FAIL(SL_EARG, "want a rule of UTF-8, found other bytes");
    }
    if (st != SL_OK) {
        close(fd);
        return st;
    }
    d->last_id = w.last_id;
    w.begin.start_json = about;
    st = sl_journal_out_adopt(&d->out, &w.begin, fd, w.bytes, &w.commit);
    sl_json_close(&about);
    return st;
}

static sl_status open_in(sl_decider *d, const char *run_path, const char *rule)
{
    char path[SL_RUN_PATH];
    int fd;

    SL_TRY(sl_run_identity_load(&d->identity, run_path));
    SL_TRY(sl_file_join(path, sizeof path, run_path, "decisions.log"));
    SL_TRY(sl_err_where(open_locked(&fd, path), "%s", path));
    SL_TRY(sl_err_where(begin_session(d, run_path, path, fd, rule), "%s", path));
    return sl_file_sync_folder(run_path);
}

sl_status sl_decider_open(sl_decider **out, const char *run_path, int who, const char *rule)
{
    sl_decider *d = NULL;
    sl_status st;

    *out = NULL;
    SL_CHECK(who == SL_DECIDER_WATCH || who == SL_DECIDER_PERSON);
    SL_TRY(sl_take(&d, 1, sizeof *d));
    d->out.fd = d->out.text_fd = -1;
    d->who = who;
    d->rule_hash = sl_hash_id(rule, strlen(rule));
    st = open_in(d, run_path, rule);
    if (st != SL_OK)
        sl_decider_close(&d);
    *out = d;
    return st;
}

uint64_t sl_decider_last_id(const sl_decider *decider)
{
    return decider->last_id;
}

int sl_decider_has(const sl_decider *decider, uint32_t measurement)
{
    for (size_t i = 0; i < decider->count; i++)
        if (decider->answered[i] == measurement)
            return 1;
    return 0;
}

sl_status sl_decider_put(sl_decider *d, sl_row_decisions *row)
{
    const sl_layout *layout = &d->identity.layout;
    unsigned char *packed;
    const char *fault;

    row->step = 0;
    row->decision_id = d->last_id + 1;
    row->rule_hash = d->rule_hash;
    row->decider = (uint8_t)d->who;
    fault = sl_decision_fault(row);
    if (fault)
        return SL_FAIL(SL_EARG, "%s, found another value", fault);
    packed = sl_unit_out_row(&d->out.unit, SL_TABLE_DECISIONS,
                             sl_table_packed_bytes(SL_TABLE_DECISIONS, layout));
    if (!packed)
        return SL_ENOMEM; /* recorded by sl_unit_out_row */
    sl_row_pack(packed, SL_TABLE_DECISIONS, row, NULL, layout);
    SL_TRY(sl_journal_out_commit(&d->out, SL_UNIT_CONTROL, 0));
    SL_TRY(sl_journal_out_sync(&d->out));
    d->last_id = row->decision_id;
    return keep_answered(d, row->measurement);
}

void sl_decider_close(sl_decider **decider)
{
    if (!*decider)
        return;
    sl_journal_out_close(&(*decider)->out);
    sl_run_identity_close(&(*decider)->identity);
    sl_free((*decider)->answered);
    sl_free(*decider);
    *decider = NULL;
}
