#include "analysis/compare_grid.h"
#include "analysis/branch_run.h"
#include "analysis/json_out_int.h"
#include "analysis/special.h"
#include "base/alloc.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ITERATIONS = 8 };
/* Below this a model is a stand-in for its architecture: the smallest published ones of these
 * families have some ten million parameters. */
#define TINY_PARAMETERS 10000000

/* What an iteration began with and what either source gained; NaN where it was not measured. */
typedef struct at_iteration {
    double bs, bs_se;
    double gain[2], se[2]; /* static, on-policy; se over prompts */
    int taken;             /* SL_ORIGIN_, -1: none */
} at_iteration;

typedef struct numbers {
    at_iteration at[ITERATIONS + 1]; /* the last: after the last iteration */
    size_t measured;                 /* places with a score */
    double parameters;
} numbers;

/* --- one run --------------------------------------------------------------------------------- */

static sl_status scores(numbers *n, const sl_run_analysis *a, sl_reader *reader)
{
    for (size_t i = 0; i < a->count && i <= ITERATIONS; i++) {
        const sl_measurement *m = &a->row[i];
        at_iteration *at = &n->at[i];
        int has_fixed;

        SL_TRY(sl_run_fixed_score(&at->bs, &at->bs_se, &has_fixed, reader, m->step));
        if (!has_fixed) {
            at->bs = m->derived.bs;
            at->bs_se = m->derived.se;
        }
        n->measured = i + 1;
    }
    return SL_OK;
}

static sl_status gains(numbers *n, const sl_run_analysis *a, sl_reader *reader)
{
    sl_gain *gain = NULL;
    size_t count;

    SL_TRY(sl_run_gains(&gain, &count, a, reader));
    for (size_t i = 0; i < count; i++) {
        at_iteration *at = n->at;

        if (gain[i].iteration >= ITERATIONS || gain[i].origin > SL_ORIGIN_ON_POLICY)
            continue;
        at += gain[i].iteration;
        at->gain[gain[i].origin] = gain[i].value;
        at->se[gain[i].origin] = gain[i].se;
        if (gain[i].is_chosen)
            at->taken = gain[i].origin;
    }
    sl_free(gain);
    return SL_OK;
}

static sl_status read_run(numbers *n, const char *path)
{
    const sl_json *parameters;
    sl_reader *reader = NULL;
    sl_run_analysis a = { 0 };
    sl_status st = SL_OK;

    for (size_t i = 0; i <= ITERATIONS; i++)
        n->at[i] = (at_iteration){ NAN, NAN, { NAN, NAN }, { NAN, NAN }, -1 };
    n->measured = 0;
    SL_TRY(sl_reader_open(&reader, path));
    parameters = json_object_get(json_object_get(sl_reader_json(reader), "policy"), "parameters");
    n->parameters = json_is_number(parameters) ? json_number_value(parameters) : NAN;
    SL_TRY_OUT(sl_run_analyze(&a, reader));
    SL_TRY_OUT(scores(n, &a, reader));
    st = gains(n, &a, reader);
out:
    sl_run_analysis_close(&a);
    sl_reader_close(&reader);
    return st;
}

/* --- over seeds ------------------------------------------------------------------------------ */

typedef struct grid {
    const sl_grid_cell *cell;
    numbers *run; /* (n) */
    size_t n;
    double alpha;
} grid;

static int is_same(const sl_grid_cell *a, const sl_grid_cell *b)
{
    return !strcmp(a->family, b->family) && !strcmp(a->start, b->start) &&
           !strcmp(a->method, b->method);
}

/* Seeds of the cell that begins at `first`. */
static size_t seeds_of(const grid *g, size_t first)
{
    size_t n = 1;

    while (first + n < g->n && is_same(&g->cell[first], &g->cell[first + n]))
        n++;
    return n;
}

static double difference_of(const at_iteration *at)
{
    return at->gain[SL_ORIGIN_ON_POLICY] - at->gain[SL_ORIGIN_STATIC];
}

typedef struct band {
    double mean, lower, upper;
} band;

/* Squares about the means of cells of a method, of values that `of` gives. */
static void pool(double *squares, double *freedom, const grid *g, const char *method, size_t i,
                 double (*of)(const at_iteration *))
{
    size_t seeds;

    *squares = *freedom = 0.0;
    for (size_t first = 0; first < g->n; first += seeds) {
        double mean = 0.0, own = 0.0;

        seeds = seeds_of(g, first);
        if (strcmp(g->cell[first].method, method) != 0)
            continue;
        for (size_t s = 0; s < seeds; s++)
            mean += of(&g->run[first + s].at[i]) / (double)seeds;
        for (size_t s = 0; s < seeds; s++)
            own += pow(of(&g->run[first + s].at[i]) - mean, 2.0);
        if (isnan(own))
            continue;
        *squares += own;
        *freedom += (double)seeds - 1.0;
    }
}

/* prompt_se: what one run knows of its own error. */
static band band_of(const grid *g, size_t first, size_t i, double (*of)(const at_iteration *),
                    double (*prompt_se)(const at_iteration *))
{
    const size_t seeds = seeds_of(g, first);
    double squares, freedom, half;
    band b = { 0.0, NAN, NAN };

    for (size_t s = 0; s < seeds; s++)
        b.mean += of(&g->run[first + s].at[i]) / (double)seeds;
    pool(&squares, &freedom, g, g->cell[first].method, i, of);
    if (freedom > 0.0)
        half = sl_student_quantile(1.0 - g->alpha / 2.0, freedom) *
               sqrt(squares / freedom / (double)seeds);
    else
        half = sl_normal_quantile(1.0 - g->alpha / 2.0) * prompt_se(&g->run[first].at[i]);
    b.lower = b.mean - half;
    b.upper = b.mean + half;
    return b;
}

static double score_of(const at_iteration *at)
{
    return at->bs;
}

static double score_se(const at_iteration *at)
{
    return at->bs_se;
}

static double static_of(const at_iteration *at)
{
    return at->gain[SL_ORIGIN_STATIC];
}

static double static_se(const at_iteration *at)
{
    return at->se[SL_ORIGIN_STATIC];
}

static double on_of(const at_iteration *at)
{
    return at->gain[SL_ORIGIN_ON_POLICY];
}

static double on_se(const at_iteration *at)
{
    return at->se[SL_ORIGIN_ON_POLICY];
}

static double difference_se(const at_iteration *at)
{
    return sqrt(at->se[0] * at->se[0] + at->se[1] * at->se[1]);
}

/* --- rows ------------------------------------------------------------------------------------ */

static sl_status put_band(sl_json *row, const char *name, const band *b)
{
    char key[64];

    SL_TRY(sl_out_number(row, name, b->mean));
    snprintf(key, sizeof key, "%s_lower", name);
    SL_TRY(sl_out_number(row, key, b->lower));
    snprintf(key, sizeof key, "%s_upper", name);
    return sl_out_number(row, key, b->upper);
}

static sl_status put_names(sl_json **row, sl_json *list, const grid *g, size_t first)
{
    const sl_grid_cell *c = &g->cell[first];

    SL_TRY(sl_out_object(row, list, NULL));
    SL_TRY(sl_out_i64(*row, "row", (int64_t)json_array_size(list)));
    SL_TRY(sl_out_text(*row, "family", c->family));
    SL_TRY(sl_out_text(*row, "start", c->start));
    SL_TRY(sl_out_text(*row, "method", c->method));
    return sl_out_i64(*row, "seeds", (int64_t)seeds_of(g, first));
}

static const char *stage_of(const band *bs)
{
    return bs->upper < 0.5    ? "injection"
           : bs->lower >= 0.5 ? "fine-tuning"
           : isnan(bs->mean)  ? NULL
                              : "undecided";
}

/* Static data that do not help make no ratio. */
static double ratio(const band *on, const band *off)
{
    return off->lower > 0.0 ? on->mean / off->mean : NAN;
}

/* An iteration of a cell: the score before it, gains of both sources, what the seeds took. */
static sl_status put_iteration(sl_json *list, const grid *g, size_t first, size_t i)
{
    const band bs = band_of(g, first, i, score_of, score_se);
    const band off = band_of(g, first, i, static_of, static_se);
    const band on = band_of(g, first, i, on_of, on_se);
    const band d = band_of(g, first, i, difference_of, difference_se);
    int64_t taken = 0;
    sl_json *row;

    for (size_t s = 0; s < seeds_of(g, first); s++)
        taken += g->run[first + s].at[i].taken == SL_ORIGIN_ON_POLICY;
    SL_TRY(put_names(&row, list, g, first));
    SL_TRY(sl_out_i64(row, "iteration", (int64_t)i));
    SL_TRY(put_band(row, "bs", &bs));
    SL_TRY(sl_out_text(row, "stage", stage_of(&bs)));
    SL_TRY(put_band(row, "static", &off));
    SL_TRY(put_band(row, "on_policy", &on));
    SL_TRY(put_band(row, "difference", &d));
    SL_TRY(sl_out_number(row, "ratio", ratio(&on, &off)));
    return sl_out_i64(row, "took_on_policy", taken);
}

static sl_status put_path(sl_json *row, const grid *g, size_t first, size_t measured)
{
    char path[256] = "", key[16];
    size_t used = 0;

    for (size_t i = 0; i < measured; i++) {
        const band bs = band_of(g, first, i, score_of, score_se);
        const char *stage = stage_of(&bs);

        snprintf(key, sizeof key, "bs_%zu", i);
        SL_TRY(sl_out_number(row, key, bs.mean));
        used += (size_t)snprintf(path + used, sizeof path - used, "%s%s", i ? " > " : "",
                                 stage ? stage : "-");
    }
    return sl_out_text(row, "path", path);
}

/* A cell in a row: the first iteration, scores throughout. */
static sl_status put_cell(sl_json *list, const grid *g, size_t first)
{
    const band off = band_of(g, first, 0, static_of, static_se);
    const band on = band_of(g, first, 0, on_of, on_se);
    const band d = band_of(g, first, 0, difference_of, difference_se);
    sl_json *row;

    SL_TRY(put_names(&row, list, g, first));
    SL_TRY(sl_out_number(row, "parameters", g->run[first].parameters));
    SL_TRY(put_band(row, "static", &off));
    SL_TRY(put_band(row, "on_policy", &on));
    SL_TRY(put_band(row, "difference", &d));
    SL_TRY(sl_out_number(row, "ratio", ratio(&on, &off)));
    return put_path(row, g, first, g->run[first].measured);
}

static sl_status put_note(sl_json *out, const grid *g)
{
    double most = 0.0;
    char text[320];

    for (size_t i = 0; i < g->n; i++)
        most = fmax(most, g->run[i].parameters);
    if (!(most < TINY_PARAMETERS))
        return sl_out_text(out, "note", NULL);
    snprintf(text, sizeof text,
             "these are tiny models of those architectures, of at most %.0f parameters, trained "
             "here from nothing: not the published checkpoints of these names, whose gains and "
             "scores may differ in every row",
             most);
    return sl_out_text(out, "note", text);
}

static sl_status fill(sl_json *out, const grid *g)
{
    sl_json *cells, *iterations;
    size_t seeds, runs = 1;

    for (size_t first = 0; first < g->n; first += seeds) {
        seeds = seeds_of(g, first);
        runs = seeds > runs ? seeds : runs;
    }
    SL_TRY(sl_out_text(out, "schema", "stageline.compare_grid/1"));
    SL_TRY(sl_out_number(out, "level", 1.0 - g->alpha));
    SL_TRY(sl_out_text(out, "interval", runs > 1 ? "seeds" : "prompts"));
    SL_TRY(put_note(out, g));
    SL_TRY(sl_out_list(&cells, out, "cells"));
    SL_TRY(sl_out_list(&iterations, out, "iterations"));
    for (size_t first = 0; first < g->n; first += seeds) {
        seeds = seeds_of(g, first);
        SL_TRY(put_cell(cells, g, first));
        for (size_t i = 0; i < g->run[first].measured; i++)
            SL_TRY(put_iteration(iterations, g, first, i));
    }
    return SL_OK;
}

sl_status sl_compare_grid(sl_json **out, const sl_grid_cell *cell, size_t n, double alpha)
{
    grid g = { .cell = cell, .n = n, .alpha = alpha };
    sl_status st = SL_OK;

    *out = json_object();
    if (!*out)
        return SL_FAIL(SL_ENOMEM, "want memory for a document, found none");
    SL_TRY_OUT(sl_take(&g.run, n + 1, sizeof *g.run));
    for (size_t i = 0; i < n; i++)
        SL_TRY_OUT(sl_err_where(read_run(&g.run[i], cell[i].run), "%s", cell[i].run));
    st = fill(*out, &g);
out:
    sl_free(g.run);
    if (st != SL_OK)
        sl_json_close(out);
    return st;
}
