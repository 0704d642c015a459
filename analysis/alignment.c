#include "analysis/alignment.h"
#include "analysis/metric.h"
#include "base/alloc.h"
#include <math.h>

static int is_split(const sl_row_grad_groups *g)
{
    return isfinite(g->norm_static) || isfinite(g->norm_on) || isfinite(g->cos_c_r);
}

const sl_row_steps *sl_step_row(const sl_row_steps *s, size_t count, size_t *at, int64_t step)
{
    while (*at < count && s[*at].step < step)
        ++*at;
    return *at < count && s[*at].step == step ? &s[*at] : NULL;
}

static double noise_of(const sl_row_grad_groups *g, const sl_row_steps *s)
{
    if (!isfinite(g->sq_small) || !g->shard_pairs || !s || s->pairs <= g->shard_pairs)
        return NAN;
    return sl_noise_scale_of((double)g->sq_small, (double)g->norm * (double)g->norm,
                             (double)g->shard_pairs, (double)s->pairs)
        .simple;
}

static sl_status add_rows(sl_alignment *out, sl_reader *reader, const sl_row_grad_groups *g,
                          size_t count)
{
    const sl_row_steps *s;
    size_t steps, at = 0;

    SL_TRY(sl_reader_rows(reader, SL_TABLE_STEPS, &s, &steps));
    for (size_t i = 0; i < count; i++) {
        sl_alignment_row *row = &out->row[out->count];

        if (!is_split(&g[i]))
            continue;
        *row = (sl_alignment_row){ .step = g[i].step,
                                   .group = (int64_t)g[i].group - 1, /* names count from 1 */
                                   .norm_static = (double)g[i].norm_static,
                                   .norm_on = (double)g[i].norm_on,
                                   .cos_static_on = (double)g[i].cos_static_on,
                                   .norm_c = (double)g[i].norm_c,
                                   .norm_r = (double)g[i].norm_r,
                                   .cos_c_r = (double)g[i].cos_c_r };
        row->noise_scale = noise_of(&g[i], sl_step_row(s, steps, &at, g[i].step));
        SL_TRY(sl_reader_name(reader, SL_NAME_GROUP, g[i].group, &row->name));
        out->count++;
    }
    return SL_OK;
}

/* Rows of one group: cosines of static and on-policy into x (n), of the sides into sides (m). */
static void gather(double *x, size_t *n, double *sides, size_t *m, const sl_alignment *a,
                   int64_t group)
{
    *n = *m = 0;
    for (size_t i = 0; i < a->count; i++) {
        if (a->row[i].group != group)
            continue;
        sides[(*m)++] = a->row[i].cos_c_r;
        if (isfinite(a->row[i].cos_static_on))
            x[(*n)++] = a->row[i].cos_static_on;
    }
}

static size_t group_count(const sl_alignment *a)
{
    int64_t most = -1;

    for (size_t i = 0; i < a->count; i++)
        most = a->row[i].group > most ? a->row[i].group : most;
    return (size_t)(most + 1);
}

static const char *name_of(const sl_alignment *a, int64_t group)
{
    for (size_t i = 0; i < a->count; i++)
        if (a->row[i].group == group && a->row[i].name)
            return a->row[i].name;
    return "?";
}

static sl_status add_groups(sl_alignment *out)
{
    double *x = NULL, *sides;
    size_t n, m;

    out->groups = group_count(out);
    SL_TRY(sl_take(&out->group, out->groups + 1, sizeof *out->group));
    SL_TRY(sl_take(&x, 2 * out->count + 1, sizeof *x));
    sides = x + out->count;
    for (size_t k = 0; k < out->groups; k++) {
        sl_alignment_group *g = &out->group[k];

        gather(x, &n, sides, &m, out, (int64_t)k);
        g->group = (int64_t)k;
        g->name = name_of(out, (int64_t)k);
        g->early = sl_mean_of(x, n / 2);
        g->late = sl_mean_of(x + n / 2, n - n / 2);
        g->chosen_rejected = sl_mean_of(sides, m);
    }
    sl_free(x);
    return SL_OK;
}

sl_status sl_alignment_run(sl_alignment *out, sl_reader *reader)
{
    const sl_row_grad_groups *g;
    size_t count;
    sl_status st = SL_OK;

    *out = (sl_alignment){ 0 };
    SL_TRY(sl_reader_rows(reader, SL_TABLE_GRAD_GROUPS, &g, &count));
    SL_TRY_OUT(sl_take(&out->row, count + 1, sizeof *out->row));
    SL_TRY_OUT(add_rows(out, reader, g, count));
    st = add_groups(out);
out:
    sl_reader_release(reader, SL_TABLE_GRAD_GROUPS);
    if (st != SL_OK)
        sl_alignment_close(out);
    return st;
}

void sl_alignment_close(sl_alignment *a)
{
    sl_free(a->row);
    sl_free(a->group);
    *a = (sl_alignment){ 0 };
}
