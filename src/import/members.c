/* Rows of JSON: every member that is a number is a value. */
#include "import/import_int.h"
#include <math.h>
#include <string.h>

/* Texts for numbers that JSON has not, as Python and W&B write them. */
static const struct {
    const char *text;
    double value;
} literals[] = {
    { "NaN", NAN },
    { "Infinity", INFINITY },
    { "-Infinity", -INFINITY },
};

/* 1: *out is a number; 0: it is something else. */
static int number_of(double *out, const sl_json *value)
{
    if (json_is_number(value) || json_is_boolean(value)) {
        *out = json_is_boolean(value) ? (double)json_is_true(value) : json_number_value(value);
        return 1;
    }
    for (size_t i = 0; json_is_string(value) && i < sizeof literals / sizeof literals[0]; i++)
        if (!strcmp(json_string_value(value), literals[i].text)) {
            *out = literals[i].value;
            return 1;
        }
    return 0;
}

static int is_in(const char *name, const char *const *list)
{
    for (; *list; list++)
        if (!strcmp(name, *list))
            return 1;
    return 0;
}

sl_status sl_import_step(int64_t *out, const sl_json *row, const char *key)
{
    const sl_json *value = json_object_get(row, key);
    const double x = json_number_value(value);

    if (!json_is_number(value) || x < 0.0 || x >= 0x1p53 || x != floor(x))
        return SL_FAIL(SL_EFORMAT, "want \"%s\" (a whole number from 0), found %s", key,
                       !value                  ? "none"
                       : json_is_number(value) ? "another number"
                                               : "another type");
    *out = (int64_t)x;
    return SL_OK;
}

static sl_status add_members(sl_points *points, int64_t step, const sl_json *row,
                             const char *const *skip)
{
    const char *name;
    sl_json *value;

    json_object_foreach((json_t *)row, name, value)
    {
        double x;

        if (json_is_null(value) || is_in(name, skip))
            continue;
        if (number_of(&x, value))
            SL_TRY(sl_points_add(points, step, name, x));
        else
            sl_points_other(points, name);
    }
    return SL_OK;
}

sl_status sl_import_members(sl_points *points, int64_t step, const sl_json *row,
                            const char *const *skip)
{
    const size_t before = points->count;
    const sl_status st = add_members(points, step, row, skip);

    if (st != SL_OK) { /* a row is taken whole or not */
        points->report->values -= points->count - before;
        points->count = before;
    }
    return st;
}
