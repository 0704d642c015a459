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

/* out (E, LANES) = transpose of count rows of x, `stride` floats apart. */
static inline void pack_side_by_side(float *out, const float *x, size_t stride, size_t count,
                                     size_t E)
{
    if (count < LANES)
        memset(out, 0, E * LANES * sizeof *out);
    for (size_t l = 0; l < count; l++)
        for (size_t e = 0; e < E; e++)
            out[e * LANES + l] = x[l * stride + e];
}

/* out (CHUNKS(E), LANES, LANES) = count rows of x, `stride` floats apart, cut into chunks. */
static inline void pack_rows(float *out, const float *x, size_t stride, size_t count, size_t E)
{
    for (size_t e = 0; e < E; e += LANES) {
        const size_t width = E - e < LANES ? E - e : LANES;
        float *chunk = out + e * LANES; /* (LANES, LANES) */

        if (width < LANES)
            memset(chunk, 0, LANES * LANES * sizeof *out);
        for (size_t l = 0; l < count; l++)
            memcpy(chunk + l * LANES, x + l * stride + e, width * sizeof *out);
    }
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

/* Adds the visible lanes [lo, hi) of a tile to the running softmax of query q (E) and to its values
 * acc (CHUNKS(E) * LANES), which are scaled to the running maximum. */
static inline void attend_tile(online *row, float *acc, const float *q, const key_tile *tile,
                               size_t lo, size_t hi, size_t E, float scale)
{
    float p[LANES] = { 0 }, max = row->max, sum = 0.0f;
    const int low = (int)lo, high = (int)hi;

    lanes_add(p, q, 1, tile->key, E);
#pragma omp simd reduction(max : max)
    for (int l = 0; l < LANES; l++) {
        p[l] = l >= low && l < high ? p[l] * scale : -INFINITY;
        max = p[l] > max ? p[l] : max;
    }
#pragma omp simd reduction(+ : sum)
    for (int l = 0; l < LANES; l++) {
        p[l] = l >= low && l < high ? vec_exp(p[l] - max) : 0.0f;
        sum += p[l];
    }
    const float shrink = vec_exp(row->max - max);

    row->sum = row->sum * shrink + sum;
    row->max = max;
    for (size_t c = 0; c < CHUNKS(E); c++) {
        float *out = acc + c * LANES; /* (LANES) */

#pragma omp simd
        for (size_t l = 0; l < LANES; l++)
            out[l] *= shrink;
        lanes_add(out, p, 1, tile->value + c * LANES * LANES, tile->count);
    }
}

#endif
