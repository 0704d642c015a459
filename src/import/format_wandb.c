/* History of Weights & Biases: rows of `run.scan_history()` as JSON lines or by pandas as CSV, and
 * the CSV of a chart. */
#include "base/alloc.h"
#include "import/csv.h"
#include "import/import_int.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What counts the steps, the first one that a file has. transformers logs its own step beside
 * W&B's, which counts calls. */
static const char *const step_keys[] = {
    "train/global_step", "trainer/global_step", "global_step", "_step", "Step", "step"
};
enum { STEP_KEYS = sizeof step_keys / sizeof step_keys[0] };
static const char *const not_metrics[] = {
    "train/global_step", "trainer/global_step", "global_step", "_step", "Step", "step", NULL
};

/* --- JSON lines ------------------------------------------------------------------------------- */

typedef struct lines {
    sl_points *points;
    const char *step_key; /* of the first row */
} lines;

static sl_status take_line(void *state, const sl_json *row)
{
    lines *l = state;
    int64_t step;

    if (!json_is_object(row))
        return SL_FAIL(SL_EFORMAT, "want an object, found another type");
    for (size_t i = 0; i < STEP_KEYS && !l->step_key; i++)
        if (sl_json_has(row, step_keys[i]))
            l->step_key = step_keys[i];
    if (!l->step_key)
        return SL_FAIL(SL_EFORMAT, "want a step (\"_step\" or \"train/global_step\"), found none");
    SL_TRY(sl_import_step(&step, row, l->step_key));
    return sl_import_members(l->points, step, row, not_metrics);
}

/* --- CSV -------------------------------------------------------------------------------------- */

typedef struct table {
    sl_points *points;
    char **name; /* (columns) */
    size_t columns, step;
    char *cell[SL_CSV_COLUMNS];
} table;

/* "RUN - loss" of a chart is "loss" when no other column then has this name. */
static void strip_run(table *t)
{
    for (size_t i = 0; i < t->columns; i++)
        for (size_t k = 0; k < t->columns; k++) {
            const char *a = strstr(t->name[i], " - "), *b = strstr(t->name[k], " - ");

            if (k != i && a && b && !strcmp(a, b))
                return;
        }
    for (size_t i = 0; i < t->columns; i++) {
        char *a = strstr(t->name[i], " - ");

        t->name[i] = a ? a + 3 : t->name[i];
    }
}

static sl_status find_step(table *t)
{
    for (size_t k = 0; k < STEP_KEYS; k++)
        for (size_t i = 0; i < t->columns; i++)
            if (!strcmp(t->name[i], step_keys[k])) {
                t->step = i;
                return SL_OK;
            }
    return SL_FAIL(
        SL_EFORMAT,
        "want a column of steps (\"_step\", \"train/global_step\", \"Step\"), found none");
}

/* A cell as a number; 0: it is none. pandas writes nan as an empty cell, others write the word. */
static int number_of(double *out, const char *cell)
{
    char *end;

    if (!strcmp(cell, "True") || !strcmp(cell, "true") || !strcmp(cell, "False") ||
        !strcmp(cell, "false")) {
        *out = *cell == 'T' || *cell == 't';
        return 1;
    }
    *out = strtod(cell, &end);
    return end != cell && !*end && !strpbrk(cell, "xX(") && *cell != ' ';
}

static sl_status take_cells(table *t, size_t count)
{
    double step, x;

    if (count != t->columns)
        return SL_FAIL(SL_EFORMAT, "want %zu cells, found %zu", t->columns, count);
    if (!number_of(&step, t->cell[t->step]) || !(step >= 0.0 && step < 0x1p53) ||
        step != floor(step))
        return SL_FAIL(SL_EFORMAT, "want \"%s\" (a whole number from 0), found \"%.32s\"",
                       t->name[t->step], t->cell[t->step]);
    for (size_t i = 0; i < t->columns; i++) {
        int is_step = 0;

        for (size_t k = 0; k < STEP_KEYS; k++)
            is_step |= !strcmp(t->name[i], step_keys[k]);
        if (is_step || !*t->name[i] || !*t->cell[i]) /* pandas' own count has no name */
            continue;
        if (number_of(&x, t->cell[i]))
            SL_TRY(sl_points_add(t->points, (int64_t)step, t->name[i], x));
        else
            sl_points_other(t->points, t->name[i]);
    }
    return SL_OK;
}

static sl_status take_header(table *t, sl_csv *csv)
{
    SL_TRY(sl_csv_next(csv, t->cell, &t->columns));
    SL_TRY(sl_take(&t->name, t->columns + 1, sizeof *t->name));
    for (size_t i = 0; i < t->columns; i++)
        t->name[i] = t->cell[i];
    strip_run(t);
    return find_step(t);
}

static sl_status take_records(table *t, sl_csv *csv, sl_rows *rows, const char *shown,
                              const sl_rows_limit *limit)
{
    sl_err_record first;
    size_t count = 1;

    SL_TRY(sl_err_where(take_header(t, csv), "%s:%zu", shown, csv->record_line));
    while (count) {
        const size_t before = t->points->count;
        sl_status st = sl_csv_next(csv, t->cell, &count);

        if (st == SL_OK && !count)
            break;
        if (st == SL_OK)
            st = take_cells(t, count);
        rows->rows += st == SL_OK;
        if (st == SL_OK)
            continue;
        t->points->report->values -= t->points->count - before;
        t->points->count = before;
        count = 1;
        SL_TRY(sl_import_bad(rows, &first, sl_err_where(st, "%s:%zu", shown, csv->record_line),
                             csv->record_line));
    }
    return sl_import_judge(rows, &first, limit, shown);
}

static sl_status read_csv(sl_points *points, sl_rows *rows, sl_import_bytes *file,
                          const sl_rows_limit *limit)
{
    table *t = NULL;
    sl_csv csv;
    sl_status st;

    SL_TRY(sl_take(&t, 1, sizeof *t));
    t->points = points;
    sl_csv_open(&csv, file->text, file->bytes);
    st = take_records(t, &csv, rows, file->shown, limit);
    sl_free(t->name);
    sl_free(t);
    return st;
}

/* --- which of the two ------------------------------------------------------------------------- */

static sl_status read_lines(sl_points *points, sl_rows *rows, sl_import_bytes *file,
                            const sl_rows_limit *limit)
{
    sl_rows_limit l = *limit;
    lines state = { .points = points };
    char sha256[sizeof rows->sha256];
    sl_status st;

    memcpy(sha256, rows->sha256, sizeof sha256);
    l.is_python = 1;
    st = sl_rows_read_bytes(rows, file->text, file->bytes, file->shown, &l, take_line, &state);
    memcpy(rows->sha256, sha256, sizeof sha256);
    return st;
}

static sl_status read_wandb(sl_points *points, sl_rows *rows, const char *path,
                            const sl_rows_limit *limit)
{
    sl_import_bytes file;
    sl_status st;
    size_t blank;

    SL_TRY(sl_import_bytes_read(&file, rows, path));
    blank = strspn(file.text, " \t\r\n");
    st = file.text[blank] == '{' || file.text[blank] == '[' ? read_lines(points, rows, &file, limit)
                                                            : read_csv(points, rows, &file, limit);
    sl_free(file.text);
    return st;
}

const sl_import_reader sl_import_wandb = { .points = read_wandb };
