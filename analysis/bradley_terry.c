#include "analysis/bradley_terry.h"
#include "analysis/special.h"
#include "base/alloc.h"
#include "base/sort.h"
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NEWTON_STEPS = 200 };

double sl_bradley_terry_loglik(const double *theta, const double *wins, size_t K)
{
    double sum = 0.0;

    for (size_t i = 0; i < K; i++)
        for (size_t j = 0; j < K; j++)
            if (i != j && wins[i * K + j] > 0.0)
                sum -= wins[i * K + j] * sl_softplus(theta[j] - theta[i]);
    return sum;
}

/* Marks what can be reached from player 0 along wins, or against them. */
static size_t reach(unsigned char *seen, size_t *stack, const double *wins, size_t K, int is_along)
{
    size_t depth = 1, count = 1;

    memset(seen, 0, K);
    stack[0] = 0;
    seen[0] = 1;
    while (depth > 0) {
        const size_t i = stack[--depth];

        for (size_t j = 0; j < K; j++)
            if (!seen[j] && wins[is_along ? i * K + j : j * K + i] > 0.0) {
                seen[j] = 1;
                stack[depth++] = j;
                count++;
            }
    }
    return count;
}

sl_status sl_bradley_terry_is_finite(int *out, const double *wins, size_t K)
{
    unsigned char *seen = NULL;
    size_t *stack = NULL;
    sl_status st = SL_OK;

    *out = 0;
    if (!K)
        return SL_OK;
    SL_TRY_OUT(sl_take(&seen, K, 1));
    SL_TRY_OUT(sl_take(&stack, K, sizeof *stack));
    *out = reach(seen, stack, wins, K, 1) == K && reach(seen, stack, wins, K, 0) == K;
out:
    sl_free(seen);
    sl_free(stack);
    return st;
}

static double objective(const double *theta, const double *wins, size_t K, double ridge)
{
    double squares = 0.0;

    for (size_t i = 0; i < K; i++)
        squares += theta[i] * theta[i];
    return sl_bradley_terry_loglik(theta, wins, K) - 0.5 * ridge * squares;
}

/* gradient (K) and information h (K, K). The information has the null vector 1 when ridge is 0; the
 * constant 1/K added to every entry removes it and changes no step of sum 0. */
static void derivatives(double *gradient, double *h, const double *theta, const double *wins,
                        size_t K, double ridge)
{
    for (size_t k = 0; k < K * K; k++)
        h[k] = 1.0 / (double)K;
    for (size_t i = 0; i < K; i++) {
        gradient[i] = -ridge * theta[i];
        h[i * K + i] += ridge;
    }
    for (size_t i = 0; i < K; i++)
        for (size_t j = 0; j < K; j++) {
            const double p = sl_sigmoid(theta[i] - theta[j]);
            const double games = i == j ? 0.0 : wins[i * K + j] + wins[j * K + i];

            if (i == j)
                continue;
            gradient[i] += wins[i * K + j] * (1.0 - p) - wins[j * K + i] * p;
            h[i * K + i] += games * p * (1.0 - p);
            h[i * K + j] -= games * p * (1.0 - p);
        }
}

/* Steps until they vanish; work (K + K*K + K). */
static sl_status newton(double *theta, double *work, const double *wins, size_t K, double ridge)
{
    double *step = work, *h = work + K, *to = h + K * K;
    double now = objective(theta, wins, K, ridge);

    for (int k = 0; k < NEWTON_STEPS; k++) {
        const double slack = 1e-13 * (1.0 + fabs(now));
        double share = 1.0, next = now, size = 0.0;

        derivatives(step, h, theta, wins, K, ridge);
        if (LAPACKE_dposv(LAPACK_ROW_MAJOR, 'U', (int)K, 1, h, (int)K, step, 1) != 0)
            return SL_FAIL(SL_ENUMERIC, "want a positive definite information, found none");
        for (int halvings = 0; halvings < 60; halvings++, share *= 0.5) {
            for (size_t i = 0; i < K; i++)
                to[i] = theta[i] + share * step[i];
            next = objective(to, wins, K, ridge);
            if (next >= now - slack)
                break;
        }
        memcpy(theta, to, K * sizeof *theta);
        now = next;
        for (size_t i = 0; i < K; i++)
            size += fabs(share * step[i]);
        if (size < 1e-13 * (double)K)
            break;
    }
    return SL_OK;
}

/* cov = inverse of (information + J/K) - J/K: the pseudo-inverse when ridge is 0. */
static sl_status covariance(double *cov, double *gradient, const double *theta, const double *wins,
                            size_t K, double ridge)
{
    derivatives(gradient, cov, theta, wins, K, ridge);
    if (LAPACKE_dpotrf(LAPACK_ROW_MAJOR, 'U', (int)K, cov, (int)K) != 0 ||
        LAPACKE_dpotri(LAPACK_ROW_MAJOR, 'U', (int)K, cov, (int)K) != 0)
        return SL_FAIL(SL_ENUMERIC, "want an invertible information, found none");
    for (size_t i = 0; i < K; i++)
        for (size_t j = i; j < K; j++) {
            if (ridge == 0.0)
                cov[i * K + j] -= 1.0 / (double)K;
            cov[j * K + i] = cov[i * K + j];
        }
    return SL_OK;
}

sl_status sl_bradley_terry(double *theta, double *cov, const double *wins, size_t K, double ridge)
{
    double *work = NULL;
    int is_finite = 1;
    sl_status st = SL_OK;

    for (size_t i = 0; i < K * K; i++)
        if (!(wins[i] >= 0.0))
            return SL_FAIL(SL_EARG, "want wins >= 0, found %g", wins[i]);
    if (ridge <= 0.0)
        SL_TRY(sl_bradley_terry_is_finite(&is_finite, wins, K));
    if (!is_finite)
        return SL_FAIL(SL_EARG, "want wins that connect all players, or a ridge, found neither");
    SL_TRY(sl_take(&work, K * K + 2 * K + 1, sizeof *work));
    memset(theta, 0, K * sizeof *theta);
    SL_TRY_OUT(newton(theta, work, wins, K, ridge));
    if (cov)
        st = covariance(cov, work, theta, wins, K, ridge);
out:
    sl_free(work);
    return st;
}

/* --- games ----------------------------------------------------------------------------------- */

static int by_prompt(const void *a, const void *b)
{
    const uint64_t x = ((const sl_game *)a)->prompt, y = ((const sl_game *)b)->prompt;

    return (x > y) - (x < y);
}

/* meat (K, K) = P/(P - 1) times the sum over prompts of the outer products of their gradients. */
static size_t meat_of(double *meat, double *gradient, const double *theta, const sl_game *game,
                      size_t n, size_t K)
{
    size_t prompts = 0;

    memset(meat, 0, K * K * sizeof *meat);
    for (size_t i = 0; i < n;) {
        const uint64_t prompt = game[i].prompt;

        memset(gradient, 0, K * sizeof *gradient);
        for (; i < n && game[i].prompt == prompt; i++) {
            const double e = game[i].y - sl_sigmoid(theta[game[i].a] - theta[game[i].b]);

            gradient[game[i].a] += e;
            gradient[game[i].b] -= e;
        }
        for (size_t r = 0; r < K; r++)
            for (size_t c = 0; c < K; c++)
                meat[r * K + c] += gradient[r] * gradient[c];
        prompts++;
    }
    for (size_t k = 0; prompts > 1 && k < K * K; k++)
        meat[k] *= (double)prompts / (double)(prompts - 1);
    return prompts;
}

/* out = a b, all (K, K). */
static void multiply(double *out, const double *a, const double *b, size_t K)
{
    for (size_t r = 0; r < K; r++)
        for (size_t c = 0; c < K; c++) {
            out[r * K + c] = 0.0;
            for (size_t k = 0; k < K; k++)
                out[r * K + c] += a[r * K + k] * b[k * K + c];
        }
}

sl_status sl_bradley_terry_games(double *theta, double *cov, sl_game *game, size_t n, size_t K,
                                 double ridge)
{
    double *work = NULL, *wins, *meat, *bread;
    sl_status st = SL_OK;

    SL_TRY(sl_take(&work, 3 * K * K + K + 1, sizeof *work));
    wins = work;
    meat = wins + K * K;
    bread = meat + K * K;
    for (size_t i = 0; i < n; i++) {
        wins[game[i].a * K + game[i].b] += game[i].y;
        wins[game[i].b * K + game[i].a] += 1.0 - game[i].y;
    }
    SL_TRY_OUT(sl_bradley_terry(theta, bread, wins, K, ridge));
    sl_sort(game, n, sizeof *game, by_prompt);
    if (meat_of(meat, bread + K * K, theta, game, n, K) < 2)
        SL_TRY_OUT(SL_FAIL(SL_EARG, "want at least 2 prompts, found fewer"));
    multiply(wins, meat, bread, K);
    multiply(cov, bread, wins, K);
out:
    sl_free(work);
    return st;
}
