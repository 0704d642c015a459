/* Tests and sequences that may be looked at after every prompt. Each is a closed struct: copying it
 * copies the test. Observations are prompt means in [0,1], one per prompt, in an order fixed before
 * they were seen; mu is their mean, tau the threshold. */
#ifndef SL_ANALYSIS_HYPOTHESIS_H
#define SL_ANALYSIS_HYPOTHESIS_H

#include "base/status.h"
#include "analysis/interval.h"
#include <stddef.h>

typedef enum sl_side { SL_SIDE_NONE, SL_SIDE_BELOW, SL_SIDE_ABOVE } sl_side;

/* --- indifference-zone grid-Kelly e-process: the default ---------------------------------------
 * Two wealth processes, for "mu above tau-delta" and for "mu below tau+delta", each the mean over a
 * grid of betting fractions lambda:
 *   E_above(t) = 1/J sum_j prod_i (1 + lambda_j (Y_i - (tau - delta)))
 *   E_below(t) = 1/J sum_j prod_i (1 + lambda_j ((1 - Y_i) - (1 - tau - delta)))
 * mu <= tau-delta: P(E_above ever >= 1/alpha) <= alpha, and mirrored (Ville's inequality; betting
 * fractions: Waudby-Smith and Ramdas, arXiv 2010.09686). delta = 0 certifies the sign. */
enum { SL_KELLY_GRID = 16 };
typedef struct sl_kelly {
    double lambda[SL_KELLY_GRID];
    double log_above[SL_KELLY_GRID], log_below[SL_KELLY_GRID]; /* log wealth per fraction, nats */
    double centre_above, centre_below;                         /* tau - delta, 1 - tau - delta */
    double log_e_above, log_e_below;                           /* nats */
    size_t grid;
} sl_kelly;
extern const double sl_kelly_lambda[5]; /* .1 .2 .4 .8 1.6 */

/* lambda (grid): fractions > 0; those over .9/max(tau-delta, 1-tau-delta) are cut to that, which
 * keeps wealth positive. Errors: SL_EARG unless 0 < tau < 1, 0 <= delta < min(tau, 1-tau),
 * 1 <= grid <= SL_KELLY_GRID. */
sl_status sl_kelly_open(sl_kelly *out, double tau, double delta, const double *lambda,
                        size_t grid) SL_MUSTUSE;
void sl_kelly_add(sl_kelly *kelly, double y); /* O(grid) */
/* The side that is settled now: ABOVE is looked at first. */
sl_side sl_kelly_side(const sl_kelly *kelly, double alpha);

/* --- sequential probability ratio test, independent binary votes only ---------------------------
 * Wald (1945). Ties (1/2) enter by their fraction. */
typedef struct sl_sprt {
    double win, loss;    /* log likelihood ratio of a vote of 1, of 0 */
    double upper, lower; /* ln((1-b)/a), ln(b/(1-a)) */
    double llr;
} sl_sprt;
sl_status sl_sprt_open(sl_sprt *out, double p0, double p1, double a, double b) SL_MUSTUSE;
void sl_sprt_add(sl_sprt *sprt, double vote);
sl_side sl_sprt_side(const sl_sprt *sprt);

/* The symmetric test is a walk that stops at |wins-losses| = barrier: exact by gambler's ruin. */
typedef struct sl_sprt_exact {
    double barrier, p_above, expected_n;
} sl_sprt_exact;
sl_sprt_exact sl_sprt_exact_of(double p, double delta, double alpha);

/* --- betting capital and confidence sequence -----------------------------------------------------
 * arXiv 2010.09686, section 4: predictable lambda from a regularised running mean and variance,
 *   K+(m) = prod (1 + min(lambda_i, c/m)(Y_i - m)), K-(m) mirrored with c/(1-m), c = 1/2. */
typedef struct sl_bet {
    double sum, squares; /* of Y; of (Y_i - mu_i)^2 */
    double t;            /* observations so far */
} sl_bet;
/* lambda_t for the next observation, before any cap. alpha of the two-sided sequence. */
double sl_bet_lambda(const sl_bet *bet, double alpha);
double sl_bet_mean(const sl_bet *bet); /* (1/2 + sum)/(t + 1) */
void sl_bet_add(sl_bet *bet, double y);
/* lambda (n) of a series y (n). */
void sl_bet_series(double *lambda, const double *y, size_t n, double alpha);
/* log K+ and log K- at mean m after y (n) with fractions lambda (n). K+ falls and K- rises in m. */
double sl_bet_log_plus(double m, const double *y, const double *lambda, size_t n);
double sl_bet_log_minus(double m, const double *y, const double *lambda, size_t n);
/* The set {m: max(K+,K-)/2 <= 1/alpha}, an interval; each end by 60 bisections of O(n). */
sl_interval sl_bet_interval(const double *y, const double *lambda, size_t n, double alpha);
/* Sampling without replacement from a pool of N prompts: log K+ and log K- at pool mean m after
 * every observation, plus, minus (n); m_t = (N m - S_{t-1})/(N - t + 1) in place of m. Where m_t
 * leaves [0,1], m is impossible: +inf. */
void sl_bet_pool(double *plus, double *minus, const double *y, const double *lambda, size_t n,
                 double N, double m);

/* --- empirical Bernstein confidence sequence -----------------------------------------------------
 * arXiv 2010.09686, theorem 2 with predictable lambda <= 1/2; O(1) per prompt. */
typedef enum sl_bernstein_centre {
    SL_BERNSTEIN_PAPER, /* mu_{t-1} = (1/2 + sum)/t */
    SL_BERNSTEIN_PLAIN  /* plain mean, 0 before the first */
} sl_bernstein_centre;
typedef struct sl_bernstein {
    sl_bet bet;
    double weight, lower_sum, upper_sum, width; /* sums of lambda, lambda Y, lambda (1-Y), v psi */
    sl_bernstein_centre centre;
} sl_bernstein;
void sl_bernstein_add(sl_bernstein *b, double y, double alpha);
sl_interval sl_bernstein_interval(const sl_bernstein *b, double alpha);

/* --- closed forms and change in a stream
 * ----------------------------------------------------------- log E of "p > 1/2" for binary votes,
 * mixture Beta(a,a) restricted to (1/2,1]; ties left out. */
double sl_half_beta_log_e(double wins, double losses, double a);

/* e-detector of an up-crossing of m0 (arXiv 2203.03532): per lambda from 0, Shiryaev-Roberts
 * M <- (M+1)(1 + lambda (Y-m0)) and CUSUM max(M,1)(..), averaged over the grid. An alarm at A has a
 * mean run to a false alarm of at least A. */
typedef struct sl_detector {
    double lambda[SL_KELLY_GRID];
    double log_sr[SL_KELLY_GRID], log_cusum[SL_KELLY_GRID];
    double m0, log_mean_sr, log_mean_cusum;
    size_t grid;
} sl_detector;
sl_status sl_detector_open(sl_detector *out, double m0, const double *lambda,
                           size_t grid) SL_MUSTUSE;
void sl_detector_add(sl_detector *detector, double y);

#endif
