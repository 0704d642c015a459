/* Log-probabilities of rows of logits and their gradient, the executable specification. */
#include "kernels/ref/ref_int.h"
#include <math.h>

/* Largest of z (V); NaN when one is NaN. */
static double row_max(const float *z, size_t V)
{
    double max = -INFINITY;

    for (size_t v = 0; v < V; v++)
        if (z[v] > max || isnan(z[v]))
            max = z[v];
    return max;
}

/* lse, entropy and largest of z (V). A row without a finite maximum has no law: all NaN. */
static sl_row_stats row_stats(const float *z, size_t V)
{
    const double max = row_max(z, V);
    double sum = 0.0, mean = 0.0; /* of e = exp(z - max); of e * (z - max) */

    if (!isfinite(max))
        return (sl_row_stats){ NAN, NAN, NAN };
    for (size_t v = 0; v < V; v++) {
        const double e = exp(z[v] - max);

        sum += e;
        if (e > 0.0)
            mean += e * (z[v] - max);
    }
    return (sl_row_stats){ (float)(max + log(sum)), (float)fmax(0.0, log(sum) - mean / sum),
                           (float)max };
}

static void logp_fwd_ref(float *logp, sl_row_stats *stats, const float *z, const int32_t *token,
                         size_t n, size_t V)
{
    for (size_t i = 0; i < n; i++) {
        const float *zi = z + i * V; /* (V) */
        const sl_row_stats s = row_stats(zi, V);
        double sum = 0.0;

        /* From the sum itself: lse in float has already lost bits when the logits are large. */
        for (size_t v = 0; v < V; v++)
            sum += exp((double)zi[v] - s.max_logit);
        logp[i] = (float)((double)zi[token[i]] - s.max_logit - log(sum));
        if (stats)
            stats[i] = s;
    }
}

static void logp_bwd_ref(float *z, const float *lse, const int32_t *token, const float *coef,
                         size_t n, size_t V)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t v = 0; v < V; v++) {
            const double p = exp((double)z[i * V + v] - lse[i]);

            z[i * V + v] = (float)(coef[i] * (((size_t)token[i] == v) - p));
        }
    }
}

void sl_ref_logp(sl_ops *ops)
{
    ops->logp_fwd = logp_fwd_ref;
    ops->logp_bwd = logp_bwd_ref;
}
