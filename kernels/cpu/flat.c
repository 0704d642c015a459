/* Operations on flat arrays. Sums run over a fixed number of parts, so that they do not depend on
 * the number of threads. */
#include "kernels/cpu/cpu_int.h"
#include <float.h>
#include <math.h>

#define PARTS 32
/* Elements below which a sum is one part. */
#define SMALL 32768

static void add_cpu(float *y, const float *x, size_t n)
{
#pragma omp parallel for simd schedule(static) if (n > SL_CPU_WORTH)
    for (size_t i = 0; i < n; i++)
        y[i] += x[i];
}

static void scale_cpu(float *x, size_t n, float factor)
{
#pragma omp parallel for simd schedule(static) if (n > SL_CPU_WORTH)
    for (size_t i = 0; i < n; i++)
        x[i] *= factor;
}

static double dot_part(const float *x, const float *y, size_t n)
{
    double sum = 0.0;

#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i] * y[i];
    return sum;
}

static double dot_cpu(const float *x, const float *y, size_t n)
{
    double part[PARTS], sum = 0.0;

    if (n < SMALL)
        return dot_part(x, y, n);
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < PARTS; i++) {
        const size_t first = n / PARTS * i, end = i + 1 < PARTS ? n / PARTS * (i + 1) : n;

        part[i] = dot_part(x + first, y + first, end - first);
    }
    for (size_t i = 0; i < PARTS; i++)
        sum += part[i];
    return sum;
}

static double sum_sq_cpu(const float *x, size_t n)
{
    return dot_cpu(x, x, n);
}

static float max_abs_cpu(const float *x, size_t n, uint32_t *bad)
{
    float max = 0.0f;
    uint32_t count = 0;

#pragma omp parallel for simd schedule(static) reduction(max : max) reduction(+ : count)           \
    if (n > SL_CPU_WORTH)
    for (size_t i = 0; i < n; i++) {
        const float a = fabsf(x[i]), finite = a <= FLT_MAX ? a : 0.0f;

        count += !(a <= FLT_MAX);
        max = finite > max ? finite : max;
    }
    *bad = count;
    return max;
}

void SL_CPU(flat)(sl_ops *ops)
{
    ops->add = add_cpu;
    ops->scale = scale_cpu;
    ops->sum_sq = sum_sq_cpu;
    ops->dot = dot_cpu;
    ops->max_abs = max_abs_cpu;
}
