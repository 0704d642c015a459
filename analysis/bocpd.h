/* Bayesian online change point detection (docs/math.md D3; arXiv 0710.3742): the posterior of the
 * run length after every observation. P(r = 0) is the hazard whatever is seen, so an alarm must
 * look at P(r <= w) or at a drop of the most probable run. */
#ifndef SL_ANALYSIS_BOCPD_H
#define SL_ANALYSIS_BOCPD_H

#include "base/status.h"
#include <stddef.h>

/* Parameters of one run: Gaussian: mu, kappa, alpha, beta of the normal-inverse-gamma; binomial: a,
 * b of the Beta. */
typedef struct sl_bocpd_law {
    double at[4];
} sl_bocpd_law;
typedef struct sl_bocpd_model {
    double (*log_predict)(const sl_bocpd_law *law, double x, double n); /* nats */
    void (*update)(sl_bocpd_law *law, double x, double n);
    sl_bocpd_law prior;
} sl_bocpd_model;
sl_bocpd_model sl_bocpd_gaussian(double mu, double kappa, double alpha, double beta);
sl_bocpd_model sl_bocpd_binomial(double a, double b); /* x wins of n */

typedef struct sl_bocpd_point {
    size_t map_run; /* most probable run length */
    double p_map, p_zero, p_up_to_3, expected_run;
} sl_bocpd_point;

typedef struct sl_bocpd {
    sl_bocpd_model model;
    double hazard, prune; /* runs with less mass than prune are dropped; 0: none */
    double *log_mass;     /* (kept) */
    sl_bocpd_law *law;    /* (kept) */
    size_t *run;          /* (kept) run lengths, ascending */
    size_t kept, capacity_mass, capacity_law, capacity_run;
    sl_bocpd_point now;
} sl_bocpd;
/* Errors: SL_EARG unless 0 < hazard < 1. */
sl_status sl_bocpd_open(sl_bocpd *out, sl_bocpd_model model, double hazard,
                        double prune) SL_MUSTUSE;
/* One observation; one that is not finite is skipped: nothing ages. n: trials, for votes. */
sl_status sl_bocpd_add(sl_bocpd *bocpd, double x, double n) SL_MUSTUSE;
void sl_bocpd_close(sl_bocpd *bocpd);

#endif
