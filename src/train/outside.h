/* Decisions from outside (decisions.log): looked for at every step boundary under policy.source
 * advised, recorded and durable before they are acted on. The new share takes effect at the next
 * refill. */
#ifndef SL_TRAIN_OUTSIDE_H
#define SL_TRAIN_OUTSIDE_H

#include "train/session.h"

/* Takes what is there for the session's step; an applied decision to stop sets is_told_to_stop.
 * Errors: SL_EFORMAT when synced bytes of the log are damaged. */
sl_status sl_outside_poll(sl_session *session) SL_MUSTUSE;

#endif
