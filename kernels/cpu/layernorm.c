/* Layer norm. Sums run in double, as in the reference. */
#include "kernels/cpu/cpu_int.h"
#include <math.h>

static void layernorm_fwd_cpu(float *y, float *mean, float *rstd, const float *x, const float *g,
                              const float *b, size_t T, size_t D, float eps)
{
#pragma omp parallel for schedule(static) if (3 * T * D > SL_CPU_WORTH)
    for (size_t t = 0; t < T; t++) {
        const float *xt = x + t * D; /* (D) */
        float *yt = y + t * D;       /* (D) */
        double sum = 0.0, var = 0.0;

#pragma omp simd reduction(+ : sum)
        for (size_t d = 0; d < D; d++)
            sum += (double)xt[d];
        const double m = sum / (double)D;

#pragma omp simd reduction(+ : var)
        for (size_t d = 0; d < D; d++)
            var += (xt[d] - m) * (xt[d] - m);
        const double r = 1.0 / sqrt(var / (double)D + eps);

        mean[t] = (float)m;
        rstd[t] = (float)r;
#pragma omp simd
        for (size_t d = 0; d < D; d++)
            yt[d] = (float)(g[d] * ((xt[d] - m) * r) + b[d]);
    }
}

/* dx (D) of one row. With xh = (x - m) r: dx += r (g dy - mean(g dy) - xh mean(g dy xh)). In
 * double: the three terms cancel in rows that are nearly constant, where r is large. */
static void row_bwd(float *dx, const float *dy, const float *x, const float *g, double m, double r,
                    size_t D)
{
    double sum = 0.0, dot = 0.0;

#pragma omp simd reduction(+ : sum, dot)
    for (size_t d = 0; d < D; d++) {
        const double gd = (double)g[d] * dy[d];

        sum += gd;
        dot += gd * ((x[d] - m) * r);
    }
    const double mean_g = sum / (double)D, mean_gx = dot / (double)D;

#pragma omp simd
    for (size_t d = 0; d < D; d++)
        dx[d] += (float)(r * ((double)g[d] * dy[d] - mean_g - (x[d] - m) * r * mean_gx));
}

/* Columns whose sums one task keeps in double. */
#define COLUMNS 16

static void gain_bwd(float *dg, float *db, const float *dy, const float *x, const float *mean,
                     const float *rstd, size_t T, size_t D, size_t first, size_t count)
{
    double sum_g[COLUMNS] = { 0 }, sum_b[COLUMNS] = { 0 };

    for (size_t t = 0; t < T; t++) {
        for (size_t c = 0; c < count; c++) {
            const float dyt = dy[t * D + first + c];

            sum_g[c] += (double)((x[t * D + first + c] - mean[t]) * rstd[t]) * dyt;
            sum_b[c] += (double)dyt;
        }
    }
    for (size_t c = 0; c < count; c++) {
        dg[first + c] = (float)(dg[first + c] + sum_g[c]);
        db[first + c] = (float)(db[first + c] + sum_b[c]);
    }
}

static void layernorm_bwd_cpu(float *dx, float *dg, float *db, const float *dy, const float *x,
                              const float *g, const float *mean, const float *rstd, size_t T,
                              size_t D)
{
#pragma omp parallel if (6 * T * D > SL_CPU_WORTH)
    {
#pragma omp for schedule(static) nowait
        for (size_t t = 0; t < T; t++)
            row_bwd(dx + t * D, dy + t * D, x + t * D, g, (double)mean[t], (double)rstd[t], D);
#pragma omp for schedule(static)
        for (size_t d = 0; d < D; d += COLUMNS)
            gain_bwd(dg, db, dy, x, mean, rstd, T, D, d, D - d < COLUMNS ? D - d : COLUMNS);
    }
}

void SL_CPU(layernorm)(sl_ops *ops)
{
    ops->layernorm_fwd = layernorm_fwd_cpu;
    ops->layernorm_bwd = layernorm_bwd_cpu;
}
