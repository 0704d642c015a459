/* What sets two sets of answers to the same prompts apart: one prompt at a time, from scores and
 * log-probabilities (docs/math.md E). A table like that of answers.h. */
#ifndef SL_ANALYSIS_CONTRAST_H
#define SL_ANALYSIS_CONTRAST_H

#include "analysis/answers.h"

typedef enum sl_contrast_id {
    SL_CONTRAST_REWARD_GAP,
    SL_CONTRAST_REWARD_Z,
    SL_CONTRAST_BS_HARD,
    SL_CONTRAST_BS_SOFT,
    SL_CONTRAST_CLIFF,
    SL_CONTRAST_TV,
    SL_CONTRAST_KS,
    SL_CONTRAST_WASSERSTEIN,
    SL_CONTRAST_ENERGY,
    SL_CONTRAST_TILT_LOG_Z,
    SL_CONTRAST_KL_OFF_TILTED,
    SL_CONTRAST_KL_TILTED_OFF,
    SL_CONTRAST_TILT_ESS,
    SL_CONTRAST_ENTROPY_GAP,
    SL_CONTRAST_KL_GAP,
    SL_CONTRAST_LENGTH_GAP,
    SL_CONTRAST_COUNT
} sl_contrast_id;
extern const sl_metric sl_contrasts[SL_CONTRAST_COUNT];

/* One prompt. Scores finite; entropies are means of -log p, NaN: unknown. */
typedef struct sl_contrast_input {
    double *on, *off; /* (m), (n) scores; come back ascending */
    size_t m, n;
    double entropy_on, entropy_off, length_on, length_off; /* nats; characters */
    double off_mean, off_sd; /* of all static scores: the frozen baseline of z */
    double beta;             /* of the tilt, in units of the score */
} sl_contrast_input;
/* value (SL_CONTRAST_COUNT): NaN where undefined. The bound of the total variation is NaN: that of
 * one prompt's few answers is noise, sl_contrast_tv takes the mean. */
sl_status sl_contrast_of(double *value, sl_contrast_input *in) SL_MUSTUSE;
/* tv: the row of SL_CONTRAST_TV from the one of SL_CONTRAST_BS_HARD; its error by the delta method.
 */
sl_value sl_contrast_tv(const sl_value *bs_hard);

#endif
