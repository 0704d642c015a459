/* Activations and gated products. tanh and erf appear only through distribution functions, which
 * keep their accuracy in the tails: 0.5 (1 + tanh u) = sigmoid(2u). */
#include "kernels/cpu/cpu_int.h"
#include "kernels/cpu/vecmath.h"

#define INV_SQRT_2PI 0.398942280f      /* 1/sqrt(2 pi) */
#define TWO_SQRT_2_OVER_PI 1.59576912f /* 2 sqrt(2/pi) */

/* Elements a task: long enough for the vector loop, short enough for the cache. */
#define BLOCK 1024
/* Cost of an element in elementary operations. */
#define COST 20

/* Outside of +-20 every slope is 0 or 1 to the last bit; the clamp keeps a*a finite. */
static inline float clamp(float a)
{
    const float low = a < -20.0f ? -20.0f : a;

    return low > 20.0f ? 20.0f : low;
}

static inline float silu(float a)
{
    return a * vec_sigmoid(a);
}

static inline float silu_slope(float a)
{
    const float s = vec_sigmoid(a);

    return s * (1.0f + a * (1.0f - s));
}

static inline float gelu_erf(float a)
{
    return a * vec_normal_cdf(a);
}

static inline float gelu_erf_slope(float a)
{
    const float c = clamp(a);

    return vec_normal_cdf(c) + c * INV_SQRT_2PI * vec_exp(-0.5f * c * c);
}

static inline float gelu_tanh(float a)
{
    return a * vec_sigmoid(TWO_SQRT_2_OVER_PI * (a + 0.044715f * a * a * a));
}

static inline float gelu_tanh_slope(float a)
{
    const float c = clamp(a);
    const float s = vec_sigmoid(TWO_SQRT_2_OVER_PI * (c + 0.044715f * c * c * c));

    return s + c * s * (1.0f - s) * TWO_SQRT_2_OVER_PI * (1.0f + 0.134145f * c * c);
}

/* The loops over n elements of one activation; all arrays (n). */
#define ACT_LOOPS(act)                                                                             \
    static void act##_fwd(float *y, const float *x, size_t n)                                      \
    {                                                                                              \
        _Pragma("omp simd") for (size_t i = 0; i < n; i++) y[i] = act(x[i]);                       \
    }                                                                                              \
    static void act##_bwd(float *dx, const float *dy, const float *x, size_t n)                    \
    {                                                                                              \
        _Pragma("omp simd") for (size_t i = 0; i < n; i++) dx[i] = dy[i] * act##_slope(x[i]);      \
    }                                                                                              \
    static void act##_gated(float *y, const float *gate, const float *up, size_t n)                \
    {                                                                                              \
        _Pragma("omp simd") for (size_t i = 0; i < n; i++) y[i] = act(gate[i]) * up[i];            \
    }                                                                                              \
    static void act##_gated_bwd(float *dgate, float *dup, const float *dy, const float *gate,      \
                                const float *up, size_t n)                                         \
    {                                                                                              \
        _Pragma("omp simd") for (size_t i = 0; i < n; i++)                                         \
        {                                                                                          \
            dgate[i] = dy[i] * up[i] * act##_slope(gate[i]);                                       \
            dup[i] = dy[i] * act(gate[i]);                                                         \
        }                                                                                          \
    }

ACT_LOOPS(silu)
ACT_LOOPS(gelu_erf)
ACT_LOOPS(gelu_tanh)

static const struct act_row {
    void (*fwd)(float *y, const float *x, size_t n);
    void (*bwd)(float *dx, const float *dy, const float *x, size_t n);
    void (*gated)(float *y, const float *gate, const float *up, size_t n);
    void (*gated_bwd)(float *dgate, float *dup, const float *dy, const float *gate, const float *up,
                      size_t n);
} acts[] = {
    [SL_ACT_SILU] = { silu_fwd, silu_bwd, silu_gated, silu_gated_bwd },
    [SL_ACT_GELU_ERF] = { gelu_erf_fwd, gelu_erf_bwd, gelu_erf_gated, gelu_erf_gated_bwd },
    [SL_ACT_GELU_TANH] = { gelu_tanh_fwd, gelu_tanh_bwd, gelu_tanh_gated, gelu_tanh_gated_bwd },
};

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void gated_fwd_cpu(float *y, const float *gate_up, size_t T, size_t F, sl_act act)
{
#pragma omp parallel for schedule(static) if (T * F * COST > SL_CPU_WORTH)
    for (size_t t = 0; t < T; t++)
        acts[act].gated(y + t * F, gate_up + t * 2 * F, gate_up + t * 2 * F + F, F);
}

static void gated_bwd_cpu(float *dgate_up, const float *dy, const float *gate_up, size_t T,
                          size_t F, sl_act act)
{
#pragma omp parallel for schedule(static) if (T * F * COST > SL_CPU_WORTH)
    for (size_t t = 0; t < T; t++) {
        const size_t at = t * 2 * F;

        acts[act].gated_bwd(dgate_up + at, dgate_up + at + F, dy + t * F, gate_up + at,
                            gate_up + at + F, F);
    }
}

static void act_fwd_cpu(float *y, const float *x, size_t n, sl_act act)
{
#pragma omp parallel for schedule(static) if (n * COST > SL_CPU_WORTH)
    for (size_t i = 0; i < n; i += BLOCK)
        acts[act].fwd(y + i, x + i, min_size(BLOCK, n - i));
}

static void act_bwd_cpu(float *dx, const float *dy, const float *x, size_t n, sl_act act)
{
#pragma omp parallel for schedule(static) if (n * COST > SL_CPU_WORTH)
    for (size_t i = 0; i < n; i += BLOCK)
        acts[act].bwd(dx + i, dy + i, x + i, min_size(BLOCK, n - i));
}

void SL_CPU(act)(sl_ops *ops)
{
    ops->gated_fwd = gated_fwd_cpu;
    ops->gated_bwd = gated_bwd_cpu;
    ops->act_fwd = act_fwd_cpu;
    ops->act_bwd = act_bwd_cpu;
}
