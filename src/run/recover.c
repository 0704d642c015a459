#include "run/recover.h"

#include "base/alloc.h"
#include "base/file.h"
#include "run/chain_int.h"
#include "run/files.h"
#include "run/seal_int.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What is to be done with one number. */
typedef enum verdict {
    VERDICT_KEEP,      /* good segment, nothing else */
    VERDICT_CLEAN,     /* good segment; its journal goes */
    VERDICT_SEAL,      /* journal becomes a segment */
    VERDICT_REPLACE,   /* bad segment to quarantine, then as above */
    VERDICT_DROP_START /* the newest journal was torn while it was created */
} verdict;

typedef struct looker {
    const char *run_path;
    char rank_folder[SL_RUN_PATH];
    uint32_t rank;
    const sl_run_identity *identity;
    sl_run_report report;
    void *with;
    sl_rank_list list;
    verdict *verdict; /* (list.count) */
    sl_recovery *out;
} looker;

static void say(const looker *l, const char *path, const char *sentence)
{
    if (l->report)
        l->report(l->with, path, sentence);
}

/* Adds what one number holds to the picture; journals and segments ascend. */
static sl_status add_part(looker *l, uint32_t number, uint32_t attempt, int64_t resumed_from,
                          int64_t last_step, uint64_t last_seq, sl_ended ended)
{
    sl_recovery *r = l->out;
    const size_t known = r->attempts.count;

    SL_TRY(sl_attempts_add(&r->attempts, attempt, resumed_from));
    if (r->attempts.count > known)
        r->last_step = resumed_from;
    if (last_step > r->last_step)
        r->last_step = last_step;
    r->last_number = number;
    r->last_seq = last_seq;
    r->ended = ended == SL_ENDED_ROTATED ? SL_ENDED_KILLED : ended;
    return SL_OK;
}

static sl_status look_at_segment(looker *l, sl_segment_info *info, uint32_t number)
{
    char path[SL_RUN_PATH];

    SL_TRY(sl_rank_path(path, l->rank_folder, SL_FILE_SEGMENT, number));
    SL_TRY(sl_segment_prove(info, path));
    SL_TRY(sl_err_where(sl_segment_follows(info, &l->out->previous, l->identity, l->rank, number),
                        "%s", path));
    return sl_segment_texts_prove(path, info, l->rank_folder);
}

static sl_status read_to_end(sl_journal *journal, sl_tail *tail, uint64_t *units)
{
    sl_unit unit;
    int found = 1;

    *units = 0;
    while (found) {
        SL_TRY(sl_journal_next(journal, &unit, &found));
        *units += (uint64_t)found;
    }
    sl_journal_tail(journal, tail);
    return SL_OK;
}

/* What a journal says about damage: torn is no damage in the newest one. */
static sl_status judge_tail(const looker *l, const char *path, const sl_tail *tail, int is_newest)
{
    char sentence[256];

    if (tail->kind == SL_TAIL_CORRUPT || (!is_newest && tail->kind != SL_TAIL_END))
        return sl_err_where(
            SL_FAIL(SL_EFORMAT,
                    "synced rows are damaged: %s, found other bytes; whole up to step %lld",
                    tail->reason[0] ? tail->reason : "want END", (long long)tail->last_step),
            "%s byte %zu", path, tail->bad_offset);
    if (tail->kind != SL_TAIL_END) {
        snprintf(sentence, sizeof sentence,
                 "ends without END; whole up to step %lld, byte %zu; what follows was never synced",
                 (long long)tail->last_step, tail->whole_bytes);
        say(l, path, sentence);
    }
    return SL_OK;
}

/* start->attempt = 0: it is the newest and was cut off while it was created. */
static sl_status look_at_journal(looker *l, sl_tail *tail, sl_start *start, uint32_t number,
                                 int is_newest)
{
    char path[SL_RUN_PATH];
    sl_journal *journal = NULL;
    uint64_t units;
    sl_status st = SL_OK;

    SL_TRY(sl_rank_path(path, l->rank_folder, SL_FILE_JOURNAL, number));
    SL_TRY((is_newest ? sl_journal_open_newest : sl_journal_open)(&journal, l->rank_folder, number,
                                                                  l->rank, l->identity));
    *start = (sl_start){ 0 };
    *tail = (sl_tail){ 0 };
    if (!journal) {
        say(l, path, "was torn while it was created; it holds nothing");
        return SL_OK;
    }
    SL_TRY_OUT(read_to_end(journal, tail, &units));
    *start = *sl_journal_start(journal);
    start->json = NULL; /* belongs to the journal */
    SL_TRY_OUT(judge_tail(l, path, tail, is_newest));
out:
    sl_journal_close(&journal);
    return st;
}

static sl_status look_at_open(looker *l, verdict *v, uint32_t number, int is_newest)
{
    sl_tail tail;
    sl_start start;

    SL_TRY(look_at_journal(l, &tail, &start, number, is_newest));
    *v = start.attempt ? VERDICT_SEAL : VERDICT_DROP_START;
    if (!start.attempt)
        return SL_OK;
    return add_part(l, number, start.attempt, start.resumed_from, tail.last_step, tail.last_seq,
                    tail.ended);
}

/* A good segment whose journal is still there must hold all of it. A journal without its texts was
 * being removed when the power failed, and the disk took the second removal first. */
static sl_status look_at_leftover(looker *l, verdict *v, const sl_segment_info *info)
{
    sl_tail tail;
    sl_start start;

    SL_TRY(look_at_journal(l, &tail, &start, info->number, 1));
    if (tail.last_seq != info->last_seq)
        return sl_err_where(
            SL_FAIL(SL_EFORMAT, "want the journal of this segment, last seq %llu, found %llu",
                    (unsigned long long)info->last_seq, (unsigned long long)tail.last_seq),
            "%s segment %u", l->rank_folder, info->number);
    *v = VERDICT_CLEAN;
    return SL_OK;
}

static sl_status look_at_bad_segment(looker *l, verdict *v, const sl_rank_entry *e, int is_newest)
{
    char path[SL_RUN_PATH];
    sl_status st = sl_err_code();

    if (!e->has[SL_FILE_JOURNAL])
        return sl_err_hint(st,
                           "rows after step %lld of this segment are lost; no resume can be true",
                           (long long)l->out->last_step);
    SL_TRY(sl_rank_path(path, l->rank_folder, SL_FILE_SEGMENT, e->number));
    say(l, path, "is damaged; it is built again from its journal");
    sl_err_clear();
    SL_TRY(look_at_open(l, v, e->number, is_newest));
    *v = VERDICT_REPLACE;
    return SL_OK;
}

static sl_status look_at_one(looker *l, size_t i)
{
    const sl_rank_entry *e = &l->list.row[i];
    const int is_newest = i + 1 == l->list.count;
    sl_segment_info info;

    if (!e->has[SL_FILE_SEGMENT] && e->has[SL_FILE_JOURNAL])
        return look_at_open(l, &l->verdict[i], e->number, is_newest);
    if (!e->has[SL_FILE_SEGMENT])
        return is_newest ? SL_OK
                         : SL_FAIL(SL_EFORMAT, "want segment %u, found only its texts", e->number);
    if (look_at_segment(l, &info, e->number) != SL_OK)
        return look_at_bad_segment(l, &l->verdict[i], e, is_newest);
    if (e->has[SL_FILE_JOURNAL] && !e->has[SL_FILE_TEXTS])
        l->verdict[i] = VERDICT_CLEAN;
    else if (e->has[SL_FILE_JOURNAL])
        SL_TRY(look_at_leftover(l, &l->verdict[i], &info));
    l->out->previous = info;
    l->out->sealed_bytes += info.bytes + info.text_bytes;
    return add_part(l, e->number, info.attempt, info.resumed_from, info.last_step, info.last_seq,
                    info.ended);
}

static sl_status look_at_all(looker *l)
{
    int64_t checkpoint;

    SL_TRY(sl_checkpoint_newest(&checkpoint, l->run_path)); /* first: a live run goes on */
    for (size_t i = 0; i < l->list.count; i++) {
        const uint32_t want = (uint32_t)(i + 1);

        if (l->list.row[i].number != want)
            return sl_err_where(
                SL_FAIL(SL_EFORMAT, "want segment %u, found %u: the steps after %lld are missing",
                        want, l->list.row[i].number, (long long)l->out->last_step),
                "%s", l->rank_folder);
        SL_TRY(look_at_one(l, i));
    }
    if (checkpoint > 0 && checkpoint > l->out->last_step)
        return sl_err_where(
            SL_FAIL(
                SL_EFORMAT,
                "synced rows are damaged: want whole units up to checkpoint %lld, found step %lld",
                (long long)checkpoint, (long long)l->out->last_step),
            "%s", l->rank_folder);
    return SL_OK;
}

static sl_status looker_open(looker *l, sl_recovery *out, const char *run_path,
                             const sl_run_identity *identity, uint32_t rank, sl_run_report report,
                             void *with)
{
    *out = (sl_recovery){ .last_step = -1, .ended = SL_ENDED_KILLED };
    *l = (looker){ .run_path = run_path,
                   .rank = rank,
                   .identity = identity,
                   .report = report,
                   .with = with,
                   .out = out };
    SL_TRY(sl_rank_folder(l->rank_folder, run_path, rank));
    SL_TRY(sl_rank_list_open(&l->list, l->rank_folder));
    return sl_take(&l->verdict, l->list.count + 1, sizeof l->verdict[0]);
}

static void looker_close(looker *l)
{
    sl_rank_list_close(&l->list);
    sl_free(l->verdict);
}

static int is_temporary(const char *name)
{
    const char *dot = strstr(name, ".tmp");

    return dot && (!dot[4] || dot[4] == '-');
}

static sl_status remove_temporaries(const looker *l, const char *folder)
{
    char path[SL_RUN_PATH];
    struct dirent *entry;
    sl_status st = SL_OK;
    DIR *dir = opendir(folder);

    if (!dir)
        return errno == ENOENT
                   ? SL_OK
                   : sl_err_where(SL_FAIL(SL_EIO, "want this folder, found: %s", strerror(errno)),
                                  "%s", folder);
    while (st == SL_OK && (entry = readdir(dir))) {
        if (!is_temporary(entry->d_name))
            continue;
        st = sl_file_join(path, sizeof path, folder, entry->d_name);
        if (st == SL_OK)
            st = sl_file_remove_tree(path);
        if (st == SL_OK)
            say(l, path, "was unfinished; removed");
    }
    closedir(dir);
    return st;
}

static sl_status remove_all_temporaries(const looker *l)
{
    char path[SL_RUN_PATH];

    SL_TRY(remove_temporaries(l, l->run_path));
    SL_TRY(remove_temporaries(l, l->rank_folder));
    SL_TRY(sl_file_join(path, sizeof path, l->run_path, "checkpoints"));
    return remove_temporaries(l, path);
}

static sl_status to_quarantine(const looker *l, uint32_t number)
{
    char from[SL_RUN_PATH], folder[SL_RUN_PATH], to[SL_RUN_PATH];

    SL_TRY(sl_rank_path(from, l->rank_folder, SL_FILE_SEGMENT, number));
    SL_TRY(sl_file_join(folder, sizeof folder, l->run_path, "quarantine"));
    SL_TRY(sl_run_folder(folder));
    SL_TRY(sl_file_join(to, sizeof to, folder, strrchr(from, '/') + 1));
    if (rename(from, to))
        return sl_err_where(SL_FAIL(SL_EIO, "want to move it, found: %s", strerror(errno)), "%s",
                            from);
    say(l, from, "moved to quarantine");
    return SL_OK;
}

static sl_status seal(looker *l, uint32_t number, int has_previous)
{
    sl_recovery *r = l->out;
    const sl_segment_info previous = r->previous;
    char path[SL_RUN_PATH];

    SL_TRY(sl_seal_journal(&r->previous, l->rank_folder, number, l->rank, l->identity,
                           has_previous ? &previous : NULL));
    r->sealed_bytes += r->previous.bytes + r->previous.text_bytes;
    SL_TRY(sl_rank_path(path, l->rank_folder, SL_FILE_SEGMENT, number));
    say(l, path, "sealed");
    return SL_OK;
}

static sl_status act_on(looker *l, size_t i)
{
    const uint32_t number = l->list.row[i].number;
    char path[SL_RUN_PATH];

    if (l->verdict[i] == VERDICT_REPLACE)
        SL_TRY(to_quarantine(l, number));
    if (l->verdict[i] == VERDICT_SEAL || l->verdict[i] == VERDICT_REPLACE)
        return seal(l, number, i > 0);
    SL_TRY(sl_rank_path(path, l->rank_folder, SL_FILE_SEGMENT, number));
    if (l->verdict[i] != VERDICT_DROP_START && l->list.row[i].has[SL_FILE_SEGMENT])
        SL_TRY(sl_segment_info_read(&l->out->previous, path));
    if (l->verdict[i] == VERDICT_KEEP && l->list.row[i].has[SL_FILE_SEGMENT] &&
        !l->list.row[i].has[SL_FILE_TEXTS])
        return SL_OK;
    return sl_seal_remove_sources(l->rank_folder, number);
}

static sl_status act_on_all(looker *l)
{
    int is_stale = 1;

    SL_TRY(remove_all_temporaries(l));
    for (size_t i = 0; i < l->list.count; i++)
        SL_TRY(act_on(l, i));
    SL_TRY(sl_file_sync_folder(l->rank_folder));
    if (sl_index_check(l->run_path, &is_stale) != SL_OK) {
        sl_err_clear(); /* damaged or missing: it is derived, so it is made again */
        is_stale = 1;
    }
    return is_stale ? sl_index_build(l->run_path, 0, 0, 0) : SL_OK;
}

sl_status sl_recover_look(sl_recovery *out, const char *run_path, const sl_run_identity *identity,
                          uint32_t rank, sl_run_report report, void *with)
{
    looker l;
    sl_status st;

    SL_TRY_OUT(looker_open(&l, out, run_path, identity, rank, report, with));
    SL_TRY_OUT(look_at_all(&l));
out:
    looker_close(&l);
    return st;
}

sl_status sl_recover(sl_recovery *out, const char *run_path, const sl_run_identity *identity,
                     uint32_t rank, sl_run_report report, void *with)
{
    looker l;
    sl_status st;

    SL_TRY_OUT(looker_open(&l, out, run_path, identity, rank, report, with));
    SL_TRY_OUT(look_at_all(&l));
    SL_TRY_OUT(act_on_all(&l));
out:
    looker_close(&l);
    return st;
}

void sl_recovery_close(sl_recovery *recovery)
{
    sl_attempts_close(&recovery->attempts);
}
