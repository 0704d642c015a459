/* Layer norm, the executable specification. Source: docs/math.md, "Backward". */
#include "kernels/ref/ref_int.h"
#include <math.h>

static void layernorm_fwd_ref(float *y, float *mean, float *rstd, const float *x, const float *g,
                              const float *b, size_t T, size_t D, float eps)
{
    for (size_t t = 0; t < T; t++) {
        const float *xt = x + t * D; /* (D) */
        double sum = 0.0, var = 0.0;

        for (size_t d = 0; d < D; d++)
            sum += (double)xt[d];
        const double m = sum / (double)D;
        for (size_t d = 0; d < D; d++)
            var += (xt[d] - m) * (xt[d] - m);
        const double r = 1.0 / sqrt(var / (double)D + eps);
        for (size_t d = 0; d < D; d++)
            y[t * D + d] = (float)(g[d] * ((xt[d] - m) * r) + b[d]);
        mean[t] = (float)m;
        rstd[t] = (float)r;
    }
}

/* One row: dx += r (gd - mean(gd) - xh mean(gd xh)) with gd = g*dy, xh = (x - m) r. All (D). */
static void row_bwd(float *dx, const float *dy, const float *x, const float *g, double m, double r,
                    size_t D)
{
    double sum = 0.0, dot = 0.0;

    for (size_t d = 0; d < D; d++) {
        const double gd = (double)g[d] * dy[d];

        sum += gd;
        dot += gd * ((x[d] - m) * r);
    }
    for (size_t d = 0; d < D; d++) {
        const double gd = (double)g[d] * dy[d];

        dx[d] += (float)(r * (gd - sum / (double)D - (x[d] - m) * r * dot / (double)D));
    }
}

static void layernorm_bwd_ref(float *dx, float *dg, float *db, const float *dy, const float *x,
                              const float *g, const float *mean, const float *rstd, size_t T,
                              size_t D)
{
    for (size_t t = 0; t < T; t++)
        row_bwd(dx + t * D, dy + t * D, x + t * D, g, mean[t], rstd[t], D);
    for (size_t d = 0; d < D; d++) {
        double sum_g = 0.0, sum_b = 0.0;

        for (size_t t = 0; t < T; t++) {
            const double dyt = dy[t * D + d];

            sum_g += dyt * (((double)x[t * D + d] - mean[t]) * rstd[t]);
            sum_b += dyt;
        }
        dg[d] = (float)(dg[d] + sum_g);
        db[d] = (float)(db[d] + sum_b);
    }
}

void sl_ref_layernorm(sl_ops *ops)
{
    ops->layernorm_fwd = layernorm_fwd_ref;
    ops->layernorm_bwd = layernorm_bwd_ref;
}
