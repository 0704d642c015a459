/* Rows of tables. Where rows of the result can meet, threads share out the columns, so that every
 * sum runs in the order of the rows whatever the number of threads: bitwise the reference. */
#include "kernels/cpu/cpu_int.h"
#include <omp.h>
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

/* The columns [*first, *end) of D that the calling thread adds, in units of a cache line. */
static void my_columns(size_t *first, size_t *end, size_t D)
{
    const size_t n = (size_t)omp_get_num_threads(), me = (size_t)omp_get_thread_num();
    const size_t lines = (D + 15) / 16;

    *first = lines * me / n * 16;
    *end = lines * (me + 1) / n * 16;
    if (*end > D)
        *end = D;
}

static void embed_bwd_cpu(float *dtable, const float *dy, const int32_t *id, size_t T, size_t D,
                          size_t V, int32_t pad_row)
{
    (void)V;
#pragma omp parallel if (T * D > SL_CPU_WORTH)
    {
        size_t first, end;

        my_columns(&first, &end, D);
        for (size_t t = 0; t < T; t++) {
            float *row = dtable + (size_t)id[t] * D; /* (D) */
            const float *dyt = dy + t * D;           /* (D) */

            if (id[t] == pad_row)
                continue;
#pragma omp simd
            for (size_t d = first; d < end; d++)
                row[d] += dyt[d];
        }
    }
}

static void scatter_add_cpu(float *x, const float *y, const uint32_t *row, size_t n, size_t D)
{
#pragma omp parallel if (n * D > SL_CPU_WORTH)
    {
        size_t first, end;

        my_columns(&first, &end, D);
        for (size_t i = 0; i < n; i++) {
            float *xi = x + (size_t)row[i] * D; /* (D) */
            const float *yi = y + i * D;        /* (D) */

#pragma omp simd
            for (size_t d = first; d < end; d++)
                xi[d] += yi[d];
        }
    }
}

void SL_CPU(embed)(sl_ops *ops)
{
    ops->embed_fwd = embed_fwd_cpu;
    ops->embed_bwd = embed_bwd_cpu;
    ops->gather = gather_cpu;
    ops->scatter_add = scatter_add_cpu;
}
