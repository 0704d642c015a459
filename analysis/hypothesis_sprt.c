/* Tests of independent binary votes: Wald's SPRT, its exact laws, the half-Beta mixture. */
#include "analysis/hypothesis.h"
#include "analysis/special.h"
#include <math.h>

sl_status sl_sprt_open(sl_sprt *out, double p0, double p1, double a, double b)
{
    if (!(p0 > 0.0 && p0 < p1 && p1 < 1.0 && a > 0.0 && b > 0.0 && a + b < 1.0))
        return SL_FAIL(SL_EARG,
                       "want 0 < p0 < p1 < 1 and error rates in (0,1), found %g, %g, %g, "
                       "%g",
                       p0, p1, a, b);
    *out = (sl_sprt){ .win = log(p1 / p0),
                      .loss = log((1.0 - p1) / (1.0 - p0)),
                      .upper = log((1.0 - b) / a),
                      .lower = log(b / (1.0 - a)) };
    return SL_OK;
}

void sl_sprt_add(sl_sprt *s, double vote)
{
    s->llr += vote * s->win + (1.0 - vote) * s->loss;
}

sl_side sl_sprt_side(const sl_sprt *s)
{
    if (s->llr >= s->upper)
        return SL_SIDE_ABOVE;
    return s->llr <= s->lower ? SL_SIDE_BELOW : SL_SIDE_NONE;
}

sl_sprt_exact sl_sprt_exact_of(double p, double delta, double alpha)
{
    const double bound = log((1.0 - alpha) / alpha);
    const double K = ceil(bound / log((0.5 + delta) / (0.5 - delta)));
    sl_sprt_exact e = { .barrier = K, .p_above = 0.5, .expected_n = K * K };

    if (p == 0.5)
        return e;
    e.p_above = 1.0 / (1.0 + pow((1.0 - p) / p, K));
    e.expected_n = K * (2.0 * e.p_above - 1.0) / (2.0 * p - 1.0);
    return e;
}

double sl_half_beta_log_e(double wins, double losses, double a)
{
    return (wins + losses) * M_LN2 + sl_log_beta(wins + a, losses + a) - sl_log_beta(a, a) + M_LN2 +
           sl_log_beta_inc(0.5, losses + a, wins + a);
}
