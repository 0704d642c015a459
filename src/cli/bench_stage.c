/* `bench stage`: which cells there are, which of them are still to be measured, and who measures
 * them. What the cells say is in stage_print.c. */
#include "cli/bench_stage.h"
#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/bench.h"
#include "cli/pool.h"
#include "cli/progress.h"
#include "cli/stage.h"
#include "cli/stage_file.h"
#include "cli/stage_print.h"
#include "cli/stop.h"
#include "train/branch.h"
#include "train/clock.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { NUMBERS_MOST = 64 };

typedef struct branch_job {
    sl_stage_point point;
    size_t method;
} branch_job;

typedef struct stage_bench {
    const sl_stage_opts *opts;
    const sl_stage_world *world;
    const char *out;
    double seed[NUMBERS_MOST], strength[NUMBERS_MOST];
    size_t seeds, strengths;
    sl_stage_file file;
    sl_stage_point *point; /* of the round that runs */
    size_t points, capacity;
    size_t wanted, measured; /* cells: of the plan; of this call */
    branch_job *job;
    size_t jobs, job_capacity, tested;
    sl_progress_line line;
} stage_bench;

/* "1,2,3" into value (NUMBERS_MOST). */
static sl_status read_numbers(double *value, size_t *count, const char *text)
{
    char word[64];

    *count = 0;
    for (;;) {
        const size_t bytes = strcspn(text, ",");

        if (bytes >= sizeof word || *count == NUMBERS_MOST)
            return SL_FAIL(SL_EUSAGE, "want at most %d numbers, found more", NUMBERS_MOST);
        memcpy(word, text, bytes);
        word[bytes] = 0;
        if (sl_text_f64(&value[(*count)++], word) != SL_OK)
            return SL_EUSAGE;
        if (!text[bytes])
            return SL_OK;
        text += bytes + 1;
    }
}

static int is_wanted(const stage_bench *b, const sl_stage_variant *v)
{
    const char *rows = b->opts->rows;

    return !strcmp(rows, "all") || v == &sl_stage_variants[0] || !strcmp(rows, v->name) ||
           (!strcmp(rows, "shown") && v->is_shown);
}

static sl_status check_rows(const char *rows)
{
    const char *names[32] = { "plain", "shown", "all" };
    const char *near;
    sl_status st;

    for (size_t i = 0; i < sl_stage_variant_count; i++)
        names[3 + i] = sl_stage_variants[i].name;
    for (size_t i = 0; names[i]; i++)
        if (!strcmp(names[i], rows))
            return SL_OK;
    st = SL_FAIL(SL_EUSAGE, "want --rows plain, shown, all or the name of a row, found \"%s\"",
                 rows);
    near = sl_text_nearest(rows, names);
    return near ? sl_err_hint(st, "did you mean \"%s\"?", near) : st;
}

/* Cells of a point that are there; those of other settings are refused. */
static sl_status count_known(size_t *known, size_t *wanted, const stage_bench *b,
                             const sl_stage_point *p)
{
    *known = *wanted = 0;
    for (size_t m = 0; m < SL_STAGE_METHODS; m++) {
        const sl_stage_row *row;
        sl_stage_cell cell;
        char settings[17];

        if (!p->variant->method[m])
            continue;
        (*wanted)++;
        sl_stage_name_cell(&cell, p, m);
        row = sl_stage_file_find(&b->file, &cell);
        if (!row)
            continue;
        (*known)++;
        SL_TRY(sl_stage_settings(settings, p, (int)m));
        if (strcmp(settings, row->settings) != 0)
            return sl_err_hint(SL_FAIL(SL_EFORMAT,
                                       "%s: want cells of settings %s, found %s in cell "
                                       "%s/%s/%g/%g/%s",
                                       b->file.path, settings, row->settings, cell.world,
                                       cell.variant, cell.seed, cell.strength, cell.method),
                               "another version made it: give another --out");
    }
    return SL_OK;
}

static sl_status add_point(stage_bench *b, const sl_stage_point *p)
{
    size_t known, wanted;

    SL_TRY(count_known(&known, &wanted, b, p));
    b->wanted += wanted;
    if (known == wanted)
        return SL_OK;
    SL_TRY(sl_grow(&b->point, &b->capacity, b->points + 1, sizeof *p));
    b->point[b->points++] = *p;
    return SL_OK;
}

/* Every point of the rows [first, last) to `add`. */
static sl_status each_point(stage_bench *b, size_t first, size_t last,
                            sl_status (*add)(stage_bench *, const sl_stage_point *))
{
    sl_stage_point p = { .world = b->world, .folder = b->out };

    for (size_t v = first; v < last; v++) {
        p.variant = &sl_stage_variants[v];
        if (!is_wanted(b, p.variant))
            continue;
        for (size_t s = 0; s < b->seeds; s++)
            for (size_t i = 0; i < b->strengths; i++) {
                p.seed = (int64_t)b->seed[s];
                p.strength = b->strength[i];
                SL_TRY(add(b, &p));
            }
    }
    return SL_OK;
}

/* The plain ones by themselves, as others share their starts. */
static sl_status plan(stage_bench *b, size_t first, size_t last)
{
    b->points = 0;
    return each_point(b, first, last, add_point);
}

static sl_status backend_of(const sl_backend **out, const stage_bench *b)
{
    return sl_err_where(sl_backend_open(out, b->opts->device, 1), "--device");
}

static sl_status work_base(void *state, size_t job, char **text)
{
    const stage_bench *b = state;
    const sl_backend *backend;
    sl_stage_point p = { .world = b->world, .folder = b->out };

    (void)text;
    p.seed = (int64_t)b->seed[job / sl_stage_variant_count];
    p.variant = &sl_stage_variants[job % sl_stage_variant_count];
    if (job % sl_stage_variant_count && (!p.variant->start || !is_wanted(b, p.variant)))
        return SL_OK; /* the plain start */
    SL_TRY(backend_of(&backend, b));
    return sl_stage_make_base(&p, backend);
}

static sl_status done_base(void *state, size_t job, const char *text, size_t bytes)
{
    (void)state;
    (void)job;
    (void)text;
    (void)bytes;
    return SL_OK;
}

static sl_status work_point(void *state, size_t job, char **text)
{
    const stage_bench *b = state;
    const sl_stage_point *p = &b->point[job];
    sl_stage_cell cell[SL_STAGE_METHODS];
    sl_stage_row row[SL_STAGE_METHODS];
    const sl_backend *backend;
    size_t count;

    SL_TRY(backend_of(&backend, b));
    SL_TRY(sl_stage_measure(cell, &count, p, backend, sl_stop_flag()));
    for (size_t i = 0; i < count; i++) {
        int method = 0;

        row[i].cell = cell[i];
        while (strcmp(sl_stage_methods[method], cell[i].method) != 0)
            method++;
        SL_TRY(sl_stage_settings(row[i].settings, p, method));
    }
    return sl_stage_rows_text(text, row, count);
}

static sl_status done_point(void *state, size_t job, const char *text, size_t bytes)
{
    stage_bench *b = state;
    sl_stage_row row[SL_STAGE_METHODS], *fresh = row;
    size_t count, kept = 0;

    (void)job;
    SL_TRY(sl_stage_rows_read(row, &count, SL_STAGE_METHODS, text, bytes, "a worker's answer"));
    for (size_t i = 0; i < count; i++)
        if (!sl_stage_file_find(&b->file, &row[i].cell))
            fresh[kept++] = row[i];
    b->measured += kept;
    sl_progress_count(&b->line, b->file.count + kept, b->wanted, "cells");
    return sl_stage_file_put(&b->file, fresh, kept);
}

static sl_status run_round(stage_bench *b, size_t first, size_t last)
{
    const sl_pool pool = { .state = b,
                           .processes = (size_t)b->opts->processes,
                           .work = work_point,
                           .done = done_point,
                           .stop = sl_stop_flag() };

    SL_TRY(plan(b, first, last));
    return sl_pool_run(&pool, b->points);
}

/* --- branch tests ---------------------------------------------------------------------------- */

static const sl_stage_row *row_of(const stage_bench *b, const sl_stage_point *p, size_t method)
{
    sl_stage_cell cell;

    sl_stage_name_cell(&cell, p, method);
    return sl_stage_file_find(&b->file, &cell);
}

/* Cells whose test is not there, or of another number of replicates. */
static sl_status add_job(stage_bench *b, const sl_stage_point *p)
{
    for (size_t m = 0; m < SL_STAGE_METHODS; m++) {
        const sl_stage_row *row = p->variant->method[m] ? row_of(b, p, m) : NULL;

        if (!row || row->cell.branch.replicates == (double)b->opts->branch)
            continue;
        SL_TRY(sl_grow(&b->job, &b->job_capacity, b->jobs + 1, sizeof *b->job));
        b->job[b->jobs++] = (branch_job){ *p, m };
    }
    return SL_OK;
}

static sl_status work_branch(void *state, size_t job, char **text)
{
    const stage_bench *b = state;
    const branch_job *j = &b->job[job];
    sl_stage_row row = *row_of(b, &j->point, j->method);
    const sl_backend *backend;

    SL_TRY(backend_of(&backend, b));
    SL_TRY(sl_stage_test_branches(&row.cell, &j->point, j->method, (size_t)b->opts->branch, backend,
                                  sl_stop_flag()));
    return sl_stage_rows_text(text, &row, 1);
}

static sl_status done_branch(void *state, size_t job, const char *text, size_t bytes)
{
    stage_bench *b = state;
    sl_stage_row row;
    size_t count;

    (void)job;
    SL_TRY(sl_stage_rows_read(&row, &count, 1, text, bytes, "a worker's answer"));
    b->tested += count;
    sl_progress_count(&b->line, b->tested, b->jobs, "branch tests");
    return sl_stage_file_put(&b->file, &row, count);
}

static sl_status run_branches(stage_bench *b)
{
    const sl_pool pool = { .state = b,
                           .processes = (size_t)b->opts->processes,
                           .work = work_branch,
                           .done = done_branch,
                           .stop = sl_stop_flag() };

    if (!b->opts->branch)
        return SL_OK;
    SL_TRY(each_point(b, 0, sl_stage_variant_count, add_job));
    return sl_pool_run(&pool, b->jobs);
}

static sl_status run_all(stage_bench *b)
{
    const sl_pool bases = { .state = b,
                            .processes = (size_t)b->opts->processes,
                            .work = work_base,
                            .done = done_base,
                            .stop = sl_stop_flag() };

    SL_TRY(plan(b, 0, sl_stage_variant_count));
    if (b->points)
        SL_TRY(sl_pool_run(&bases, b->seeds * sl_stage_variant_count));
    b->wanted = 0;
    SL_TRY(run_round(b, 0, 1));
    SL_TRY(run_round(b, 1, sl_stage_variant_count));
    return run_branches(b);
}

static sl_status settle(stage_bench *b)
{
    const sl_stage_opts *o = b->opts;

    b->world = o->is_full ? &sl_stage_full : &sl_stage_mini;
    b->out = o->out ? o->out : o->is_full ? "bench-stage-full" : "bench-stage";
    SL_TRY(check_rows(o->rows));
    if (o->branch && (o->branch < 2 || o->branch > SL_BRANCH_MOST))
        return SL_FAIL(SL_EUSAGE, "want --branch of 2 to %d replicates, found %lld", SL_BRANCH_MOST,
                       (long long)o->branch);
    SL_TRY(sl_err_where(read_numbers(b->seed, &b->seeds, o->seeds), "--seeds"));
    b->strengths = b->world->strengths;
    memcpy(b->strength, b->world->strength, sizeof b->world->strength);
    if (o->starts)
        SL_TRY(sl_err_where(read_numbers(b->strength, &b->strengths, o->starts), "--starts"));
    return SL_OK;
}

sl_status sl_bench_stage(const sl_stage_opts *opts)
{
    sl_stage_opts o = *opts;
    stage_bench *b = NULL;
    sl_stage_show show = { 0 };
    sl_status st = SL_OK;
    double begun;

    if (!o.processes)
        o.processes = sysconf(_SC_NPROCESSORS_ONLN);
    SL_TRY(sl_take(&b, 1, sizeof *b));
    b->file.lock_fd = -1;
    b->opts = &o;
    SL_TRY_OUT(settle(b));
    SL_TRY_OUT(sl_stage_file_open(&b->file, b->out));
    sl_progress_open(&b->line, "bench stage", o.is_json);
    sl_stop_install();
    SL_TRY_OUT(sl_bench_peak_of_one(&show.flops_peak, o.device));
    begun = sl_clock_now();
    st = run_all(b);
    sl_progress_close(&b->line);
    if (st == SL_EINTERRUPT)
        st = sl_err_hint(st, "the same command goes on with what is in %s", b->out);
    SL_TRY_OUT(st);
    show.wall_s = sl_clock_now() - begun;
    show.file = &b->file;
    show.world = b->world;
    show.measured = b->measured;
    show.processes = (size_t)o.processes;
    show.out = b->out;
    show.is_json = o.is_json;
    st = sl_stage_show_all(&show);
out:
    sl_stage_file_close(&b->file);
    sl_free(b->point);
    sl_free(b->job);
    sl_free(b);
    return st;
}
