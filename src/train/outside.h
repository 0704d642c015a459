/* Decisions from outside (decisions.log): looked for at every step boundary under policy.source
 * advised, recorded and durable before they are acted on. The new share takes effect at the next
 * refill. */
#ifndef SL_TRAIN_OUTSIDE_H
#define SL_TRAIN_OUTSIDE_H

#include "train/session.h"

/* Takes what is there for the session's step; an applied decision to stop sets is_told_to_stop.
 * Errors: SL_EFORMAT when synced bytes of the log are damaged. */
sl_status sl_outside_poll(sl_session *session) SL_MUSTUSE;
/* Under policy.decider outside: waits for an analyzer's decision about the newest measurement, at
 * most policy.wait_s, and takes it as sl_outside_poll does. *is_there 0: none came, the data stay
 * as they are, and the record has a warning; it is taken when it comes later. An attempt that
 * repeats an earlier one does not wait for what the earlier went on without. */
sl_status sl_outside_wait(sl_session *session, sl_row_decisions *decision,
                          int *is_there) SL_MUSTUSE;

#endif
