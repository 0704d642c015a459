/* How good a detector was on a run whose boundary is known (docs/math.md D5). States: 0 injection,
 * 1 fine-tuning. */
#ifndef SL_ANALYSIS_TRAJECTORY_H
#define SL_ANALYSIS_TRAJECTORY_H

#include <stddef.h>

typedef struct sl_trajectory {
    const double *t;                        /* (T) steps, ascending */
    const double *truth, *found;            /* (T) states */
    const double *utility_inj, *utility_ft; /* (T) gain of either action, NULL: no regret */
    const double *weight; /* (T) share of fine-tuning's action for the regret; NULL: found */
    size_t T;
    double boundary; /* true; +-inf: never crossed, always above */
} sl_trajectory;

typedef struct sl_trajectory_score {
    double found; /* start of the final all-fine-tuning run; -inf: from the first on; +inf: none */
    double signed_error, error_evals, delay; /* NaN when either boundary is infinite */
    size_t switches, false_alarms;           /* false alarms: fine-tuning before the boundary */
    long false_switches;                     /* switches - (crossed ? 1 : 0) */
    double accuracy, regret;
} sl_trajectory_score;
/* regret (T), may be NULL: of every evaluation. */
sl_trajectory_score sl_trajectory_score_of(double *regret, const sl_trajectory *run);

#endif
