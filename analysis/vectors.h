/* Diversity of n vectors of d numbers, row-major (docs/math.md A6 to A8). */
#ifndef SL_ANALYSIS_VECTORS_H
#define SL_ANALYSIS_VECTORS_H

#include "analysis/metric.h"
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
/* The same of a Gram matrix (n, n) of rows as they are, row-major, which it uses up: rows whose
 * square is 0 are dropped. eigen (n); *kept rows. */
sl_status sl_vendi_of_gram(double *eigen, size_t *kept, double *gram, size_t n) SL_MUSTUSE;
/* Score of order 2 of that matrix without its spectrum, O(n^2): 1 over the sum of the squares of
 * the kernel. NaN without rows. */
double sl_vendi_2_of_gram(const double *gram, size_t n);
/* Score of order q >= 0 (q may be +inf) of a spectrum (n). */
double sl_vendi_score(const double *eigen, size_t n, double q);

/* A8 of x as it is, or with its column means taken off. Source: Roy and Vetterli, EUSIPCO 2007. */
typedef struct sl_effective_rank {
    double roy_vetterli, of_squares, participation, stable;
} sl_effective_rank;
sl_status sl_effective_rank_of(sl_effective_rank *out, const double *x, size_t n, size_t d,
                               int is_centered) SL_MUSTUSE;

/* The same of a Gram matrix (n, n), which it uses up; eigen (n) is scratch. */
sl_status sl_effective_rank_of_gram(sl_effective_rank *out, double *eigen, double *gram, size_t n,
                                    int is_centered) SL_MUSTUSE;

/* gram (n, n) = dots of the n-gram counts of n texts; gram must be 0 before. */
void sl_gram_of_ngrams(double *gram, const sl_ngrams *grams, size_t n);
/* gram (n, n) = dots of the rows of x (n, d), by dsyrk. */
void sl_gram_of_rows(double *gram, const double *x, size_t n, size_t d);
/* A6 from the cosines of a Gram matrix (n, n), which becomes them; rows of 0 are dropped.
 * scratch (n). */
void sl_pairwise_of_gram(sl_pairwise *out, double *gram, double *scratch, size_t n);

#endif
