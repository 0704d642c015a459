/* The k largest logits of each row: blocks that hold nothing larger than the border are skipped by
 * their maximum, the rest is inserted one by one. */
#include "kernels/cpu/cpu_int.h"
#include <math.h>

/* Logits looked at together. */
#define BLOCK 64

/* Does a stand before b? NaN stands last. */
static int before(float a, float b)
{
    return a > b || (isnan(b) && !isnan(a));
}

/* 1 when a logit of the block stands before the border. */
static int has_larger(const float *z, size_t count, float border)
{
    int larger = isnan(border);

#pragma omp simd reduction(| : larger)
    for (size_t i = 0; i < count; i++)
        larger |= z[i] > border;
    return larger;
}

/* Inserts v into the sorted list id (held of at most k); returns the new length. */
static size_t insert(int32_t *id, size_t held, size_t k, const float *z, size_t v)
{
    size_t at = held < k ? held : k - 1;

    if (held == k && !before(z[v], z[id[k - 1]]))
        return held;
    for (; at > 0 && before(z[v], z[id[at - 1]]); at--)
        id[at] = id[at - 1];
    id[at] = (int32_t)v;
    return held < k ? held + 1 : k;
}

static void row_topk(int32_t *id, const float *z, size_t V, size_t k)
{
    size_t held = 0;

    for (size_t first = 0; first < V; first += BLOCK) {
        const size_t end = V - first < BLOCK ? V : first + BLOCK;

        if (held == k && !has_larger(z + first, end - first, z[id[k - 1]]))
            continue;
        for (size_t v = first; v < end; v++)
            held = insert(id, held, k, z, v);
    }
}

static void topk_cpu(int32_t *id, float *logp, const float *z, const sl_row_stats *stats, size_t n,
                     size_t V, size_t k)
{
    if (k == 0)
        return;
#pragma omp parallel for schedule(static) if (n * V * 2 > SL_CPU_WORTH)
    for (size_t i = 0; i < n; i++) {
        row_topk(id + i * k, z + i * V, V, k);
        for (size_t j = 0; j < k; j++)
            logp[i * k + j] = z[i * V + (size_t)id[i * k + j]] - stats[i].lse;
    }
}

void SL_CPU(topk)(sl_ops *ops)
{
    ops->topk = topk_cpu;
}
