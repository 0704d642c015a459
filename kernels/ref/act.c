/* Activations and gated products, the executable specification: one table of functions and
 * derivatives. Source: docs/math.md, "Backward". */
#include "kernels/ref/ref_int.h"
#include <math.h>

#define SQRT_HALF 0.70710678118654752440      /* 1/sqrt(2) */
#define INV_SQRT_2PI 0.39894228040143267794   /* 1/sqrt(2 pi) */
#define SQRT_2_OVER_PI 0.79788456080286535588 /* sqrt(2/pi) */

typedef struct act_row {
    double (*value)(double a);
    double (*slope)(double a);
} act_row;

static double silu(double a)
{
    return a / (1.0 + exp(-a));
}

static double silu_slope(double a)
{
    const double s = 1.0 / (1.0 + exp(-a));

    return s * (1.0 + a * (1.0 - s));
}

static double gelu_erf(double a)
{
    return 0.5 * a * erfc(-a * SQRT_HALF);
}

static double gelu_erf_slope(double a)
{
    return 0.5 * erfc(-a * SQRT_HALF) + a * exp(-0.5 * a * a) * INV_SQRT_2PI;
}

static double gelu_tanh(double a)
{
    return 0.5 * a * (1.0 + tanh(SQRT_2_OVER_PI * (a + 0.044715 * a * a * a)));
}

static double gelu_tanh_slope(double a)
{
    const double t = tanh(SQRT_2_OVER_PI * (a + 0.044715 * a * a * a));

    return 0.5 * (1.0 + t) + 0.5 * a * (1.0 - t * t) * SQRT_2_OVER_PI * (1.0 + 0.134145 * a * a);
}

static const act_row acts[] = {
    [SL_ACT_SILU] = { silu, silu_slope },
    [SL_ACT_GELU_ERF] = { gelu_erf, gelu_erf_slope },
    [SL_ACT_GELU_TANH] = { gelu_tanh, gelu_tanh_slope },
};

static void gated_fwd_ref(float *y, const float *gate_up, size_t T, size_t F, sl_act act)
{
    for (size_t t = 0; t < T; t++) {
        const float *gate = gate_up + t * 2 * F, *up = gate + F; /* (F) */

        for (size_t f = 0; f < F; f++)
            y[t * F + f] = (float)(acts[act].value(gate[f]) * up[f]);
    }
}

static void gated_bwd_ref(float *dgate_up, const float *dy, const float *gate_up, size_t T,
                          size_t F, sl_act act)
{
    for (size_t t = 0; t < T; t++) {
        const float *gate = gate_up + t * 2 * F, *up = gate + F; /* (F) */
        float *dgate = dgate_up + t * 2 * F, *dup = dgate + F;   /* (F) */

        for (size_t f = 0; f < F; f++) {
            const double d = dy[t * F + f];

            dgate[f] = (float)(d * up[f] * acts[act].slope(gate[f]));
            dup[f] = (float)(d * acts[act].value(gate[f]));
        }
    }
}

static void act_fwd_ref(float *y, const float *x, size_t n, sl_act act)
{
    for (size_t i = 0; i < n; i++)
        y[i] = (float)acts[act].value(x[i]);
}

static void act_bwd_ref(float *dx, const float *dy, const float *x, size_t n, sl_act act)
{
    for (size_t i = 0; i < n; i++)
        dx[i] = (float)(dy[i] * acts[act].slope(x[i]));
}

void sl_ref_act(sl_ops *ops)
{
    ops->gated_fwd = gated_fwd_ref;
    ops->gated_bwd = gated_bwd_ref;
    ops->act_fwd = act_fwd_ref;
    ops->act_bwd = act_bwd_ref;
}
