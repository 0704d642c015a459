/* Strengths of K players from a table of wins (docs/math.md B3): P(i beats j) = sigma(theta_i -
 * theta_j).
 */
#ifndef SL_ANALYSIS_BRADLEY_TERRY_H
#define SL_ANALYSIS_BRADLEY_TERRY_H

#include "base/status.h"
#include <stddef.h>
#include <stdint.h>

/* theta (K), sum 0, maximises sum W_ij ln sigma(theta_i - theta_j) - ridge/2 |theta|^2; wins (K,
 * K), ties as 1/2 to both. cov (K, K), may be NULL: the pseudo-inverse of the information. Newton
 * with halved steps. Errors: SL_EARG for negative wins, or when ridge is 0 and the maximum is
 * infinite (see is_finite). Source: Bradley and Terry, Biometrika 39 (1952); Ford, AMM 64 (1957).
 */
sl_status sl_bradley_terry(double *theta, double *cov, const double *wins, size_t K,
                           double ridge) SL_MUSTUSE;
double sl_bradley_terry_loglik(const double *theta, const double *wins, size_t K);
/* What player a got of prompt `prompt` against b: y in [0,1]. */
typedef struct sl_game {
    uint64_t prompt;
    size_t a, b;
    double y;
} sl_game;
/* The same from games, which get sorted by prompt. cov (K, K): sandwich with one cluster a prompt,
 * times P/(P - 1): games of a prompt may depend on each other. Two players and no ridge: the
 * variance of theta_a - theta_b is that of the mean of y over (p (1 - p))^2. Errors: as above;
 * SL_EARG below 2 prompts. */
sl_status sl_bradley_terry_games(double *theta, double *cov, sl_game *game, size_t n, size_t K,
                                 double ridge) SL_MUSTUSE;
/* 1 iff every player can be reached from every other by wins. */
sl_status sl_bradley_terry_is_finite(int *out, const double *wins, size_t K) SL_MUSTUSE;

#endif
