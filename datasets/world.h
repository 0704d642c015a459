/* The built-in ground-truth world: a tiny task in which reward, label law and every expectation are
 * known exactly. docs/math.md "The built-in world" has the definition. */
#ifndef SL_DATASETS_WORLD_H
#define SL_DATASETS_WORLD_H

#include "base/rng.h"
#include <stdint.h>

enum { SL_WORLD_VOCAB = 27, SL_WORLD_PROMPT = 8, SL_WORLD_ANSWER = 10, SL_WORLD_CONTENT = 6 };

/* Slot rewards r (10, 27) of a prompt: r[t][v]. The reward of an answer is the sum of its slots. */
void sl_world_rewards(double r[SL_WORLD_ANSWER][SL_WORLD_VOCAB],
                      const int32_t prompt[SL_WORLD_PROMPT]);
double sl_world_reward(const int32_t prompt[SL_WORLD_PROMPT],
                       const int32_t answer[SL_WORLD_ANSWER]);
double sl_world_log_z(void); /* 30.2226012... for every prompt */
/* The right letter of content slot i. */
int32_t sl_world_right(const int32_t prompt[SL_WORLD_PROMPT], int slot);

/* A generator: independent slots. */
typedef struct sl_world_generator {
    double content, style, quirk;
    double habit[4][8]; /* style slot x symbol */
} sl_world_generator;
/* Log-probabilities of one slot over the vocabulary (-inf: never). */
void sl_world_slot(double logp[SL_WORLD_VOCAB], const sl_world_generator *g,
                   const int32_t prompt[SL_WORLD_PROMPT], int slot);
void sl_world_draw(int32_t answer[SL_WORLD_ANSWER], const sl_world_generator *g,
                   const int32_t prompt[SL_WORLD_PROMPT], sl_rng *rng);
void sl_world_prompt(int32_t prompt[SL_WORLD_PROMPT], sl_rng *rng);

/* Exact expectations of one prompt from the policy's log-probabilities logp (10, 27) along one
 * sampled answer (Rao-Blackwell: each slot integrated over the vocabulary). */
typedef struct sl_world_exact {
    double reward, entropy, kl, accuracy; /* E r; H(pi); KL(pi|pi_G); content accuracy */
} sl_world_exact;
void sl_world_exact_of(sl_world_exact *out, const int32_t prompt[SL_WORLD_PROMPT],
                       const double logp[SL_WORLD_ANSWER][SL_WORLD_VOCAB]);
/* The ground-truth law itself, slot by slot: for tests and for the exact sampler. */
void sl_world_truth_slot(double logp[SL_WORLD_VOCAB], const int32_t prompt[SL_WORLD_PROMPT],
                         int slot);

#endif
