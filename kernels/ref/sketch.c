/* The count sketch, the executable specification. */
#include "base/rng.h"
#include "kernels/ref/ref_int.h"

static void count_sketch_ref(double *out, double *parts, const float *x, size_t n, uint64_t first,
                             size_t m, uint64_t seed)
{
    (void)parts;
    for (size_t i = 0; i < n; i++) {
        const uint64_t u = sl_splitmix64(seed + first + i);

        out[((u >> 32) * m) >> 32] += u & 1 ? (double)x[i] : -(double)x[i];
    }
}

void sl_ref_sketch(sl_ops *ops)
{
    ops->count_sketch = count_sketch_ref;
}
