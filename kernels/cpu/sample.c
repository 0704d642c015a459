/* One draw of each row of logits: weights by the vector exponential, the choice as in the
 * reference. */
#include "kernels/cpu/cpu_int.h"
#include "kernels/cpu/vecmath.h"
#include "kernels/select_int.h"

/* Cost of an element in elementary operations. */
#define COST 16

/* First of the largest of z (V). */
static size_t best_of(const float *z, size_t V)
{
    size_t best = 0;

    for (size_t v = 1; v < V; v++)
        if (z[v] > z[best])
            best = v;
    return best;
}

/* weight (V) = exp((z - max) / temperature). */
static void weigh(float *weight, const float *z, size_t V, float max, float temperature)
{
#pragma omp simd
    for (size_t v = 0; v < V; v++)
        weight[v] = vec_exp((z[v] - max) / temperature);
}

static int32_t sample_row(float *logp, const float *z, float u, size_t V,
                          const sl_sample_settings *s, float *scratch)
{
    const size_t best = best_of(z, V);
    double sum = 0.0;

    if (s->temperature > 0.0f) {
        weigh(scratch, z, V, z[best], s->temperature);
        return sl_select_draw(logp, scratch, scratch + V, V, u, s);
    }
    weigh(scratch, z, V, z[best], 1.0f);
    for (size_t v = 0; v < V; v++)
        sum += (double)scratch[v];
    *logp = (float)-log(sum);
    return (int32_t)best;
}

static void sample_cpu(int32_t *token, float *logp, const float *z, const float *u, size_t n,
                       size_t V, const sl_sample_settings *s, float *scratch)
{
#pragma omp parallel for schedule(static) if (n * V * COST > SL_CPU_WORTH)
    for (size_t i = 0; i < n; i++)
        token[i] = sample_row(&logp[i], z + i * V, u[i], V, s, scratch + i * 2 * V);
}

void SL_CPU(sample)(sl_ops *ops)
{
    ops->sample = sample_cpu;
}
