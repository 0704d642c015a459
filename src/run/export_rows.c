/* Tables as text. */
#include "run/export.h"

#include "base/alloc.h"
#include "base/file.h"
#include "run/export_int.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { WIDE_MOST = 4 };
#define BLOCK_BYTES ((size_t)4 << 20) /* of a wide column at a time */

/* --- rows with their wide columns ------------------------------------------------------------- */

/* A part of the rows with their wide columns; elements have four bytes. */
typedef struct block {
    char *wide[WIDE_MOST];
    size_t width[WIDE_MOST], columns, rows;
} block;

static sl_status block_open(block *b, sl_table table, const sl_layout *layout)
{
    size_t count, widest = 1;
    const sl_column *c = sl_table_columns(table, &count);

    b->columns = sl_table_wide_count(table);
    for (size_t i = 0; i < b->columns; i++) {
        b->width[i] = layout->width[c[count - b->columns + i].width];
        widest = b->width[i] > widest ? b->width[i] : widest;
    }
    b->rows = BLOCK_BYTES / 4 / widest;
    b->rows = b->rows ? b->rows : 1;
    for (size_t i = 0; i < b->columns; i++)
        if (b->width[i])
            SL_TRY(sl_take(&b->wide[i], b->rows * b->width[i], 4));
    return SL_OK;
}

static void block_close(block *b)
{
    for (size_t i = 0; i < b->columns; i++)
        sl_free(b->wide[i]);
}

static sl_status visit_block(block *b, sl_reader *reader, sl_table table, const char *rows,
                             size_t first, size_t count, sl_export_visit visit, void *with)
{
    const size_t row_size = sl_table_get(table)->row_size;
    const void *at[WIDE_MOST] = { NULL };

    for (size_t i = 0; i < b->columns; i++)
        if (b->width[i])
            SL_TRY(sl_reader_wide(reader, table, i, first, count, b->wide[i]));
    for (size_t r = 0; r < count; r++) {
        for (size_t i = 0; i < b->columns; i++)
            at[i] = b->wide[i] ? b->wide[i] + r * b->width[i] * 4 : NULL;
        SL_TRY(visit(with, rows + (first + r) * row_size, at));
    }
    return SL_OK;
}

sl_status sl_export_each(sl_reader *reader, sl_table table, sl_export_visit visit, void *with)
{
    block b = { .columns = 0 };
    const char *rows;
    size_t count;
    sl_status st = SL_OK;

    SL_CHECK(sl_table_wide_count(table) <= WIDE_MOST);
    SL_TRY_OUT(sl_reader_rows(reader, table, &rows, &count));
    SL_TRY_OUT(block_open(&b, table, sl_reader_layout(reader)));
    for (size_t first = 0; first < count; first += b.rows) {
        const size_t n = count - first < b.rows ? count - first : b.rows;

        SL_TRY_OUT(visit_block(&b, reader, table, rows, first, n, visit, with));
    }
out:
    block_close(&b);
    sl_reader_release(reader, table);
    return st;
}

/* --- text ------------------------------------------------------------------------------------- */

typedef struct writer {
    FILE *to;
    sl_table table;
    sl_export_form form;
    const sl_layout *layout;
} writer;

static int is_text(const sl_column *c)
{
    return c->type == SL_TYPE_S64 || c->type == SL_TYPE_E8 ||
           (c->type == SL_TYPE_U64 && !strcmp(c->unit, "id"));
}

/* A number of JSON: undefined is null, infinities, which JSON has not, are texts. */
static void put_number(FILE *to, const char *cell)
{
    if (!*cell)
        fputs("null", to);
    else if (strstr(cell, "inf"))
        sl_json_text_put(to, cell);
    else
        fputs(cell, to);
}

static void put_json_cell(FILE *to, const sl_column *c, const void *row)
{
    char cell[SL_CELL_BYTES];

    if (c->type == SL_TYPE_S64) { /* as it stands: the text of a cell may be quoted */
        sl_json_text_put(to, (const char *)row + c->offset);
        return;
    }
    sl_cell_text(cell, c, row, ',');
    if (is_text(c))
        sl_json_text_put(to, cell);
    else
        put_number(to, cell);
}

static void put_element(const writer *w, const sl_column *c, const void *wide, size_t i)
{
    char cell[SL_CELL_BYTES];

    if (c->type == SL_TYPE_U32) {
        fprintf(w->to, "%" PRIu32, ((const uint32_t *)wide)[i]);
        return;
    }
    sl_real_text(cell, (double)((const float *)wide)[i], 1);
    if (w->form == SL_EXPORT_JSONL)
        put_number(w->to, cell);
    else
        fputs(*cell ? cell : "nan", w->to);
}

static void put_wide(const writer *w, const sl_column *c, const void *wide)
{
    const size_t width = w->layout->width[c->width];
    const int is_json = w->form == SL_EXPORT_JSONL;

    fputs(is_json ? "[" : "", w->to);
    for (size_t i = 0; i < width; i++) {
        fputs(!i ? "" : is_json ? "," : " ", w->to);
        put_element(w, c, wide, i);
    }
    fputs(is_json ? "]" : "", w->to);
}

/* A wide column has the name of its dataset, which no other column of the table has. */
static void put_name(const writer *w, const sl_column *c)
{
    const int is_wide = c->width != SL_WIDTH_ONE;

    fprintf(w->to, "%s%s%s", is_wide ? sl_table_get(w->table)->name : "", is_wide ? "_" : "",
            c->name);
}

static void put_header(const writer *w)
{
    size_t count;
    const sl_column *c = sl_table_columns(w->table, &count);

    for (size_t i = 0; i < count; i++) {
        fputs(i ? "," : "", w->to);
        put_name(w, &c[i]);
    }
    fputc('\n', w->to);
}

static sl_status put_row(void *with, const void *row, const void *const *wide)
{
    const writer *w = with;
    const int is_json = w->form == SL_EXPORT_JSONL;
    size_t count, narrow;
    const sl_column *c = sl_table_columns(w->table, &count);

    narrow = count - sl_table_wide_count(w->table);
    for (size_t i = 0; i < count; i++) {
        char cell[SL_CELL_BYTES];

        fputs(is_json ? (i ? ",\"" : "{\"") : (i ? "," : ""), w->to);
        if (is_json) {
            put_name(w, &c[i]);
            fputs("\":", w->to);
        }
        if (i >= narrow) {
            put_wide(w, &c[i], wide[i - narrow]);
        } else if (is_json) {
            put_json_cell(w->to, &c[i], row);
        } else {
            sl_cell_text(cell, &c[i], row, ',');
            fputs(cell, w->to);
        }
    }
    fputs(is_json ? "}\n" : "\n", w->to);
    return sl_file_took_rows(w->to);
}

sl_status sl_export_rows(FILE *to, sl_reader *reader, sl_table table, sl_export_form form)
{
    writer w = { to, table, form, sl_reader_layout(reader) };

    if (form == SL_EXPORT_CSV)
        put_header(&w);
    return sl_err_where(sl_export_each(reader, table, put_row, &w), "%s",
                        sl_table_get(table)->name);
}
