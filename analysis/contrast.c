#include "analysis/contrast.h"
#include "analysis/distance.h"
#include <math.h>

#define SCORES SL_NEEDS_SCORES
#define LOGPS SL_NEEDS_LOGPS
#define INF INFINITY

const sl_metric sl_contrasts[SL_CONTRAST_COUNT] = {
    [SL_CONTRAST_REWARD_GAP] = { "reward_gap_on_off", "E1", "1", -INF, INF, SCORES, 1, "metrics E",
                                 "mean score on-policy - static = CE(off, G) - CE(on, G)" },
    [SL_CONTRAST_REWARD_Z] = { "reward_z", "B1", "1", -INF, INF, SCORES, 1, "metrics B1",
                               "the same in standard deviations of all static scores" },
    [SL_CONTRAST_BS_HARD] = { "bs_hard", "E2", "1", 0, 1, SCORES, 1, "DeLong 1988",
                              "P(on > off) + P(=)/2: boundary score by scores" },
    [SL_CONTRAST_BS_SOFT] = { "bs_soft", "E2", "1", 0, 1, SCORES, 1, "metrics E",
                              "mean sigmoid of the difference" },
    [SL_CONTRAST_CLIFF] = { "cliffs_delta", "E2", "1", -1, 1, SCORES, 1, "Cliff 1993",
                            "2 bs_hard - 1" },
    [SL_CONTRAST_TV] = { "tv_bound", "E3", "1", 0, 1, SCORES, 1, "metrics E",
                         "total variation is at least this, from the mean of bs_hard" },
    [SL_CONTRAST_KS] = { "ks", "E4", "1", 0, 1, SCORES, 1, "metrics E",
                         "Kolmogorov-Smirnov distance of the score laws" },
    [SL_CONTRAST_WASSERSTEIN] = { "wasserstein_1", "E4", "1", 0, INF, SCORES, 1, "metrics E",
                                  "Wasserstein distance of the score laws" },
    [SL_CONTRAST_ENERGY] = { "energy_distance", "E4", "1", 0, INF, SCORES, 1, "metrics E",
                             "squared energy distance, all pairs" },
    [SL_CONTRAST_TILT_LOG_Z] = { "tilt_log_z", "E5", "nat", -INF, INF, SCORES, 1, "metrics E",
                                 "log mean exp(score / beta) of the static answers" },
    [SL_CONTRAST_KL_OFF_TILTED] = { "kl_off_tilted", "E5", "nat", 0, INF, SCORES, 1, "metrics E",
                                    "KL of the static law to itself tilted by the score" },
    [SL_CONTRAST_KL_TILTED_OFF] = { "kl_tilted_off", "E5", "nat", 0, INF, SCORES, 1, "metrics E",
                                    "the other way round" },
    [SL_CONTRAST_TILT_ESS] = { "tilt_ess_share", "E5", "1", 0, 1, SCORES, 1, "metrics E",
                               "effective share of the static answers; trust the tilt from .3 on" },
    [SL_CONTRAST_ENTROPY_GAP] = { "entropy_gap", "E6", "nat", -INF, INF, LOGPS, 1, "metrics E",
                                  "entropy static - on-policy, each under its own law" },
    [SL_CONTRAST_KL_GAP] = { "kl_gap", "E6", "nat", -INF, INF, SCORES | LOGPS, 1, "metrics E",
                             "KL(on, G) - KL(off, G) = quality gap + entropy gap" },
    [SL_CONTRAST_LENGTH_GAP] = { "length_gap", "-", "char", -INF, INF, 0, 1, "",
                                 "characters on-policy - static; stands beside every difference" },
};

static sl_status by_scores(double *v, sl_contrast_input *in)
{
    sl_score_distance d;
    sl_tilt tilt;

    SL_TRY(sl_score_distance_of(&d, in->on, in->m, in->off, in->n));
    tilt = sl_tilt_of(in->off, in->n, in->beta);
    v[SL_CONTRAST_REWARD_GAP] = d.gap;
    v[SL_CONTRAST_REWARD_Z] = in->off_sd > 0.0 ? d.gap / in->off_sd : NAN;
    v[SL_CONTRAST_BS_HARD] = d.auc;
    v[SL_CONTRAST_BS_SOFT] = d.soft;
    v[SL_CONTRAST_CLIFF] = d.cliff;
    v[SL_CONTRAST_KS] = d.ks;
    v[SL_CONTRAST_WASSERSTEIN] = d.wasserstein;
    v[SL_CONTRAST_ENERGY] = d.energy;
    v[SL_CONTRAST_TILT_LOG_Z] = tilt.log_z;
    v[SL_CONTRAST_KL_OFF_TILTED] = tilt.kl_off_tilted;
    v[SL_CONTRAST_KL_TILTED_OFF] = tilt.kl_tilted_off;
    v[SL_CONTRAST_TILT_ESS] = tilt.ess / (double)in->n;
    return SL_OK;
}

sl_status sl_contrast_of(double *v, sl_contrast_input *in)
{
    for (size_t k = 0; k < SL_CONTRAST_COUNT; k++)
        v[k] = NAN;
    if (in->m && in->n)
        SL_TRY(by_scores(v, in));
    v[SL_CONTRAST_ENTROPY_GAP] = in->entropy_off - in->entropy_on;
    v[SL_CONTRAST_KL_GAP] = v[SL_CONTRAST_ENTROPY_GAP] - v[SL_CONTRAST_REWARD_GAP];
    v[SL_CONTRAST_LENGTH_GAP] = in->length_on - in->length_off;
    return SL_OK;
}

sl_value sl_contrast_tv(const sl_value *bs)
{
    const double lean = fabs(2.0 * bs->value - 1.0), root = sqrt(1.0 - lean);
    sl_value v = *bs;

    v.value = 1.0 - root;
    v.se = root > 0.0 ? bs->se / root : NAN;
    return v;
}
