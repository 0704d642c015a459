/* Exact expectations of a policy on the built-in world: one sampled answer a prompt gives the
 * prefix, each slot is integrated over the vocabulary (Rao-Blackwell). The prompts are frozen, so
 * gains are differences on the same prompts. */
#ifndef SL_TRAIN_EXACT_H
#define SL_TRAIN_EXACT_H

#include "train/session.h"

typedef struct sl_exact {
    double reward, reward_se, entropy, kl, accuracy; /* means over prompts; nats */
    uint32_t prompts;
} sl_exact;

/* per_prompt (exact_prompts) = expected reward of each. model: of the policy's config. Samples are
 * keyed by the prompt alone: the same noise for every policy. */
sl_status sl_exact_measure(sl_exact *out, double *per_prompt, sl_session *session,
                           const sl_model *model) SL_MUSTUSE;
/* Mean and standard error of after - before, prompt by prompt. */
void sl_exact_gain(double *gain, double *se, const double *before, const double *after, size_t n);

#endif
