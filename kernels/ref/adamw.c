/* torch's AdamW, the executable specification. Source: torch.optim.AdamW, single-tensor form. */
#include "kernels/ref/ref_int.h"
#include <math.h>

static void adamw_ref(float *p, float *m, float *v, const float *g, size_t n, const sl_adamw *s)
{
    const double correct_m = 1.0 - pow(s->beta1, (double)s->update);
    const double correct_v = 1.0 - pow(s->beta2, (double)s->update);

    for (size_t i = 0; i < n; i++) {
        const double gi = (double)g[i] * s->grad_scale;
        const double mi = s->beta1 * (double)m[i] + (1.0 - s->beta1) * gi;
        const double vi = s->beta2 * (double)v[i] + (1.0 - s->beta2) * gi * gi;
        const double decayed = p[i] * (1.0 - (double)s->learning_rate * s->weight_decay);
        const double step = mi / correct_m / (sqrt(vi / correct_v) + s->eps);

        m[i] = (float)mi;
        v[i] = (float)vi;
        p[i] = (float)(decayed - s->learning_rate * step);
    }
}

void sl_ref_adamw(sl_ops *ops)
{
    ops->adamw = adamw_ref;
}
