/* Rotary positions, the executable specification. Source: docs/math.md, "RoPE". */
#include "kernels/ref/ref_int.h"

static void rope_ref(float *x, const float *cosine, const float *sine, const int32_t *position,
                     size_t T, size_t heads, size_t R, size_t token_stride, size_t head_stride,
                     float sign)
{
    const size_t half = R / 2;

    for (size_t t = 0; t < T; t++) {
        const float *c = cosine + (size_t)position[t] * half; /* (R/2) */
        const float *s = sine + (size_t)position[t] * half;   /* (R/2) */

        for (size_t h = 0; h < heads; h++) {
            float *xh = x + t * token_stride + h * head_stride; /* (R) */

            for (size_t i = 0; i < half; i++) {
                const double a = xh[i], b = xh[i + half];

                xh[i] = (float)(a * c[i] - b * (sign * s[i]));
                xh[i + half] = (float)(b * c[i] + a * (sign * s[i]));
            }
        }
    }
}

void sl_ref_rope(sl_ops *ops)
{
    ops->rope = rope_ref;
}
