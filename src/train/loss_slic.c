/* SLiC-HF as published (arXiv 2305.10425): no reference, sums; the regulariser is taken on the
 * chosen answer: max(0, delta - logp_c + logp_r) - lambda * logp_c. */
#include "train/loss_int.h"
#include <math.h>

static void slic_pairs(const sl_loss_out *out, const sl_loss_in *in, size_t P,
                       const sl_loss_settings *settings)
{
    for (size_t i = 0; i < P; i++) {
        const double m = in->logp_c[i] - in->logp_r[i];
        const double hinge = settings->delta - m;
        const double active = hinge > 0.0 ? 1.0 : 0.0;

        out->margin[i] = m;
        out->loss[i] = active * hinge - settings->lambda * in->logp_c[i];
        out->coef_c[i] = -active - settings->lambda;
        out->coef_r[i] = active;
    }
}

const sl_loss sl_loss_slic = {
    .name = "slic-hf",
    .needs_reference = 0,
    .identity_loss = NAN,
    .reduction = "sum",
    .formula = "max(0, delta - logp_c + logp_r) - lambda * logp_c",
    .source = "arXiv 2305.10425",
    .pairs = slic_pairs,
};
