/* Inverse frequencies are float32 powers, as the checkpoints were trained with; angles are float
 * products. */
#include "model/rope.h"
#include <math.h>
#include <string.h>

static const double PI = 3.14159265358979323846;

/* Long waves are stretched, short ones kept, a ramp between. */
static float banded_scaled(float inverse, const sl_rope *rope)
{
    const float original = (float)rope->original_positions;
    const float wave = (float)(2.0 * PI) / inverse; /* positions per turn */

    if (wave < original / rope->high)
        return inverse;
    if (wave > original / rope->low)
        return inverse / rope->factor;

    const float share = (original / wave - rope->low) / (rope->high - rope->low);

    return inverse * ((1.0f - share) / rope->factor + share);
}

/* The pair whose wave turns `turns` times within the original positions. */
static double yarn_pair(double turns, const sl_rope *rope, size_t R)
{
    return (double)R * log((double)rope->original_positions / (turns * 2.0 * PI)) /
           (2.0 * log((double)rope->theta));
}

static void yarn_scale(float *inverse, const sl_rope *rope, size_t R)
{
    double low = yarn_pair(rope->beta_fast, rope, R), high = yarn_pair(rope->beta_slow, rope, R);

    low = fmax(rope->is_truncated ? floor(low) : low, 0.0);
    high = fmin(rope->is_truncated ? ceil(high) : high, (double)R - 1.0);
    if (low == high)
        high += 0.001;
    for (size_t i = 0; i < R / 2; i++) {
        const double ramp = fmin(fmax(((double)i - low) / (high - low), 0.0), 1.0);

        inverse[i] = (float)(inverse[i] / rope->factor * ramp + inverse[i] * (1.0 - ramp));
    }
}

/* Factor of cosines and sines: 1 except for yarn. */
static float attention_factor(const sl_rope *rope)
{
    const double log_factor = rope->factor > 1.0f ? 0.1 * log((double)rope->factor) : 0.0;

    if (rope->type != SL_ROPE_YARN)
        return 1.0f;
    if (rope->attention_factor > 0.0f)
        return rope->attention_factor;
    if (rope->mscale > 0.0f && rope->mscale_all_dim > 0.0f)
        return (float)((rope->mscale * log_factor + 1.0) /
                       (rope->mscale_all_dim * log_factor + 1.0));
    return (float)(log_factor + 1.0);
}

void sl_rope_inverse(float *inverse, const sl_rope *rope, size_t R)
{
    for (size_t i = 0; i < R / 2; i++) {
        const float f = 1.0f / powf(rope->theta, (float)(2 * i) / (float)R);

        inverse[i] = rope->type == SL_ROPE_LINEAR   ? f / rope->factor
                     : rope->type == SL_ROPE_BANDED ? banded_scaled(f, rope)
                                                    : f;
    }
    if (rope->type == SL_ROPE_YARN)
        yarn_scale(inverse, rope, R);
}

/* Row p of the tables; inverse may stand in row 0 of sine. */
static void fill_row(float *cosine, float *sine, const float *inverse, float factor, size_t R,
                     size_t p)
{
    for (size_t i = 0; i < R / 2; i++) {
        const float angle = (float)p * inverse[i];

        cosine[p * (R / 2) + i] = cosf(angle) * factor;
        sine[p * (R / 2) + i] = sinf(angle) * factor;
    }
}

void sl_rope_fill(float *cosine, float *sine, const sl_rope *rope, size_t R, size_t positions)
{
    const float factor = attention_factor(rope);
    float *inverse = sine; /* row 0 holds them until it is written last */

    sl_rope_inverse(inverse, rope, R);
    for (size_t p = positions; p-- > 0;)
        fill_row(cosine, sine, inverse, factor, R, p);
}

sl_rope sl_rope_at(const sl_rope *rope, size_t R, size_t n, size_t M)
{
    sl_rope at = *rope;

    if (rope->type != SL_ROPE_DYNAMIC || n <= M || R <= 2)
        return at;
    at.theta = (float)((double)rope->theta * pow((double)rope->factor * (double)n / (double)M -
                                                     ((double)rope->factor - 1.0),
                                                 (double)R / ((double)R - 2.0)));
    return at;
}

void sl_rope_fill_growing(float *cosine, float *sine, const sl_rope *rope, size_t R,
                          size_t positions, size_t M)
{
    float *inverse = sine; /* as in sl_rope_fill: row 0 is written last */

    for (size_t p = positions; p-- > 0;) {
        const sl_rope at = sl_rope_at(rope, R, p + 1, M);

        sl_rope_inverse(inverse, &at, R);
        fill_row(cosine, sine, inverse, attention_factor(&at), R, p);
    }
}
