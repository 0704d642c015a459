/* Likelihood of the chosen answer, as a term of a sum: three ways to count its tokens. */
#include "train/loss_int.h"
#include <math.h>

static sl_loss_value nll_pair(const sl_loss_pair *p, const sl_loss_settings *set)
{
    (void)set;
    return (sl_loss_value){ .loss = -p->c, .margin = NAN, .coef_c = -1.0, .coef_r = 0.0 };
}

const sl_loss sl_loss_sft = {
    .name = "sft",
    .reduction = SL_LOSS_BATCH_MEAN,
    .formula = "-logp_c / (tokens of all chosen answers of the update / pairs)",
    .source = "cross-entropy, mean over the tokens of the update, as TRL's \"sft\" term has it",
    .pair = nll_pair,
};

const sl_loss sl_loss_nll = {
    .name = "nll",
    .reduction = SL_LOSS_MEAN,
    .formula = "-logp_c / tok_c",
    .source = "cross-entropy, mean over the tokens of each answer (arXiv 2404.19733 eq. 1)",
    .pair = nll_pair,
};

const sl_loss sl_loss_nll_sum = {
    .name = "nll-sum",
    .reduction = SL_LOSS_SUM,
    .formula = "-logp_c",
    .source = "cross-entropy, sum over the tokens of each answer (arXiv 2401.08417 eq. 4)",
    .pair = nll_pair,
};
