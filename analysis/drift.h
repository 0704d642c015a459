/* The frozen probe texts over the checkpoints of a run: how spread the policy's laws are, and how
 * far they moved to the checkpoint before and to the first one, as the root of the Jensen-Shannon
 * divergence (a metric, in [0, sqrt(ln 2)]), KL and total variation (docs/math.md A9, C5); means
 * over positions, standard errors over probe texts. */
#ifndef SL_ANALYSIS_DRIFT_H
#define SL_ANALYSIS_DRIFT_H

#include "analysis/interval.h"
#include "run/reader.h"
#include <stddef.h>

/* Columns of a checkpoint. Two laws at one position: p of this checkpoint, q of the other one. */
typedef enum sl_drift_column {
    SL_DRIFT_ENTROPY,  /* nat/token */
    SL_DRIFT_LOGP,     /* of the probe's own tokens, nat/token */
    SL_DRIFT_PREVIOUS, /* root of the divergence; NaN at the first checkpoint, as all of two */
    SL_DRIFT_FIRST,
    SL_DRIFT_ENTROPY_SHARE, /* of ln V */
    SL_DRIFT_VARENTROPY,    /* nat^2 */
    SL_DRIFT_TOP_MASS,      /* of the SL_DRIFT_TOP likeliest tokens */
    SL_DRIFT_TOP_GAP,       /* p of the likeliest token - p of the second */
    SL_DRIFT_LOGIT_GAP,     /* the same of logits, nat */
    SL_DRIFT_KL_PREVIOUS,   /* sum p ln p/q, nat; NaN where q has not what p has */
    SL_DRIFT_KL_FIRST,
    SL_DRIFT_TV_PREVIOUS, /* sum |p - q| / 2 */
    SL_DRIFT_TV_FIRST,
    SL_DRIFT_COLUMNS
} sl_drift_column;
enum { SL_DRIFT_TOP = 10 };
extern const char *const sl_drift_names[SL_DRIFT_COLUMNS]; /* in probe.tsv and the document */

typedef struct sl_drift_row {
    int64_t step;
    size_t positions;
    sl_mean mean[SL_DRIFT_COLUMNS]; /* over probe texts */
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
