/* Which boundary score is a recipe's threshold? From branch tests at several checkpoints: the score
 * at which on-policy data begin to gain more (docs/math.md, "The threshold of a recipe"). */
#ifndef SL_ANALYSIS_THRESHOLD_H
#define SL_ANALYSIS_THRESHOLD_H

#include "analysis/interval.h"

enum { SL_THRESHOLD_TESTS = 4 }; /* fewest that give one */

/* A branch test at a checkpoint. */
typedef struct sl_threshold_test {
    double score;          /* boundary score there */
    double difference, sd; /* gain on-policy - gain static: mean and sd over replicates */
    double replicates;
} sl_threshold_test;

typedef enum sl_threshold_kind {
    SL_THRESHOLD_NONE,      /* too few tests */
    SL_THRESHOLD_CROSSED,   /* the fit rises through 0 between two scores */
    SL_THRESHOLD_STATIC,    /* it stays below: static data gain more at every score seen */
    SL_THRESHOLD_ON_POLICY, /* it stays at 0 or above */
    SL_THRESHOLD_KINDS
} sl_threshold_kind;
extern const char *const sl_threshold_names[SL_THRESHOLD_KINDS];

typedef struct sl_threshold {
    sl_threshold_kind kind;
    size_t tests;         /* with finite numbers */
    double low, high;     /* least and largest score of them */
    double value;         /* tau; -inf: on-policy, +inf: static data at every score; NaN: none */
    sl_interval interval; /* of it, level .95; ends are scores of tests, or infinite */
    int excludes_half;    /* the interval does not hold 1/2: only then is tau worth using */
    char reason[320];     /* a sentence */
} sl_threshold;

/* test (n), in any order, comes into that of scores; tests that are not finite are left out. The
 * point: isotonic least squares of the difference over the score, linear between scores. The
 * interval: all thresholds that a likelihood-ratio test at .05 does not refuse, with the spread of
 * replicates pooled over the tests, or that about the fit where it is larger. Source: Banerjee and
 * Wellner, Ann. Statist. 29 (2001) 1699; J. Nonparametr. Stat. 17 (2005) (quantile). */
sl_status sl_threshold_of(sl_threshold *out, sl_threshold_test *test, size_t n) SL_MUSTUSE;

#endif
