#include "analysis/distance.h"
#include "analysis/interval.h"
#include "analysis/special.h"
#include "base/alloc.h"
#include <math.h>

/* Share of y (n) below x, ties one half. */
static double below(double x, const double *y, size_t n)
{
    double sum = 0.0;

    for (size_t j = 0; j < n; j++)
        sum += y[j] < x ? 1.0 : y[j] == x ? 0.5 : 0.0;
    return sum / (double)n;
}

/* AUC with DeLong's variance: placements of either side in the other. */
static sl_status delong(sl_score_distance *d, const double *on, size_t m, const double *off,
                        size_t n)
{
    double *place = NULL, variance;
    sl_mean a, b;

    SL_TRY(sl_take(&place, m + n, sizeof *place));
    for (size_t i = 0; i < m; i++)
        place[i] = below(on[i], off, n);
    for (size_t j = 0; j < n; j++)
        place[m + j] = 1.0 - below(off[j], on, m);
    a = sl_mean_of(place, m);
    b = sl_mean_of(place + m, n);
    variance = a.sd * a.sd / (double)m + b.sd * b.sd / (double)n;
    d->auc = a.value;
    d->auc_se = sqrt(variance);
    sl_free(place);
    return SL_OK;
}

/* Largest and integrated difference of the two distribution functions, both ascending. */
static void law_distances(sl_score_distance *d, const double *on, size_t m, const double *off,
                          size_t n)
{
    size_t i = 0, j = 0;
    double at = fmin(on[0], off[0]);

    d->ks = d->wasserstein = 0.0;
    while (i < m || j < n) {
        const double next = j == n || (i < m && on[i] <= off[j]) ? on[i] : off[j];

        d->wasserstein += fabs((double)i / (double)m - (double)j / (double)n) * (next - at);
        at = next;
        while (i < m && on[i] == at)
            i++;
        while (j < n && off[j] == at)
            j++;
        d->ks = fmax(d->ks, fabs((double)i / (double)m - (double)j / (double)n));
    }
}

static double mean_gap(const double *x, size_t m, const double *y, size_t n)
{
    double sum = 0.0;

    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++)
            sum += fabs(x[i] - y[j]);
    return sum / ((double)m * (double)n);
}

sl_status sl_score_distance_of(sl_score_distance *out, double *on, size_t m, double *off, size_t n)
{
    const sl_mean a = sl_mean_of(on, m), b = sl_mean_of(off, n);
    double soft = 0.0;

    if (!m || !n)
        return SL_FAIL(SL_EARG, "want scores of both sides, found %zu and %zu", m, n);
    *out =
        (sl_score_distance){ .gap = a.value - b.value, .gap_se = sqrt(a.se * a.se + b.se * b.se) };
    sl_sort_f64(on, m);
    sl_sort_f64(off, n);
    SL_TRY(delong(out, on, m, off, n));
    law_distances(out, on, m, off, n);
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++)
            soft += sl_sigmoid(on[i] - off[j]);
    out->soft = soft / ((double)m * (double)n);
    out->energy = 2.0 * mean_gap(on, m, off, n) - mean_gap(on, m, on, m) - mean_gap(off, n, off, n);
    out->cliff = 2.0 * out->auc - 1.0;
    out->tv_bound = 1.0 - sqrt(1.0 - fabs(out->cliff));
    return SL_OK;
}

sl_tilt sl_tilt_of(const double *off, size_t n, double beta)
{
    double most = -INFINITY, sum = 0.0, mean = 0.0, kl = 0.0, squares = 0.0, lse;

    for (size_t i = 0; i < n; i++) {
        most = fmax(most, off[i] / beta);
        mean += off[i] / beta / (double)n;
    }
    for (size_t i = 0; i < n; i++)
        sum += exp(off[i] / beta - most);
    /* cppcheck-suppress invalidFunctionArg ; the largest term is exp(0) */
    lse = most + log(sum);
    for (size_t i = 0; i < n; i++) {
        const double log_w = off[i] / beta - lse, w = exp(log_w);

        kl += w > 0.0 ? w * (log_w + log((double)n)) : 0.0;
        squares += w * w;
    }
    return (sl_tilt){ lse - log((double)n), lse - log((double)n) - mean, kl, 1.0 / squares };
}
