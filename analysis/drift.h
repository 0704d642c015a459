/* The frozen probe texts over the checkpoints of a run: entropy of the policy and how far it moved,
 * as the root of the Jensen-Shannon divergence (a metric, in [0, sqrt(ln 2)]) to the checkpoint
 * before and to the first one; means over positions, standard errors over probe texts. */
#ifndef SL_ANALYSIS_DRIFT_H
#define SL_ANALYSIS_DRIFT_H

#include "analysis/interval.h"
#include "run/reader.h"
#include <stddef.h>

typedef struct sl_drift_row {
    int64_t step;
    size_t positions;
    sl_mean entropy;         /* nat/token; over probe texts, as those below */
    sl_mean logp;            /* of the probe's own tokens, nat/token */
    sl_mean previous, first; /* root of the divergence; NaN at the first checkpoint */
} sl_drift_row;

typedef struct sl_drift {
    sl_drift_row *row; /* (count) ascending */
    size_t count;
} sl_drift;
/* Positions that a checkpoint does not share with the other one are left out. Runs without probes:
 * count 0. Memory: three rows of the vocabulary. */
sl_status sl_drift_run(sl_drift *out, sl_reader *reader) SL_MUSTUSE;
void sl_drift_close(sl_drift *probe);

#endif
