/* Rows out of a proved segment. */
#include "run/segment_read_int.h"

#include "base/alloc.h"
#include "base/hash.h"

#include <string.h>

#define PIECE_BYTES ((size_t)256 << 10) /* a check holds a piece of every table */

/* Buffers of a reader whose sets are known. */
static sl_status take_buffers(sl_table_reader *r)
{
    size_t largest = 0;

    for (size_t i = 0; i < r->set_count; i++)
        largest = r->set[i].item_bytes > largest ? r->set[i].item_bytes : largest;
    r->packed_bytes = sl_table_packed_bytes(r->table, &r->segment->identity->layout);
    r->piece_rows = PIECE_BYTES / r->packed_bytes;
    r->piece_rows = r->piece_rows ? r->piece_rows : 1;
    if (r->piece_rows > r->end - r->at)
        r->piece_rows = (size_t)(r->end - r->at);
    SL_TRY(sl_take(&r->packed, r->piece_rows, r->packed_bytes));
    return sl_take(&r->raw, r->piece_rows, largest);
}

static sl_status check_range(sl_table_reader *r)
{
    const uint64_t rows = r->segment->info->rows[r->table];

    if (r->at > rows || r->end > rows)
        return SL_FAIL(SL_EARG, "/%s: want rows up to %llu, found %llu asked for",
                       sl_table_get(r->table)->name, (unsigned long long)rows,
                       (unsigned long long)r->end);
    if (r->at == r->end)
        return SL_OK;
    return take_buffers(r);
}

sl_status sl_table_reader_open(sl_table_reader *out, sl_segment_file *segment, sl_table table,
                               uint64_t first, uint64_t count)
{
    sl_status st;

    *out =
        (sl_table_reader){ .segment = segment, .table = table, .at = first, .end = first + count };
    out->set_count = sl_h5_sets(out->set, table, &segment->identity->layout);
    sl_row_checker_open(&out->checker, table, segment->info, &segment->identity->layout);
    st = check_range(out);
    if (st != SL_OK)
        sl_table_reader_close(out);
    return st;
}

void sl_table_reader_close(sl_table_reader *reader)
{
    sl_free(reader->packed);
    sl_free(reader->raw);
    reader->packed = reader->raw = NULL;
}

/* The next piece, its parts put together into packed rows, checked. */
static sl_status fill(sl_table_reader *r)
{
    const size_t left = (size_t)(r->end - r->at);
    const size_t n = left < r->piece_rows ? left : r->piece_rows;
    size_t offset = 0;

    for (size_t i = 0; i < r->set_count; i++) {
        const size_t bytes = r->set[i].item_bytes;

        SL_TRY(sl_segment_file_read(r->raw, r->segment, r->table, i, r->at, n));
        for (size_t row = 0; row < n; row++)
            memcpy(r->packed + row * r->packed_bytes + offset, r->raw + row * bytes, bytes);
        offset += bytes;
    }
    for (size_t row = 0; row < n; row++)
        SL_TRY(sl_err_where(sl_row_checker_row(&r->checker, r->packed + row * r->packed_bytes),
                            "/%s row %llu", sl_table_get(r->table)->name,
                            (unsigned long long)(r->at + row)));
    r->at += n;
    r->have = n;
    r->used = 0;
    return SL_OK;
}

sl_status sl_table_reader_next(sl_table_reader *reader, const unsigned char **rows, size_t *count,
                               size_t want)
{
    size_t n;

    *count = 0;
    if (reader->used == reader->have && reader->at < reader->end)
        SL_TRY(fill(reader));
    n = reader->have - reader->used;
    n = n < want ? n : want;
    if (!n)
        return SL_OK;
    *rows = reader->packed + reader->used * reader->packed_bytes;
    reader->used += n;
    *count = n;
    return SL_OK;
}

/* All tables of a file at once, so that a unit's rows can be taken from each. */
typedef struct unit_reader {
    sl_table_reader table[SL_TABLE_COUNT];
    uint32_t units_crc;
} unit_reader;

/* Adds the next `rows` rows of a table to *crc. */
static sl_status add_to_crc(uint32_t *crc, sl_table_reader *r, uint32_t rows)
{
    while (rows) {
        const unsigned char *piece = NULL;
        size_t n = 0;

        SL_TRY(sl_table_reader_next(r, &piece, &n, rows));
        if (!n)
            return SL_FAIL(SL_EFORMAT, "/%s: want %u more rows of a unit, found none",
                           sl_table_get(r->table)->name, rows);
        *crc = sl_crc32c(*crc, piece, n * r->packed_bytes);
        rows -= (uint32_t)n;
    }
    return SL_OK;
}

/* One unit: its rows in every table, in schema order, give its CRC; of another minor version they
 * are packed otherwise, and the sum of the file stands for them. */
static sl_status check_unit(unit_reader *u, const unsigned char *packed, int is_same_schema)
{
    sl_row_units unit;
    const unsigned char *counts = packed + sl_table_fixed_bytes(SL_TABLE_UNITS);
    uint32_t crc = 0;
    uint64_t sum = 0;

    sl_row_unpack(&unit, SL_TABLE_UNITS, packed);
    for (int t = 0; t < SL_TABLE_UNITS; t++) {
        uint32_t rows;

        memcpy(&rows, counts + (size_t)t * sizeof rows, sizeof rows);
        SL_TRY(add_to_crc(&crc, &u->table[t], rows));
        sum += rows;
    }
    if (sum != unit.rows)
        return SL_FAIL(SL_EFORMAT, "want a unit of %u rows, found %llu", unit.rows,
                       (unsigned long long)sum);
    if (is_same_schema && crc != unit.crc32c)
        return SL_FAIL(SL_EFORMAT, "want a unit with CRC32C %08x, found %08x", unit.crc32c, crc);
    return SL_OK;
}

static sl_status check_units(unit_reader *u, const sl_segment_info *info)
{
    sl_table_reader *units = &u->table[SL_TABLE_UNITS];
    const unsigned char *packed = NULL;
    size_t n = 0;

    for (uint64_t row = 0;; row++) {
        SL_TRY(sl_table_reader_next(units, &packed, &n, 1));
        if (!n)
            break;
        u->units_crc = sl_crc32c(u->units_crc, packed, units->packed_bytes);
        SL_TRY(sl_err_where(check_unit(u, packed, info->minor == SL_SCHEMA_MINOR),
                            "/units row %llu", (unsigned long long)row));
    }
    for (int t = 0; t < SL_TABLE_UNITS; t++) {
        const sl_table_reader *r = &u->table[t];

        if (r->at != r->end || r->used != r->have)
            return SL_FAIL(SL_EFORMAT, "/%s row %llu: want every row in a unit, found none",
                           sl_table_get(r->table)->name,
                           (unsigned long long)(r->at - (r->have - r->used)));
    }
    return SL_OK;
}

sl_status sl_segment_check_units(uint32_t *crc, const char *path, const sl_segment_info *info,
                                 const sl_run_identity *identity)
{
    sl_status st = SL_OK;
    sl_segment_file file;
    unit_reader *u = NULL;
    int opened = 0;

    SL_TRY(sl_take(&u, 1, sizeof *u));
    SL_TRY_OUT(sl_segment_file_open(&file, path, info, identity));
    for (; opened < SL_TABLE_COUNT; opened++)
        SL_TRY_OUT(sl_table_reader_open(&u->table[opened], &file, (sl_table)opened, 0,
                                        info->rows[opened]));
    SL_TRY_OUT(check_units(u, info));
    *crc = u->units_crc;
out:
    while (opened)
        sl_table_reader_close(&u->table[--opened]);
    sl_segment_file_close(&file);
    sl_free(u);
    return sl_err_where(st, "%s", path);
}

/* The file proves itself and belongs to this run. */
static sl_status prove(sl_segment_info *info, const char *path, const sl_run_identity *identity)
{
    SL_TRY(sl_segment_prove(info, path));
    if (strcmp(info->uuid_text, identity->uuid_text))
        return sl_err_where(SL_FAIL(SL_EFORMAT, "want a segment of run %s, found one of %s",
                                    identity->uuid_text, info->uuid_text),
                            "%s", path);
    return SL_OK;
}

static sl_status visit_rows(sl_segment_file *file, sl_table table, uint64_t first, uint64_t count,
                            sl_rows_visit visit, void *with)
{
    sl_status st = SL_OK;
    sl_table_reader r;

    SL_TRY(sl_table_reader_open(&r, file, table, first, count));
    for (;;) {
        const unsigned char *rows = NULL;
        size_t n = 0;

        SL_TRY_OUT(sl_table_reader_next(&r, &rows, &n, SIZE_MAX));
        if (!n)
            break;
        SL_TRY_OUT(visit(with, table, rows, n, r.packed_bytes));
    }
out:
    sl_table_reader_close(&r);
    return st;
}

sl_status sl_segment_file_visit(sl_segment_file *file, sl_table table, uint64_t first,
                                uint64_t count, sl_rows_visit visit, void *with)
{
    sl_status st;

    if (!file->info->rows[table] || !count)
        return SL_OK;
    sl_h5_begin();
    st = visit_rows(file, table, first, count, visit, with);
    sl_h5_end();
    return st;
}

sl_status sl_segment_visit(const char *path, const sl_segment_info *info,
                           const sl_run_identity *identity, sl_table table, uint64_t first,
                           uint64_t count, sl_rows_visit visit, void *with)
{
    sl_segment_file file;
    sl_status st;

    if (!info->rows[table] || !count)
        return SL_OK;
    st = sl_segment_file_open(&file, path, info, identity);
    if (st == SL_OK)
        st = sl_segment_file_visit(&file, table, first, count, visit, with);
    sl_segment_file_close(&file);
    return sl_err_where(st, "%s", path);
}

sl_status sl_segment_rows(const char *path, const sl_run_identity *identity, sl_table table,
                          uint64_t first, uint64_t count, sl_rows_visit visit, void *with)
{
    sl_segment_info info;

    SL_TRY(prove(&info, path, identity));
    return sl_segment_visit(path, &info, identity, table, first, count, visit, with);
}

/* Visitor of one row. */
static sl_status keep_step(void *with, sl_table table, const unsigned char *rows, size_t count,
                           size_t row_bytes)
{
    (void)table;
    (void)row_bytes;
    if (count)
        *(int64_t *)with = sl_row_step(rows);
    return SL_OK;
}

sl_status sl_segment_file_live(uint64_t *live, sl_segment_file *file, sl_table table, int64_t until)
{
    uint64_t low = 0, high = file->info->rows[table];

    if (until >= file->info->last_step)
        low = high;
    while (low < high) {
        const uint64_t middle = low + (high - low) / 2;
        int64_t step = -1;

        SL_TRY(sl_segment_file_visit(file, table, middle, 1, keep_step, &step));
        if (step <= until)
            low = middle + 1;
        else
            high = middle;
    }
    *live = low;
    return SL_OK;
}

sl_status sl_segment_live(uint64_t *live, const char *path, const sl_segment_info *info,
                          const sl_run_identity *identity, sl_table table, int64_t until)
{
    sl_segment_file file;
    sl_status st;

    *live = info->rows[table];
    if (until >= info->last_step || !*live)
        return SL_OK;
    st = sl_segment_file_open(&file, path, info, identity);
    if (st == SL_OK)
        st = sl_segment_file_live(live, &file, table, until);
    sl_segment_file_close(&file);
    return sl_err_where(st, "%s", path);
}

sl_status sl_segment_check(const char *path, const sl_run_identity *identity)
{
    sl_segment_info info;
    uint32_t crc = 0;
    sl_status st;

    SL_TRY(prove(&info, path, identity));
    sl_h5_begin();
    st = sl_segment_check_units(&crc, path, &info, identity);
    sl_h5_end();
    return st;
}
