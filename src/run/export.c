#include "run/export.h"

#include "base/alloc.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A value of a column in its widest form. */
typedef struct value {
    double real;
    int64_t whole;
    uint64_t bits; /* of u64 */
} value;

static value take_value(const sl_column *c, const char *at)
{
    value v = { .real = NAN };
    uint32_t u32 = 0;
    int32_t i32 = 0;
    float f32 = 0;

    memcpy(&u32, at, c->size < sizeof u32 ? c->size : sizeof u32);
    memcpy(&i32, &u32, sizeof i32);
    memcpy(&f32, &u32, sizeof f32);
    if (c->size == sizeof v.bits)
        memcpy(&v.bits, at, sizeof v.bits);
    memcpy(&v.whole, &v.bits, sizeof v.whole);
    if (c->type == SL_TYPE_F64)
        memcpy(&v.real, &v.bits, sizeof v.real);
    else if (c->type == SL_TYPE_F32)
        v.real = (double)f32;
    else if (c->type == SL_TYPE_U64)
        v.real = (double)v.bits;
    else if (c->type == SL_TYPE_I64)
        v.real = (double)v.whole;
    else if (c->type != SL_TYPE_S64) {
        v.whole = c->type == SL_TYPE_I32 ? i32 : (int64_t)u32;
        v.real = (double)v.whole;
    }
    return v;
}

double sl_cell_f64(const sl_column *column, const void *row)
{
    return take_value(column, (const char *)row + column->offset).real;
}

/* The shortest of the usual precisions that reads back as the same number. */
void sl_real_text(char *out, double x, int is_float)
{
    out[0] = 0;
    for (int digits = is_float ? 6 : 15; digits <= 17 && !isnan(x); digits++) {
        (void)snprintf(out, SL_CELL_BYTES, "%.*g", digits, x);
        if (is_float ? strtof(out, NULL) == (float)x : strtod(out, NULL) == x)
            return;
    }
}

static void name_text(char *out, const char *name, char separator)
{
    const char special[] = { separator, '"', '\n', '\r', 0 };
    char *to = out;

    if (!strpbrk(name, special)) {
        (void)snprintf(out, SL_CELL_BYTES, "%.63s", name);
        return;
    }
    *to++ = '"';
    for (const char *at = name; *at; at++) {
        if (*at == '"')
            *to++ = '"';
        *to++ = *at;
    }
    *to++ = '"';
    *to = 0;
}

void sl_json_text_put(FILE *to, const char *text)
{
    fputc('"', to);
    for (; *text; text++)
        if ((unsigned char)*text < ' ')
            fprintf(to, "\\u%04x", (unsigned)*text);
        else
            fprintf(to, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
    fputc('"', to);
}

void sl_cell_text(char *out, const sl_column *column, const void *row, char separator)
{
    const char *at = (const char *)row + column->offset;
    const value v = take_value(column, at);

    out[0] = 0;
    if (column->type == SL_TYPE_S64)
        name_text(out, at, separator);
    else if (column->type == SL_TYPE_E8 && (size_t)v.whole < sl_column_values(column))
        (void)snprintf(out, SL_CELL_BYTES, "%s", column->names[v.whole]);
    else if (column->type == SL_TYPE_U64 && !strcmp(column->unit, "id"))
        (void)snprintf(out, SL_CELL_BYTES, "%016" PRIx64, v.bits);
    else if (column->type == SL_TYPE_U64)
        (void)snprintf(out, SL_CELL_BYTES, "%" PRIu64, v.bits);
    else if (column->type != SL_TYPE_F64 && column->type != SL_TYPE_F32)
        (void)snprintf(out, SL_CELL_BYTES, "%" PRId64, v.whole);
    else
        sl_real_text(out, v.real, column->type == SL_TYPE_F32);
}

/* row NULL: the names of the columns. */
static sl_status make_line(char **line, sl_table table, const void *row, char separator)
{
    size_t count, used = 0;
    const sl_column *c = sl_table_columns(table, &count);
    char *text = NULL;

    *line = NULL;
    count -= sl_table_wide_count(table);
    SL_TRY(sl_take(&text, count * (SL_CELL_BYTES + 1) + 1, 1));
    for (size_t i = 0; i < count; i++) {
        char cell[SL_CELL_BYTES];

        if (row)
            sl_cell_text(cell, &c[i], row, separator);
        else
            (void)snprintf(cell, sizeof cell, "%s", c[i].name);
        memcpy(text + used, cell, strlen(cell));
        used += strlen(cell);
        text[used++] = i + 1 < count ? separator : '\n';
    }
    *line = text;
    return SL_OK;
}

sl_status sl_row_header(char **line, sl_table table, char separator)
{
    return make_line(line, table, NULL, separator);
}

sl_status sl_row_line(char **line, sl_table table, const void *row, char separator)
{
    return make_line(line, table, row, separator);
}
