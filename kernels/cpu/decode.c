/* Attention of one new query a sequence against cached keys. A key is read once, so nothing is
 * packed: scores are products along the head, values are added along it. */
#include "kernels/cpu/attention_tile.h"
#include "kernels/cpu/cpu_int.h"

typedef struct decode {
    float *o; /* (B,H,E) */
    const float *q, *kcache, *vcache;
    const sl_decode *d;
} decode;

/* One query head in progress; elements beyond E are zero. */
typedef struct query {
    online row;
    float q[E_MAX], acc[E_MAX]; /* (CHUNKS(E), LANES) */
} query;

/* <q, k> over E; k (E). */
static inline float score(const float *q, const float *k, size_t E)
{
    float product[LANES] = { 0 };

    for (size_t c = 0; c < CHUNKS(E); c++) {
        const float *kc = k + c * LANES, *qc = q + c * LANES; /* (width), (LANES) */
        const int width = (int)chunk_width(E, c);

#pragma omp simd
        for (int l = 0; l < LANES; l++)
            product[l] += qc[l] * (l < width ? kc[l] : 0.0f);
    }
    return lanes_sum(product);
}

/* acc += p (count) v, the rows of v at floats at (count). */
static inline void add_values(float *acc, const float *p, const float *v, const size_t *at,
                              size_t count, size_t E)
{
    for (size_t c = 0; c < CHUNKS(E); c++) {
        const size_t width = chunk_width(E, c);
        float sum[LANES];

        memcpy(sum, acc + c * LANES, sizeof sum);
        for (size_t j = 0; j < count; j++) {
            float row[LANES];

            load_lanes(row, v + at[j] + c * LANES, width);
#pragma omp simd
            for (int l = 0; l < LANES; l++)
                sum[l] += p[j] * row[l];
        }
        memcpy(acc + c * LANES, sum, sizeof sum);
    }
}

/* Keys [first, first + count) of *r, count <= LANES: of the prefix, then its own. */
static void attend_keys(query *one, const decode *d, const sl_decode_row *r, size_t first,
                        size_t count, size_t kv)
{
    const size_t E = d->d->E, own = (size_t)r->own_first - r->prefix_count; /* modulo */
    float p[LANES] = { 0 };
    size_t at[LANES]; /* floats of the key head in the cache */

    for (size_t l = 0; l < count; l++) {
        const size_t j = first + l, row = j + (j < r->prefix_count ? r->prefix_first : own);

        at[l] = (row * d->d->K + kv) * E;
        p[l] = score(one->q, d->kcache + at[l], E);
    }
    const float shrink = take_scores(&one->row, p, 0, count, d->d->scale);

    for (size_t c = 0; c < CHUNKS(E); c++)
        scale_lanes(one->acc + c * LANES, shrink);
    add_values(one->acc, p, d->vcache, at, count, E);
}

/* Query head h of sequence b. */
static void decode_head(const decode *d, size_t b, size_t h)
{
    const sl_decode *s = d->d;
    const sl_decode_row *r = &s->row[b];
    const size_t n = (size_t)r->prefix_count + r->own_count;
    const float *q = d->q + b * s->token_stride + h * s->head_stride; /* (E) */
    float *o = d->o + (b * s->H + h) * s->E;                          /* (E) */
    query one;

    one.row = (online){ -INFINITY, 0.0f };
    for (size_t c = 0; c < CHUNKS(s->E); c++)
        load_lanes(one.q + c * LANES, q + c * LANES, chunk_width(s->E, c));
    zero_lanes(one.acc, CHUNKS(s->E));
    for (size_t j = s->window && n > s->window ? n - s->window : 0; j < n; j += LANES)
        attend_keys(&one, d, r, j, n - j < LANES ? n - j : LANES, h / (s->H / s->K));
    const float share = 1.0f / one.row.sum;

    for (size_t e = 0; e < s->E; e++)
        o[e] = one.acc[e] * share;
}

static void attention_decode_cpu(float *o, const float *q, const float *kcache, const float *vcache,
                                 const sl_decode *d)
{
    const decode all = { o, q, kcache, vcache, d };

    if (d->E > E_MAX) {
        sl_ref_ops()->attention_decode(o, q, kcache, vcache, d);
        return;
    }
#pragma omp parallel for schedule(static) if (d->B * d->H * d->E > SL_CPU_WORTH / 16)
    for (size_t b = 0; b < d->B; b++)
        for (size_t h = 0; h < d->H; h++)
            decode_head(&all, b, h);
}

void SL_CPU(decode)(sl_ops *ops)
{
    ops->attention_decode = attention_decode_cpu;
}
