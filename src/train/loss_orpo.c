/* ORPO: likelihood of the chosen answer and the odds ratio of both, on means over tokens. */
#include "train/loss_int.h"
#include <math.h>

/* An answer of probability 1 has infinite odds: log-probabilities stay this far below 0. */
static const double nearest_to_0 = -1e-12;

/* log(p / (1 - p)), p = exp(x); *slope = d/dx = 1 / (1 - p). */
static double log_odds(double *slope, double x)
{
    const double at = fmin(x, nearest_to_0), miss = -expm1(at); /* 1 - p */

    *slope = 1.0 / miss;
    return at - log(miss);
}

static sl_loss_value orpo_pair(const sl_loss_pair *p, const sl_loss_settings *set)
{
    double slope_c, slope_r;
    const double odds_c = log_odds(&slope_c, p->c), odds_r = log_odds(&slope_r, p->r);
    const double m = odds_c - odds_r, push = set->lambda * sl_loss_sigmoid(-m);

    return (sl_loss_value){ .loss = -p->c - set->lambda * sl_loss_log_sigmoid(m),
                            .margin = m,
                            .coef_c = -1.0 - push * slope_c,
                            .coef_r = push * slope_r };
}

const sl_loss sl_loss_orpo = {
    .name = "orpo",
    .is_pairwise = 1,
    .reduction = SL_LOSS_MEAN,
    .parameters = SL_LOSS_LAMBDA,
    .formula = "-logp_c / tok_c - lambda * log sigmoid(o_c - o_r), "
               "o = log(p / (1 - p)), p = exp(logp / tok)",
    .source = "arXiv 2403.07691 eq. 6 and 7",
    .pair = orpo_pair,
};
