/* A metric of prompts on their mean length, by least squares over several sets of answers: one
 * slope for all, an intercept a set (docs/math.md, "Metrics"). The moments within a set are all
 * that the fit needs, so prompts are not kept. */
#ifndef SL_ANALYSIS_LENGTH_LINE_H
#define SL_ANALYSIS_LENGTH_LINE_H

#include <stddef.h>

/* Means, and sums of products of the deviations from them. */
typedef struct sl_length_sums {
    size_t n;
    double length, value, ll, lv, vv;
} sl_length_sums;
void sl_length_sums_add(sl_length_sums *sums, double length, double value); /* finite ones */

typedef struct sl_length_line {
    size_t prompts;
    double slope, slope_se; /* per token; NaN: lengths are equal within each set */
    double r2;              /* share of the variance within sets */
    double length, value;   /* means over all prompts */
    double sigma;           /* of the residuals, prompts - sets - 1 degrees of freedom */
    double ll;
} sl_length_line;
/* sums (count), `stride` bytes apart; those without prompts are left out. */
sl_length_line sl_length_line_of(const sl_length_sums *sums, size_t count, size_t stride);

/* What the fit says of one of its sets at the mean length of all. */
typedef struct sl_length_adjusted {
    double value, se, residual; /* residual: value - mean of all prompts */
} sl_length_adjusted;
sl_length_adjusted sl_length_adjust(const sl_length_line *fit, const sl_length_sums *set);

#endif
