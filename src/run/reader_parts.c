/* The snapshot of a reader. The trainer seals while we look: journal N becomes segment N, so a
 * number may be missing from a listing, or a journal gone when we open it. Both mean: look again.
 */
#include "run/reader_int.h"

#include "base/alloc.h"
#include "base/file.h"

#include <string.h>
#include <time.h>

enum { TRIES = 200, PAUSE_NS = 5000000 };

static void part_close(sl_part *part)
{
    sl_journal_close(&part->journal);
    sl_free(part->unit);
    *part = (sl_part){ 0 };
}

void sl_parts_close(sl_reader *reader)
{
    sl_open_segment_close(reader);
    for (size_t i = 0; i < reader->parts; i++)
        part_close(&reader->part[i]);
    reader->parts = 0;
    sl_attempts_close(&reader->attempts);
}

/* Takes the whole units that a journal holds beyond those known; *added of them. */
static sl_status read_units(sl_part *p, size_t *added)
{
    sl_unit unit;
    sl_tail tail;
    int found = 1;

    *added = 0;
    for (;;) {
        SL_TRY(sl_journal_next(p->journal, &unit, &found));
        if (!found)
            break;
        SL_TRY(sl_grow(&p->unit, &p->capacity, p->units + 1, sizeof *p->unit));
        p->unit[p->units++] = unit;
        for (int t = 0; t < SL_TABLE_UNITS; t++)
            p->rows[t] = unit.commit.so_far[t];
        p->rows[SL_TABLE_UNITS] = p->units;
        ++*added;
    }
    sl_journal_tail(p->journal, &tail);
    if (tail.kind == SL_TAIL_CORRUPT)
        return SL_FAIL(SL_EFORMAT, "journal %u byte %zu: want frames that were synced, found: %s",
                       p->number, tail.bad_offset, tail.reason);
    return SL_OK;
}

static sl_status segment_part(sl_part *p, const sl_reader *reader)
{
    char path[SL_RUN_PATH];

    SL_TRY(sl_rank_path(path, reader->folder, SL_FILE_SEGMENT, p->number));
    SL_TRY(sl_segment_info_read(&p->info, path));
    if (strcmp(p->info.uuid_text, reader->identity.uuid_text) || p->info.rank != 0 ||
        p->info.number != p->number)
        return SL_FAIL(SL_EFORMAT, "%s: want segment %u of run %s, found %u of %s", path, p->number,
                       reader->identity.uuid_text, p->info.number, p->info.uuid_text);
    p->attempt = p->info.attempt;
    memcpy(p->rows, p->info.rows, sizeof p->rows);
    return SL_OK;
}

/* p->journal stays NULL when the newest journal is unborn. One that another follows was closed
 * before that one was made. A journal that is gone after it was read may have lost its texts before
 * we mapped them. */
static sl_status journal_part(sl_part *p, const sl_reader *reader, int is_last)
{
    char path[SL_RUN_PATH];
    size_t added;
    sl_tail tail;

    SL_TRY(sl_rank_path(path, reader->folder, SL_FILE_JOURNAL, p->number));
    SL_TRY((is_last ? sl_journal_open_newest : sl_journal_open)(&p->journal, reader->folder,
                                                                p->number, 0, &reader->identity));
    if (!p->journal)
        return SL_OK;
    p->attempt = sl_journal_start(p->journal)->attempt;
    SL_TRY(read_units(p, &added));
    sl_journal_tail(p->journal, &tail);
    if (!sl_file_exists(path))
        return SL_FAIL(SL_EIO, "journal %u: want it to stay, found it sealed meanwhile", p->number);
    if (!is_last && tail.kind != SL_TAIL_END)
        return SL_FAIL(SL_EFORMAT, "journal %u byte %zu: want its end, found %s", p->number,
                       tail.bad_offset, tail.reason[0] ? tail.reason : "none");
    return SL_OK;
}

/* Adds the part of one number, if there is one yet. */
static sl_status add_part(sl_reader *reader, const sl_rank_entry *e, int is_last)
{
    sl_part *p;
    sl_status st;

    SL_TRY(sl_grow(&reader->part, &reader->capacity, reader->parts + 1, sizeof *reader->part));
    p = &reader->part[reader->parts];
    *p = (sl_part){ .number = e->number };
    st = e->has[SL_FILE_SEGMENT] ? segment_part(p, reader) : journal_part(p, reader, is_last);
    if (st == SL_OK && !e->has[SL_FILE_SEGMENT] && !p->journal)
        return SL_OK;
    if (st != SL_OK) {
        part_close(p);
        return st;
    }
    reader->parts++;
    return sl_attempts_add(&reader->attempts, p->attempt,
                           p->journal ? sl_journal_start(p->journal)->resumed_from
                                      : p->info.resumed_from);
}

/* Entries that hold a segment or a journal, without a gap from 1. */
static sl_status check_list(const sl_rank_list *list)
{
    uint32_t want = 1;

    for (size_t i = 0; i < list->count; i++) {
        const sl_rank_entry *e = &list->row[i];

        if (!e->has[SL_FILE_SEGMENT] && !e->has[SL_FILE_JOURNAL])
            continue;
        if (e->number != want)
            return SL_FAIL(SL_EFORMAT, "want segment or journal %u, found none", want);
        want++;
    }
    return SL_OK;
}

static sl_status parts_once(sl_reader *reader)
{
    sl_status st = SL_OK;
    sl_rank_list list = { 0 };

    SL_TRY(sl_rank_list_open(&list, reader->folder));
    SL_TRY_OUT(check_list(&list));
    for (size_t i = 0; i < list.count; i++)
        if (list.row[i].has[SL_FILE_SEGMENT] || list.row[i].has[SL_FILE_JOURNAL])
            SL_TRY_OUT(add_part(reader, &list.row[i], i + 1 == list.count));
out:
    sl_rank_list_close(&list);
    return sl_err_where(st, "%s", reader->folder);
}

/* Whether the listing still shows what was read: then a failure is the run's, not ours. A run that
 * is being created has no folder to list, or an empty one, for a moment after its run.json. */
static int is_settled(const sl_rank_list *before, const sl_rank_list *now)
{
    return now->count && before->count == now->count &&
           !memcmp(before->row, now->row, now->count * sizeof *now->row);
}

/* Lists the folder; a failure leaves an empty list, and the error that was held. */
static sl_rank_list list_now(const sl_reader *reader)
{
    sl_rank_list list = { 0 };
    sl_err_record held;

    sl_err_save(&held);
    if (sl_rank_list_open(&list, reader->folder) != SL_OK) {
        sl_err_clear();
        (void)sl_err_restore(&held);
    }
    return list;
}

sl_status sl_parts_open(sl_reader *reader)
{
    const struct timespec pause = { .tv_nsec = PAUSE_NS };
    sl_status st = SL_OK;

    for (int i = 0; i < TRIES; i++) {
        sl_rank_list before = list_now(reader), now;
        int settled;

        st = parts_once(reader);
        now = list_now(reader);
        settled = is_settled(&before, &now);
        sl_rank_list_close(&before);
        sl_rank_list_close(&now);
        if (st == SL_OK || settled)
            break;
        sl_parts_close(reader);
        if (i + 1 < TRIES) {
            sl_err_clear();
            (void)nanosleep(&pause, NULL);
        }
    }
    return st;
}

/* The listing is that of the parts: same numbers, same kinds. */
static int is_same(const sl_reader *reader, const sl_rank_list *list)
{
    size_t at = 0;

    for (size_t i = 0; i < list->count; i++) {
        const sl_rank_entry *e = &list->row[i];

        if (!e->has[SL_FILE_SEGMENT] && !e->has[SL_FILE_JOURNAL])
            continue;
        if (at == reader->parts || reader->part[at].number != e->number ||
            (reader->part[at].journal == NULL) != e->has[SL_FILE_SEGMENT])
            return 0;
        at++;
    }
    return at == reader->parts;
}

sl_status sl_parts_follow(sl_reader *reader, int *is_changed, int *is_other)
{
    sl_rank_list list = { 0 };

    *is_changed = 0;
    SL_TRY(sl_rank_list_open(&list, reader->folder));
    *is_other = !is_same(reader, &list);
    sl_rank_list_close(&list);
    for (size_t i = 0; !*is_other && i < reader->parts; i++) {
        sl_part *p = &reader->part[i];
        size_t added = 0;

        if (!p->journal)
            continue;
        if (sl_journal_refresh(p->journal) != SL_OK || read_units(p, &added) != SL_OK) {
            sl_err_clear(); /* sealed since the listing, or damaged: opening it again will say */
            *is_other = 1;
        }
        *is_changed |= added > 0;
    }
    *is_changed |= *is_other;
    return SL_OK;
}
