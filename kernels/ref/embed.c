/* Rows of tables: lookup and its gradient, gather and scatter. The additions stand in the order of
 * the rows: that order is part of the contract. */
#include "kernels/ref/ref_int.h"
#include <string.h>

static void embed_fwd_ref(float *y, const float *table, const int32_t *id, size_t T, size_t D)
{
    for (size_t t = 0; t < T; t++)
        memcpy(y + t * D, table + (size_t)id[t] * D, D * sizeof *y);
}

static void embed_bwd_ref(float *dtable, const float *dy, const int32_t *id, size_t T, size_t D,
                          size_t V, int32_t pad_row)
{
    (void)V; /* ids are below V: checked where tokens enter */
    for (size_t t = 0; t < T; t++) {
        float *row = dtable + (size_t)id[t] * D; /* (D) */

        for (size_t d = 0; id[t] != pad_row && d < D; d++)
            row[d] += dy[t * D + d];
    }
}

static void gather_ref(float *y, const float *x, const uint32_t *row, size_t n, size_t D)
{
    for (size_t i = 0; i < n; i++)
        memcpy(y + i * D, x + (size_t)row[i] * D, D * sizeof *y);
}

static void scatter_add_ref(float *x, const float *y, const uint32_t *row, size_t n, size_t D)
{
    for (size_t i = 0; i < n; i++)
        for (size_t d = 0; d < D; d++)
            x[(size_t)row[i] * D + d] += y[i * D + d];
}

void sl_ref_embed(sl_ops *ops)
{
    ops->embed_fwd = embed_fwd_ref;
    ops->embed_bwd = embed_bwd_ref;
    ops->gather = gather_ref;
    ops->scatter_add = scatter_add_ref;
}
