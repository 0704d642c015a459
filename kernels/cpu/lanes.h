/* Rows of LANES floats: one vector register of the widest set, two or four of the others. The inner
 * loops are LANES wide and marked simd, which keeps compilers from unrolling them into scalars.
 * Bodies stand here because they must be inlined. */
#ifndef SL_KERNELS_CPU_LANES_H
#define SL_KERNELS_CPU_LANES_H

#include <stddef.h>
#include <string.h>

#define LANES 16

/* out (LANES) += sum_i coef[i * stride] * mat (n, LANES) row i. The local sum becomes a register.
 */
static inline void lanes_add(float *out, const float *coef, size_t stride, const float *mat,
                             size_t n)
{
    float sum[LANES];

    memcpy(sum, out, sizeof sum);
    for (size_t i = 0; i < n; i++) {
        const float c = coef[i * stride];

#pragma omp simd
        for (size_t l = 0; l < LANES; l++)
            sum[l] += c * mat[i * LANES + l];
    }
    memcpy(out, sum, sizeof sum);
}

/* The same for four rows of coefficients at once, coef_row floats apart, into rows of out out_row
 * floats apart: four independent sums hide the latency of the multiply-adds and share the loads of
 * mat. */
static inline void lanes_add4(float *out, size_t out_row, const float *coef, size_t coef_row,
                              size_t stride, const float *mat, size_t n)
{
    float a[LANES], b[LANES], c[LANES], d[LANES];

    memcpy(a, out, sizeof a);
    memcpy(b, out + out_row, sizeof b);
    memcpy(c, out + 2 * out_row, sizeof c);
    memcpy(d, out + 3 * out_row, sizeof d);
    for (size_t i = 0; i < n; i++) {
        const float *at = coef + i * stride;
        const float ca = at[0], cb = at[coef_row], cc = at[2 * coef_row], cd = at[3 * coef_row];

#pragma omp simd
        for (size_t l = 0; l < LANES; l++) {
            const float m = mat[i * LANES + l];

            a[l] += ca * m;
            b[l] += cb * m;
            c[l] += cc * m;
            d[l] += cd * m;
        }
    }
    memcpy(out, a, sizeof a);
    memcpy(out + out_row, b, sizeof b);
    memcpy(out + 2 * out_row, c, sizeof c);
    memcpy(out + 3 * out_row, d, sizeof d);
}

/* out (rows, LANES) += coef (rows, n) mat (n, LANES), with strides as above. */
static inline void lanes_product(float *out, size_t out_row, const float *coef, size_t coef_row,
                                 size_t stride, const float *mat, size_t n, size_t rows)
{
    size_t r = 0;

    for (; r + 4 <= rows; r += 4)
        lanes_add4(out + r * out_row, out_row, coef + r * coef_row, coef_row, stride, mat, n);
    for (; r < rows; r++)
        lanes_add(out + r * out_row, coef + r * coef_row, stride, mat, n);
}

/* Sum and maximum of x (LANES) by halves: in the order of a loop they would be LANES dependent
 * steps, which no compiler may reorder. */
static inline float lanes_sum(const float *x)
{
    float half[LANES / 2], quarter[LANES / 4];

#pragma omp simd
    for (int l = 0; l < LANES / 2; l++)
        half[l] = x[l] + x[l + LANES / 2];
#pragma omp simd
    for (int l = 0; l < LANES / 4; l++)
        quarter[l] = half[l] + half[l + LANES / 4];
    return (quarter[0] + quarter[1]) + (quarter[2] + quarter[3]);
}

static inline float larger(float a, float b)
{
    return a > b ? a : b;
}

static inline float lanes_max(const float *x)
{
    float half[LANES / 2], quarter[LANES / 4];

#pragma omp simd
    for (int l = 0; l < LANES / 2; l++)
        half[l] = larger(x[l], x[l + LANES / 2]);
#pragma omp simd
    for (int l = 0; l < LANES / 4; l++)
        quarter[l] = larger(half[l], half[l + LANES / 4]);
    return larger(larger(quarter[0], quarter[1]), larger(quarter[2], quarter[3]));
}

/* out (LANES) = x (width), then zeros. A masked load; memcpy and memset of a few floats would
 * become string instructions that cost more than the tile. */
static inline void load_lanes(float *out, const float *x, size_t width)
{
    const int end = (int)width;

#pragma omp simd
    for (int l = 0; l < LANES; l++)
        out[l] = l < end ? x[l] : 0.0f;
}

static inline void zero_lanes(float *out, size_t rows)
{
    for (size_t r = 0; r < rows; r++)
#pragma omp simd
        for (size_t l = 0; l < LANES; l++)
            out[r * LANES + l] = 0.0f;
}

static inline void scale_lanes(float *x, float factor)
{
#pragma omp simd
    for (size_t l = 0; l < LANES; l++)
        x[l] *= factor;
}

#endif
