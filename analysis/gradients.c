#include "analysis/gradients.h"
#include "analysis/alignment.h"
#include "analysis/vectors.h"
#include "base/alloc.h"
#include <math.h>
#include <string.h>

enum { SKETCH = 2 }; /* wide column of pair_grad, from 0 */

/* --- noise ----------------------------------------------------------------------------------- */

/* Averages begin at 0; what they are then too small by cancels in the ratio and is divided out. */
static void smooth(sl_noise_row *rows, size_t count)
{
    double noise = 0.0, squared = 0.0, weight = 0.0;

    for (size_t i = 0; i < count; i++) {
        sl_noise_row *r = &rows[i];

        noise = SL_NOISE_KEEP * noise + (1.0 - SL_NOISE_KEEP) * r->now.noise;
        squared = SL_NOISE_KEEP * squared + (1.0 - SL_NOISE_KEEP) * r->now.squared_gradient;
        weight = SL_NOISE_KEEP * weight + (1.0 - SL_NOISE_KEEP);
        r->noise = noise / weight;
        r->squared = squared / weight;
        r->scale = sl_noise_ratio(r->noise, r->squared);
    }
}

static sl_status add_noise(sl_gradients *out, const sl_row_steps *s, size_t count)
{
    SL_TRY(sl_take(&out->noise, count + 1, sizeof *out->noise));
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(s[i].noise_s) || !isfinite(s[i].noise_g2))
            continue;
        out->noise[out->noises++] = (sl_noise_row){
            .step = s[i].step,
            .pairs = s[i].pairs,
            .now = { s[i].noise_g2, s[i].noise_s, sl_noise_ratio(s[i].noise_s, s[i].noise_g2) },
        };
    }
    smooth(out->noise, out->noises);
    return SL_OK;
}

/* --- one update with gradients of pairs ------------------------------------------------------- */

typedef struct sketches {
    sl_reader *reader;
    const sl_row_pair_grad *row; /* of all updates */
    size_t m, count, most;       /* count: rows of all; most: of one update */
    float *raw;                  /* (m) */
    double *g, *p;               /* (most, m) of pairs and of probe answers that are used */
    double *mean, *before;       /* (m) of this update and of the one before */
    double *part[2];             /* (m) mean of static and of on-policy pairs */
    double *dots;                /* (most) influence of each pair used */
    double *of_source[2];        /* (most) of those of one source */
    double *eigen;               /* (most) */
    size_t *used;                /* (most) rows behind g */
    size_t n, probes;
    double before_g2; /* noise-corrected squared norm of `before` */
} sketches;

static sl_status open_sketches(sketches *k)
{
    double **const vectors[] = { &k->mean, &k->before, &k->part[0], &k->part[1] };
    double **const lists[] = { &k->dots, &k->of_source[0], &k->of_source[1], &k->eigen };

    for (size_t a = 0; a < k->count;) {
        size_t b = a;

        while (b < k->count && k->row[b].step == k->row[a].step)
            b++;
        k->most = b - a > k->most ? b - a : k->most;
        a = b;
    }
    SL_TRY(sl_take(&k->raw, k->m + 1, sizeof *k->raw));
    SL_TRY(sl_take(&k->g, k->most * k->m + 1, sizeof *k->g));
    SL_TRY(sl_take(&k->p, k->most * k->m + 1, sizeof *k->p));
    SL_TRY(sl_take(&k->used, k->most + 1, sizeof *k->used));
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++)
        SL_TRY(sl_take(vectors[i], k->m + 1, sizeof **vectors[i]));
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        SL_TRY(sl_take(lists[i], k->most + 1, sizeof **lists[i]));
    return SL_OK;
}

static void close_sketches(sketches *k)
{
    void *const all[] = { k->raw,     k->g,       k->p,    k->mean,         k->before,
                          k->part[0], k->part[1], k->dots, k->of_source[0], k->of_source[1],
                          k->eigen,   k->used };

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        sl_free(all[i]);
}

/* to (m) = the sketch of a row; *is_finite 0: it has a number that is none. */
static sl_status read_sketch(double *to, int *is_finite, sketches *k, size_t row)
{
    SL_TRY(sl_reader_wide(k->reader, SL_TABLE_PAIR_GRAD, SKETCH, row, 1, k->raw));
    *is_finite = isfinite(k->row[row].norm);
    for (size_t i = 0; i < k->m; i++) {
        to[i] = (double)k->raw[i];
        *is_finite &= isfinite(to[i]) != 0;
    }
    return SL_OK;
}

/* Rows [a, b): pairs into g, probe answers into p. */
static sl_status read_update(sl_geometry_row *out, sketches *k, size_t a, size_t b)
{
    k->n = k->probes = 0;
    for (size_t i = a; i < b; i++) {
        const int is_probe = k->row[i].source == SL_ORIGIN_OTHER;
        double *to = is_probe ? k->p + k->probes * k->m : k->g + k->n * k->m;
        int is_finite;

        SL_TRY(read_sketch(to, &is_finite, k, i));
        if (!is_finite)
            out->dropped++;
        else if (is_probe)
            k->probes++;
        else
            k->used[k->n++] = i;
    }
    out->pairs = k->n;
    out->probes = k->probes;
    return SL_OK;
}

static double cosine(const double *x, const double *y, size_t n)
{
    const double norms = sl_vector_norm(x, n) * sl_vector_norm(y, n);

    return norms > 0.0 ? sl_dot(x, y, n) / norms : NAN;
}

static int is_on(const sketches *k, size_t i)
{
    return k->row[k->used[i]].source == SL_ORIGIN_ON_POLICY;
}

/* Means of all and of each source. */
static void add_means(sl_geometry_row *out, sketches *k)
{
    double *const sums[] = { k->mean, k->part[0], k->part[1] };

    for (size_t s = 0; s < 3; s++)
        memset(sums[s], 0, k->m * sizeof *sums[s]);
    for (size_t i = 0; i < k->n; i++) {
        double *part = k->part[is_on(k, i)];

        out->pairs_on += (size_t)is_on(k, i);
        out->norm += (double)k->row[k->used[i]].norm / (double)k->n;
        for (size_t j = 0; j < k->m; j++) {
            k->mean[j] += k->g[i * k->m + j] / (double)k->n;
            part[j] += k->g[i * k->m + j];
        }
    }
    out->cos_static_on = cosine(k->part[0], k->part[1], k->m);
}

/* Pairs as shards of one, by their recorded norms. */
static void add_pair_noise(sl_geometry_row *out, const sketches *k, double grad_norm)
{
    double small = 0.0;

    for (size_t i = 0; i < k->n; i++) {
        const double norm = (double)k->row[k->used[i]].norm;

        small += norm * norm / (double)k->n;
    }
    out->noise = k->n > 1 ? sl_noise_scale_of(small, grad_norm * grad_norm, 1.0, (double)k->n)
                          : (sl_noise_scale){ NAN, NAN, NAN };
}

static void add_drift(sl_geometry_row *out, sketches *k, int is_first)
{
    out->cos_previous = out->cos_previous_corrected = NAN;
    if (!is_first) {
        const double g2 = k->before_g2 * out->noise.squared_gradient;

        out->cos_previous = cosine(k->mean, k->before, k->m);
        if (k->before_g2 > 0.0 && out->noise.squared_gradient > 0.0)
            out->cos_previous_corrected = sl_dot(k->mean, k->before, k->m) / sqrt(g2);
    }
    memcpy(k->before, k->mean, k->m * sizeof *k->mean);
    k->before_g2 = out->noise.squared_gradient;
}

/* What a step of gradient descent on one pair does to the log-probability of the probe set, for a
 * learning rate of 1. */
static void add_influence(sl_geometry_row *out, sketches *k)
{
    size_t n[2] = { 0, 0 };

    for (size_t i = 0; i < k->n; i++) {
        k->dots[i] = k->probes ? 0.0 : NAN;
        for (size_t j = 0; j < k->probes; j++)
            k->dots[i] -= sl_dot(k->g + i * k->m, k->p + j * k->m, k->m) / (double)k->probes;
        k->of_source[is_on(k, i)][n[is_on(k, i)]++] = k->dots[i];
    }
    out->influence = sl_mean_of(k->dots, k->n);
    out->influence_static = sl_mean_of(k->of_source[0], n[0]);
    out->influence_on = sl_mean_of(k->of_source[1], n[1]);
}

static sl_status add_geometry(sl_geometry_row *out, sketches *k)
{
    size_t count = 0;

    SL_TRY(sl_gradient_geometry_of(&out->geometry, NULL, k->g, k->n, k->m));
    out->conflict = sl_conflict_rate(k->g, k->n, k->m);
    out->vendi = NAN;
    if (k->n)
        SL_TRY(sl_vendi_spectrum(k->eigen, &count, k->g, NULL, k->n, k->m));
    if (count)
        out->vendi = sl_vendi_score(k->eigen, count, 1.0);
    return SL_OK;
}

static void keep_influences(sl_gradients *out, const sketches *k)
{
    for (size_t i = 0; i < k->n; i++) {
        const sl_row_pair_grad *r = &k->row[k->used[i]];

        out->influence[out->influences++] = (sl_influence_row){ .step = r->step,
                                                                .pair = r->pair_id,
                                                                .source = r->source,
                                                                .norm = (double)r->norm,
                                                                .cos_batch = (double)r->cos_batch,
                                                                .influence = k->dots[i] };
    }
}

/* --- all of them ------------------------------------------------------------------------------ */

static sl_status add_updates(sl_gradients *out, sketches *k, const sl_row_steps *s, size_t steps)
{
    size_t at = 0;

    for (size_t a = 0, b; a < k->count; a = b) {
        sl_geometry_row *r = &out->geometry[out->geometries];
        const sl_row_steps *update = sl_step_row(s, steps, &at, k->row[a].step);

        for (b = a; b < k->count && k->row[b].step == k->row[a].step; b++)
            continue;
        *r = (sl_geometry_row){ .step = k->row[a].step };
        SL_TRY(read_update(r, k, a, b));
        add_means(r, k);
        add_pair_noise(r, k, update ? update->grad_norm : NAN);
        SL_TRY(add_geometry(r, k));
        add_drift(r, k, out->geometries == 0);
        add_influence(r, k);
        keep_influences(out, k);
        out->geometries++;
    }
    return SL_OK;
}

static sl_status add_pairs(sl_gradients *out, sl_reader *reader, const sl_row_steps *s,
                           size_t steps)
{
    sketches k = { .reader = reader, .m = sl_reader_layout(reader)->width[SL_WIDTH_SKETCH] };
    sl_status st = SL_OK;

    if (!sl_reader_has(reader, SL_TABLE_PAIR_GRAD) || !k.m)
        return SL_OK;
    SL_TRY(sl_reader_rows(reader, SL_TABLE_PAIR_GRAD, &k.row, &k.count));
    SL_TRY_OUT(sl_take(&out->geometry, k.count + 1, sizeof *out->geometry));
    SL_TRY_OUT(sl_take(&out->influence, k.count + 1, sizeof *out->influence));
    SL_TRY_OUT(open_sketches(&k));
    st = add_updates(out, &k, s, steps);
out:
    close_sketches(&k);
    sl_reader_release(reader, SL_TABLE_PAIR_GRAD);
    return st;
}

static sl_status add_cost(sl_gradients *out, sl_reader *reader)
{
    const sl_row_clock *c;
    size_t count;
    double step = 0.0, norms = 0.0, splits = 0.0, pairs = 0.0;

    SL_TRY(sl_reader_rows(reader, SL_TABLE_CLOCK, &c, &count));
    for (size_t i = 0; i < count; i++) {
        step += (double)c[i].step_s;
        norms += (double)c[i].norms_s;
        splits += (double)c[i].split_s;
        pairs += (double)c[i].pair_grad_s;
    }
    out->norms = step > 0.0 ? norms / step : NAN;
    out->splits = step > 0.0 ? splits / step : NAN;
    out->pairs = step > 0.0 ? pairs / step : NAN;
    out->cost = out->norms + out->splits + out->pairs;
    return SL_OK;
}

sl_status sl_gradients_run(sl_gradients *out, sl_reader *reader)
{
    const sl_row_steps *s;
    size_t steps;
    sl_status st = SL_OK;

    *out = (sl_gradients){ 0 };
    SL_TRY(sl_reader_rows(reader, SL_TABLE_STEPS, &s, &steps));
    SL_TRY_OUT(add_noise(out, s, steps));
    SL_TRY_OUT(add_pairs(out, reader, s, steps));
    st = add_cost(out, reader);
out:
    if (st != SL_OK)
        sl_gradients_close(out);
    return st;
}

void sl_gradients_close(sl_gradients *g)
{
    sl_free(g->noise);
    sl_free(g->geometry);
    sl_free(g->influence);
    *g = (sl_gradients){ 0 };
}
