/* Where BS(t) crosses the threshold, from T checkpoints (docs/math.md D3). -inf: above from the
 * first on; +inf: never reached; NaN: undecided or undefined. */
#ifndef SL_ANALYSIS_LOCATE_H
#define SL_ANALYSIS_LOCATE_H

#include "analysis/interval.h"
#include "base/status.h"
#include <stddef.h>

typedef enum sl_path { /* what the sequence of checkpoints shows */
                       SL_PATH_UNDECIDED,
                       SL_PATH_CROSSED,
                       SL_PATH_INJECTION,   /* below by the last decided one; not crossed so far */
                       SL_PATH_FINE_TUNING, /* above from the first decided one on */
                       SL_PATH_COUNT
} sl_path;

/* Without assumptions: t (T) ascending, interval (T) of each. low = the last t that is below before
 * the first one above; high = the first above after it. */
typedef struct sl_bracket {
    sl_path path;
    double low, high; /* -inf, +inf where open; NaN undecided */
} sl_bracket;
sl_bracket sl_bracket_of(const double *t, const sl_interval *interval, size_t T, double level);

/* fit (T) = weighted isotonic regression of y (T), pool adjacent violators, O(T). */
sl_status sl_isotonic(double *fit, const double *y, const double *weight, size_t T) SL_MUSTUSE;
/* Where a rising fit reaches the level, linear between the last below and the first not below;
 * *index = that first one, T when there is none. */
double sl_isotonic_crossing(size_t *index, const double *t, const double *fit, size_t T,
                            double level);

/* logit P = a + b (t - mean)/sd(ddof 0), binomial with n (T) votes of which a share y (T); IRLS. */
typedef struct sl_logistic {
    double a, b, cov[2][2]; /* unscaled */
    double crossing, crossing_se;
    sl_interval delta, fieller; /* level 1 - alpha */
    double dispersion;          /* Pearson chi^2/(T - 2) */
} sl_logistic;
/* Undefined (all NaN) for T < 3, constant t, or separable data. Fieller's interval is infinite when
 * the slope is not significant. Source: Fieller, JRSS B 16 (1954). */
sl_status sl_logistic_fit(sl_logistic *out, const double *t, const double *y, const double *n,
                          size_t T, double alpha) SL_MUSTUSE;

/* y = a + b t + c (t - tau)_+ by least squares over interior tau; line: the fit without a knee. */
typedef struct sl_segmented {
    size_t tau; /* index into t */
    double coef[3], sse, sse_line;
    sl_interval interval; /* of tau: those with SSE <= SSE_min (1 + F_{1,T-4}/(T-4)) */
    int is_better;        /* than the line, by BIC */
} sl_segmented;
/* Errors: SL_EARG for T < 4. */
sl_status sl_segmented_fit(sl_segmented *out, const double *t, const double *y, size_t T,
                           double alpha) SL_MUSTUSE;

#endif
