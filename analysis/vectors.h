/* Diversity of n vectors of d numbers, row-major (docs/math.md A6 to A8). */
#ifndef SL_ANALYSIS_VECTORS_H
#define SL_ANALYSIS_VECTORS_H

#include "base/status.h"
#include <stddef.h>

/* A6: distances 1 - cosine over pairs; rows of length zero are dropped. mean by the O(nd) identity
 * (|sum u|^2 - n)/(n(n-1)), the others O(n^2 d). NaN below two rows. */
typedef struct sl_pairwise {
    double mean, direct_mean, least, most, mean_nearest, internal; /* internal: 1 - |sum u|^2/n^2 */
    size_t used, dropped;
} sl_pairwise;
sl_status sl_pairwise_cosine(sl_pairwise *out, const double *x, size_t n, size_t d) SL_MUSTUSE;

/* A7, arXiv 2210.02410 and 2310.12952: eigenvalues of the cosine kernel weighted by p (n, NULL:
 * uniform), on the smaller side (dsyevd). eigen (min(n,d)) descending, sum 1; *count receives how
 * many. Rows of length zero are dropped. */
sl_status sl_vendi_spectrum(double *eigen, size_t *count, const double *x, const double *p,
                            size_t n, size_t d) SL_MUSTUSE;
/* Score of order q >= 0 (q may be +inf) of a spectrum (n). */
double sl_vendi_score(const double *eigen, size_t n, double q);

/* A8 of x as it is, or with its column means taken off. Source: Roy and Vetterli, EUSIPCO 2007. */
typedef struct sl_effective_rank {
    double roy_vetterli, of_squares, participation, stable;
} sl_effective_rank;
sl_status sl_effective_rank_of(sl_effective_rank *out, const double *x, size_t n, size_t d,
                               int is_centered) SL_MUSTUSE;

#endif
