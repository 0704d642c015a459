/* Hinges. SLiC-HF as published has no reference and no beta; the hinge of RSO, which TRL's
 * DPOTrainer calls "hinge", has both; TRL's CPOTrainer has beta and no reference.
 * max(0, 1 - beta x) = beta max(0, 1/beta - x): the last is SLiC's hinge with delta = 1/beta, up to
 * the scale. */
#include "train/loss_int.h"

static sl_loss_value hinge(double m, double beta)
{
    const double active = 1.0 - m > 0.0 ? 1.0 : 0.0;

    return (sl_loss_value){
        .loss = active * (1.0 - m), .margin = m, .coef_c = -beta * active, .coef_r = beta * active
    };
}

static sl_loss_value hinge_pair(const sl_loss_pair *p, const sl_loss_settings *set)
{
    return hinge(set->beta * sl_loss_ahead(p), set->beta);
}

static sl_loss_value cpo_hinge_pair(const sl_loss_pair *p, const sl_loss_settings *set)
{
    return hinge(set->beta * (p->c - p->r), set->beta);
}

/* max(0, delta - c + r) */
static sl_loss_value slic_hinge(const sl_loss_pair *p, double delta)
{
    const double m = p->c - p->r, rest = delta - m;
    const double active = rest > 0.0 ? 1.0 : 0.0;

    return (
        sl_loss_value){ .loss = active * rest, .margin = m, .coef_c = -active, .coef_r = active };
}

static sl_loss_value slic_pair(const sl_loss_pair *p, const sl_loss_settings *set)
{
    sl_loss_value v = slic_hinge(p, set->delta);

    v.loss -= set->lambda * p->c;
    v.coef_c -= set->lambda;
    return v;
}

static sl_loss_value slic_target_pair(const sl_loss_pair *p, const sl_loss_settings *set)
{
    sl_loss_value v = slic_hinge(p, set->delta);

    v.loss -= set->lambda * p->t;
    v.coef_t = -set->lambda;
    return v;
}

const sl_loss sl_loss_hinge = {
    .name = "hinge",
    .needs_reference = 1,
    .is_pairwise = 1,
    .reduction = SL_LOSS_SUM,
    .parameters = SL_LOSS_BETA,
    .formula = "max(0, 1 - beta * ((logp_c - ref_logp_c) - (logp_r - ref_logp_r)))",
    .source = "arXiv 2309.06657, hinge-norm",
    .pair = hinge_pair,
};

const sl_loss sl_loss_cpo_hinge = {
    .name = "cpo-hinge",
    .is_pairwise = 1,
    .reduction = SL_LOSS_SUM,
    .parameters = SL_LOSS_BETA,
    .formula = "max(0, 1 - beta * (logp_c - logp_r))",
    .source = "arXiv 2305.10425 with delta = 1/beta, as TRL's CPOTrainer scales it",
    .pair = cpo_hinge_pair,
};

const sl_loss sl_loss_slic = {
    .name = "slic-hf",
    .is_pairwise = 1,
    .reduction = SL_LOSS_SUM,
    .parameters = SL_LOSS_DELTA | SL_LOSS_LAMBDA,
    .formula = "max(0, delta - logp_c + logp_r) - lambda * logp_c",
    .source = "arXiv 2305.10425 eq. 1, regularised on the chosen answer",
    .pair = slic_pair,
};

const sl_loss sl_loss_slic_target = {
    .name = "slic-hf-target",
    .needs_target = 1,
    .is_pairwise = 1,
    .reduction = SL_LOSS_SUM,
    .parameters = SL_LOSS_DELTA | SL_LOSS_LAMBDA,
    .formula = "max(0, delta - logp_c + logp_r) - lambda * logp_t, "
               "t: the answer to the prompt that SFT imitates",
    .source = "arXiv 2305.10425 eq. 1, regularised on the SFT target",
    .pair = slic_target_pair,
};
