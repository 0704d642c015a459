/* Anchored losses: where the two rewards go is part of the aim, not their distance alone. */
#include "train/loss_int.h"

static double slope_of_sigmoid(double x)
{
    return sl_loss_sigmoid(x) * sl_loss_sigmoid(-x);
}

/* 1 - s(b r_c) + s(b r_r): for answers better than the model's own. */
static sl_loss_value zero_pair(const sl_loss_pair *p, const sl_loss_settings *set)
{
    const double b = set->beta, c = b * (p->c - p->ref_c), r = b * (p->r - p->ref_r);

    return (sl_loss_value){ .loss = sl_loss_sigmoid(-c) + sl_loss_sigmoid(r),
                            .margin = b * sl_loss_ahead(p),
                            .coef_c = -b * slope_of_sigmoid(c),
                            .coef_r = b * slope_of_sigmoid(r) };
}

/* s(b r_c) + 1 - s(b (r_c - r_r)): for a model better than the answers. */
static sl_loss_value down_pair(const sl_loss_pair *p, const sl_loss_settings *set)
{
    const double b = set->beta, c = b * (p->c - p->ref_c), m = b * sl_loss_ahead(p);

    return (sl_loss_value){ .loss = sl_loss_sigmoid(c) + sl_loss_sigmoid(-m),
                            .margin = m,
                            .coef_c = b * (slope_of_sigmoid(c) - slope_of_sigmoid(m)),
                            .coef_r = b * slope_of_sigmoid(m) };
}

const sl_loss sl_loss_apo_zero = {
    .name = "apo-zero",
    .needs_reference = 1,
    .is_pairwise = 1,
    .reduction = SL_LOSS_SUM,
    .parameters = SL_LOSS_BETA,
    .formula = "1 - sigmoid(beta * (logp_c - ref_logp_c)) + sigmoid(beta * (logp_r - ref_logp_r))",
    .source = "arXiv 2408.06266, APO-zero",
    .pair = zero_pair,
};

const sl_loss sl_loss_apo_down = {
    .name = "apo-down",
    .needs_reference = 1,
    .is_pairwise = 1,
    .reduction = SL_LOSS_SUM,
    .parameters = SL_LOSS_BETA,
    .formula = "sigmoid(beta * (logp_c - ref_logp_c)) + 1 - "
               "sigmoid(beta * ((logp_c - ref_logp_c) - (logp_r - ref_logp_r)))",
    .source = "arXiv 2408.06266, APO-down",
    .pair = down_pair,
};
