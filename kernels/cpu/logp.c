/* Log-probabilities of rows of logits and their gradient. Sums run in float inside blocks, in
 * double across them; a row is always the work of one thread. */
#include "kernels/cpu/cpu_int.h"
#include "kernels/cpu/vecmath.h"

/* Terms summed in float before they join the double. */
#define BLOCK 128
/* Cost of an element in elementary operations. */
#define COST 12

/* Largest of z (V), NaN left out. */
static float row_max(const float *z, size_t V)
{
    float max = -INFINITY;

#pragma omp simd reduction(max : max)
    for (size_t v = 0; v < V; v++)
        max = z[v] > max ? z[v] : max;
    return max;
}

/* sum of e = exp(z - max) and mean_sum of e * (z - max). A NaN in z makes both NaN. */
static void row_sums(double *sum, double *mean_sum, const float *z, size_t V, float max)
{
    *sum = *mean_sum = 0.0;
    for (size_t first = 0; first < V; first += BLOCK) {
        const size_t end = V - first < BLOCK ? V : first + BLOCK;
        float s = 0.0f, m = 0.0f;

#pragma omp simd reduction(+ : s, m)
        for (size_t v = first; v < end; v++) {
            const float d = z[v] - max < -104.0f ? -104.0f : z[v] - max;
            const float e = vec_exp(d);

            s += e;
            m += e * d;
        }
        *sum += (double)s;
        *mean_sum += (double)m;
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
