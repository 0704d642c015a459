/* Squares: losses that want a certain distance, not the largest. */
#include "train/loss_int.h"

static sl_loss_value ipo_pair(const sl_loss_pair *p, const sl_loss_settings *set)
{
    const double ahead = sl_loss_ahead(p), off = ahead - 0.5 / set->beta;

    return (sl_loss_value){
        .loss = off * off, .margin = set->beta * ahead, .coef_c = 2.0 * off, .coef_r = -2.0 * off
    };
}

static sl_loss_value sppo_pair(const sl_loss_pair *p, const sl_loss_settings *set)
{
    const double off_c = p->c - p->ref_c - 0.5 / set->beta;
    const double off_r = p->r - p->ref_r + 0.5 / set->beta;

    return (sl_loss_value){ .loss = off_c * off_c + off_r * off_r,
                            .margin = set->beta * sl_loss_ahead(p),
                            .coef_c = 2.0 * off_c,
                            .coef_r = 2.0 * off_r };
}

const sl_loss sl_loss_ipo = {
    .name = "ipo",
    .needs_reference = 1,
    .is_pairwise = 1,
    .reduction = SL_LOSS_SUM,
    .parameters = SL_LOSS_BETA,
    .formula = "((logp_c - ref_logp_c) - (logp_r - ref_logp_r) - 1 / (2 beta))^2",
    .source = "arXiv 2310.12036 eq. 17, tau = beta",
    .pair = ipo_pair,
};

const sl_loss sl_loss_ipo_mean = {
    .name = "ipo-mean",
    .needs_reference = 1,
    .is_pairwise = 1,
    .reduction = SL_LOSS_MEAN,
    .parameters = SL_LOSS_BETA,
    .formula = "((logp_c - ref_logp_c) / tok_c - (logp_r - ref_logp_r) / tok_r - 1 / (2 beta))^2",
    .source = "arXiv 2310.12036 eq. 17 on means over tokens, as TRL's DPOTrainer has it",
    .pair = ipo_pair,
};

const sl_loss sl_loss_sppo_hard = {
    .name = "sppo-hard",
    .needs_reference = 1,
    .is_pairwise = 1,
    .reduction = SL_LOSS_SUM,
    .parameters = SL_LOSS_BETA,
    .formula = "(logp_c - ref_logp_c - 1 / (2 beta))^2 + (logp_r - ref_logp_r + 1 / (2 beta))^2",
    .source = "arXiv 2405.00675 eq. 4.7 with probabilities 1 and 0, as TRL scales it",
    .pair = sppo_pair,
};
