/* Where a session's answers come from: the sampler with its judge and buffers, and which model it
 * holds. */
#ifndef SL_TRAIN_SAMPLING_H
#define SL_TRAIN_SAMPLING_H

#include "train/session.h"

/* On-policy data and measurements need a judge; static training does without. */
int sl_sampling_needs_judge(const sl_recipe *recipe);
/* Whether a copy of the policy is kept for a refill: its answers come from a policy that has moved
 * on. */
int sl_sampling_has_drawer(const sl_recipe *recipe);
/* Answers sampled at once. */
size_t sl_sampling_batch(const sl_session *session);
/* Bytes of the KV cache for that. */
size_t sl_sampling_cache_bytes(const sl_session *session);
sl_draw_settings sl_sampling_draw(const sl_session *session);
/* Memory of the parameters of a judge that is a model here, where the session has a judge. */
sl_status sl_sampling_judge_bytes(size_t *bytes, const sl_session *session) SL_MUSTUSE;
/* Opens judge, measurement and sampler of a session whose data and models are open. */
sl_status sl_sampling_open(sl_session *session) SL_MUSTUSE;
/* A session without a policy: data with words, judge and measurement, answers from elsewhere. */
sl_status sl_sampling_open_elsewhere(sl_session *session) SL_MUSTUSE;

#endif
