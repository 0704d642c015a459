/* The count sketch. Hashes are made a block at a time, in vector registers; the additions, whose
 * places are random, follow from the first-level cache. The array is cut into a fixed number of
 * parts with sums of their own, so that the result does not depend on the number of threads. */
#include "base/rng.h"
#include "kernels/cpu/cpu_int.h"
#include <string.h>

#define BLOCK 512
/* Elements below which the array is one part. */
#define SMALL 32768

/* Adds n <= BLOCK elements, the first of which has the hash argument `first`. */
static void add_block(double *out, const float *x, size_t n, uint64_t first, size_t m)
{
    uint32_t bucket[BLOCK];
    double value[BLOCK];

#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        const uint64_t u = sl_splitmix64(first + i);

        bucket[i] = (uint32_t)(((u >> 32) * m) >> 32);
        value[i] = (double)x[i] * (double)(2 * (int32_t)(u & 1) - 1);
    }
    for (size_t i = 0; i < n; i++)
        out[bucket[i]] += value[i];
}

static void add_part(double *out, const float *x, size_t n, uint64_t first, size_t m)
{
    for (size_t i = 0; i < n; i += BLOCK)
        add_block(out, x + i, n - i < BLOCK ? n - i : BLOCK, first + i, m);
}

static void count_sketch_cpu(double *out, double *parts, const float *x, size_t n, uint64_t first,
                             size_t m, uint64_t seed)
{
    if (n < SMALL) {
        add_part(out, x, n, seed + first, m);
        return;
    }
#pragma omp parallel for schedule(static)
    for (size_t p = 0; p < SL_SKETCH_PARTS; p++) {
        const size_t from = n / SL_SKETCH_PARTS * p;
        const size_t end = p + 1 < SL_SKETCH_PARTS ? n / SL_SKETCH_PARTS * (p + 1) : n;

        memset(parts + p * m, 0, m * sizeof *parts);
        add_part(parts + p * m, x + from, end - from, seed + first + from, m);
    }
    for (size_t p = 0; p < SL_SKETCH_PARTS; p++)
        for (size_t k = 0; k < m; k++)
            out[k] += parts[p * m + k];
}

void SL_CPU(sketch)(sl_ops *ops)
{
    ops->count_sketch = count_sketch_cpu;
}
