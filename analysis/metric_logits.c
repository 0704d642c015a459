/* Signals of logits and log-probabilities (docs/math.md A9, A10, B8, C5). */
#include "analysis/metric.h"
#include "analysis/special.h"
#include "base/alloc.h"
#include <math.h>

/* The two largest of z (V). */
static void two_largest(double top[2], const double *z, size_t V)
{
    top[0] = top[1] = -INFINITY;
    for (size_t v = 0; v < V; v++)
        if (z[v] > top[0]) {
            top[1] = top[0];
            top[0] = z[v];
        } else if (z[v] > top[1])
            top[1] = z[v];
}

/* Mass of the k largest of p (V): by the k-th largest value, found by halving its logarithm would
 * be inexact, so by k passes; k is small. */
static double top_mass(const double *p, size_t V, size_t k)
{
    double sum = 0.0, limit = INFINITY;
    size_t taken = 0;

    while (taken < k) {
        double next = -INFINITY;
        size_t same = 0;

        for (size_t v = 0; v < V; v++)
            if (p[v] < limit && p[v] > next)
                next = p[v];
        for (size_t v = 0; v < V; v++)
            same += p[v] == next;
        if (!same)
            break;
        same = same < k - taken ? same : k - taken;
        sum += next * (double)same;
        taken += same;
        limit = next;
    }
    return sum;
}

void sl_logit_signals_of(sl_logit_signals *out, double *p, const double *z, size_t V, size_t k)
{
    const double lse = sl_log_sum_exp(z, V);
    double entropy = 0.0, variance = 0.0, top[2];

    for (size_t v = 0; v < V; v++) {
        p[v] = exp(z[v] - lse);
        if (p[v] > 0.0)
            entropy -= p[v] * (z[v] - lse);
    }
    for (size_t v = 0; v < V; v++)
        if (p[v] > 0.0)
            variance += p[v] * (z[v] - lse + entropy) * (z[v] - lse + entropy);
    two_largest(top, z, V);
    *out = (sl_logit_signals){ .entropy = entropy,
                               .normalised = V > 1 ? entropy / log((double)V) : NAN,
                               .varentropy = variance,
                               .topk_mass = top_mass(p, V, k),
                               .prob_gap = V > 1 ? exp(top[0] - lse) - exp(top[1] - lse) : NAN,
                               .logit_gap = V > 1 ? top[0] - top[1] : NAN };
}

sl_entropy_bounds sl_topk_entropy(const float *logp, size_t k, double rest, size_t V)
{
    sl_entropy_bounds b = { rest > 0.0 ? -rest * log(rest) : 0.0, NAN };

    for (size_t i = 0; i < k; i++)
        if (logp[i] > -INFINITY)
            b.low -= exp((double)logp[i]) * (double)logp[i];
    if (V >= k)
        b.high = b.low + (V > k && rest > 0.0 ? rest * log((double)(V - k)) : 0.0);
    return b;
}

void sl_logit_distance_of(sl_logit_distance *out, const double *zp, const double *zq, size_t V)
{
    const double lse_p = sl_log_sum_exp(zp, V), lse_q = sl_log_sum_exp(zq, V);
    sl_logit_distance d = { 0 };

    for (size_t v = 0; v < V; v++) {
        const double lp = zp[v] - lse_p, lq = zq[v] - lse_q, p = exp(lp), q = exp(lq);
        const double lm = log(0.5 * (p + q));

        if (p > 0.0) {
            d.kl_pq += p * (lp - lq);
            d.js += 0.5 * p * (lp - lm);
        }
        if (q > 0.0) {
            d.kl_qp += q * (lq - lp);
            d.js += 0.5 * q * (lq - lm);
        }
        d.tv += 0.5 * fabs(p - q);
    }
    d.js = fmax(d.js, 0.0);
    d.root_js = sqrt(d.js);
    *out = d;
}

/* --- answers under a policy --------------------------------------------------------------------
 */

/* Means over pairs and over answers that do not need the distinct texts. */
static void pairwise_part(sl_logp_diversity *d, const double *l, const double *length,
                          const uint64_t *id, size_t n)
{
    double sum = 0.0, tokens = 0.0, ratio = 0.0, gap = 0.0, gap_token = 0.0, same = 0.0;
    const double pairs = 0.5 * (double)n * ((double)n - 1.0);

    for (size_t i = 0; i < n; i++) {
        sum -= l[i];
        tokens += length[i];
        ratio -= l[i] / length[i];
        for (size_t j = 0; j < i; j++) {
            gap += fabs(l[i] - l[j]);
            gap_token += fabs(l[i] / length[i] - l[j] / length[j]);
            same += id[i] == id[j];
        }
    }
    d->entropy = sum / (double)n;
    d->entropy_per_token = sum / tokens;
    d->entropy_mean_per_token = ratio / (double)n;
    d->gap = gap / pairs; /* NaN for one answer */
    d->gap_per_token = gap_token / pairs;
    d->collisions = same / pairs;
}

sl_status sl_logp_diversity_of(sl_logp_diversity *out, const double *l, const double *length,
                               const uint64_t *id, size_t n)
{
    double *once = NULL, entropy = 0.0, squares = 0.0;
    size_t distinct = 0;

    if (!n)
        return SL_FAIL(SL_EARG, "want an answer, found none");
    SL_TRY(sl_take(&once, n, sizeof *once));
    pairwise_part(out, l, length, id, n);
    for (size_t i = 0; i < n; i++) {
        size_t j = 0;

        while (j < i && id[j] != id[i])
            j++;
        if (j == i)
            once[distinct++] = l[i];
    }
    out->log_seen_mass = sl_log_sum_exp(once, distinct);
    for (size_t i = 0; i < distinct; i++) {
        const double log_w = once[i] - out->log_seen_mass, w = exp(log_w);

        entropy -= w > 0.0 ? w * log_w : 0.0;
        squares += w * w;
    }
    out->hill_1 = exp(entropy);
    out->hill_2 = 1.0 / squares;
    sl_free(once);
    return SL_OK;
}

void sl_kl_of(sl_kl *out, double *per_sample, const double *d, size_t n)
{
    const double floor_d = -20.0;
    const sl_mean k1 = sl_mean_of(d, n);
    double squares = 0.0, k3 = 0.0;

    *out = (sl_kl){ .k1 = k1.value, .k1_se = k1.se };
    for (size_t i = 0; i < n; i++) {
        const double cut = fmax(d[i], floor_d), one = expm1(-cut) + cut;

        if (per_sample)
            per_sample[i] = isfinite(d[i]) ? one : NAN;
        if (!isfinite(d[i]))
            continue;
        out->clipped += d[i] < floor_d;
        squares += 0.5 * d[i] * d[i];
        k3 += one;
    }
    out->k2 = squares / (double)k1.used;
    out->k3 = k3 / (double)k1.used;
}
