/* Means with standard errors and intervals. Prompts are the sampling unit: what is measured many
 * times in one prompt enters as the prompt's mean. Undefined numbers are NaN. */
#ifndef SL_ANALYSIS_INTERVAL_H
#define SL_ANALYSIS_INTERVAL_H

#include "base/status.h"
#include <stddef.h>
#include <stdint.h>

/* A mean over finite items; the others are dropped and counted. */
typedef struct sl_mean {
    double value; /* NaN: nothing used */
    double sd;    /* ddof 1; NaN below 2 items */
    double se;    /* sd/sqrt(used) */
    size_t used, dropped;
} sl_mean;
sl_mean sl_mean_of(const double *x, size_t n); /* x (n) */

typedef struct sl_interval {
    double lower, upper;
} sl_interval;

/* Wilson's score interval of k successes in n independent votes, k may be half-integer, clipped to
 * [0,1]; n = 0: [0,1]. Source: Wilson, JASA 22 (1927). */
sl_interval sl_wilson(double k, double n, double alpha);
/* mean -+ t se with used-1 degrees of freedom; both ends NaN below 2 items. */
sl_interval sl_student_interval(const sl_mean *mean, double alpha);
/* Both ends cut to [0,1], for shares. */
sl_interval sl_interval_clip(sl_interval interval);

/* Quantile of ascending x (n), n > 0, by linear interpolation (type 7 of Hyndman and Fan, 1996). */
double sl_quantile_sorted(const double *x, size_t n, double p);
void sl_sort_f64(double *x, size_t n); /* ascending; no NaN */
/* The median of x (n), n > 0, no NaN, in O(n); x comes into another order. */
double sl_median_of(double *x, size_t n);

/* Votes of many prompts: mean of prompt means with everything that clustering does to it.
 * metrics: naive_se as if votes were independent; icc by one-way analysis of variance for equal m
 * votes per prompt, NaN when the numbers differ; design_effect 1+(m-1)icc; n_effective votes/that.
 * Source: Donner and Koval, Biometrics 36 (1980) for the intraclass correlation. */
typedef struct sl_clustered {
    sl_mean mean; /* of prompt means: the boundary score */
    double naive_se, icc, design_effect, n_effective;
    sl_interval student;
} sl_clustered;
/* votes (first[P]), the votes of prompt i are first[i]..first[i+1]-1, at least one each. */
sl_clustered sl_clustered_votes(const double *votes, const size_t *first, size_t P, double alpha);

/* Bootstrap of the mean: means[r] (B) = mean of x (n) at index[r*n .. r*n+n-1]. Percentile
 * interval, type 7; se with ddof 1. */
typedef struct sl_bootstrap {
    sl_interval interval;
    double se;
} sl_bootstrap;
sl_status sl_bootstrap_given(sl_bootstrap *out, double *means, const double *x, size_t n,
                             const uint32_t *index, size_t B, double alpha) SL_MUSTUSE;
/* The same with B seeded draws. */
sl_status sl_bootstrap_mean(sl_bootstrap *out, const double *x, size_t n, size_t B, double alpha,
                            uint64_t seed) SL_MUSTUSE;

/* P(p > 1/2) of a share with prior Beta(a,a) after `wins` and `losses`, which may be fractions. */
double sl_posterior_above_half(double wins, double losses, double a);

#endif
