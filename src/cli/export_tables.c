/* Tables of the analyzer in other forms. Numbers keep their digits: nothing is rounded again. */
#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/export.h"
#include "run/export.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MOST = 128 };
#define TABLE_BYTES_MOST ((size_t)1 << 30)

typedef struct grid {
    char *text;           /* its cells, each ended by zero; owned */
    const char **cell;    /* (rows, columns), the names first; owned */
    size_t rows, columns; /* rows: without the names */
    sl_array_field field[COLUMNS_MOST];
} grid;

static void grid_close(grid *g)
{
    sl_free(g->text);
    sl_free(g->cell);
    *g = (grid){ 0 };
}

/* Cuts one line, ended by zero, into g->columns cells. */
static sl_status cut_line(const char **cell, char *line, size_t columns)
{
    size_t n = 0;

    for (char *at = line; at; n++) {
        char *tab = strchr(at, '\t');

        if (tab)
            *tab = 0;
        if (n < columns)
            cell[n] = at;
        at = tab ? tab + 1 : NULL;
    }
    if (n != columns)
        return SL_FAIL(SL_EFORMAT, "want %zu cells, found %zu", columns, n);
    return SL_OK;
}

static size_t count_of(const char *text, char what)
{
    size_t n = 0;

    for (; *text; text++)
        n += *text == what;
    return n;
}

static sl_status cut_lines(grid *g, char *at)
{
    const size_t lines = count_of(at, '\n');
    char *line = at;

    g->columns = 1;
    for (; *at && *at != '\n'; at++)
        g->columns += *at == '\t';
    if (!lines || g->columns > COLUMNS_MOST)
        return SL_FAIL(SL_EFORMAT, "want a header of at most %d columns, found %zu", COLUMNS_MOST,
                       g->columns);
    SL_TRY(sl_take(&g->cell, lines * g->columns, sizeof *g->cell));
    for (size_t r = 0; r < lines; r++) {
        char *end = strchr(line, '\n');

        *end = 0;
        SL_TRY(cut_line(g->cell + r * g->columns, line, g->columns));
        line = end + 1;
    }
    g->rows = lines - 1;
    return SL_OK;
}

/* One of the words for numbers that are none. */
static int is_undefined(const char *cell)
{
    return !strcmp(cell, "nan") || !strcmp(cell, "inf") || !strcmp(cell, "-inf");
}

static int is_number(const char *cell)
{
    char *end;

    if (is_undefined(cell))
        return 1;
    (void)strtod(cell, &end);
    return end != cell && !*end && !strpbrk(cell, "xXnN");
}

static int is_whole(const char *cell)
{
    return *cell && strspn(cell + (*cell == '-'), "0123456789") == strlen(cell + (*cell == '-')) &&
           strlen(cell) < 19;
}

/* Types, and where the fields stand in a row. Returns the bytes of a row. */
static size_t find_types(grid *g)
{
    size_t bytes = 0;

    for (size_t c = 0; c < g->columns; c++) {
        sl_array_field *f = &g->field[c];
        int all_whole = 1, all_numbers = 1;
        size_t longest = 1;

        for (size_t r = 1; r <= g->rows; r++) {
            const char *cell = g->cell[r * g->columns + c];

            all_whole &= is_whole(cell);
            all_numbers &= is_number(cell);
            longest = strlen(cell) > longest ? strlen(cell) : longest;
        }
        *f = (sl_array_field){ .name = g->cell[c],
                               .type = !all_numbers           ? SL_FIELD_TEXT
                                       : all_whole && g->rows ? SL_FIELD_I64
                                                              : SL_FIELD_F64,
                               .offset = bytes };
        f->bytes = f->type == SL_FIELD_TEXT ? longest + 1 : 8;
        bytes += f->bytes;
    }
    return bytes;
}

static sl_status grid_read(grid *g, const char *path)
{
    size_t bytes;
    sl_status st;

    *g = (grid){ 0 };
    SL_TRY(sl_file_read(&g->text, &bytes, path, TABLE_BYTES_MOST));
    st = sl_err_where(cut_lines(g, g->text), "%s", path);
    if (st != SL_OK)
        grid_close(g);
    return st;
}

static void put_csv(FILE *to, const char *cell)
{
    if (!strcmp(cell, "nan"))
        return;
    if (!strpbrk(cell, ",\"")) {
        fputs(cell, to);
        return;
    }
    fputc('"', to);
    for (; *cell; cell++)
        fprintf(to, *cell == '"' ? "\"%c" : "%c", *cell);
    fputc('"', to);
}

sl_status sl_export_table_csv(FILE *to, const char *path)
{
    grid g;

    SL_TRY(grid_read(&g, path));
    for (size_t i = 0; i < (g.rows + 1) * g.columns; i++) {
        put_csv(to, g.cell[i]);
        fputc((i + 1) % g.columns ? ',' : '\n', to);
    }
    grid_close(&g);
    return sl_file_took_rows(to);
}

static void put_json(FILE *to, const sl_array_field *f, const char *cell)
{
    if (f->type != SL_FIELD_TEXT && !strcmp(cell, "nan"))
        fputs("null", to);
    else if (f->type == SL_FIELD_TEXT || is_undefined(cell))
        sl_json_text_put(to, cell);
    else
        fputs(cell, to);
}

sl_status sl_export_table_jsonl(FILE *to, const char *path)
{
    grid g;

    SL_TRY(grid_read(&g, path));
    (void)find_types(&g);
    for (size_t r = 1; r <= g.rows; r++) {
        for (size_t c = 0; c < g.columns; c++) {
            fputs(c ? "," : "{", to);
            sl_json_text_put(to, g.cell[c]);
            fputc(':', to);
            put_json(to, &g.field[c], g.cell[r * g.columns + c]);
        }
        fputs("}\n", to);
    }
    grid_close(&g);
    return sl_file_took_rows(to);
}

static void pack_cell(char *to, const sl_array_field *f, const char *cell)
{
    const double real = strtod(cell, NULL);
    const int64_t whole = strtoll(cell, NULL, 10);

    if (f->type == SL_FIELD_TEXT)
        memcpy(to, cell, strlen(cell));
    else if (f->type == SL_FIELD_I64)
        memcpy(to, &whole, sizeof whole);
    else
        memcpy(to, &real, sizeof real);
}

sl_status sl_export_table_h5(sl_arrays *to, const char *path, const char *name)
{
    grid g;
    char *rows = NULL;
    size_t bytes;
    sl_status st = SL_OK;

    SL_TRY(grid_read(&g, path));
    bytes = find_types(&g);
    SL_TRY_OUT(sl_take(&rows, g.rows + 1, bytes));
    for (size_t r = 0; r < g.rows; r++)
        for (size_t c = 0; c < g.columns; c++)
            pack_cell(rows + r * bytes + g.field[c].offset, &g.field[c],
                      g.cell[(r + 1) * g.columns + c]);
    st = sl_arrays_write_rows(to, name, g.field, g.columns, rows, g.rows, bytes);
out:
    sl_free(rows);
    grid_close(&g);
    return st;
}
