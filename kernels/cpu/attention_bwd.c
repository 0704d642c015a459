/* Attention over packed segments, backward. One task a family (a segment without parent and its
 * children) and key head: all that adds to one dk, dv or dq is in one task, in a fixed order,
 * without atomics. Source: models.md section 3. */
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
    size_t first, count;
    float q[E_MAX * LANES], dout[E_MAX * LANES]; /* (CHUNKS(E), LANES, LANES) */
    float p[LANES * LANES], ds[LANES * LANES];   /* (queries, keys) */
} query_tile;

/* p and scale * ds of one query against the tile, lanes [lo, hi); the others get 0. */
static inline void query_scores(float *p, float *ds, const backward *b, const key_sums *t,
                                size_t row, size_t h, size_t lo, size_t hi)
{
    const sl_attention *a = b->a;
    const size_t th = row * a->H + h;
    const float lse = b->lse[th], delta = b->delta[th];
    const int low = (int)lo, high = (int)hi;

    memset(p, 0, LANES * sizeof *p);
    memset(ds, 0, LANES * sizeof *ds);
    if (lo >= hi)
        return;
    lanes_add(p, b->q + row * a->token_stride + h * a->head_stride, 1, t->key, a->E);
    lanes_add(ds, b->dout + th * a->E, 1, t->value, a->E);
#pragma omp simd
    for (int l = 0; l < LANES; l++) {
        const float e = l >= low && l < high ? vec_exp(p[l] * a->scale - lse) : 0.0f;

        p[l] = e;
        ds[l] = l >= low && l < high ? a->scale * e * (ds[l] - delta) : 0.0f;
    }
}

/* dq of one query += ds K. */
static inline void add_dq(float *dq, const float *ds, const key_sums *t, size_t E)
{
    for (size_t c = 0; c < CHUNKS(E); c++) {
        const size_t width = E - c * LANES < LANES ? E - c * LANES : LANES;
        float sum[LANES] = { 0 };

        lanes_add(sum, ds, 1, t->rows + c * LANES * LANES, t->count);
        for (size_t e = 0; e < width; e++)
            dq[c * LANES + e] += sum[e];
    }
}

/* dk, dv of the tile += ds^T Q, p^T dout. */
static inline void add_dkv(key_sums *t, const query_tile *q, size_t E)
{
    for (size_t c = 0; c < CHUNKS(E); c++) {
        const size_t at = c * LANES * LANES;

        for (size_t j = 0; j < t->count; j++) {
            lanes_add(t->dk + at + j * LANES, q->ds + j, LANES, q->q + at, q->count);
            lanes_add(t->dv + at + j * LANES, q->p + j, LANES, q->dout + at, q->count);
        }
    }
}

/* Queries [first, first + count) of head h of *s against the tile of *src. */
static void queries_bwd(key_sums *t, const backward *b, const sl_segment *s, const sl_segment *src,
                        size_t h, size_t first, size_t count)
{
    const sl_attention *a = b->a;
    const size_t row = s->first + first;
    size_t lo[LANES], hi[LANES], seen = 0;
    query_tile q = { .first = first, .count = count };

    for (size_t i = 0; i < count; i++) {
        visible_lanes(&lo[i], &hi[i], s, first + i, src, t->first, t->count, a->window);
        seen += lo[i] < hi[i];
    }
    if (seen == 0)
        return;
    pack_rows(q.q, b->q + row * a->token_stride + h * a->head_stride, a->token_stride, count, a->E);
    pack_rows(q.dout, b->dout + (row * a->H + h) * a->E, a->H * a->E, count, a->E);
    for (size_t i = 0; i < count; i++) {
        query_scores(q.p + i * LANES, q.ds + i * LANES, b, t, row + i, h, lo[i], hi[i]);
        if (lo[i] < hi[i])
            add_dq(b->dq + (row + i) * a->token_stride + h * a->head_stride, q.ds + i * LANES, t,
                   a->E);
    }
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
    const size_t padded = CHUNKS(a->E) * LANES * LANES;
    key_sums t;

    for (t.first = 0; t.first < src->count; t.first += LANES) {
        const size_t at = (src->first + t.first) * a->token_stride + kv * a->head_stride;

        t.count = src->count - t.first < LANES ? src->count - t.first : LANES;
        pack_side_by_side(t.key, b->k + at, a->token_stride, t.count, a->E);
        pack_side_by_side(t.value, b->v + at, a->token_stride, t.count, a->E);
        pack_rows(t.rows, b->k + at, a->token_stride, t.count, a->E);
        memset(t.dk, 0, padded * sizeof *t.dk);
        memset(t.dv, 0, padded * sizeof *t.dv);
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
