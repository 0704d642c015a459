/* torch's AdamW, in float like torch's own. */
#include "kernels/cpu/cpu_int.h"
#include <math.h>

static void adamw_cpu(float *p, float *m, float *v, const float *g, size_t n, const sl_adamw *s)
{
    const double correct_m = 1.0 - pow((double)s->beta1, (double)s->update);
    const double correct_v = 1.0 - pow((double)s->beta2, (double)s->update);
    const float keep = (float)(1.0 - (double)s->learning_rate * s->weight_decay);
    const float b1 = s->beta1, a1 = (float)(1.0 - (double)s->beta1);
    const float b2 = s->beta2, a2 = (float)(1.0 - (double)s->beta2);
    const float rate = (float)(s->learning_rate / correct_m);
    const float root = (float)(1.0 / sqrt(correct_v)), eps = s->eps, clip = s->grad_scale;

#pragma omp parallel for simd schedule(static) if (n * 8 > SL_CPU_WORTH)
    for (size_t i = 0; i < n; i++) {
        const float gi = g[i] * clip;
        const float mi = b1 * m[i] + a1 * gi, vi = b2 * v[i] + a2 * gi * gi;

        m[i] = mi;
        v[i] = vi;
        p[i] = p[i] * keep - rate * mi / (sqrtf(vi) * root + eps);
    }
}

void SL_CPU(adamw)(sl_ops *ops)
{
    ops->adamw = adamw_cpu;
}
