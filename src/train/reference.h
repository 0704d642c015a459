/* The reference policy: which model it is in an iteration, and TR-DPO's moves of it. */
#ifndef SL_TRAIN_REFERENCE_H
#define SL_TRAIN_REFERENCE_H

#include "train/session.h"

/* The model that the feed takes reference log-probabilities from; NULL: none are wanted. */
const sl_model *sl_reference_of(const sl_session *session);
/* Whether the policy must equal the reference before the first update of this iteration. */
int sl_reference_is_policy(const sl_session *session);
/* After an update: reference.policy mixed moves the reference when it is due (arXiv 2404.09656,
 * soft update): reference = alpha policy + (1 - alpha) reference. */
void sl_reference_move(sl_session *session);

#endif
