#include "analysis/trajectory.h"
#include <math.h>

/* Start of the final run of state 1. */
static double final_run(const sl_trajectory *r)
{
    size_t i = r->T;

    while (i > 0 && r->found[i - 1] == 1.0)
        i--;
    if (i == r->T)
        return INFINITY;
    return i == 0 ? -INFINITY : r->t[i];
}

static double regret_at(const sl_trajectory *r, size_t i)
{
    const double inj = r->utility_inj[i], ft = r->utility_ft[i];
    const double share = r->weight ? r->weight[i] : r->found[i];

    return fmax(inj, ft) - (share * ft + (1.0 - share) * inj);
}

sl_trajectory_score sl_trajectory_score_of(double *regret, const sl_trajectory *r)
{
    const double evals = r->T > 1 ? (r->t[r->T - 1] - r->t[0]) / (double)(r->T - 1) : NAN;
    sl_trajectory_score s = { .found = final_run(r) };
    double right = 0.0;

    s.signed_error = s.found - r->boundary;
    if (!isfinite(s.found) || !isfinite(r->boundary))
        s.signed_error = NAN;
    s.error_evals = fabs(s.signed_error) / evals;
    s.delay = isnan(s.signed_error) ? NAN : fmax(s.signed_error, 0.0);
    for (size_t i = 0; i < r->T; i++) {
        right += r->found[i] == r->truth[i];
        s.switches += i && r->found[i] != r->found[i - 1];
        s.false_alarms += r->found[i] == 1.0 && r->t[i] < r->boundary;
        if (!r->utility_inj || !r->utility_ft)
            continue;
        s.regret += regret_at(r, i);
        if (regret)
            regret[i] = regret_at(r, i);
    }
    s.false_switches = (long)s.switches - (isfinite(r->boundary) ? 1 : 0);
    s.accuracy = r->T ? right / (double)r->T : NAN;
    return s;
}
