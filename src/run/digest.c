#include "run/digest.h"

#include "base/hash.h"
#include "run/attempts.h"
#include "run/files.h"
#include "run/segment_int.h"

static sl_status add_rows(void *with, sl_table table, const unsigned char *rows, size_t count,
                          size_t row_bytes)
{
    (void)table;
    sl_sha256_add(with, rows, count * row_bytes);
    return SL_OK;
}

sl_status sl_digest_of(char *hex, sl_table_source source, void *with)
{
    unsigned char digest[32];
    sl_sha256 sha;

    sl_sha256_open(&sha);
    for (int t = 0; t < SL_TABLE_COUNT; t++)
        if (sl_table_get((sl_table)t)->is_in_digest)
            SL_TRY(source(with, (sl_table)t, add_rows, &sha));
    sl_sha256_close(&sha, digest);
    sl_sha256_hex(hex, digest);
    return SL_OK;
}

/* Passes on the live prefix of what it is given. */
typedef struct live_filter {
    int64_t until;
    sl_rows_visit visit;
    void *visitor;
} live_filter;

static sl_status pass_live(void *with, sl_table table, const unsigned char *rows, size_t count,
                           size_t row_bytes)
{
    const live_filter *f = with;
    const size_t live = sl_attempts_live_prefix(rows, count, row_bytes, f->until);

    return live ? f->visit(f->visitor, table, rows, live, row_bytes) : SL_OK;
}

typedef struct live_walk {
    const sl_live_run *run;
    char rank_folder[SL_RUN_PATH];
    sl_rank_list list;
    sl_attempts attempts;
    sl_table table;
    live_filter filter;
} live_walk;

/* *out = NULL: the newest journal was cut off while it was created. */
static sl_status open_journal(sl_journal **out, const live_walk *w, const sl_rank_entry *e)
{
    const int is_newest = e + 1 == w->list.row + w->list.count;

    return (is_newest ? sl_journal_open_newest : sl_journal_open)(out, w->rank_folder, e->number, 0,
                                                                  w->run->identity);
}

static sl_status segment_path(char *path, const live_walk *w, const sl_rank_entry *e)
{
    return sl_rank_path(path, w->rank_folder, SL_FILE_SEGMENT, e->number);
}

static sl_status add_attempt(live_walk *w, const sl_rank_entry *e)
{
    char path[SL_RUN_PATH];
    sl_segment_info info;
    sl_journal *journal = NULL;
    sl_status st = SL_OK;

    if (e->has[SL_FILE_SEGMENT]) {
        SL_TRY(segment_path(path, w, e));
        SL_TRY(sl_segment_info_read(&info, path));
        return sl_attempts_add(&w->attempts, info.attempt, info.resumed_from);
    }
    if (!e->has[SL_FILE_JOURNAL])
        return SL_OK;
    SL_TRY(open_journal(&journal, w, e));
    if (!journal)
        return SL_OK;
    st = sl_attempts_add(&w->attempts, sl_journal_start(journal)->attempt,
                         sl_journal_start(journal)->resumed_from);
    sl_journal_close(&journal);
    return st;
}

static void set_limit(live_walk *w, uint32_t attempt)
{
    w->filter.until = sl_attempts_live_until(&w->attempts, attempt);
    if (w->run->until_step < w->filter.until)
        w->filter.until = w->run->until_step;
}

static sl_status walk_segment(live_walk *w, const sl_rank_entry *e)
{
    char path[SL_RUN_PATH];
    sl_segment_info info;

    SL_TRY(segment_path(path, w, e));
    SL_TRY(sl_segment_info_read(&info, path));
    set_limit(w, info.attempt);
    if (!info.rows[w->table])
        return SL_OK;
    return sl_segment_rows(path, w->run->identity, w->table, 0, info.rows[w->table], pass_live,
                           &w->filter);
}

static sl_status walk_journal(live_walk *w, const sl_rank_entry *e)
{
    sl_journal *journal = NULL;
    sl_unit unit;
    int found = 1;
    sl_status st = SL_OK;

    SL_TRY(open_journal(&journal, w, e));
    if (!journal)
        return SL_OK;
    set_limit(w, sl_journal_start(journal)->attempt);
    for (;;) {
        SL_TRY_OUT(sl_journal_next(journal, &unit, &found));
        if (!found)
            break;
        SL_TRY_OUT(sl_unit_rows(journal, &unit, w->table, pass_live, &w->filter));
    }
out:
    sl_journal_close(&journal);
    return st;
}

static sl_status walk_all(live_walk *w)
{
    for (size_t i = 0; i < w->list.count; i++)
        SL_TRY(add_attempt(w, &w->list.row[i]));
    for (size_t i = 0; i < w->list.count; i++) {
        const sl_rank_entry *e = &w->list.row[i];

        if (e->has[SL_FILE_SEGMENT])
            SL_TRY(walk_segment(w, e));
        else if (e->has[SL_FILE_JOURNAL])
            SL_TRY(walk_journal(w, e));
    }
    return SL_OK;
}

sl_status sl_live_rows(void *with, sl_table table, sl_rows_visit visit, void *visitor)
{
    live_walk w = { .run = with, .table = table, .filter = { .visit = visit, .visitor = visitor } };
    sl_status st = SL_OK;

    SL_TRY(sl_rank_folder(w.rank_folder, w.run->run_path, 0));
    SL_TRY_OUT(sl_rank_list_open(&w.list, w.rank_folder));
    SL_TRY_OUT(walk_all(&w));
out:
    sl_rank_list_close(&w.list);
    sl_attempts_close(&w.attempts);
    return st;
}

sl_status sl_digest_run(char *hex, const char *run_path)
{
    sl_run_identity identity;
    sl_live_run live = { .run_path = run_path, .identity = &identity, .until_step = INT64_MAX };
    sl_status st;

    SL_TRY(sl_run_identity_load(&identity, run_path));
    st = sl_digest_of(hex, sl_live_rows, &live);
    sl_run_identity_close(&identity);
    return st;
}
