/* Reading inputs of test vectors and writing results. */
#include "analysis/golden_int.h"
#include "base/alloc.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

sl_status sl_gold_take(sl_gold *g, void *out, size_t count, size_t size)
{
    void *p = NULL;

    SL_TRY(sl_grow(&g->held, &g->held_capacity, g->held_count + 1, sizeof *g->held));
    SL_TRY(sl_take(&p, count ? count : 1, size));
    g->held[g->held_count++] = p;
    memcpy(out, &p, sizeof p);
    return SL_OK;
}

static sl_status number_of(double *out, const sl_json *value)
{
    const char *text = json_string_value(value);

    if (json_is_number(value))
        *out = json_number_value(value);
    else if (json_is_null(value))
        *out = NAN;
    else if (text && !strcmp(text, "inf"))
        *out = INFINITY;
    else if (text && !strcmp(text, "-inf"))
        *out = -INFINITY;
    else
        return SL_FAIL(SL_EFORMAT, "want a number, null, \"inf\" or \"-inf\", found another value");
    return SL_OK;
}

static sl_status digits_of(sl_series *out, sl_gold *g, const char *text)
{
    out->n = strlen(text);
    SL_TRY(sl_gold_take(g, &out->x, out->n, sizeof *out->x));
    for (size_t i = 0; i < out->n; i++) {
        if (text[i] != '0' && text[i] != '1')
            return SL_FAIL(SL_EFORMAT, "want votes of 0 and 1, found \"%c\"", text[i]);
        out->x[i] = text[i] - '0';
    }
    return SL_OK;
}

sl_status sl_gold_numbers(sl_series *out, sl_gold *g, const sl_json *array)
{
    if (json_is_string(array))
        return digits_of(out, g, json_string_value(array));
    if (!json_is_array(array))
        return SL_FAIL(SL_EFORMAT, "want an array of numbers, found none");
    out->n = json_array_size(array);
    SL_TRY(sl_gold_take(g, &out->x, out->n, sizeof *out->x));
    for (size_t i = 0; i < out->n; i++)
        SL_TRY(number_of(&out->x[i], json_array_get(array, i)));
    return SL_OK;
}

sl_status sl_gold_series(sl_series *out, sl_gold *g, const char *key)
{
    return sl_err_where(sl_gold_numbers(out, g, json_object_get(g->inputs, key)), "inputs \"%s\"",
                        key);
}

sl_status sl_gold_present(sl_series *out, sl_gold *g, const char *key)
{
    size_t kept = 0;

    SL_TRY(sl_gold_series(out, g, key));
    for (size_t i = 0; i < out->n; i++)
        if (!isnan(out->x[i]))
            out->x[kept++] = out->x[i];
    out->n = kept;
    return SL_OK;
}

sl_status sl_gold_params(sl_series *out, sl_gold *g, const char *key)
{
    return sl_err_where(sl_gold_numbers(out, g, json_object_get(g->params, key)), "params \"%s\"",
                        key);
}

sl_status sl_gold_matrix(sl_matrix *out, sl_gold *g, const sl_json *rows)
{
    const sl_json *first = json_array_get(rows, 0);

    if (!json_is_array(rows) || !first)
        return SL_FAIL(SL_EFORMAT, "want an array of rows, found none");
    out->rows = json_array_size(rows);
    out->cols = json_is_array(first) ? json_array_size(first) : 1;
    SL_TRY(sl_gold_take(g, &out->x, out->rows * out->cols, sizeof *out->x));
    for (size_t r = 0; r < out->rows; r++) {
        const sl_json *row = json_array_get(rows, r);

        if (json_is_array(first) && (!json_is_array(row) || json_array_size(row) != out->cols))
            return SL_FAIL(SL_EFORMAT, "want rows of %zu numbers, found another in row %zu",
                           out->cols, r);
        for (size_t c = 0; c < out->cols; c++)
            SL_TRY(number_of(&out->x[r * out->cols + c],
                             json_is_array(first) ? json_array_get(row, c) : row));
    }
    return SL_OK;
}

sl_status sl_gold_param(double *out, const sl_gold *g, const char *key)
{
    return sl_err_where(sl_json_f64(out, g->params, key), "params");
}

sl_status sl_gold_put(sl_json *to, const char *key, double value)
{
    if (isinf(value))
        return sl_out_text(to, key, value > 0.0 ? "inf" : "-inf");
    return sl_out_number(to, key, value);
}

sl_status sl_gold_put_array(sl_json *to, const char *key, const double *x, size_t n)
{
    sl_json *list;

    SL_TRY(sl_out_list(&list, to, key));
    for (size_t i = 0; i < n; i++)
        SL_TRY(sl_gold_put(list, NULL, x[i]));
    return SL_OK;
}

sl_status sl_gold_put_indices(sl_json *to, const char *key, const size_t *x, size_t n)
{
    sl_json *list;

    SL_TRY(sl_out_list(&list, to, key));
    for (size_t i = 0; i < n; i++)
        SL_TRY(sl_out_i64(list, NULL, (int64_t)x[i]));
    return SL_OK;
}

void sl_gold_number_key(char *out, size_t size, double value)
{
    const double big = fabs(value);
    const int is_plain = big == 0.0 || (big >= 1e-4 && big < 1e16);

    for (int digits = is_plain ? 0 : 1; digits <= 20; digits++) {
        snprintf(out, size, is_plain ? "%.*f" : "%.*g", digits, value);
        if (strtod(out, NULL) == value)
            return;
    }
}
