/* Attention of one new query a sequence against cached keys. A thread takes neighbouring sequences,
 * and keeps the packed tile of a short prefix while they share it; packing is a copy, so the result
 * of a sequence does not depend on its neighbours. */
#include "kernels/cpu/attention_tile.h"
#include "kernels/cpu/cpu_int.h"
#include <omp.h>

typedef struct decode {
    float *o; /* (B,H,E) */
    const float *q, *kcache, *vcache;
    const sl_decode *d;
} decode;

/* The packed tile that holds cache rows [row, row + count) of a key head. */
typedef struct cached_tile {
    key_tile tile;
    size_t row;
} cached_tile;

/* State of the query heads of one key head is computed one by one: acc (CHUNKS(E) * LANES). */
typedef struct query {
    online row;
    const float *q; /* (E) */
    float acc[E_MAX];
} query;

/* Adds cache rows [first, first + n) from the skip-th on. */
static void attend_range(query *one, cached_tile *held, const decode *d, size_t first, size_t n,
                         size_t skip, size_t kv)
{
    const size_t stride = d->d->K * d->d->E, E = d->d->E;

    for (size_t j = skip / LANES * LANES; j < n; j += LANES) {
        const size_t count = n - j < LANES ? n - j : LANES;
        const size_t at = (first + j) * stride + kv * E;

        if (held->row != first + j || held->tile.count != count) {
            pack_keys(&held->tile, d->kcache + at, d->vcache + at, stride, j, count, E);
            held->row = first + j;
        }
        attend_tile(&one->row, one->acc, one->q, &held->tile, skip > j ? skip - j : 0, count, E,
                    d->d->scale);
    }
}

/* One query head h of sequence b. */
static void decode_head(cached_tile *prefix, cached_tile *own, const decode *d, size_t b, size_t h)
{
    const sl_decode *s = d->d;
    const sl_decode_row *r = &s->row[b];
    const size_t n = (size_t)r->prefix_count + r->own_count, kv = h / (s->H / s->K);
    const size_t skip = s->window && n > s->window ? n - s->window : 0;
    float *o = d->o + (b * s->H + h) * s->E; /* (E) */
    query one = { .row = { -INFINITY, 0.0f },
                  .q = d->q + b * s->token_stride + h * s->head_stride };

    if (skip < r->prefix_count)
        attend_range(&one, prefix, d, r->prefix_first, r->prefix_count, skip, kv);
    attend_range(&one, own, d, r->own_first, r->own_count,
                 skip > r->prefix_count ? skip - r->prefix_count : 0, kv);
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
#pragma omp parallel if (d->B * d->H * d->E > SL_CPU_WORTH / 16)
    {
        const size_t n = (size_t)omp_get_num_threads(), me = (size_t)omp_get_thread_num();
        cached_tile prefix, own;

        for (size_t kv = 0; kv < d->K; kv++) {
            prefix.row = own.row = SIZE_MAX; /* nothing held of this head */
            for (size_t b = d->B * me / n; b < d->B * (me + 1) / n; b++)
                for (size_t h = kv * (d->H / d->K); h < (kv + 1) * (d->H / d->K); h++)
                    decode_head(&prefix, &own, &all, b, h);
        }
    }
}

void SL_CPU(decode)(sl_ops *ops)
{
    ops->attention_decode = attention_decode_cpu;
}
