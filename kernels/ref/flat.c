/* Operations on flat arrays, the executable specification. */
#include "kernels/ref/ref_int.h"
#include <math.h>

static void add_ref(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] += x[i];
}

static void scale_ref(float *x, size_t n, float factor)
{
    for (size_t i = 0; i < n; i++)
        x[i] *= factor;
}

static double dot_ref(const float *x, const float *y, size_t n)
{
    double sum = 0.0;

    for (size_t i = 0; i < n; i++)
        sum += (double)x[i] * y[i];
    return sum;
}

static double sum_sq_ref(const float *x, size_t n)
{
    return dot_ref(x, x, n);
}

static float max_abs_ref(const float *x, size_t n, uint32_t *bad)
{
    float max = 0.0f;

    *bad = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i]))
            ++*bad;
        else if (fabsf(x[i]) > max)
            max = fabsf(x[i]);
    }
    return max;
}

void sl_ref_flat(sl_ops *ops)
{
    ops->add = add_ref;
    ops->scale = scale_ref;
    ops->sum_sq = sum_sq_ref;
    ops->dot = dot_ref;
    ops->max_abs = max_abs_ref;
}
