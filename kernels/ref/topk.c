/* The k largest logits of each row, the executable specification: insertion into a sorted list. */
#include "kernels/ref/ref_int.h"
#include <math.h>

/* Does a stand before b? NaN stands last, so that every row yields k distinct ids. */
static int before(float a, float b)
{
    return a > b || (isnan(b) && !isnan(a));
}

/* id (k) of the k largest of z (V), descending, ties to the lower id. */
static void row_topk(int32_t *id, const float *z, size_t V, size_t k)
{
    size_t held = 0;

    for (size_t v = 0; v < V; v++) {
        if (held == k && !before(z[v], z[id[k - 1]]))
            continue;
        size_t at = held < k ? held++ : k - 1;

        for (; at > 0 && before(z[v], z[id[at - 1]]); at--)
            id[at] = id[at - 1];
        id[at] = (int32_t)v;
    }
}

static void topk_ref(int32_t *id, float *logp, const float *z, const sl_row_stats *stats, size_t n,
                     size_t V, size_t k)
{
    for (size_t i = 0; k > 0 && i < n; i++) {
        row_topk(id + i * k, z + i * V, V, k);
        for (size_t j = 0; j < k; j++)
            logp[i * k + j] = (float)((double)z[i * V + id[i * k + j]] - stats[i].lse);
    }
}

void sl_ref_topk(sl_ops *ops)
{
    ops->topk = topk_ref;
}
