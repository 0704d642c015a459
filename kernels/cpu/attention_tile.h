/* Pieces of attention that work on tiles of LANES keys in local memory, shared by the forward,
 * backward and decode files. Bodies stand here because they must be inlined: see lanes.h. */
#ifndef SL_KERNELS_CPU_ATTENTION_TILE_H
#define SL_KERNELS_CPU_ATTENTION_TILE_H

#include "kernels/cpu/lanes.h"
#include "kernels/cpu/vecmath.h"
#include "kernels/ops.h"

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

#endif
