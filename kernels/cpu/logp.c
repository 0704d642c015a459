/* Log-probabilities of rows of logits and their gradient. Sums run in float inside blocks, in
 * double across them; a row is always the work of one thread. */
#include "kernels/cpu/cpu_int.h"
#include "kernels/cpu/lanes.h"
#include "kernels/cpu/vecmath.h"

/* Rows of LANES terms summed in float before they join the double. */
#define BLOCK 16
/* Cost of an element in elementary operations. */
#define COST 12

/* max (LANES) or count <= LANES logits, whichever is larger. */
static inline void max_lanes(float *max, const float *z, int count)
{
#pragma omp simd
    for (int l = 0; l < LANES; l++) {
        const float x = l < count ? z[l] : -INFINITY;

        max[l] = x > max[l] ? x : max[l];
    }
}

/* Largest of z (V), NaN left out. */
static float row_max(const float *z, size_t V)
{
    float max[LANES];
    size_t v = 0;

    for (int l = 0; l < LANES; l++)
        max[l] = -INFINITY;
    for (; v + LANES <= V; v += LANES)
        max_lanes(max, z + v, LANES);
    max_lanes(max, z + v, (int)(V - v));
    return lanes_max(max);
}

/* sum (LANES) += e = exp(z - max) and mean_sum (LANES) += e * (z - max) of count <= LANES logits.
 */
static inline void add_lanes(float *sum, float *mean_sum, const float *z, int count, float max)
{
#pragma omp simd
    for (int l = 0; l < LANES; l++) {
        const float x = l < count ? z[l] - max : -104.0f;
        const float d = x < -104.0f ? -104.0f : x;
        const float e = vec_exp(d);

        sum[l] += e;
        mean_sum[l] += e * d;
    }
}

/* sum of e = exp(z - max) and mean_sum of e * (z - max). A NaN in z makes both NaN. */
static void row_sums(double *sum, double *mean_sum, const float *z, size_t V, float max)
{
    *sum = *mean_sum = 0.0;
    for (size_t first = 0; first < V; first += BLOCK * LANES) {
        const size_t end = V - first < BLOCK * LANES ? V : first + BLOCK * LANES;
        float s[LANES] = { 0 }, m[LANES] = { 0 };
        size_t v = first;

        for (; v + LANES <= end; v += LANES)
            add_lanes(s, m, z + v, LANES, max);
        if (v < end)
            add_lanes(s, m, z + v, (int)(end - v), max);
        *sum += (double)lanes_sum(s);
        *mean_sum += (double)lanes_sum(m);
    }
}

/* logp of z[token]; *stats of the row. NaN where there is no law. */
static float row_logp(sl_row_stats *stats, const float *z, int32_t token, size_t V)
{
    const float max = row_max(z, V);
    double sum, mean;

    row_sums(&sum, &mean, z, V, max);
    if (isinf(max) || isnan(sum)) {
        *stats = (sl_row_stats){ NAN, NAN, NAN };
        return NAN;
    }
    *stats =
        (sl_row_stats){ (float)(max + log(sum)), (float)fmax(0.0, log(sum) - mean / sum), max };
    return (float)((double)z[token] - max - log(sum));
}

static void logp_fwd_cpu(float *logp, sl_row_stats *stats, const float *z, const int32_t *token,
                         size_t n, size_t V)
{
#pragma omp parallel for schedule(static) if (n * V * COST > SL_CPU_WORTH)
    for (size_t i = 0; i < n; i++) {
        sl_row_stats row;

        logp[i] = row_logp(&row, z + i * V, token[i], V);
        if (stats)
            stats[i] = row;
    }
}

static void logp_bwd_cpu(float *z, const float *lse, const int32_t *token, const float *coef,
                         size_t n, size_t V)
{
#pragma omp parallel for schedule(static) if (n * V * COST > SL_CPU_WORTH)
    for (size_t i = 0; i < n; i++) {
        float *zi = z + i * V; /* (V) */
        const float c = coef[i], l = lse[i], own = zi[token[i]];

#pragma omp simd
        for (size_t v = 0; v < V; v++)
            zi[v] = -c * vec_exp(zi[v] - l);
        zi[token[i]] = c * (1.0f - vec_exp(own - l));
    }
}

void SL_CPU(logp)(sl_ops *ops)
{
    ops->logp_fwd = logp_fwd_cpu;
    ops->logp_bwd = logp_bwd_cpu;
}
