/* Distances between two laws of answers that are known by scores only (docs/math.md E). */
#ifndef SL_ANALYSIS_DISTANCE_H
#define SL_ANALYSIS_DISTANCE_H

#include "base/status.h"
#include <stddef.h>

typedef struct sl_score_distance {
    double auc, auc_se;             /* P(on > off) + P(=)/2; DeLong (1988) */
    double soft;                    /* mean sigma(on - off) */
    double gap, gap_se;             /* E_on r - E_off r, two-sample */
    double ks, wasserstein, energy; /* of the score laws; energy squared, all pairs */
    double tv_bound;                /* total variation is at least this */
    double cliff;                   /* 2 auc - 1 */
} sl_score_distance;
/* on (m), off (n), finite. Both arrays come back ascending. Errors: SL_EARG for an empty side. */
sl_status sl_score_distance_of(sl_score_distance *out, double *on, size_t m, double *off,
                               size_t n) SL_MUSTUSE;

/* off tilted by exp(r/beta): importance weights w = softmax(r/beta). Trust it when ess >= .3 n. */
typedef struct sl_tilt {
    double log_z, kl_off_tilted, kl_tilted_off, ess; /* nats, nats, nats, items */
} sl_tilt;
sl_tilt sl_tilt_of(const double *off, size_t n, double beta);

#endif
