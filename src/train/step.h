/* One update of the policy. */
#ifndef SL_TRAIN_STEP_H
#define SL_TRAIN_STEP_H

#include "train/session.h"

/* Makes theta_s from theta_{s-1} with the pairs of the session's next update, and records it.
 * Errors: SL_ENUMERIC naming step and pair or tensor; nothing of the failed update is recorded. */
sl_status sl_train_step(sl_session *session) SL_MUSTUSE;

#endif
