/* A measurement of the policy and what follows from it: the decision is recorded and durable before
 * it is acted on. */
#ifndef SL_TRAIN_DECIDE_H
#define SL_TRAIN_DECIDE_H

#include "train/session.h"

/* Measures the sampler's model; with policy.source advised sets the mix. Fills last_bs and
 * decision_note (a sentence for people). */
sl_status sl_decide_measure(sl_session *session) SL_MUSTUSE;

#endif
