/* Rows of a table out of the parts of a snapshot: which are live, as structs, and their wide
 * columns. */
#include "run/reader_int.h"

#include "base/alloc.h"
#include "run/segment_read_int.h"

#include <string.h>

sl_status sl_part_prove(const sl_reader *reader, sl_part *part)
{
    sl_segment_info info;
    char path[SL_RUN_PATH];

    if (part->is_proved)
        return SL_OK;
    SL_TRY(sl_rank_path(path, reader->folder, SL_FILE_SEGMENT, part->number));
    SL_TRY(sl_segment_prove(&info, path));
    if (strcmp(info.sha256, part->info.sha256))
        return SL_FAIL(SL_EFORMAT, "%s: want SHA-256 %.16s..., found %.16s...", path,
                       part->info.sha256, info.sha256);
    part->is_proved = 1;
    return SL_OK;
}

/* One segment stays open, so that tables of it, and windows of a wide column, are read by one
 * process. */
typedef struct sl_open_segment {
    uint32_t number;
    sl_segment_info info;
    sl_segment_file file;
    char path[SL_RUN_PATH];
} sl_open_segment;

void sl_open_segment_close(sl_reader *reader)
{
    if (reader->open)
        sl_segment_file_close(&reader->open->file);
    sl_free(reader->open);
    reader->open = NULL;
}

/* After a failure the process that reads may be in the middle of an answer. */
static sl_status end_reading(sl_reader *reader, sl_status st)
{
    st = sl_err_where(st, "%s", reader->open->path);
    if (st != SL_OK)
        sl_open_segment_close(reader);
    return st;
}

/* reader->open = the segment of the part. */
static sl_status open_segment(sl_reader *reader, sl_part *p)
{
    sl_open_segment *o = reader->open;
    sl_status st;

    if (o && o->number == p->number)
        return SL_OK;
    sl_open_segment_close(reader);
    SL_TRY(sl_part_prove(reader, p));
    SL_TRY(sl_take(&o, 1, sizeof *o));
    st = sl_rank_path(o->path, reader->folder, SL_FILE_SEGMENT, p->number);
    if (st != SL_OK) {
        sl_free(o);
        return st;
    }
    o->number = p->number;
    o->info = p->info;
    reader->open = o;
    return end_reading(reader,
                       sl_segment_file_open(&o->file, o->path, &o->info, &reader->identity));
}

/* Rows [first, first + count) of a table of one part, counted from the part's first row. */
typedef struct range {
    uint64_t at;          /* number of the next row that the journal gives */
    uint64_t first, last; /* wanted: first <= row < last */
    sl_rows_visit visit;
    void *with;
} range;

/* sl_rows_visit over all rows of a journal: passes on those in the range. */
static sl_status cut(void *with, sl_table table, const unsigned char *rows, size_t count,
                     size_t row_bytes)
{
    range *r = with;
    const uint64_t from = r->at, to = r->at + count;
    const uint64_t a = from > r->first ? from : r->first, b = to < r->last ? to : r->last;

    r->at = to;
    if (a >= b)
        return SL_OK;
    return r->visit(r->with, table, rows + (size_t)(a - from) * row_bytes, (size_t)(b - a),
                    row_bytes);
}

static sl_status visit_journal(const sl_part *p, sl_table table, range *r)
{
    for (size_t i = 0; i < p->units && r->at < r->last; i++) {
        const uint64_t rows = table == SL_TABLE_UNITS ? 1 : p->unit[i].table_rows[table];

        if (r->at + rows <= r->first)
            r->at += rows;
        else if (rows)
            SL_TRY(sl_unit_rows(p->journal, &p->unit[i], table, cut, r));
    }
    return SL_OK;
}

static sl_status visit_segment(sl_reader *reader, sl_part *p, sl_table table, const range *r)
{
    SL_TRY(open_segment(reader, p));
    return end_reading(reader, sl_segment_file_visit(&reader->open->file, table, r->first,
                                                     r->last - r->first, r->visit, r->with));
}

static sl_status visit_part(sl_reader *reader, sl_part *p, sl_table table, uint64_t first,
                            uint64_t count, sl_rows_visit visit, void *with)
{
    range r = { .first = first, .last = first + count, .visit = visit, .with = with };

    if (!count)
        return SL_OK;
    if (p->journal)
        return sl_err_where(visit_journal(p, table, &r), "%s journal %u", reader->folder,
                            p->number);
    return visit_segment(reader, p, table, &r);
}

/* Visitor that counts rows up to a step. */
typedef struct live_count {
    int64_t until;
    uint64_t live;
} live_count;

static sl_status count_rows(void *with, sl_table table, const unsigned char *rows, size_t count,
                            size_t row_bytes)
{
    live_count *c = with;

    (void)table;
    c->live += sl_attempts_live_prefix(rows, count, row_bytes, c->until);
    return SL_OK;
}

static sl_status count_part(uint64_t *live, sl_reader *reader, sl_part *p, sl_table table)
{
    live_count c = { .until = reader->is_all
                                  ? INT64_MAX
                                  : sl_attempts_live_until(&reader->attempts, p->attempt) };

    *live = p->rows[table];
    if (c.until == INT64_MAX || !*live)
        return SL_OK;
    if (p->journal) {
        SL_TRY(visit_part(reader, p, table, 0, p->rows[table], count_rows, &c));
        *live = c.live;
        return SL_OK;
    }
    SL_TRY(open_segment(reader, p));
    return end_reading(reader, sl_segment_file_live(live, &reader->open->file, table, c.until));
}

sl_status sl_view_count(sl_reader *reader, sl_table table)
{
    sl_table_view *v = &reader->view[table];
    sl_status st = SL_OK;

    if (v->live)
        return SL_OK;
    SL_TRY(sl_take(&v->live, reader->parts + 1, sizeof *v->live));
    for (size_t i = 0; st == SL_OK && i < reader->parts; i++) {
        st = count_part(&v->live[i], reader, &reader->part[i], table);
        v->count += (size_t)v->live[i];
    }
    if (st != SL_OK)
        sl_reader_release(reader, table);
    return st;
}

/* Visitor that unpacks rows into an array of structs. */
typedef struct unpacker {
    char *to;
    size_t row_size;
    int64_t step; /* of the row before */
    int is_all;
    int is_checked; /* rows of a segment were checked when they were read */
} unpacker;

static sl_status unpack_rows(void *with, sl_table table, const unsigned char *rows, size_t count,
                             size_t row_bytes)
{
    unpacker *u = with;

    for (size_t i = 0; i < count; i++) {
        const unsigned char *packed = rows + i * row_bytes;

        if (!u->is_checked)
            SL_TRY(sl_err_where(sl_row_check(table, packed), "/%s", sl_table_get(table)->name));
        if (!u->is_all && sl_row_step(packed) < u->step)
            return SL_FAIL(SL_EFORMAT, "/%s: want steps that ascend from %lld, found %lld",
                           sl_table_get(table)->name, (long long)u->step,
                           (long long)sl_row_step(packed));
        u->step = sl_row_step(packed);
        sl_row_unpack(u->to, table, packed);
        u->to += u->row_size;
    }
    return SL_OK;
}

static sl_status load(sl_reader *reader, sl_table table)
{
    sl_table_view *v = &reader->view[table];
    unpacker u = { .row_size = sl_table_get(table)->row_size, .is_all = reader->is_all };

    SL_TRY(sl_take(&v->rows, v->count, u.row_size));
    u.to = v->rows;
    for (size_t i = 0; i < reader->parts; i++) {
        u.is_checked = !reader->part[i].journal;
        SL_TRY(visit_part(reader, &reader->part[i], table, 0, v->live[i], unpack_rows, &u));
    }
    return SL_OK;
}

sl_status sl_reader_rows(sl_reader *reader, sl_table table, void *rows, size_t *count)
{
    sl_table_view *v = &reader->view[table];
    sl_status st = SL_OK;
    void *none = NULL;

    *count = 0;
    memcpy(rows, &none, sizeof none);
    SL_TRY(sl_view_count(reader, table));
    if (!v->count)
        return SL_OK;
    if (!v->rows)
        st = load(reader, table);
    if (st != SL_OK) {
        sl_reader_release(reader, table);
        return st;
    }
    memcpy(rows, &v->rows, sizeof v->rows);
    *count = v->count;
    return SL_OK;
}

sl_status sl_reader_count(sl_reader *reader, sl_table table, size_t *count)
{
    *count = 0;
    SL_TRY(sl_view_count(reader, table));
    *count = reader->view[table].count;
    return SL_OK;
}

void sl_reader_release(sl_reader *reader, sl_table table)
{
    sl_table_view *v = &reader->view[table];

    sl_free(v->live);
    sl_free(v->rows);
    *v = (sl_table_view){ 0 };
}

/* Visitor that takes one wide column out of packed rows. */
typedef struct wide_copy {
    const sl_column *column;
    size_t offset, width; /* of the column in a packed row, bytes; elements */
    char *to;             /* 4 bytes an element */
} wide_copy;

static sl_status copy_wide(void *with, sl_table table, const unsigned char *rows, size_t count,
                           size_t row_bytes)
{
    wide_copy *w = with;

    (void)table;
    for (size_t i = 0; i < count; i++, w->to += w->width * 4) {
        const unsigned char *from = rows + i * row_bytes + w->offset;

        if (w->column->type != SL_TYPE_F16) {
            memcpy(w->to, from, w->width * 4);
            continue;
        }
        for (size_t k = 0; k < w->width; k++) {
            uint16_t half;
            float value;

            memcpy(&half, from + k * sizeof half, sizeof half);
            value = sl_f16_to_f32(half);
            memcpy(w->to + k * sizeof value, &value, sizeof value);
        }
    }
    return SL_OK;
}

sl_status sl_reader_wide(sl_reader *reader, sl_table table, size_t wide, size_t first, size_t count,
                         void *buffer)
{
    const sl_layout *layout = &reader->identity.layout;
    const size_t wide_count = sl_table_wide_count(table);
    size_t columns, begin = 0;
    const sl_column *c = sl_table_columns(table, &columns);
    wide_copy w = { .to = buffer };

    SL_TRY(sl_view_count(reader, table));
    if (wide >= wide_count || first > reader->view[table].count ||
        count > reader->view[table].count - first)
        return SL_FAIL(SL_EARG,
                       "/%s: want wide column below %zu and rows below %zu, found %zu and "
                       "%zu + %zu",
                       sl_table_get(table)->name, wide_count, reader->view[table].count, wide,
                       first, count);
    w.column = &c[columns - wide_count + wide];
    w.width = layout->width[w.column->width];
    w.offset = sl_wide_offset(table, wide, layout);
    for (size_t i = 0; i < reader->parts && count; i++) {
        const size_t live = (size_t)reader->view[table].live[i];
        const size_t from = first > begin ? first - begin : 0;
        const size_t n = from >= live ? 0 : live - from < count ? live - from : count;

        SL_TRY(visit_part(reader, &reader->part[i], table, from, n, copy_wide, &w));
        begin += live;
        first += n;
        count -= n;
    }
    return SL_OK;
}
