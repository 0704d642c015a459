#include "analysis/whatif.h"
#include "base/alloc.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* From the flattest to the steepest in published recipes: .01 of Zephyr to 10 of SimPO. */
static const double beta_grid[] = { 0.01, 0.03, 0.1, 0.3, 1.0, 2.5, 10.0 };
enum { BETAS = sizeof beta_grid / sizeof beta_grid[0] };

static double setting(const sl_json *loss, const char *key, double fallback)
{
    const sl_json *value = json_object_get(loss, key);

    return json_is_number(value) ? json_number_value(value) : fallback;
}

/* The run's own loss and settings; a sum of terms has no name here. */
static sl_whatif_settings own_settings(sl_whatif *out, const sl_reader *reader)
{
    const sl_json *loss = json_object_get(sl_reader_json(reader), "loss");
    const char *name = json_string_value(json_object_get(loss, "name"));
    sl_whatif_settings set = sl_whatif_defaults();
    const sl_whatif_loss *row = name ? sl_whatif_find(name) : NULL;

    out->own_beta = row && row->has_beta ? setting(loss, "beta", NAN) : NAN;
    if (row && json_array_size(json_object_get(loss, "terms")) <= 1)
        snprintf(out->own_name, sizeof out->own_name, "%s", name);
    set.beta = setting(loss, "beta", set.beta);
    set.delta = setting(loss, "delta", set.delta);
    set.lambda = setting(loss, "lambda", set.lambda);
    set.gamma = setting(loss, "gamma", set.gamma);
    if (setting(loss, "smoothing", 0.0) > 0.0) /* with 0 cdpo and robust would be dpo */
        set.smoothing = setting(loss, "smoothing", 0.0);
    return set;
}

/* --- one row over all visits ------------------------------------------------------------------ */

static sl_logps logps_of(const sl_row_pairs *p)
{
    return (sl_logps){ p->logp_c, p->logp_r, p->ref_logp_c, p->ref_logp_r, p->tok_c, p->tok_r };
}

static int is_usable(const sl_whatif_loss *loss, const sl_row_pairs *p)
{
    if (!p->tok_c || !p->tok_r || !isfinite(p->logp_c) || !isfinite(p->logp_r))
        return 0;
    return !loss->needs_reference || (isfinite(p->ref_logp_c) && isfinite(p->ref_logp_r));
}

/* Sums for Pearson's correlation by Welford's update: no cancellation. */
typedef struct moments {
    double n, mean_x, mean_y, xx, yy, xy;
} moments;

static void add(moments *m, double x, double y)
{
    const double dx = x - m->mean_x, dy = y - m->mean_y;

    m->n++;
    m->mean_x += dx / m->n;
    m->mean_y += dy / m->n;
    m->xx += dx * (x - m->mean_x);
    m->yy += dy * (y - m->mean_y);
    m->xy += dx * (y - m->mean_y);
}

/* NaN where one of the two does not vary by more than rounding. */
static double correlation(const moments *m)
{
    const double least = 1e-20 * m->n;

    if (!(m->xx > least * m->mean_x * m->mean_x) || !(m->yy > least * m->mean_y * m->mean_y))
        return NAN;
    return m->xy / sqrt(m->xx * m->yy);
}

static void fill_row(sl_whatif_row *row, const sl_row_pairs *pairs, size_t count,
                     const sl_whatif_settings *set)
{
    moments loss = { 0 }, coef = { 0 };
    size_t active = 0;

    for (size_t i = 0; i < count; i++) {
        const sl_logps p = logps_of(&pairs[i]);
        sl_whatif_value v;

        if (!is_usable(row->loss, &pairs[i]))
            continue;
        v = sl_whatif_of(row->loss, &p, set);
        active += sl_whatif_push(row->loss, &p, set) >= SL_WHATIF_SATURATED;
        add(&loss, v.loss, pairs[i].loss);
        add(&coef, fabs(v.coef_r), fabs(pairs[i].coef_r));
        row->pairs++;
    }
    row->mean_loss = row->pairs ? loss.mean_x : NAN;
    row->mean_coef = row->pairs ? coef.mean_x : NAN;
    row->active = row->pairs ? (double)active / (double)row->pairs : NAN;
    row->saturated = 1.0 - row->active;
    row->corr_loss = correlation(&loss);
    row->corr_coef = correlation(&coef);
}

static void add_row(sl_whatif *out, const sl_whatif_loss *loss, const sl_row_pairs *pairs,
                    const sl_whatif_settings *set)
{
    sl_whatif_row row = { .loss = loss, .beta = loss->has_beta ? set->beta : NAN };

    row.is_own =
        !strcmp(loss->name, out->own_name) && (!loss->has_beta || set->beta == out->own_beta);
    fill_row(&row, pairs, out->pairs, set);
    if (row.pairs)
        out->row[out->count++] = row;
}

/* The grid with the run's own beta in its place. */
static size_t betas_of(double beta[BETAS + 1], double own)
{
    size_t n = 0;

    for (size_t i = 0; i < BETAS; i++) {
        /* cppcheck-suppress uninitvar ; what stands before n was filled */
        if (own < beta_grid[i] && (!n || beta[n - 1] < own))
            beta[n++] = own;
        beta[n++] = beta_grid[i];
    }
    if (own > beta[n - 1])
        beta[n++] = own;
    return n;
}

static double largest_difference(const sl_whatif *w, const sl_row_pairs *pairs,
                                 sl_whatif_settings set, double smoothing)
{
    const sl_whatif_loss *loss = sl_whatif_find(w->own_name);
    double most = NAN;

    if (!loss)
        return NAN;
    set.smoothing = smoothing;
    if (!strcmp(w->own_name, "dpo") && smoothing > 0.0)
        loss = sl_whatif_find("cdpo"); /* the same row in training */
    for (size_t i = 0; i < w->pairs; i++) {
        const sl_logps p = logps_of(&pairs[i]);

        if (is_usable(loss, &pairs[i]) && isfinite(pairs[i].loss))
            most = fmax(most, fabs(sl_whatif_of(loss, &p, &set).loss - pairs[i].loss));
    }
    return most;
}

static void fill(sl_whatif *out, const sl_row_pairs *pairs, sl_whatif_settings set)
{
    double beta[BETAS + 1];
    const size_t betas = betas_of(beta, out->own_beta);

    for (size_t k = 0; k < sl_whatif_loss_count; k++) {
        const sl_whatif_loss *loss = &sl_whatif_losses[k];

        for (size_t b = 0; b < (loss->has_beta ? betas : 1); b++) {
            set.beta = loss->has_beta ? beta[b] : set.beta;
            add_row(out, loss, pairs, &set);
        }
    }
}

sl_status sl_whatif_run(sl_whatif *out, sl_reader *reader)
{
    const sl_row_pairs *pairs;
    sl_whatif_settings set;

    *out = (sl_whatif){ .largest_difference = NAN };
    set = own_settings(out, reader);
    SL_TRY(sl_reader_rows(reader, SL_TABLE_PAIRS, &pairs, &out->pairs));
    SL_TRY(sl_take(&out->row, sl_whatif_loss_count * (BETAS + 1), sizeof *out->row));
    fill(out, pairs, set);
    out->largest_difference = largest_difference(
        out, pairs, set,
        setting(json_object_get(sl_reader_json(reader), "loss"), "smoothing", 0.0));
    sl_reader_release(reader, SL_TABLE_PAIRS);
    return SL_OK;
}

void sl_whatif_close(sl_whatif *w)
{
    sl_free(w->row);
    *w = (sl_whatif){ 0 };
}
