/* Points become units of a run: a step with a column of `steps` is an update, all else evals. */
#include "import/import_int.h"
#include "base/alloc.h"
#include "base/hash.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct writer {
    sl_run *run;
    sl_points *points;
    uint64_t *rows; /* of the report */
    uint8_t phase;
} writer;

sl_status sl_import_name(sl_run *run, uint16_t *index, const char *name)
{
    enum { KEPT = 46 }; /* and "~" with 16 digits: 63 */
    const size_t bytes = strlen(name);
    char shown[SL_IMPORT_NAME];
    size_t kept = KEPT;

    if (bytes < sizeof shown)
        return sl_run_name(run, index, SL_NAME_EVAL, name);
    while (kept && ((unsigned char)name[kept] & 0xc0) == 0x80) /* not within a character */
        kept--;
    snprintf(shown, sizeof shown, "%.*s~%016llx", (int)kept, name,
             (unsigned long long)sl_hash_id(name, bytes));
    SL_TRY(sl_run_text(run, NULL, "metric", NULL, shown, name));
    return sl_run_name(run, index, SL_NAME_EVAL, shown);
}

static sl_status put_eval(writer *w, const sl_point *p)
{
    sl_point_name *n = &w->points->name[p->name];
    sl_row_evals row = { .step = p->step,
                         .value = p->value,
                         .se = NAN,
                         .origin = SL_ORIGIN_OTHER,
                         .status = isnan(p->value)   ? SL_EVAL_UNDEFINED
                                   : isinf(p->value) ? SL_EVAL_INVALID_INPUT
                                                     : SL_EVAL_OK };

    if (n->written == p->step && n->replicate == UINT16_MAX)
        return SL_FAIL(SL_EUNSUPPORTED, "want at most %d values of \"%.64s\" at step %lld",
                       UINT16_MAX, n->text, (long long)p->step);
    n->replicate = n->written == p->step ? (uint16_t)(n->replicate + 1) : 0;
    n->written = p->step;
    SL_TRY(sl_import_name(w->run, &row.eval, n->text));
    row.replicate = n->replicate;
    w->rows[SL_TABLE_EVALS]++;
    return sl_run_row(w->run, SL_TABLE_EVALS, &row, NULL);
}

/* What the points of one step say of an update. */
typedef struct update {
    sl_row_steps row;
    double utc_s;
    int has_column; /* something that only an update logs */
} update;

static update new_update(int64_t step, uint8_t phase)
{
    update u = { .utc_s = NAN };

    sl_row_blank(&u.row, SL_TABLE_STEPS);
    u.row.step = step;
    u.row.phase = phase;
    return u;
}

static int is_count(double x)
{
    return x >= 0.0 && x < 0x1p53 && x == floor(x);
}

/* Takes a point as a column of the update; 0: it is none, or the column is taken. */
static int take_column(update *u, const sl_point *p, const sl_mapping *map)
{
    /* cppcheck-suppress invalidPointerCast ; the mapping names members that are double */
    double *column = map ? (double *)((char *)&u->row + map->offset) : NULL;

    if (!map || (map->target == SL_TO_TOKENS && !is_count(p->value)))
        return 0;
    if (map->target == SL_TO_CLOCK) {
        u->utc_s = isnan(u->utc_s) ? p->value : u->utc_s;
        return 1;
    }
    if (map->target == SL_TO_TOKENS) {
        u->row.tokens = (int64_t)p->value;
        return u->has_column = 1;
    }
    if (isfinite(*column) && *column != p->value && map->target != SL_TO_EPOCH)
        return 0; /* two names for one column */
    *column = p->value;
    u->has_column |= map->target == SL_TO_STEP;
    return isfinite(p->value); /* what is not finite also says so as an eval */
}

static sl_status put_clock(writer *w, int64_t step, double utc_s)
{
    sl_row_clock row;

    if (isnan(utc_s))
        return SL_OK;
    sl_row_blank(&row, SL_TABLE_CLOCK);
    row.step = step;
    row.utc_s = utc_s;
    w->rows[SL_TABLE_CLOCK]++;
    return sl_run_row(w->run, SL_TABLE_CLOCK, &row, NULL);
}

/* The points of one step: p (n). */
static sl_status put_step(writer *w, const sl_point *p, size_t n)
{
    update u = new_update(p->step, w->phase);
    int64_t step = p->step;

    for (size_t i = 0; i < n; i++) {
        const sl_mapping *map = w->points->name[p[i].name].map;

        if (!take_column(&u, &p[i], map))
            SL_TRY(put_eval(w, &p[i]));
    }
    for (size_t i = 0; i < n && !u.has_column; i++) { /* an epoch without an update */
        const sl_mapping *map = w->points->name[p[i].name].map;

        if (map && map->target == SL_TO_EPOCH && isfinite(p[i].value))
            SL_TRY(put_eval(w, &p[i]));
    }
    if (u.has_column) {
        w->rows[SL_TABLE_STEPS]++;
        SL_TRY(sl_run_row(w->run, SL_TABLE_STEPS, &u.row, NULL));
    }
    SL_TRY(put_clock(w, step, u.utc_s));
    return sl_run_commit(w->run, u.has_column ? SL_UNIT_UPDATE : SL_UNIT_EVALS, step);
}

static void begin_attempt(sl_points *points)
{
    for (size_t i = 0; i < points->names; i++)
        points->name[i].written = -1;
}

/* A later attempt that begins at step 0 leaves nothing of this step live. */
static int is_superseded(const sl_points *points, const sl_point *p, const int *restarts)
{
    for (uint32_t a = p->attempt + 1; a < points->attempts; a++)
        if (restarts[a] && p->step == 0)
            return 1;
    return 0;
}

/* restarts (attempts): those that begin at step 0. */
static void find_restarts(int *restarts, const sl_points *points)
{
    for (size_t i = 0; i < points->count; i++)
        if (points->row[i].step == 0 && points->row[i].attempt)
            restarts[points->row[i].attempt] = 1;
}

static sl_status put_points(writer *w, const char *path)
{
    sl_points *points = w->points;
    const sl_point *p = points->row;
    int restarts[SL_IMPORT_ATTEMPTS] = { 0 };
    uint32_t attempt = 0;

    find_restarts(restarts, points);
    for (size_t i = 0, n; i < points->count; i += n) {
        for (n = 1; i + n < points->count && p[i + n].attempt == p[i].attempt &&
                    p[i + n].step == p[i].step;)
            n++;
        if (is_superseded(points, &p[i], restarts)) {
            points->report->superseded += n;
            continue;
        }
        for (; attempt < p[i].attempt; attempt++) {
            SL_TRY(sl_import_resume(&w->run, path, points->from[attempt + 1]));
            begin_attempt(points);
        }
        SL_TRY(put_step(w, p + i, n));
    }
    return SL_OK;
}

sl_run_settings sl_import_settings(void)
{
    sl_run_settings s = sl_run_settings_defaults();

    s.min_free_bytes = (uint64_t)64 << 20; /* of a log, not of a training */
    return s;
}

sl_status sl_import_resume(sl_run **run, const char *path, int64_t from)
{
    const sl_run_settings settings = sl_import_settings();
    sl_json *start = json_pack("{s:s}", "by", "stageline import");
    sl_status st = start ? sl_run_close(run, SL_ENDED_INTERRUPTED)
                         : SL_FAIL(SL_ENOMEM, "want memory for an attempt, found none");

    if (st == SL_OK)
        st = sl_run_resume(run, path, start, from, &settings);
    sl_json_close(&start);
    return st;
}

/* Logs of preference training have rewards or log-probabilities of both answers. */
static uint8_t phase_of(const sl_points *points)
{
    for (size_t i = 0; i < points->names; i++)
        if (strstr(points->name[i].text, "rewards/") || strstr(points->name[i].text, "logps/"))
            return SL_PHASE_PREFERENCE;
    return SL_PHASE_SFT;
}

static int add_columns(sl_json *to, const sl_points *points)
{
    int bad = 0;

    for (size_t i = 0; i < points->names; i++)
        if (points->name[i].map)
            bad |= json_object_set_new(to, points->name[i].text,
                                       json_string(points->name[i].map->column));
    return bad;
}

sl_status sl_points_write(sl_points *points, const char *path, const sl_import_format *format)
{
    const sl_run_settings settings = sl_import_settings();
    writer w = { .points = points, .rows = points->report->rows, .phase = phase_of(points) };
    sl_json *run = NULL, *start = NULL, *columns;
    sl_status st = SL_OK;

    sl_points_sort(points);
    SL_TRY_OUT(sl_import_json(&run, format, points->report));
    start = json_pack("{s:s}", "by", "stageline import");
    columns = json_object();
    if (!start || json_object_set_new(json_object_get(run, "imported"), "columns", columns) ||
        add_columns(columns, points))
        SL_TRY_OUT(SL_FAIL(SL_ENOMEM, "want memory for a description, found none"));
    SL_TRY_OUT(sl_run_create(&w.run, path, run, start, &settings));
    SL_TRY_OUT(put_points(&w, path));
    st = sl_run_close(&w.run, SL_ENDED_COMPLETE);
out:
    if (st != SL_OK && w.run) {
        sl_err_record record;

        sl_err_save(&record);
        sl_err_clear();
        if (sl_run_close(&w.run, SL_ENDED_ERROR) != SL_OK)
            sl_err_clear();
        st = sl_err_restore(&record);
    }
    sl_json_close(&run);
    sl_json_close(&start);
    return st;
}
