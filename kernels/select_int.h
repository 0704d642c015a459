/* Choice among weights: the part of sampling that is comparison and order, the same in every CPU
 * backend. It knows neither logits nor temperature. */
#ifndef SL_KERNELS_SELECT_INT_H
#define SL_KERNELS_SELECT_INT_H

#include "kernels/ops.h"

/* Draws one index of weight (V), finite and >= 0, with s->top_k and s->top_p applied (the
 * temperature is not looked at): the first index whose running sum exceeds u times the kept sum, in
 * the order of ids, with top_p in the order of descending weight (ties: lower id first). Overwrites
 * weight (V) and id (V; ids as floats, exact below 2^24). *logp is the log of the chosen share of
 * the kept sum. Without a positive finite sum there is no law: index 0 and NaN. */
int32_t sl_select_draw(float *logp, float *weight, float *id, size_t V, float u,
                       const sl_sample_settings *s);

#endif
