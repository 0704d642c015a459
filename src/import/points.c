/* Values in the order of reading, told apart by attempt. */
#include "base/sort.h"
#include "import/import_int.h"
#include "base/alloc.h"
#include "base/hash.h"
#include "base/text.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_MOST = 60000, NAME_BYTES_MOST = 4096 };

void sl_points_open(sl_points *points, const char *format, sl_import_report *report)
{
    *points = (sl_points){ .format = format, .report = report, .attempts = 1, .from = { -1 } };
}

void sl_points_close(sl_points *points)
{
    for (size_t i = 0; i < points->names; i++)
        sl_free(points->name[i].text);
    sl_free(points->name);
    sl_free(points->row);
    sl_id_map_close(&points->of_name);
    *points = (sl_points){ 0 };
}

static sl_status new_name(sl_points *p, const char *name)
{
    sl_point_name *n;

    if (p->names >= NAMES_MOST)
        return SL_FAIL(SL_EFORMAT, "want at most %d names, found more", NAMES_MOST);
    SL_TRY(sl_grow(&p->name, &p->name_capacity, p->names + 1, sizeof *p->name));
    n = &p->name[p->names];
    *n = (sl_point_name){ .last = -1, .written = -1 };
    SL_TRY(sl_strdup(&n->text, name));
    n->map = sl_mapping_find(name, p->format);
    p->names++;
    return SL_OK;
}

static sl_status name_of(uint32_t *out, sl_points *p, const char *name)
{
    const size_t bytes = strlen(name);
    uint64_t index = p->names;

    if (!bytes || bytes > NAME_BYTES_MOST || !sl_text_is_utf8(name, bytes))
        return SL_FAIL(SL_EFORMAT, "want a name of 1 to %d bytes UTF-8, found %zu", NAME_BYTES_MOST,
                       bytes);
    SL_TRY(sl_id_map_get(&index, &p->of_name, sl_hash_id(name, bytes)));
    if (index == p->names)
        SL_TRY(new_name(p, name));
    *out = (uint32_t)index;
    return SL_OK;
}

static int same(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

/* Whether a value says that the log went back. An epoch is logged with every kind of row, so it
 * may come again. */
static int goes_back(const sl_point_name *n, uint32_t attempt, int64_t step, double value)
{
    const int is_column = n->map && n->map->target == SL_TO_STEP;

    if (n->attempt != attempt || n->last < 0 || (n->map && n->map->target == SL_TO_CLOCK))
        return 0;
    return step < n->last || (step == n->last && is_column && !same(value, n->last_value));
}

sl_status sl_points_add(sl_points *p, int64_t step, const char *name, double value)
{
    sl_point_name *n;
    uint32_t index = 0;

    if (step < 0)
        return SL_FAIL(SL_EFORMAT, "want a step of 0 or more, found %lld", (long long)step);
    SL_TRY(name_of(&index, p, name));
    n = &p->name[index];
    if (goes_back(n, p->attempts - 1, step, value)) {
        if (p->attempts == SL_IMPORT_ATTEMPTS)
            return SL_FAIL(SL_EUNSUPPORTED, "want steps that go back at most %d times, found more",
                           SL_IMPORT_ATTEMPTS - 1);
        p->from[p->attempts++] = step ? step - 1 : 0;
    }
    SL_TRY(sl_grow(&p->row, &p->capacity, p->count + 1, sizeof *p->row));
    n->attempt = p->attempts - 1;
    n->last = step;
    n->last_value = value;
    p->row[p->count] = (sl_point){ step, value, p->count, index, p->attempts - 1 };
    p->count++;
    p->report->values++;
    return SL_OK;
}

void sl_points_other(sl_points *p, const char *name)
{
    sl_import_report *r = p->report;
    size_t at = 0;
    char shown[SL_IMPORT_NAME];

    snprintf(shown, sizeof shown, "%s", name);
    r->other_values++;
    while (at < r->others && strcmp(r->other[at].name, shown))
        at++;
    if (at == SL_IMPORT_NAMED)
        return;
    if (at == r->others)
        memcpy(r->other[r->others++].name, shown, sizeof shown);
    r->other[at].count++;
}

static int by_step(const void *a, const void *b)
{
    const sl_point *x = a, *y = b;

    if (x->attempt != y->attempt)
        return x->attempt < y->attempt ? -1 : 1;
    if (x->step != y->step)
        return x->step < y->step ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

void sl_points_sort(sl_points *p)
{
    size_t i = 1;

    while (i < p->count && by_step(&p->row[i - 1], &p->row[i]) < 0)
        i++;
    if (i < p->count)
        sl_sort(p->row, p->count, sizeof *p->row, by_step);
    p->report->held_bytes = p->capacity * sizeof *p->row + p->name_capacity * sizeof *p->name;
    p->report->attempts = p->attempts;
}
