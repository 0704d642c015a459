/* Rotary positions. */
#include "kernels/cpu/cpu_int.h"

static void rotate(float *x, const float *c, const float *s, size_t half, float sign)
{
    float *y = x + half; /* (R/2) */

#pragma omp simd
    for (size_t i = 0; i < half; i++) {
        const float a = x[i], b = y[i], si = sign * s[i];

        x[i] = a * c[i] - b * si;
        y[i] = b * c[i] + a * si;
    }
}

static void rope_cpu(float *x, const float *cosine, const float *sine, const int32_t *position,
                     size_t T, size_t heads, size_t R, size_t token_stride, size_t head_stride,
                     float sign)
{
#pragma omp parallel for schedule(static) if (2 * T * heads * R > SL_CPU_WORTH)
    for (size_t t = 0; t < T; t++) {
        const size_t at = (size_t)position[t] * (R / 2);

        for (size_t h = 0; h < heads; h++)
            rotate(x + t * token_stride + h * head_stride, cosine + at, sine + at, R / 2, sign);
    }
}

void SL_CPU(rope)(sl_ops *ops)
{
    ops->rope = rope_cpu;
}
