/* DPO, sigmoid form (arXiv 2305.18290, eq. 7): -log sigmoid(beta * D),
 * D = (logp_c - ref_logp_c) - (logp_r - ref_logp_r). */
#include "train/loss_int.h"
#include <math.h>

static void dpo_pairs(const sl_loss_out *out, const sl_loss_in *in, size_t P,
                      const sl_loss_settings *settings)
{
    for (size_t i = 0; i < P; i++) {
        const double ratio_c = in->logp_c[i] - in->ref_logp_c[i];
        const double ratio_r = in->logp_r[i] - in->ref_logp_r[i];
        const double m = settings->beta * (ratio_c - ratio_r);
        const double e = exp(-fabs(m));
        const double miss = m >= 0.0 ? e / (1.0 + e) : 1.0 / (1.0 + e); /* sigmoid(-m) */

        out->margin[i] = m;
        out->loss[i] = log1p(e) + (m < 0.0 ? -m : 0.0);
        out->coef_c[i] = -settings->beta * miss;
        out->coef_r[i] = settings->beta * miss;
    }
}

const sl_loss sl_loss_dpo = {
    .name = "dpo",
    .needs_reference = 1,
    .identity_loss = 0.69314718055994530942, /* ln 2 */
    .reduction = "sum",
    .formula = "-log sigmoid(beta * ((logp_c - ref_logp_c) - (logp_r - ref_logp_r)))",
    .source = "arXiv 2305.18290 eq. 7",
    .pairs = dpo_pairs,
};
