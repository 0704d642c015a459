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

/* acc += p (count) v; v: count rows `stride` floats apart. */
static inline void add_values(float *acc, const float *p, const float *v, size_t stride,
                              size_t count, size_t E)
{
    for (size_t c = 0; c < CHUNKS(E); c++) {
        const int width = (int)chunk_width(E, c);
        float sum[LANES];

        memcpy(sum, acc + c * LANES, sizeof sum);
        for (size_t j = 0; j < count; j++) {
            const float *vc = v + j * stride + c * LANES; /* (width) */

#pragma omp simd
            for (int l = 0; l < LANES; l++)
                sum[l] += p[j] * (l < width ? vc[l] : 0.0f);
        }
        memcpy(acc + c * LANES, sum, sizeof sum);
    }
}

/* Cache rows [first, first + n) of key head kv, LANES at a time. */
static void attend_range(query *one, const decode *d, size_t first, size_t n, size_t kv)
{
    const size_t E = d->d->E, stride = d->d->K * E;

    for (size_t j = 0; j < n; j += LANES) {
        const size_t count = n - j < LANES ? n - j : LANES, at = (first + j) * stride + kv * E;
        float p[LANES] = { 0 };

        for (size_t l = 0; l < count; l++)
            p[l] = score(one->q, d->kcache + at + l * stride, E);
        const float shrink = take_scores(&one->row, p, 0, count, d->d->scale);

        for (size_t c = 0; c < CHUNKS(E); c++)
            scale_lanes(one->acc + c * LANES, shrink);
        add_values(one->acc, p, d->vcache + at, stride, count, E);
    }
}

/* Query head h of sequence b. */
static void decode_head(const decode *d, size_t b, size_t h)
{
    const sl_decode *s = d->d;
    const sl_decode_row *r = &s->row[b];
    const size_t n = (size_t)r->prefix_count + r->own_count, kv = h / (s->H / s->K);
    const size_t skip = s->window && n > s->window ? n - s->window : 0;
    const size_t skip_prefix = skip < r->prefix_count ? skip : r->prefix_count;
    const size_t skip_own = skip - skip_prefix;
    const float *q = d->q + b * s->token_stride + h * s->head_stride; /* (E) */
    float *o = d->o + (b * s->H + h) * s->E;                          /* (E) */
    query one;

    one.row = (online){ -INFINITY, 0.0f };
    for (size_t c = 0; c < CHUNKS(s->E); c++)
        load_lanes(one.q + c * LANES, q + c * LANES, chunk_width(s->E, c));
    zero_lanes(one.acc, CHUNKS(s->E));
    attend_range(&one, d, r->prefix_first + skip_prefix, r->prefix_count - skip_prefix, kv);
    attend_range(&one, d, r->own_first + skip_own, r->own_count - skip_own, kv);
    for (size_t e = 0; e < s->E; e++)
        o[e] = one.acc[e] / one.row.sum;
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
