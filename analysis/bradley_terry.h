/* Strengths of K players from a table of wins (docs/math.md B3): P(i beats j) = sigma(theta_i -
 * theta_j).
 */
#ifndef SL_ANALYSIS_BRADLEY_TERRY_H
#define SL_ANALYSIS_BRADLEY_TERRY_H

#include "base/status.h"
#include <stddef.h>

/* theta (K), sum 0, maximises sum W_ij ln sigma(theta_i - theta_j) - ridge/2 |theta|^2; wins (K,
 * K), ties as 1/2 to both. cov (K, K), may be NULL: the pseudo-inverse of the information. Newton
 * with halved steps. Errors: SL_EARG for negative wins, or when ridge is 0 and the maximum is
 * infinite (see is_finite). Source: Bradley and Terry, Biometrika 39 (1952); Ford, AMM 64 (1957).
 */
sl_status sl_bradley_terry(double *theta, double *cov, const double *wins, size_t K,
                           double ridge) SL_MUSTUSE;
double sl_bradley_terry_loglik(const double *theta, const double *wins, size_t K);
/* 1 iff every player can be reached from every other by wins. */
sl_status sl_bradley_terry_is_finite(int *out, const double *wins, size_t K) SL_MUSTUSE;

#endif
