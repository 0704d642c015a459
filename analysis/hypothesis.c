/* The default test: indifference-zone grid-Kelly e-process; and the e-detector beside it. */
#include "analysis/hypothesis.h"
#include "analysis/special.h"
#include <math.h>

const double sl_kelly_lambda[5] = { 0.1, 0.2, 0.4, 0.8, 1.6 };

static const double cap_share = 0.9; /* of the largest fraction that keeps wealth positive */

static sl_status check_grid(const double *lambda, size_t grid)
{
    if (grid < 1 || grid > SL_KELLY_GRID)
        return SL_FAIL(SL_EARG, "want 1 to %d betting fractions, found %zu", SL_KELLY_GRID, grid);
    for (size_t j = 0; j < grid; j++)
        if (!(lambda[j] > 0.0 && isfinite(lambda[j])))
            return SL_FAIL(SL_EARG, "want betting fractions > 0, found %g", lambda[j]);
    return SL_OK;
}

sl_status sl_kelly_open(sl_kelly *out, double tau, double delta, const double *lambda, size_t grid)
{
    sl_kelly k = { .centre_above = tau - delta, .centre_below = 1.0 - tau - delta, .grid = grid };
    const double cap = cap_share / fmax(k.centre_above, k.centre_below);

    SL_TRY(check_grid(lambda, grid));
    if (!(tau > 0.0 && tau < 1.0 && delta >= 0.0 && delta < fmin(tau, 1.0 - tau)))
        return SL_FAIL(SL_EARG,
                       "want a threshold in (0,1) and a zone inside [0,1], found %g and %g", tau,
                       delta);
    for (size_t j = 0; j < grid; j++)
        k.lambda[j] = fmin(lambda[j], cap);
    *out = k;
    return SL_OK;
}

void sl_kelly_add(sl_kelly *k, double y)
{
    const double log_grid = log((double)k->grid);

    for (size_t j = 0; j < k->grid; j++) {
        k->log_above[j] += log1p(k->lambda[j] * (y - k->centre_above));
        k->log_below[j] += log1p(k->lambda[j] * ((1.0 - y) - k->centre_below));
    }
    k->log_e_above = sl_log_sum_exp(k->log_above, k->grid) - log_grid;
    k->log_e_below = sl_log_sum_exp(k->log_below, k->grid) - log_grid;
}

sl_side sl_kelly_side(const sl_kelly *k, double alpha)
{
    const double enough = -log(alpha);

    if (k->log_e_above >= enough)
        return SL_SIDE_ABOVE;
    return k->log_e_below >= enough ? SL_SIDE_BELOW : SL_SIDE_NONE;
}

sl_status sl_detector_open(sl_detector *out, double m0, const double *lambda, size_t grid)
{
    sl_detector d = { .m0 = m0, .grid = grid };

    SL_TRY(check_grid(lambda, grid));
    if (!(m0 > 0.0 && m0 < 1.0))
        return SL_FAIL(SL_EARG, "want a level in (0,1), found %g", m0);
    for (size_t j = 0; j < grid; j++) {
        d.lambda[j] = fmin(lambda[j], cap_share / m0);
        d.log_sr[j] = d.log_cusum[j] = -INFINITY;
    }
    d.log_mean_sr = d.log_mean_cusum = -INFINITY;
    *out = d;
    return SL_OK;
}

void sl_detector_add(sl_detector *d, double y)
{
    const double log_grid = log((double)d->grid);

    for (size_t j = 0; j < d->grid; j++) {
        const double factor = log1p(d->lambda[j] * (y - d->m0));

        d->log_sr[j] = sl_softplus(d->log_sr[j]) + factor; /* ln(M + 1) */
        d->log_cusum[j] = fmax(d->log_cusum[j], 0.0) + factor;
    }
    d->log_mean_sr = sl_log_sum_exp(d->log_sr, d->grid) - log_grid;
    d->log_mean_cusum = sl_log_sum_exp(d->log_cusum, d->grid) - log_grid;
}
