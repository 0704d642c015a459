/* One draw of each row of logits, the executable specification. */
#include "kernels/ref/ref_int.h"
#include "kernels/select_int.h"
#include <math.h>

/* First of the largest of z (V). */
static size_t best_of(const float *z, size_t V)
{
    size_t best = 0;

    for (size_t v = 1; v < V; v++)
        if (z[v] > z[best])
            best = v;
    return best;
}

/* Log of the sum of exp((z - max) / temperature): log(weight of max) is 0. */
static double log_sum(const float *z, size_t V, double max, double temperature)
{
    double sum = 0.0;

    for (size_t v = 0; v < V; v++)
        sum += exp((z[v] - max) / temperature);
    return log(sum);
}

static void sample_ref(int32_t *token, float *logp, const float *z, const float *u, size_t n,
                       size_t V, const sl_sample_settings *s, float *scratch)
{
    for (size_t i = 0; i < n; i++) {
        const float *zi = z + i * V;                           /* (V) */
        float *weight = scratch + i * 2 * V, *id = weight + V; /* (V) */
        const size_t best = best_of(zi, V);
        const double max = zi[best];

        if (s->temperature == 0.0f) {
            token[i] = (int32_t)best;
            logp[i] = (float)-log_sum(zi, V, max, 1.0);
            continue;
        }
        for (size_t v = 0; v < V; v++)
            weight[v] = (float)exp((zi[v] - max) / s->temperature);
        token[i] = sl_select_draw(&logp[i], weight, id, V, u[i], s);
    }
}

void sl_ref_sample(sl_ops *ops)
{
    ops->sample = sample_ref;
}
