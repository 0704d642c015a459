/* Change points of a series of T observations (docs/math.md D3). Segments are [a, b); break points
 * are segment ends, T included. Objective: sum of costs + penalty times segments; the optimal
 * partition is exact by dynamic programming, O(T^2) (Jackson et al., IEEE SPL 12, 2005); binary
 * segmentation is greedy. Conventions of costs: ruptures (arXiv 1801.00826). */
#ifndef SL_ANALYSIS_CHANGEPOINT_H
#define SL_ANALYSIS_CHANGEPOINT_H

#include "base/status.h"
#include <stddef.h>

typedef enum sl_cost_kind {
    SL_COST_L2,       /* sum |x - mean|^2 */
    SL_COST_NORMAL,   /* L ln(var + 1e-6), ddof 0; d > 1: L ln det(cov + 1e-6 I), ddof 1 */
    SL_COST_RBF,      /* Gaussian kernel, gamma by the median heuristic */
    SL_COST_BINOMIAL, /* columns wins, trials: -2 max log-likelihood */
    SL_COST_KINDS
} sl_cost_kind;
/* SL_COST_KINDS when the name is none of l2, normal, rbf, binomial. */
sl_cost_kind sl_cost_find(const char *name);

typedef struct sl_cost {
    sl_cost_kind kind;
    size_t T, d;
    const double *x; /* (T, d), borrowed */
    double *prefix;  /* sums of columns and squares, or of the Gram matrix; owned */
    double gamma;    /* of the kernel; NaN for the others */
} sl_cost;
/* x (T, d) stays the caller's. Errors: SL_EARG for T = 0, for binomial without two columns. */
sl_status sl_cost_open(sl_cost *out, sl_cost_kind kind, const double *x, size_t T,
                       size_t d) SL_MUSTUSE;
void sl_cost_close(sl_cost *cost);
double sl_cost_of(const sl_cost *cost, size_t a, size_t b); /* a < b <= T */

typedef struct sl_partition {
    size_t *end; /* (count) ascending, the last is T; owned */
    size_t count;
    double cost; /* sum of segment costs, without penalties */
} sl_partition;
typedef struct sl_partition_settings {
    double penalty;
    size_t min_size, jump; /* ends lie at multiples of jump, and at T */
    size_t breaks;         /* binary segmentation: exactly so many; 0: by penalty */
} sl_partition_settings;
sl_status sl_partition_optimal(sl_partition *out, const sl_cost *cost,
                               const sl_partition_settings *settings) SL_MUSTUSE;
/* The same by PELT (arXiv 1101.1438): a start that a later end shows to be beaten for good is
 * dropped, which for costs that a split never raises (l2, binomial) changes nothing. */
sl_status sl_partition_pelt(sl_partition *out, const sl_cost *cost,
                            const sl_partition_settings *settings) SL_MUSTUSE;
sl_status sl_partition_binary(sl_partition *out, const sl_cost *cost,
                              const sl_partition_settings *settings) SL_MUSTUSE;
void sl_partition_close(sl_partition *partition);

/* 1.4826 MAD of the differences of x (T) over sqrt 2: noise of a series with few jumps. */
sl_status sl_noise_by_differences(double *out, const double *x, size_t T) SL_MUSTUSE;

/* Agreement of two partitions of the same length (both end with it). */
typedef struct sl_partition_score {
    double hausdorff, precision, recall, rand;
} sl_partition_score;
/* Points match when closer than margin, strictly. */
sl_partition_score sl_partition_compare(const size_t *truth, size_t truths, const size_t *found,
                                        size_t finds, double margin);

#endif
