/* The parser: whole units only. Reading goes forward from `at`, the end of what is known to be
 * whole; a unit is scanned, checked, and only then given. What stops it is kept for the tail. */
#include "run/journal.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"
#include "run/files.h"

#include <string.h>

struct sl_journal {
    sl_map map, text_map; /* empty over memory */
    const unsigned char *data, *text;
    size_t bytes, text_bytes;
    uint32_t seed;
    sl_layout layout;
    char path[SL_RUN_PATH], text_path[SL_RUN_PATH]; /* "" over memory */
    sl_start start;
    int may_restart; /* decisions.log: a START may stand between units */

    size_t start_end;   /* end of START */
    uint64_t start_seq; /* seq of START */
    size_t at;          /* end of the last whole unit, PAD or START */
    uint64_t last_seq;  /* of the last frame before `at` */
    int64_t last_step;
    uint64_t so_far[SL_TABLE_UNITS], text_so_far;
    int64_t table_step[SL_TABLE_UNITS]; /* step of the last row of each table */
    int is_ended;
    sl_ended ended;
    size_t bad_offset; /* where reading stopped */
    uint64_t bad_seq;
    const char *reason; /* NULL: nothing bad, the bytes end here */
};

/* What a scan of one unit has seen so far. */
typedef struct scan {
    size_t offset;
    uint64_t seq;
    sl_frame frame;
    uint32_t table_rows[SL_TABLE_UNITS];
    int64_t table_step[SL_TABLE_UNITS];
    uint64_t rows;
    uint32_t crc;
    int table; /* of the last ROWS frame; tables stand in schema order */
} scan;

static const char *check_rows(const sl_journal *j, scan *s)
{
    const sl_frame *f = &s->frame;
    size_t row_bytes;

    if (f->table >= SL_TABLE_UNITS || (int)f->table < s->table)
        return "want rows of a known table in schema order";
    row_bytes = sl_table_packed_bytes((sl_table)f->table, &j->layout);
    if (!f->rows || (uint64_t)f->rows * row_bytes != f->payload_bytes)
        return "want as many bytes as the rows need";
    for (uint32_t i = 0; i < f->rows; i++) {
        const int64_t step = sl_row_step(f->payload + i * row_bytes);

        if (step < 0 || step < s->table_step[f->table] || step > f->step)
            return "want steps that ascend up to the unit's";
        s->table_step[f->table] = step;
    }
    s->table = f->table;
    s->table_rows[f->table] += f->rows;
    s->rows += f->rows;
    s->crc = sl_crc32c(s->crc, f->payload, f->payload_bytes);
    return NULL;
}

static const char *check_commit(const sl_journal *j, const scan *s, sl_commit *commit)
{
    if (!sl_commit_decode(commit, &s->frame))
        return "want a COMMIT, found another payload";
    if (commit->rows != s->rows || commit->crc32c != s->crc)
        return "want the rows that COMMIT counted";
    if (commit->step < j->last_step)
        return "want steps that ascend";
    for (int t = 0; t < SL_TABLE_UNITS; t++)
        if (commit->so_far[t] != j->so_far[t] + s->table_rows[t])
            return "want the rows that COMMIT counted";
    if (commit->text_bytes < j->text_so_far || commit->text_bytes > j->text_bytes)
        return "want the unit's text, found less";
    if (commit->text_bytes > j->text_so_far &&
        sl_crc32c(j->seed, j->text + j->text_so_far, commit->text_bytes - j->text_so_far) !=
            commit->text_crc32c)
        return "want the unit's text, found other bytes";
    return NULL;
}

static void stop(sl_journal *j, size_t offset, uint64_t seq, const char *reason)
{
    j->bad_offset = offset;
    j->bad_seq = seq;
    j->reason = reason;
}

static void accept_unit(sl_journal *j, const scan *s, const sl_commit *commit, sl_unit *unit)
{
    unit->commit = *commit;
    memcpy(unit->table_rows, s->table_rows, sizeof s->table_rows);
    unit->first = j->at;
    unit->end = s->offset + sl_frame_bytes(s->frame.payload_bytes);
    unit->text_first = j->text_so_far;
    memcpy(j->so_far, commit->so_far, sizeof j->so_far);
    memcpy(j->table_step, s->table_step, sizeof j->table_step);
    j->text_so_far = commit->text_bytes;
    j->last_step = commit->step;
}

/* The frame ends something whole: a unit, or it stands between units. */
static void pass(sl_journal *j, const scan *s)
{
    j->at = s->offset + sl_frame_bytes(s->frame.payload_bytes);
    j->last_seq = s->seq;
}

static const char *read_end(sl_journal *j, const scan *s)
{
    uint32_t ended;

    if (s->frame.payload_bytes != sizeof ended)
        return "want END with one word";
    memcpy(&ended, s->frame.payload, sizeof ended);
    if (ended >= SL_ENDED_COUNT)
        return "want END with a known word";
    j->is_ended = 1;
    j->ended = (sl_ended)ended;
    return NULL;
}

/* A frame that is not part of a unit: PAD, END, or START where it may stand. */
static const char *between_units(sl_journal *j, const scan *s)
{
    const char *wrong = NULL;

    if (s->rows)
        return "want the unit's COMMIT";
    if (s->frame.type == SL_FRAME_END)
        wrong = read_end(j, s);
    else if (s->frame.type == SL_FRAME_START && !j->may_restart)
        wrong = "want one START";
    else if (s->frame.type != SL_FRAME_PAD && s->frame.type != SL_FRAME_START)
        wrong = "want a known type of frame";
    if (!wrong)
        pass(j, s);
    return wrong;
}

/* Reads one frame; *found = 1 when it ended a unit. The reason why it is bad, or NULL. */
static const char *scan_frame(sl_journal *j, scan *s, sl_unit *unit, int *found)
{
    const char *wrong;
    sl_commit commit;

    if (!sl_frame_decode(&s->frame, j->data, j->bytes, s->offset, j->seed))
        return "want a whole frame with its checksums";
    if (s->frame.seq != s->seq)
        return "want the next frame in sequence";
    if (s->frame.type == SL_FRAME_ROWS)
        return check_rows(j, s);
    if (s->frame.type != SL_FRAME_COMMIT)
        return between_units(j, s);
    wrong = check_commit(j, s, &commit);
    if (wrong)
        return wrong;
    accept_unit(j, s, &commit, unit);
    pass(j, s);
    *found = 1;
    return NULL;
}

sl_status sl_journal_next(sl_journal *journal, sl_unit *unit, int *found)
{
    sl_journal *j = journal;
    scan s = { .offset = j->at, .seq = j->last_seq + 1 };

    *found = 0;
    j->reason = NULL;
    memcpy(s.table_step, j->table_step, sizeof s.table_step);
    while (!*found && !j->is_ended && s.offset < j->bytes) {
        const char *wrong = scan_frame(j, &s, unit, found);

        if (wrong) {
            stop(j, s.offset, s.seq, wrong);
            return SL_OK;
        }
        s.offset += sl_frame_bytes(s.frame.payload_bytes);
        s.seq++;
    }
    if (!*found)
        stop(j, s.offset, s.seq, NULL);
    return SL_OK;
}

void sl_journal_tail(const sl_journal *journal, sl_tail *out)
{
    const sl_journal *j = journal;

    *out = (sl_tail){ .kind = SL_TAIL_OPEN,
                      .ended = j->is_ended ? j->ended : SL_ENDED_KILLED,
                      .whole_bytes = j->at,
                      .bad_offset = j->bad_offset,
                      .last_seq = j->last_seq,
                      .last_step = j->last_step,
                      .reason = j->reason ? j->reason : "" };
    if (j->is_ended)
        out->kind = SL_TAIL_END;
    else if (j->reason)
        out->kind = sl_frame_was_synced(j->data, j->bytes, j->bad_offset + SL_FRAME_ALIGN,
                                        j->bad_seq, j->seed)
                        ? SL_TAIL_CORRUPT
                        : SL_TAIL_TORN;
}

void sl_journal_rewind(sl_journal *journal)
{
    sl_journal *j = journal;

    j->at = j->start_end;
    j->last_seq = j->start_seq;
    j->last_step = j->start.resumed_from;
    memset(j->so_far, 0, sizeof j->so_far);
    memset(j->table_step, 0, sizeof j->table_step);
    j->text_so_far = 0;
    j->is_ended = 0;
    j->ended = SL_ENDED_KILLED;
    j->reason = NULL;
    j->bad_offset = j->at;
}

static sl_status read_start(sl_journal *j)
{
    sl_frame f;

    if (!sl_frame_decode(&f, j->data, j->bytes, 0, j->seed))
        return SL_FAIL(SL_EFORMAT, "want a whole START frame, found none");
    SL_TRY(sl_start_decode(&j->start, &f));
    if (f.seq != j->start.last_seq + 1)
        return SL_FAIL(SL_EFORMAT, "want START to follow seq %llu, found seq %llu",
                       (unsigned long long)j->start.last_seq, (unsigned long long)f.seq);
    j->start_seq = f.seq;
    j->start_end = sl_frame_bytes(f.payload_bytes);
    j->may_restart = j->start.number == SL_DECISIONS_NUMBER;
    sl_journal_rewind(j);
    return SL_OK;
}

/* Texts are mapped first: a unit that is seen later than its text is whole. */
static sl_status map_files(sl_journal *j)
{
    sl_map_close(&j->map);
    sl_map_close(&j->text_map);
    j->data = j->text = (const unsigned char *)"";
    j->bytes = j->text_bytes = 0;
    SL_TRY(sl_map_open(&j->map, j->path));
    if (sl_file_exists(j->text_path))
        SL_TRY(sl_map_open(&j->text_map, j->text_path));
    j->data = j->map.data;
    j->bytes = j->map.bytes;
    if (j->text_map.data)
        j->text = j->text_map.data;
    j->text_bytes = j->text_map.bytes;
    return SL_OK;
}

static sl_status open_files(sl_journal *j, const char *rank_folder, uint32_t number, uint32_t rank,
                            const sl_run_identity *identity)
{
    SL_TRY(sl_rank_path(j->path, rank_folder, SL_FILE_JOURNAL, number));
    SL_TRY(sl_rank_path(j->text_path, rank_folder, SL_FILE_TEXTS, number));
    SL_TRY(map_files(j));
    SL_TRY(sl_err_where(read_start(j), "%s", j->path));
    if (j->start.rank != rank || j->start.number != number)
        return sl_err_where(SL_FAIL(SL_EFORMAT, "want rank %u journal %u, found %u and %u", rank,
                                    number, j->start.rank, j->start.number),
                            "%s", j->path);
    if (j->start.run_sha256[0] && strcmp(j->start.run_sha256, identity->sha256))
        return sl_err_where(SL_FAIL(SL_EFORMAT,
                                    "want run.json with SHA-256 %.16s..., found %.16s...",
                                    j->start.run_sha256, identity->sha256),
                            "%s", j->path);
    return SL_OK;
}

sl_status sl_journal_open(sl_journal **out, const char *rank_folder, uint32_t number, uint32_t rank,
                          const sl_run_identity *identity)
{
    sl_status st;

    SL_TRY(sl_take(out, 1, sizeof **out));
    (*out)->seed = sl_journal_seed(identity->uuid, rank, number);
    (*out)->layout = identity->layout;
    st = open_files(*out, rank_folder, number, rank, identity);
    if (st != SL_OK)
        sl_journal_close(out);
    return st;
}

static int is_unborn(const char *path, uint32_t seed)
{
    sl_frame frame = { .type = SL_FRAME_PAD };
    sl_map map;

    if (sl_map_open(&map, path) != SL_OK)
        return 0;
    for (size_t at = 0; frame.type == SL_FRAME_PAD && at + SL_FRAME_HEADER <= map.bytes;
         at += SL_FRAME_ALIGN)
        (void)sl_frame_decode(&frame, map.data, map.bytes, at, seed);
    sl_map_close(&map);
    return frame.type == SL_FRAME_PAD;
}

sl_status sl_journal_open_newest(sl_journal **out, const char *rank_folder, uint32_t number,
                                 uint32_t rank, const sl_run_identity *identity)
{
    const sl_status st = sl_journal_open(out, rank_folder, number, rank, identity);
    char path[SL_RUN_PATH];

    if (st != SL_EFORMAT || sl_rank_path(path, rank_folder, SL_FILE_JOURNAL, number) != SL_OK ||
        !is_unborn(path, sl_journal_seed(identity->uuid, rank, number)))
        return st;
    sl_err_clear();
    return SL_OK;
}

sl_status sl_journal_open_memory(sl_journal **out, const unsigned char *data, size_t bytes,
                                 const unsigned char *text, size_t text_bytes, uint32_t seed,
                                 const sl_layout *layout)
{
    sl_status st;

    SL_TRY(sl_take(out, 1, sizeof **out));
    **out = (sl_journal){ .data = data,
                          .bytes = bytes,
                          .text = text ? text : (const unsigned char *)"",
                          .text_bytes = text_bytes,
                          .seed = seed,
                          .layout = *layout };
    st = read_start(*out);
    if (st != SL_OK)
        sl_journal_close(out);
    return st;
}

sl_status sl_journal_refresh(sl_journal *journal)
{
    return journal->path[0] ? map_files(journal) : SL_OK;
}

void sl_journal_close(sl_journal **journal)
{
    if (!*journal)
        return;
    sl_map_close(&(*journal)->map);
    sl_map_close(&(*journal)->text_map);
    sl_start_close(&(*journal)->start);
    sl_free(*journal);
    *journal = NULL;
}

const sl_start *sl_journal_start(const sl_journal *journal)
{
    return &journal->start;
}

void sl_unit_row_pack(unsigned char *packed, const sl_unit *unit)
{
    const sl_row_units row = { .step = unit->commit.step,
                               .seq = unit->commit.seq,
                               .rows = unit->commit.rows,
                               .crc32c = unit->commit.crc32c,
                               .kind = (uint8_t)unit->commit.kind };
    const void *const wide[] = { unit->table_rows };
    const sl_layout layout = sl_layout_defaults();

    sl_row_pack(packed, SL_TABLE_UNITS, &row, wide, &layout);
}

sl_status sl_unit_rows(const sl_journal *journal, const sl_unit *unit, sl_table table,
                       sl_rows_visit visit, void *with)
{
    const size_t row_bytes = sl_table_packed_bytes(table, &journal->layout);
    sl_frame f;

    if (table == SL_TABLE_UNITS) {
        unsigned char packed[256];

        SL_CHECK(row_bytes <= sizeof packed);
        sl_unit_row_pack(packed, unit);
        return visit(with, table, packed, 1, row_bytes);
    }
    if (!unit->table_rows[table])
        return SL_OK;
    for (size_t at = unit->first; at < unit->end; at += sl_frame_bytes(f.payload_bytes)) {
        if (!sl_frame_peek(&f, journal->data, unit->end, at))
            return SL_FAIL(SL_EIO, "want the frame at byte %zu as it was, found other bytes", at);
        if (f.type == SL_FRAME_ROWS && f.table == table)
            SL_TRY(visit(with, table, f.payload, f.rows, row_bytes));
    }
    return SL_OK;
}

const char *sl_unit_text(const sl_journal *journal, const sl_unit *unit, size_t *bytes)
{
    *bytes = unit->commit.text_bytes - unit->text_first;
    return (const char *)journal->text + unit->text_first;
}
