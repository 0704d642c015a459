/* Rotary positions: tables of cosines and sines. Source: docs/math.md, "RoPE". */
#ifndef SL_MODEL_ROPE_H
#define SL_MODEL_ROPE_H

#include "model/config.h"

/* The rope type of this name. Errors: SL_EUNSUPPORTED with the value. */
sl_status sl_rope_type_find(sl_rope_type *out, const char *name) SL_MUSTUSE;
/* inverse (R/2): radians per position of each rotated pair. */
void sl_rope_inverse(float *inverse, const sl_rope *rope, size_t R);
/* cosine, sine (positions, R/2), times the attention factor; positions > 0. */
void sl_rope_fill(float *cosine, float *sine, const sl_rope *rope, size_t R, size_t positions);
/* Rope type dynamic, whose theta grows with the longest position + 1, n, beyond the trained
 * positions M: theta (f n/M - (f - 1))^(R/(R-2)). The rope as it is for n; another type as it is.
 */
sl_rope sl_rope_at(const sl_rope *rope, size_t R, size_t n, size_t M);
/* The same tables for a text that grows one position at a time, as in generation: row p by the rope
 * of n = p + 1. */
void sl_rope_fill_growing(float *cosine, float *sine, const sl_rope *rope, size_t R,
                          size_t positions, size_t M);

#endif
