/* Attention over packed segments, forward: tiles of keys in local memory and an online softmax; one
 * task a segment and head, so that no result depends on the threads. */
#include "kernels/cpu/attention_tile.h"
#include "kernels/cpu/cpu_int.h"

/* Queries that share a packed tile of keys. */
#define QUERIES 64

/* The state of a block of queries of one segment and head. */
typedef struct query_block {
    size_t first, end; /* queries of the segment */
    online row[QUERIES];
    float p[QUERIES * LANES];   /* scores, then weights, of one tile of keys */
    float acc[QUERIES * E_MAX]; /* (queries, CHUNKS(E) * LANES) */
} query_block;

typedef struct forward {
    float *o, *lse; /* (T,H,E), (T,H) */
    const float *q, *k, *v;
    const sl_attention *a;
} forward;

/* Queries [from, block->end) of head h of *s against a packed tile of *src. */
static void attend_tile(query_block *block, const forward *f, const key_tile *tile,
                        const sl_segment *s, const sl_segment *src, size_t h, size_t from)
{
    const sl_attention *a = f->a;
    const size_t width = CHUNKS(a->E) * LANES, count = block->end - from;
    const float *q = f->q + (s->first + from) * a->token_stride + h * a->head_stride;
    float *acc = block->acc + (from - block->first) * width; /* (count, width) */

    zero_lanes(block->p, count);
    lanes_product(block->p, LANES, q, a->token_stride, 1, tile->key, a->E, count);
    for (size_t i = 0; i < count; i++) {
        size_t lo, hi;

        visible_lanes(&lo, &hi, s, from + i, src, tile->first, tile->count, a->window);
        const float shrink = take_scores(&block->row[from - block->first + i], block->p + i * LANES,
                                         lo, hi, a->scale);

        for (size_t c = 0; c < CHUNKS(a->E); c++)
            scale_lanes(acc + i * width + c * LANES, shrink);
    }
    for (size_t c = 0; c < CHUNKS(a->E); c++)
        lanes_product(acc + c * LANES, width, block->p, LANES, 1, tile->value + c * LANES * LANES,
                      tile->count, count);
}

/* All tiles of *src that the queries of the block, head h of *s, may see. */
static void attend_segment(query_block *block, const forward *f, const sl_segment *s,
                           const sl_segment *src, size_t h)
{
    const sl_attention *a = f->a;
    const size_t last = s == src ? block->end : src->count;
    const size_t kv = h / (a->H / a->K) * a->head_stride;
    key_tile tile;

    for (size_t j = 0; j < last; j += LANES) {
        const size_t count = last - j < LANES ? last - j : LANES;
        const size_t at = (src->first + j) * a->token_stride + kv;
        const size_t from = s == src && j > block->first ? j : block->first;
        size_t lo, hi;

        /* The first query reaches farthest back: behind its window nobody sees the tile. */
        visible_lanes(&lo, &hi, s, from, src, j, count, a->window);
        if (lo >= count)
            continue;
        pack_keys(&tile, f->k + at, f->v + at, a->token_stride, j, count, a->E);
        attend_tile(block, f, &tile, s, src, h, from);
    }
}

/* o and lse of queries [first, end) of head h of *s. */
static void attend_block(const forward *f, const sl_segment *s, size_t h, size_t first, size_t end)
{
    const sl_attention *a = f->a;
    const size_t width = CHUNKS(a->E) * LANES;
    query_block block;

    block.first = first;
    block.end = end;
    for (size_t i = 0; i < end - first; i++)
        block.row[i] = (online){ -INFINITY, 0.0f };
    zero_lanes(block.acc, (end - first) * CHUNKS(a->E));
    if (s->parent >= 0)
        attend_segment(&block, f, s, a->segment + s->parent, h);
    attend_segment(&block, f, s, s, h);
    for (size_t i = 0; i < end - first; i++) {
        const size_t th = (s->first + first + i) * a->H + h;
        const float share = 1.0f / block.row[i].sum;

        f->lse[th] = block.row[i].max + logf(block.row[i].sum);
        for (size_t e = 0; e < a->E; e++)
            f->o[th * a->E + e] = block.acc[i * width + e] * share;
    }
}

static void attention_fwd_cpu(float *o, float *lse, const float *q, const float *k, const float *v,
                              const sl_attention *a)
{
    const forward f = { o, lse, q, k, v, a };

    if (a->E > E_MAX) {
        sl_ref_ops()->attention_fwd(o, lse, q, k, v, a);
        return;
    }
#pragma omp parallel for collapse(2)                                                               \
    schedule(dynamic, 4) if (a->T * a->H * a->E > SL_CPU_WORTH / 16)
    for (size_t s = 0; s < a->S; s++) {
        for (size_t h = 0; h < a->H; h++) {
            const sl_segment *seg = &a->segment[s];

            for (size_t i = 0; i < seg->count; i += QUERIES)
                attend_block(&f, seg, h, i, seg->count - i < QUERIES ? seg->count : i + QUERIES);
        }
    }
}

void SL_CPU(attention)(sl_ops *ops)
{
    ops->attention_fwd = attention_fwd_cpu;
}
