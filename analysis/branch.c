#include "analysis/branch.h"
#include <math.h>

void sl_branch_verdict_of(sl_branch_verdict *out, double *paired, const double *off,
                          const double *on, size_t replicates, double alpha)
{
    const size_t n = replicates;

    for (size_t i = 0; i < n; i++)
        paired[i] = on[i] - off[i];
    *out = (sl_branch_verdict){ .off = sl_mean_of(off, n).value,
                                .on = sl_mean_of(on, n).value,
                                .difference = sl_mean_of(paired, n) };
    out->interval = sl_student_interval(&out->difference, alpha);
    if (fabs(out->difference.value) > 2.0 * out->difference.se)
        out->winner = out->difference.value > 0.0 ? SL_STAGE_FINE_TUNING : SL_STAGE_INJECTION;
}

sl_branch_accord sl_branch_accord_of(sl_stage score, sl_stage winner)
{
    if (score == SL_STAGE_UNDECIDED || winner == SL_STAGE_UNDECIDED)
        return SL_ACCORD_UNKNOWN;
    return score == winner ? SL_ACCORD_SAME : SL_ACCORD_OPPOSITE;
}
