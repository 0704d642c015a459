/* Tests that may be looked at after every prompt. Y_t in [0,1]: prompt means in random order, mean
 * mu; tau is the threshold.
 *
 * Indifference-zone grid-Kelly e-process (the default): for each side J bets lambda_j,
 *   E_FT  = mean_j prod_i (1 + lambda_j (Y_i - (tau - delta)))
 *   E_INJ = mean_j prod_i (1 + lambda_j ((1 - Y_i) - (1 - tau - delta)))
 * stop at the first E >= 1/alpha, fine-tuning looked at first. mu <= tau - delta gives
 * "fine-tuning" with probability at most alpha, mu >= tau + delta gives "injection" with at most
 * alpha (Ville); inside the zone both answers are accepted. delta = 0 certifies the sign. */
#ifndef SL_ANALYSIS_EPROCESS_H
#define SL_ANALYSIS_EPROCESS_H

#include <stddef.h>

enum { SL_BETS_MOST = 16 };

/* Plain data: copy it freely. */
typedef struct sl_eprocess {
    double bet[SL_BETS_MOST]; /* lambda_j after the cap that keeps wealth positive */
    double log_ft[SL_BETS_MOST], log_inj[SL_BETS_MOST]; /* log-wealth of each bet */
    size_t bets;
    double from_ft, from_inj;   /* tau - delta, 1 - tau - delta */
    double log_bound;           /* ln 1/alpha */
    size_t prompts, decided_at; /* prompts seen; number at which it decided, 0: not yet */
    int decided;                /* 0 none, +1 fine-tuning, -1 injection */
} sl_eprocess;

extern const double sl_default_bets[]; /* .1 .2 .4 .8 1.6 */
enum { SL_DEFAULT_BETS = 5 };

void sl_eprocess_begin(sl_eprocess *e, double tau, double delta, double alpha, const double *bets,
                       size_t count);
void sl_eprocess_add(sl_eprocess *e, double y);
/* Log of the mean wealth of each side. */
double sl_eprocess_log_ft(const sl_eprocess *e);
double sl_eprocess_log_inj(const sl_eprocess *e);

/* Betting confidence sequence (arXiv 2010.09686, hedged, c = 1/2) of the mean of y (n): by
 * bisection of the capital processes, 60 steps. Valid at every n at once. */
void sl_betting_interval(double *lower, double *upper, const double *y, size_t n, double alpha);
/* ln of K+ and K- at m, and the bets lambda_t (n, may be NULL): for tests and tables. */
void sl_betting_capital(double *log_plus, double *log_minus, double *bet, const double *y, size_t n,
                        double m, double alpha);

#endif
