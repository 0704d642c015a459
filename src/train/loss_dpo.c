/* Logistic losses: -log sigmoid of a margin that the rows measure differently. beta scales the
 * margin; a share `smoothing` of the labels is taken to be swapped (cDPO), or is corrected for
 * without bias (robust). */
#include "train/loss_int.h"

/* Value and coefficients from dloss/dmargin, margin = beta * (...c... - ...r...). */
static sl_loss_value of_margin(double m, double loss, double slope, double beta)
{
    return (sl_loss_value){
        .loss = loss, .margin = m, .coef_c = beta * slope, .coef_r = -beta * slope
    };
}

/* -(1-e) log s(m) - e log s(-m) */
static sl_loss_value smoothed(double m, double e, double beta)
{
    const double loss = (1.0 - e) * -sl_loss_log_sigmoid(m) + e * -sl_loss_log_sigmoid(-m);

    return of_margin(m, loss, -(1.0 - e) * sl_loss_sigmoid(-m) + e * sl_loss_sigmoid(m), beta);
}

static sl_loss_value dpo_pair(const sl_loss_pair *p, const sl_loss_settings *set)
{
    return smoothed(set->beta * sl_loss_ahead(p), set->smoothing, set->beta);
}

static sl_loss_value robust_pair(const sl_loss_pair *p, const sl_loss_settings *set)
{
    const double m = set->beta * sl_loss_ahead(p), e = set->smoothing, rest = 1.0 - 2.0 * e;
    const double loss = ((1.0 - e) * -sl_loss_log_sigmoid(m) - e * -sl_loss_log_sigmoid(-m)) / rest;

    return of_margin(m, loss, (-(1.0 - e) * sl_loss_sigmoid(-m) - e * sl_loss_sigmoid(m)) / rest,
                     set->beta);
}

static sl_loss_value cpo_pair(const sl_loss_pair *p, const sl_loss_settings *set)
{
    return smoothed(set->beta * (p->c - p->r), set->smoothing, set->beta);
}

static sl_loss_value simpo_pair(const sl_loss_pair *p, const sl_loss_settings *set)
{
    const double m = set->beta * (p->c - p->r);
    sl_loss_value v = smoothed(m - set->gamma, 0.0, set->beta);

    v.margin = m;
    return v;
}

const sl_loss sl_loss_dpo = {
    .name = "dpo",
    .needs_reference = 1,
    .is_pairwise = 1,
    .reduction = SL_LOSS_SUM,
    .parameters = SL_LOSS_BETA | SL_LOSS_SMOOTHING,
    .most_smoothing = 0.5,
    .formula = "-(1 - smoothing) log sigmoid(m) - smoothing log sigmoid(-m), "
               "m = beta * ((logp_c - ref_logp_c) - (logp_r - ref_logp_r))",
    .source = "arXiv 2305.18290 eq. 7",
    .pair = dpo_pair,
};

const sl_loss sl_loss_cdpo = {
    .name = "cdpo",
    .needs_reference = 1,
    .is_pairwise = 1,
    .reduction = SL_LOSS_SUM,
    .parameters = SL_LOSS_BETA | SL_LOSS_SMOOTHING,
    .least_smoothing = 1e-9,
    .most_smoothing = 0.5,
    .formula = "-(1 - smoothing) log sigmoid(m) - smoothing log sigmoid(-m), "
               "m = beta * ((logp_c - ref_logp_c) - (logp_r - ref_logp_r))",
    .source = "E. Mitchell, A note on DPO with noisy preferences (2023), eq. 3",
    .pair = dpo_pair,
};

const sl_loss sl_loss_robust = {
    .name = "robust",
    .needs_reference = 1,
    .is_pairwise = 1,
    .reduction = SL_LOSS_SUM,
    .parameters = SL_LOSS_BETA | SL_LOSS_SMOOTHING,
    .most_smoothing = 0.499,
    .formula = "(-(1 - smoothing) log sigmoid(m) + smoothing log sigmoid(-m)) / "
               "(1 - 2 smoothing), m = beta * ((logp_c - ref_logp_c) - (logp_r - ref_logp_r))",
    .source = "arXiv 2403.00409 eq. 12",
    .pair = robust_pair,
};

const sl_loss sl_loss_dpo_norm = {
    .name = "dpo-norm",
    .needs_reference = 1,
    .is_pairwise = 1,
    .reduction = SL_LOSS_MEAN,
    .parameters = SL_LOSS_BETA | SL_LOSS_SMOOTHING,
    .most_smoothing = 0.5,
    .formula = "-(1 - smoothing) log sigmoid(m) - smoothing log sigmoid(-m), "
               "m = beta * ((logp_c - ref_logp_c) / tok_c - (logp_r - ref_logp_r) / tok_r)",
    .source = "arXiv 2411.15124, length-normalised DPO",
    .pair = dpo_pair,
};

const sl_loss sl_loss_simpo = {
    .name = "simpo",
    .is_pairwise = 1,
    .reduction = SL_LOSS_MEAN,
    .parameters = SL_LOSS_BETA | SL_LOSS_GAMMA,
    .formula = "-log sigmoid(beta * (logp_c / tok_c - logp_r / tok_r) - gamma)",
    .source = "arXiv 2405.14734 eq. 6",
    .pair = simpo_pair,
};

const sl_loss sl_loss_cpo = {
    .name = "cpo",
    .is_pairwise = 1,
    .reduction = SL_LOSS_SUM,
    .parameters = SL_LOSS_BETA | SL_LOSS_SMOOTHING,
    .most_smoothing = 0.5,
    .formula = "-(1 - smoothing) log sigmoid(m) - smoothing log sigmoid(-m), "
               "m = beta * (logp_c - logp_r)",
    .source = "arXiv 2401.08417 eq. 4, without its second term: method.nll",
    .pair = cpo_pair,
};
