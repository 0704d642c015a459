/* Rows of tables. Where rows of the result can meet, one thread adds them in their order, bitwise
 * the reference: sharing out the columns among threads was slower (0.6 of the reference at D 576).
 */
#include "kernels/cpu/cpu_int.h"
#include <string.h>

static void embed_fwd_cpu(float *y, const float *table, const int32_t *id, size_t T, size_t D)
{
#pragma omp parallel for schedule(static) if (T * D > SL_CPU_WORTH)
    for (size_t t = 0; t < T; t++)
        memcpy(y + t * D, table + (size_t)id[t] * D, D * sizeof *y);
}

static void gather_cpu(float *y, const float *x, const uint32_t *row, size_t n, size_t D)
{
#pragma omp parallel for schedule(static) if (n * D > SL_CPU_WORTH)
    for (size_t i = 0; i < n; i++)
        memcpy(y + i * D, x + (size_t)row[i] * D, D * sizeof *y);
}

/* y (D) += x (D). */
static void add_row(float *y, const float *x, size_t D)
{
#pragma omp simd
    for (size_t d = 0; d < D; d++)
        y[d] += x[d];
}

static void embed_bwd_cpu(float *dtable, const float *dy, const int32_t *id, size_t T, size_t D,
                          size_t V, int32_t pad_row)
{
    (void)V;
    for (size_t t = 0; t < T; t++)
        if (id[t] != pad_row)
            add_row(dtable + (size_t)id[t] * D, dy + t * D, D);
}

static void scatter_add_cpu(float *x, const float *y, const uint32_t *row, size_t n, size_t D)
{
    for (size_t i = 0; i < n; i++)
        add_row(x + (size_t)row[i] * D, y + i * D, D);
}

void SL_CPU(embed)(sl_ops *ops)
{
    ops->embed_fwd = embed_fwd_cpu;
    ops->embed_bwd = embed_bwd_cpu;
    ops->gather = gather_cpu;
    ops->scatter_add = scatter_add_cpu;
}
