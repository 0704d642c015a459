#include "cli/sheet.h"
#include "analysis/table.h"
#include "base/text.h"
#include <math.h>
#include <string.h>

enum { CELL_BYTES = 512 };

/* cell (CELL_BYTES): undefined is empty. */
static void cell_text(char *cell, const sl_json *value, int digits)
{
    cell[0] = 0;
    if (json_is_string(value))
        snprintf(cell, CELL_BYTES, "%s", json_string_value(value));
    else if (json_is_integer(value))
        snprintf(cell, CELL_BYTES, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value) && digits < 0)
        snprintf(cell, CELL_BYTES, "%.*g", -digits, json_real_value(value));
    else if (json_is_real(value))
        snprintf(cell, CELL_BYTES, "%.*f", digits, json_real_value(value));
    for (char *c = cell; *c; c++) /* a name must not drive a terminal or break a row */
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
}

static size_t columns_of(const sl_sheet *sheet)
{
    size_t n = 0;

    while (n < SL_SHEET_COLUMNS && sheet->column[n].key)
        n++;
    return n;
}

static int is_number_column(const sl_json *rows, const char *key)
{
    const sl_json *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        if (json_is_string(json_object_get(row, key)))
            return 0;
    }
    return 1;
}

/* --- for people ------------------------------------------------------------------------------ */

static void pad(FILE *to, const char *cell, size_t width, int is_right)
{
    const size_t chars = sl_text_chars(cell), blank = chars < width ? width - chars : 0;

    if (is_right)
        fprintf(to, "%*s%s", (int)blank, "", cell);
    else
        fprintf(to, "%s%*s", cell, (int)blank, "");
}

static size_t width_of(const sl_sheet_column *column, const sl_json *rows)
{
    size_t width = sl_text_chars(column->head), i;
    const sl_json *row;

    json_array_foreach(rows, i, row)
    {
        char cell[CELL_BYTES];

        cell_text(cell, json_object_get(row, column->key), column->digits);
        if (sl_text_chars(cell) > width)
            width = sl_text_chars(cell);
    }
    return width;
}

static void write_text(FILE *to, const sl_sheet *sheet, const sl_json *rows)
{
    const size_t n = columns_of(sheet);
    size_t width[SL_SHEET_COLUMNS], i;
    const sl_json *row;

    fprintf(to, "%s\n", sheet->title);
    for (size_t k = 0; k < n; k++) {
        width[k] = width_of(&sheet->column[k], rows);
        fputs("  ", to);
        pad(to, sheet->column[k].head, width[k], is_number_column(rows, sheet->column[k].key));
    }
    fputc('\n', to);
    json_array_foreach(rows, i, row)
    {
        for (size_t k = 0; k < n; k++) {
            char cell[CELL_BYTES];

            cell_text(cell, json_object_get(row, sheet->column[k].key), sheet->column[k].digits);
            fputs("  ", to);
            pad(to, *cell ? cell : "-", width[k], is_number_column(rows, sheet->column[k].key));
        }
        fputc('\n', to);
    }
}

/* --- for papers ------------------------------------------------------------------------------ */

static void escape_latex(FILE *to, const char *text)
{
    for (; *text; text++)
        if (strchr("&%$#_{}", *text))
            fprintf(to, "\\%c", *text);
        else if (*text == '\\')
            fputs("\\textbackslash{}", to);
        else if (*text == '~' || *text == '^')
            fprintf(to, "\\%c{}", *text);
        else
            fputc(*text, to);
}

static void write_latex(FILE *to, const sl_sheet *sheet, const sl_json *rows)
{
    const size_t n = columns_of(sheet);
    const sl_json *row;
    size_t i;

    fprintf(to, "%% %s\n\\begin{tabular}{", sheet->title);
    for (size_t k = 0; k < n; k++)
        fputc(is_number_column(rows, sheet->column[k].key) ? 'r' : 'l', to);
    fputs("}\n\\hline\n", to);
    for (size_t k = 0; k < n; k++) {
        fputs(k ? " & " : "", to);
        escape_latex(to, sheet->column[k].head);
    }
    fputs(" \\\\\n\\hline\n", to);
    json_array_foreach(rows, i, row)
    {
        for (size_t k = 0; k < n; k++) {
            char cell[CELL_BYTES];

            cell_text(cell, json_object_get(row, sheet->column[k].key), sheet->column[k].digits);
            fputs(k ? " & " : "", to);
            escape_latex(to, *cell ? cell : "--");
        }
        fputs(" \\\\\n", to);
    }
    fputs("\\hline\n\\end{tabular}\n", to);
}

/* --- for programs ---------------------------------------------------------------------------- */

/* RFC 4180. */
static void write_field(FILE *to, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, to);
        return;
    }
    fputc('"', to);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', to);
        fputc(*text, to);
    }
    fputc('"', to);
}

static void write_csv(FILE *to, const sl_sheet *sheet, const sl_json *rows)
{
    const size_t n = columns_of(sheet);
    const sl_json *row;
    size_t i;

    fputs("table", to);
    for (size_t k = 0; k < n; k++)
        fprintf(to, ",%s", sheet->column[k].key);
    fputc('\n', to);
    json_array_foreach(rows, i, row)
    {
        fputs(sheet->name, to);
        for (size_t k = 0; k < n; k++) {
            char cell[CELL_BYTES];

            cell_text(cell, json_object_get(row, sheet->column[k].key), SL_SHEET_EXACT);
            fputc(',', to);
            write_field(to, cell);
        }
        fputc('\n', to);
    }
}

static const sl_sheet_format formats[] = {
    { "text", "txt", write_text },
    { "latex", "tex", write_latex },
    { "csv", "csv", write_csv },
};
enum { FORMATS = sizeof formats / sizeof formats[0] };

sl_status sl_sheet_format_find(const sl_sheet_format **out, const char *name)
{
    const char *names[FORMATS + 1] = { NULL }, *near;
    const sl_status st = SL_OK;

    for (size_t i = 0; i < FORMATS; i++) {
        names[i] = formats[i].name;
        if (!strcmp(names[i], name)) {
            *out = &formats[i];
            return st;
        }
    }
    near = sl_text_nearest(name, names);
    return sl_err_hint(SL_FAIL(SL_EUSAGE, "want --format text, latex or csv, found \"%s\"", name),
                       near ? "did you mean \"%s\"?" : "text is what people read%.0s",
                       near ? near : "");
}

static void put_cell(sl_table_out *t, const sl_json *value)
{
    if (json_is_string(value))
        sl_table_text(t, json_string_value(value));
    else if (json_is_integer(value))
        sl_table_i64(t, json_integer_value(value));
    else
        sl_table_f64(t, json_is_real(value) ? json_real_value(value) : NAN);
}

sl_status sl_sheet_table(const char *folder, const sl_sheet *sheet, const sl_json *rows)
{
    const size_t n = columns_of(sheet);
    char header[1024] = "", name[64];
    size_t used = 0, i;
    const sl_json *row;
    sl_table_out t;

    for (size_t k = 0; k < n; k++)
        used += (size_t)snprintf(header + used, sizeof header - used, "%s%s", k ? "\t" : "",
                                 sheet->column[k].key);
    snprintf(name, sizeof name, "%s.tsv", sheet->name);
    SL_TRY(sl_table_open(&t, folder, name, header));
    json_array_foreach(rows, i, row)
    {
        for (size_t k = 0; k < n; k++)
            put_cell(&t, json_object_get(row, sheet->column[k].key));
        sl_table_end_row(&t);
    }
    return sl_table_close(&t);
}
