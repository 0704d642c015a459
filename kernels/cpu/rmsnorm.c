/* RMS norm. Sums run in double, as in the reference: rows of huge or tiny numbers stay right, and
 * the conversion is hidden behind the loads. */
#include "kernels/cpu/cpu_int.h"
#include <math.h>

static void rmsnorm_fwd_cpu(float *y, float *rstd, const float *x, const float *g, size_t T,
                            size_t D, float eps)
{
#pragma omp parallel for schedule(static) if (2 * T * D > SL_CPU_WORTH)
    for (size_t t = 0; t < T; t++) {
        const float *xt = x + t * D; /* (D) */
        float *yt = y + t * D;       /* (D) */
        double sum = 0.0;

#pragma omp simd reduction(+ : sum)
        for (size_t d = 0; d < D; d++)
            sum += (double)xt[d] * xt[d];
        const float r = (float)(1.0 / sqrt(sum / (double)D + eps));

        rstd[t] = r;
#pragma omp simd
        for (size_t d = 0; d < D; d++)
            yt[d] = g[d] * (xt[d] * r);
    }
}

/* dx (D) of one row. With xh = x r: dx += r (g dy - xh mean(g dy xh)). */
static void row_bwd(float *dx, const float *dy, const float *x, const float *g, float r, size_t D)
{
    double dot = 0.0; /* <g dy, x r> */

#pragma omp simd reduction(+ : dot)
    for (size_t d = 0; d < D; d++)
        dot += (double)(g[d] * dy[d]) * (x[d] * r);
    const float mean = (float)(dot / (double)D);

#pragma omp simd
    for (size_t d = 0; d < D; d++)
        dx[d] += r * (g[d] * dy[d] - x[d] * r * mean);
}

/* Columns whose sums one task keeps in double. */
#define COLUMNS 16

static void gain_bwd(float *dg, const float *dy, const float *x, const float *rstd, size_t T,
                     size_t D, size_t first, size_t count)
{
    double sum[COLUMNS] = { 0 };

    for (size_t t = 0; t < T; t++)
        for (size_t c = 0; c < count; c++)
            sum[c] += (double)(x[t * D + first + c] * rstd[t]) * dy[t * D + first + c];
    for (size_t c = 0; c < count; c++)
        dg[first + c] = (float)(dg[first + c] + sum[c]);
}

static void rmsnorm_bwd_cpu(float *dx, float *dg, const float *dy, const float *x, const float *g,
                            const float *rstd, size_t T, size_t D)
{
#pragma omp parallel if (4 * T * D > SL_CPU_WORTH)
    {
#pragma omp for schedule(static) nowait
        for (size_t t = 0; t < T; t++)
            row_bwd(dx + t * D, dy + t * D, x + t * D, g, rstd[t], D);
#pragma omp for schedule(static)
        for (size_t d = 0; d < D; d += COLUMNS)
            gain_bwd(dg, dy, x, rstd, T, D, d, D - d < COLUMNS ? D - d : COLUMNS);
    }
}

void SL_CPU(rmsnorm)(sl_ops *ops)
{
    ops->rmsnorm_fwd = rmsnorm_fwd_cpu;
    ops->rmsnorm_bwd = rmsnorm_bwd_cpu;
}
