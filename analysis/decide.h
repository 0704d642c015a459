/* From verdicts to decisions (docs/math.md D4): hysteresis over measurements and mixing weights.
 * Plain values in, plain values out: the live advisor and the analyzer of a record run the same
 * code. */
#ifndef SL_ANALYSIS_DECIDE_H
#define SL_ANALYSIS_DECIDE_H

#include "analysis/boundary.h"

/* State after measurements in a row. */
typedef struct sl_hysteresis {
    sl_stage state;  /* SL_STAGE_UNDECIDED before the first decided measurement */
    int consecutive; /* measurements on the other side that it takes to switch */
    int count;       /* seen so far on the other side, without a break */
} sl_hysteresis;

/* One measurement: its side, SL_STAGE_UNDECIDED when undecided, which keeps the state and starts
 * the count anew. The first decided one sets the state. Returns 1 when the state changed. */
int sl_hysteresis_step(sl_hysteresis *h, sl_stage side);
/* The side of an interval: beyond 1/2 +- margin. */
sl_stage sl_interval_side(double lower, double upper, double centre, double margin);

/* Share of on-policy pairs by the score (docs/math.md D4). */
double sl_mix_linear(double bs, double low, double high);
double sl_mix_smoothstep(double bs, double low, double high);
double sl_mix_logistic(double bs, double centre, double width);

#endif
