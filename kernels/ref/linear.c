/* Linear layers, the executable specification. Source: docs/math.md, "Backward". */
#include "kernels/ref/ref_int.h"

static void linear_fwd_ref(float *y, const float *x, const float *w, const float *b, size_t T,
                           size_t O, size_t I)
{
    for (size_t t = 0; t < T; t++) {
        for (size_t o = 0; o < O; o++) {
            double sum = b ? (double)b[o] : 0.0;

            for (size_t i = 0; i < I; i++)
                sum += (double)x[t * I + i] * w[o * I + i];
            y[t * O + o] = (float)sum;
        }
    }
}

static void linear_bwd_x_ref(float *dx, const float *dy, const float *w, size_t T, size_t O,
                             size_t I, int add)
{
    for (size_t t = 0; t < T; t++) {
        for (size_t i = 0; i < I; i++) {
            double sum = add ? (double)dx[t * I + i] : 0.0;

            for (size_t o = 0; o < O; o++)
                sum += (double)dy[t * O + o] * w[o * I + i];
            dx[t * I + i] = (float)sum;
        }
    }
}

static void linear_bwd_w_ref(float *dw, float *db, const float *dy, const float *x, size_t T,
                             size_t O, size_t I)
{
    for (size_t o = 0; o < O; o++) {
        for (size_t i = 0; i < I; i++) {
            double sum = 0.0;

            for (size_t t = 0; t < T; t++)
                sum += (double)dy[t * O + o] * x[t * I + i];
            dw[o * I + i] = (float)(dw[o * I + i] + sum);
        }
    }
    for (size_t o = 0; db && o < O; o++) {
        double sum = 0.0;

        for (size_t t = 0; t < T; t++)
            sum += (double)dy[t * O + o];
        db[o] = (float)(db[o] + sum);
    }
}

void sl_ref_linear(sl_ops *ops)
{
    ops->linear_fwd = linear_fwd_ref;
    ops->linear_bwd_x = linear_bwd_x_ref;
    ops->linear_bwd_w = linear_bwd_w_ref;
}
