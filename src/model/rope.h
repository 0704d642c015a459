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

#endif
