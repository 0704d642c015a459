/* Between the verdict on a series and its parts. */
#ifndef SL_ANALYSIS_CROSSING_INT_H
#define SL_ANALYSIS_CROSSING_INT_H

#include "analysis/crossing.h"

/* The checkpoints as columns. */
typedef struct sl_path_data {
    const sl_checkpoint *at;
    double *t, *bs, *n, *work; /* (T); work (4 T) */
    sl_interval *interval;     /* (T) confidence sequences at alpha/T */
    size_t T;
    double tau, alpha;
    uint64_t seed;
} sl_path_data;

/* Fill the change-point rows, BOCPD and the e-detector. */
sl_status sl_crossing_changes(sl_estimate *estimate, const sl_path_data *p) SL_MUSTUSE;

#endif
