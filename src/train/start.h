/* The check of the start: at the first update of an iteration policy and reference are the same
 * function, so every margin is 0 and a DPO loss is ln 2. */
#ifndef SL_TRAIN_START_H
#define SL_TRAIN_START_H

#include "train/session.h"

/* Largest |log-probability difference| per answer token that rounding explains: the reference pass
 * packs other pairs together, so sums may be taken in another order. */
#define SL_START_BOUND_PER_TOK 2e-5

/* With reference.logps stored the policy at the start of the run must give what the data say,
 * within reference.fit. Errors: SL_ENUMERIC naming the tensor in which policy and reference differ
 * or, when they are equal, the pair and the setting that can explain it. OK at every other update,
 * without a reference, and with method.check_start false. */
sl_status sl_start_check(const sl_session *session) SL_MUSTUSE;

#endif
