/* Pieces of attention that work on tiles of LANES keys in local memory, shared by the forward,
 * backward and decode files. Bodies stand here because they must be inlined: their inner loops are
 * LANES wide, so that the compiler keeps a row of a tile in one vector register. */
#ifndef SL_KERNELS_CPU_ATTENTION_TILE_H
#define SL_KERNELS_CPU_ATTENTION_TILE_H

#include "kernels/cpu/vecmath.h"
#include "kernels/ops.h"
#include <float.h>
#include <string.h>

#define LANES 16
/* Largest head that the tiles hold; above it the reference computes. */
#define E_MAX 256
#define CHUNKS(E) (((E) + LANES - 1) / LANES)

/* Keys and values of up to LANES rows. Lanes and elements beyond the data are zero. */
typedef struct key_tile {
    size_t first, count;        /* rows within their range */
    float key[E_MAX * LANES];   /* (E, LANES): keys side by side */
    float value[E_MAX * LANES]; /* (CHUNKS(E), LANES keys, LANES elements) */
} key_tile;

/* The running softmax of one query. */
typedef struct online {
    float max, sum;
} online;

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

/* Elements of chunk c of a head that exist. */
static inline size_t chunk_width(size_t E, size_t c)
{
    return E - c * LANES < LANES ? E - c * LANES : LANES;
}

/* out (E, LANES) = transpose of count rows of x, `stride` floats apart. */
static inline void pack_side_by_side(float *out, const float *x, size_t stride, size_t count,
                                     size_t E)
{
    if (count < LANES)
        zero_lanes(out, E);
    for (size_t l = 0; l < count; l++)
        for (size_t e = 0; e < E; e++)
            out[e * LANES + l] = x[l * stride + e];
}

/* out (CHUNKS(E), LANES, LANES) = count rows of x, `stride` floats apart, cut into chunks. */
static inline void pack_rows(float *out, const float *x, size_t stride, size_t count, size_t E)
{
    for (size_t c = 0; c < CHUNKS(E); c++)
        for (size_t l = 0; l < count; l++)
            load_lanes(out + (c * LANES + l) * LANES, x + l * stride + c * LANES,
                       chunk_width(E, c));
}

static inline void pack_keys(key_tile *tile, const float *k, const float *v, size_t stride,
                             size_t first, size_t count, size_t E)
{
    tile->first = first;
    tile->count = count;
    pack_side_by_side(tile->key, k, stride, count, E);
    pack_rows(tile->value, v, stride, count, E);
}

static inline size_t clamp_lane(size_t row, size_t first, size_t count)
{
    if (row <= first)
        return 0;
    return row - first < count ? row - first : count;
}

/* Lanes [*lo, *hi) of the tile of rows [first, first + count) of segment *src that row i of segment
 * *s sees; *src is *s or its parent. */
static inline void visible_lanes(size_t *lo, size_t *hi, const sl_segment *s, size_t i,
                                 const sl_segment *src, size_t first, size_t count, size_t window)
{
    const size_t next = s->position + i + 1, behind = window + src->position;
    const size_t row = window && next > behind ? next - behind : 0;

    *hi = clamp_lane(s == src ? i + 1 : src->count, first, count);
    *lo = clamp_lane(row, first, count);
}

/* Turns the raw scores p (LANES) of a tile into weights exp(scale * score - maximum), 0 outside the
 * lanes [lo, hi), and takes them into the running softmax. Returns the factor by which what was
 * summed before must shrink. */
static inline float take_scores(online *row, float *p, size_t lo, size_t hi, float scale)
{
    const int low = (int)lo, high = (int)hi;

    if (lo >= hi) {
        zero_lanes(p, 1);
        return 1.0f;
    }
#pragma omp simd
    for (int l = 0; l < LANES; l++)
        p[l] = l >= low && l < high ? p[l] * scale : -INFINITY;
    const float max = larger(lanes_max(p), row->max);

#pragma omp simd
    for (int l = 0; l < LANES; l++)
        p[l] = vec_exp(p[l] - max);
    const float shrink = vec_exp(row->max - max);

    row->sum = row->sum * shrink + lanes_sum(p);
    row->max = max;
    return shrink;
}

static inline void scale_lanes(float *x, float factor)
{
#pragma omp simd
    for (size_t l = 0; l < LANES; l++)
        x[l] *= factor;
}

#endif
