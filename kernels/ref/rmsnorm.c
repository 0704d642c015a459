/* RMS norm, the executable specification. Source: docs/math.md, "Backward". */
#include "kernels/ref/ref_int.h"
#include <math.h>

static void rmsnorm_fwd_ref(float *y, float *rstd, const float *x, const float *g, size_t T,
                            size_t D, float eps)
{
    for (size_t t = 0; t < T; t++) {
        const float *xt = x + t * D; /* (D) */
        double sum = 0.0;

        for (size_t d = 0; d < D; d++)
            sum += (double)xt[d] * xt[d];
        rstd[t] = (float)(1.0 / sqrt(sum / (double)D + eps));
        for (size_t d = 0; d < D; d++)
            y[t * D + d] = g[d] * (xt[d] * rstd[t]);
    }
}

static void rmsnorm_bwd_ref(float *dx, float *dg, const float *dy, const float *x, const float *g,
                            const float *rstd, size_t T, size_t D)
{
    for (size_t t = 0; t < T; t++) {
        const float *xt = x + t * D, *dyt = dy + t * D; /* (D) */
        const double r = rstd[t];
        double dot = 0.0; /* <g*dy, x> */

        for (size_t d = 0; d < D; d++)
            dot += (double)g[d] * dyt[d] * xt[d];
        for (size_t d = 0; d < D; d++)
            dx[t * D + d] += (float)(r * g[d] * dyt[d] - r * r * r * xt[d] * dot / (double)D);
    }
    for (size_t d = 0; d < D; d++) {
        double sum = 0.0;

        for (size_t t = 0; t < T; t++)
            sum += (double)dy[t * D + d] * x[t * D + d] * rstd[t];
        dg[d] = (float)(dg[d] + sum);
    }
}

void sl_ref_rmsnorm(sl_ops *ops)
{
    ops->rmsnorm_fwd = rmsnorm_fwd_ref;
    ops->rmsnorm_bwd = rmsnorm_bwd_ref;
}
