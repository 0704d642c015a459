/* Reward models: one score of an answer, score.weight times the normed hidden state of its last
 * token, as transformers' *ForSequenceClassification with one label computes it. A model whose
 * config is_scorer. */
#ifndef SL_MODEL_REWARD_H
#define SL_MODEL_REWARD_H

#include "model/model.h"

/* reward (B) of the batch's sequences; after forward of the same batch. Errors: SL_EARG unless the
 * model is a reward model, SL_ESHAPE unless every sequence has a segment of its own (sl_pack). */
sl_status sl_model_rewards(float *reward, const sl_model *model, sl_work *work,
                           const sl_packed *batch) SL_MUSTUSE;
/* Adds the gradient of sum_b coef[b] * reward[b]; coef (B). After sl_model_rewards of the batch;
 * may be called again. */
sl_status sl_model_rewards_backward(sl_model *model, sl_work *work, const sl_packed *batch,
                                    const float *coef) SL_MUSTUSE;
/* A reward model with the blocks of a language model and a head N(0, 1/(D+1)), drawn from (seed,
 * "score head"). */
sl_status sl_model_scorer_of(sl_model **out, const sl_model *from, uint64_t seed,
                             int is_trainable) SL_MUSTUSE;

#endif
