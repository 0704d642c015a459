/* Attention of one new query a sequence against cached keys, the executable specification. */
#include "kernels/ref/ref_int.h"
#include <math.h>

/* Head elements summed in double at a time; a larger E takes several rounds. */
#define E_BLOCK 64

/* Cache row of the j-th key of *r: the prefix, then its own. */
static size_t key_row(const sl_decode_row *r, size_t j)
{
    if (j < r->prefix_count)
        return r->prefix_first + j;
    return r->own_first + (j - r->prefix_count);
}

/* Scaled score of query qh (E) against key head kv of cache row `row`. */
static double score(const float *qh, const float *kcache, const sl_decode *d, size_t row, size_t kv)
{
    const float *kh = kcache + (row * d->K + kv) * d->E; /* (E) */
    double sum = 0.0;

    for (size_t e = 0; e < d->E; e++)
        sum += (double)qh[e] * kh[e];
    return d->scale * sum;
}

/* o (E) of one query. */
static void decode_head(float *o, const float *qh, const float *kcache, const float *vcache,
                        const sl_decode *d, const sl_decode_row *r, size_t kv)
{
    const size_t n = (size_t)r->prefix_count + r->own_count;
    const size_t first = d->window && n > d->window ? n - d->window : 0;
    double max = -INFINITY, sum = 0.0;

    for (size_t j = first; j < n; j++)
        max = fmax(max, score(qh, kcache, d, key_row(r, j), kv));
    for (size_t j = first; j < n; j++)
        sum += exp(score(qh, kcache, d, key_row(r, j), kv) - max);
    for (size_t e0 = 0; e0 < d->E; e0 += E_BLOCK) {
        const size_t count = d->E - e0 < E_BLOCK ? d->E - e0 : E_BLOCK;
        double acc[E_BLOCK] = { 0 };

        for (size_t j = first; j < n; j++) {
            const size_t row = key_row(r, j);
            const double p = exp(score(qh, kcache, d, row, kv) - max) / sum;

            for (size_t e = 0; e < count; e++)
                acc[e] += p * vcache[(row * d->K + kv) * d->E + e0 + e];
        }
        for (size_t e = 0; e < count; e++)
            o[e0 + e] = (float)acc[e];
    }
}

static void attention_decode_ref(float *o, const float *q, const float *kcache, const float *vcache,
                                 const sl_decode *d)
{
    for (size_t b = 0; b < d->B; b++)
        for (size_t h = 0; h < d->H; h++)
            decode_head(o + (b * d->H + h) * d->E, q + b * d->token_stride + h * d->head_stride,
                        kcache, vcache, d, &d->row[b], h / (d->H / d->K));
}

void sl_ref_decode(sl_ops *ops)
{
    ops->attention_decode = attention_decode_ref;
}
