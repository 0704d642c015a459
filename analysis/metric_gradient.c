/* Norms, noise and geometry of gradients, and sketches of fixed hashes (docs/math.md C1 to C4). */
#include "analysis/metric.h"
#include "base/alloc.h"
#include "base/levels.h"
#include "base/rng.h"
#include <math.h>

double sl_vector_norm(const double *x, size_t n)
{
    double scale = 0.0, sum = 1.0; /* norm = scale sqrt(sum): no overflow, no underflow */

    for (size_t i = 0; i < n; i++) {
        const double a = fabs(x[i]);

        if (!isfinite(a))
            return NAN;
        if (a > scale) {
            sum = 1.0 + sum * (scale / a) * (scale / a);
            scale = a;
        } else if (a > 0.0)
            sum += (a / scale) * (a / scale);
    }
    return scale * sqrt(sum);
}

double sl_clip_factor(double norm, double c)
{
    return fmin(1.0, c / (norm + 1e-6));
}

double sl_dot(const double *x, const double *y, size_t n)
{
    double sum = 0.0;

    for (size_t i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

/* sum (D) = sum of g (n, D), unit (D) = sum of g/|g|; *squares = sum |g|^2; returns the number of
 * rows that are not zero. */
static size_t sums_of(double *sum, double *unit, double *squares, const double *g, size_t n,
                      size_t D)
{
    size_t directed = 0;

    *squares = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double *row = g + i * D;
        const double norm = sl_vector_norm(row, D);

        *squares += norm * norm;
        directed += norm > 0.0;
        for (size_t d = 0; d < D; d++) {
            sum[d] += row[d];
            unit[d] += norm > 0.0 ? row[d] / norm : 0.0;
        }
    }
    return directed;
}

sl_status sl_gradient_geometry_of(sl_gradient_geometry *out, double *successive, const double *g,
                                  size_t n, size_t D)
{
    double *sum = NULL, squares, whole, unit_sq, k;

    SL_TRY(sl_take(&sum, 2 * D + 1, sizeof *sum));
    k = (double)sums_of(sum, sum + D, &squares, g, n, D);
    whole = sl_dot(sum, sum, D);
    unit_sq = sl_dot(sum + D, sum + D, D);
    out->diversity = squares / whole; /* +inf when the gradients cancel */
    out->batch_bound = (double)n * out->diversity;
    out->mean_cosine = k > 1.0 ? (unit_sq - k) / (k * (k - 1.0)) : NAN;
    out->resultant = k > 0.0 ? sqrt(unit_sq) / k : NAN;
    /* |mean|^2 over trace of the covariance (ddof 1) of the mean */
    out->snr = whole / ((double)n * (double)n) /
               ((squares - whole / (double)n) / ((double)n - 1.0) / (double)n);
    for (size_t i = 0; successive && i + 1 < n; i++) {
        const double *a = g + i * D, *b = a + D;
        const double norms = sl_vector_norm(a, D) * sl_vector_norm(b, D);

        successive[i] = norms > 0.0 ? sl_dot(a, b, D) / norms : NAN;
    }
    sl_free(sum);
    return SL_OK;
}

double sl_conflict_rate(const double *g, size_t n, size_t D)
{
    size_t against = 0;

    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++)
            against += sl_dot(g + i * D, g + k * D, D) < 0.0;
    return n > 1 ? (double)against / (0.5 * (double)n * (double)(n - 1)) : NAN;
}

/* --- sketches ----------------------------------------------------------------------------------
 */

uint32_t sl_sketch_bucket(uint64_t seed, uint64_t i, uint64_t m)
{
    return (uint32_t)(((sl_splitmix64(seed + i) >> 32) * m) >> 32);
}

int sl_sketch_sign(uint64_t argument)
{
    return sl_splitmix64(argument) & 1 ? 1 : -1;
}

/* place, value (count): where the entries of x go, with their signs. */
SL_LEVELS static void hash_entries(uint32_t *place, double *value, const double *x, size_t count,
                                   uint64_t first, uint64_t m)
{
    for (size_t i = 0; i < count; i++) {
        const uint64_t u = sl_splitmix64(first + i);

        place[i] = (uint32_t)((u >> 32) * m >> 32);
        value[i] = x[i] * (double)(2 * (int32_t)(u & 1) - 1);
    }
}

/* A block at a time: hashes in vector registers, then the additions, whose places are random. */
void sl_count_sketch(double *out, const double *x, size_t n, size_t m, uint64_t seed)
{
    enum { BLOCK = 512 };
    uint32_t place[BLOCK];
    double value[BLOCK];

    for (size_t k = 0; k < m; k++)
        out[k] = 0.0;
    for (size_t i = 0; i < n; i += BLOCK) {
        const size_t count = n - i < BLOCK ? n - i : BLOCK;

        hash_entries(place, value, x + i, count, seed + i, m);
        for (size_t k = 0; k < count; k++)
            out[place[k]] += value[k];
    }
}

void sl_sign_projection(double *out, const double *x, size_t n, size_t m, uint64_t seed)
{
    const double scale = 1.0 / sqrt((double)m);

    for (size_t r = 0; r < m; r++) {
        out[r] = 0.0;
        for (size_t i = 0; i < n; i++)
            out[r] += sl_sketch_sign(seed + ((uint64_t)r << 32) + i) * x[i];
        out[r] *= scale;
    }
}
