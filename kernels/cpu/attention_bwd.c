/* Attention over packed segments, backward. One task a family (a segment without parent and its
 * children) and key head: all that adds to one dk, dv or dq is in one task, in a fixed order,
 * without atomics. Source: docs/math.md, "Backward". */
#include "kernels/cpu/attention_tile.h"
#include "kernels/cpu/cpu_int.h"

typedef struct backward {
    float *dq, *dk, *dv;
    const float *dout, *q, *k, *v, *lse, *delta; /* as in the contract */
    const sl_attention *a;
} backward;

/* A tile of keys of one segment and the sums for it. */
typedef struct key_sums {
    size_t first, count;
    float key[E_MAX * LANES], value[E_MAX * LANES]; /* (E, LANES): side by side */
    float rows[E_MAX * LANES];                      /* (CHUNKS(E), LANES, LANES): keys again */
    float dk[E_MAX * LANES], dv[E_MAX * LANES];     /* (CHUNKS(E), LANES, LANES) */
} key_sums;

/* Up to LANES queries of one head against the tile. */
typedef struct query_tile {
    size_t count;
    float q[E_MAX * LANES], dout[E_MAX * LANES]; /* (CHUNKS(E), LANES, LANES) */
    float p[LANES * LANES], ds[LANES * LANES];   /* (queries, keys) */
} query_tile;

/* Raw scores p and dp = ds of one query against the tile become p and scale * ds; outside of the
 * lanes [lo, hi) 0. */
static inline void score_bwd(float *p, float *ds, float lse, float delta, float scale, size_t lo,
                             size_t hi)
{
    const int low = (int)lo, high = (int)hi;

#pragma omp simd
    for (int l = 0; l < LANES; l++) {
        const float e = l >= low && l < high ? vec_exp(p[l] * scale - lse) : 0.0f;

        p[l] = e;
        ds[l] = l >= low && l < high ? scale * e * (ds[l] - delta) : 0.0f;
    }
}

/* dq of the queries += ds K; dq: their first row. */
static inline void add_dq(float *dq, size_t stride, const query_tile *q, const key_sums *t,
                          size_t E)
{
    for (size_t c = 0; c < CHUNKS(E); c++) {
        const size_t width = chunk_width(E, c);
        float sum[LANES * LANES];

        zero_lanes(sum, q->count);
        lanes_product(sum, LANES, q->ds, LANES, 1, t->rows + c * LANES * LANES, t->count, q->count);
        for (size_t i = 0; i < q->count; i++)
            for (size_t e = 0; e < width; e++)
                dq[i * stride + c * LANES + e] += sum[i * LANES + e];
    }
}

/* dk, dv of the tile += ds^T Q, p^T dout. */
static inline void add_dkv(key_sums *t, const query_tile *q, size_t E)
{
    for (size_t c = 0; c < CHUNKS(E); c++) {
        const size_t at = c * LANES * LANES;

        lanes_product(t->dk + at, LANES, q->ds, 1, LANES, q->q + at, q->count, t->count);
        lanes_product(t->dv + at, LANES, q->p, 1, LANES, q->dout + at, q->count, t->count);
    }
}

/* Queries [first, first + count) of head h of *s against the tile of *src. */
static void queries_bwd(key_sums *t, const backward *b, const sl_segment *s, const sl_segment *src,
                        size_t h, size_t first, size_t count)
{
    const sl_attention *a = b->a;
    const size_t row = s->first + first, at = row * a->token_stride + h * a->head_stride;
    const float *dout = b->dout + (row * a->H + h) * a->E;
    size_t lo[LANES], hi[LANES], seen = 0;
    query_tile q; /* not cleared: it is large, and what is read is written before */

    for (size_t i = 0; i < count; i++) {
        visible_lanes(&lo[i], &hi[i], s, first + i, src, t->first, t->count, a->window);
        seen += lo[i] < hi[i];
    }
    if (seen == 0)
        return;
    q.count = count;
    pack_rows(q.q, b->q + at, a->token_stride, count, a->E);
    pack_rows(q.dout, dout, a->H * a->E, count, a->E);
    zero_lanes(q.p, count);
    zero_lanes(q.ds, count);
    lanes_product(q.p, LANES, b->q + at, a->token_stride, 1, t->key, a->E, count);
    lanes_product(q.ds, LANES, dout, a->H * a->E, 1, t->value, a->E, count);
    for (size_t i = 0; i < count; i++) {
        const size_t th = (row + i) * a->H + h;

        score_bwd(q.p + i * LANES, q.ds + i * LANES, b->lse[th], b->delta[th], a->scale, lo[i],
                  hi[i]);
    }
    add_dq(b->dq + at, a->token_stride, &q, t, a->E);
    add_dkv(t, &q, a->E);
}

/* All queries of *s, of all heads that read key head kv, against the tile of *src. */
static void segment_bwd(key_sums *t, const backward *b, const sl_segment *s, const sl_segment *src,
                        size_t kv)
{
    const size_t group = b->a->H / b->a->K, from = s == src ? t->first : 0;

    for (size_t h = kv * group; h < (kv + 1) * group; h++)
        for (size_t i = from; i < s->count; i += LANES)
            queries_bwd(t, b, s, src, h, i, s->count - i < LANES ? s->count - i : LANES);
}

/* Adds the sums of the tile at `at`, its first row's place in dk and dv. */
static void store_sums(const backward *b, const key_sums *t, size_t at)
{
    const sl_attention *a = b->a;

    for (size_t j = 0; j < t->count; j++) {
        for (size_t e = 0; e < a->E; e++) {
            const size_t from = e / LANES * LANES * LANES + j * LANES + e % LANES;

            b->dk[at + j * a->token_stride + e] += t->dk[from];
            b->dv[at + j * a->token_stride + e] += t->dv[from];
        }
    }
}

/* Key head kv of segment *src: its own queries and, children != 0, those of its children. */
static void source_bwd(const backward *b, const sl_segment *src, size_t kv, int children)
{
    const sl_attention *a = b->a;
    key_sums t;

    for (t.first = 0; t.first < src->count; t.first += LANES) {
        const size_t at = (src->first + t.first) * a->token_stride + kv * a->head_stride;

        t.count = src->count - t.first < LANES ? src->count - t.first : LANES;
        pack_side_by_side(t.key, b->k + at, a->token_stride, t.count, a->E);
        pack_side_by_side(t.value, b->v + at, a->token_stride, t.count, a->E);
        pack_rows(t.rows, b->k + at, a->token_stride, t.count, a->E);
        zero_lanes(t.dk, CHUNKS(a->E) * LANES);
        zero_lanes(t.dv, CHUNKS(a->E) * LANES);
        segment_bwd(&t, b, src, src, kv);
        for (const sl_segment *s = src + 1; children && s < a->segment + a->S; s++)
            if (s->parent == src - a->segment)
                segment_bwd(&t, b, s, src, kv);
        store_sums(b, &t, at);
    }
}

/* The family of root segment r, key head kv. */
static void family_bwd(const backward *b, size_t r, size_t kv)
{
    const sl_attention *a = b->a;

    source_bwd(b, &a->segment[r], kv, 1);
    for (size_t s = r + 1; s < a->S; s++)
        if (a->segment[s].parent == (int32_t)r)
            source_bwd(b, &a->segment[s], kv, 0);
}

static void attention_bwd_cpu(float *dq, float *dk, float *dv, float *delta, const float *dout,
                              const float *q, const float *k, const float *v, const float *o,
                              const float *lse, const sl_attention *a)
{
    const backward b = { dq, dk, dv, dout, q, k, v, lse, delta, a };

    if (a->E > E_MAX) {
        sl_ref_ops()->attention_bwd(dq, dk, dv, delta, dout, q, k, v, o, lse, a);
        return;
    }
#pragma omp parallel if (a->T * a->H * a->E > SL_CPU_WORTH / 16)
    {
#pragma omp for schedule(static)
        for (size_t th = 0; th < a->T * a->H; th++) {
            float sum = 0.0f;

#pragma omp simd reduction(+ : sum)
            for (size_t e = 0; e < a->E; e++)
                sum += dout[th * a->E + e] * o[th * a->E + e];
            delta[th] = sum;
        }
#pragma omp for collapse(2) schedule(dynamic)
        for (size_t r = 0; r < a->S; r++)
            for (size_t kv = 0; kv < a->K; kv++)
                if (a->segment[r].parent < 0)
                    family_bwd(&b, r, kv);
    }
}

void SL_CPU(attention_bwd)(sl_ops *ops)
{
    ops->attention_bwd = attention_bwd_cpu;
}
