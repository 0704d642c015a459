/* Length-controlled win rate (docs/math.md B5; arXiv 2404.04475): a logistic fit of votes on the
 * difference of lengths, read off at difference 0. */
#ifndef SL_ANALYSIS_LENGTH_H
#define SL_ANALYSIS_LENGTH_H

#include "base/status.h"
#include <stddef.h>

#define SL_LENGTH_RIDGE 0.5

typedef struct sl_length_fit {
    double coef[3];     /* length, difficulty (0 without), intercept */
    double sd;          /* of the length differences, ddof 1, characters */
    double raw, lc;     /* mean of y; mean of sigma(b_dif gamma + b_0) */
    double lc_se_items; /* sd of the items over sqrt(n): ignores the fit, as AlpacaEval prints */
    double lc_se_fit;   /* sandwich variance of the fit, delta method: one item is one cluster */
    size_t used, dropped;
} sl_length_fit;

/* What the fit says of an item at equal length: sigma(b_dif difficulty + b_0). */
double sl_length_at_zero(const double coef[3], double difficulty);
/* y (n) in [0,1]; lengths (n) in characters; difficulty (n) or NULL. Rows with NaN are dropped.
 * With no spread of lengths and no difficulty lc = raw. Newton with halved steps on the sum of
 * logistic losses + ridge/2 (b_len^2 + b_dif^2). All NaN below 2 rows. */
sl_status sl_length_controlled(sl_length_fit *out, const double *y, const double *chars_on,
                               const double *chars_off, const double *difficulty, size_t n,
                               double ridge) SL_MUSTUSE;
/* The same with C sum(loss) + |b|_1 over all three coefficients, by coordinate descent. */
sl_status sl_length_controlled_l1(sl_length_fit *out, const double *y, const double *chars_on,
                                  const double *chars_off, const double *difficulty, size_t n,
                                  double C) SL_MUSTUSE;

#endif
