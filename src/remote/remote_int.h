/* What process and http share: the clock of time-outs, the stop flag, SIGPIPE held off. */
#ifndef SL_REMOTE_REMOTE_INT_H
#define SL_REMOTE_REMOTE_INT_H

#include "remote/remote.h"
#include <signal.h>

enum { SL_REMOTE_SLICE_MS = 100 }; /* longest wait between looks at the stop flag */

double sl_remote_now(void); /* seconds, monotonic */
/* SL_EINTERRUPT when the flag is up; NULL: never. */
sl_status sl_remote_stopped(const volatile int *stop) SL_MUSTUSE;
/* At most SL_REMOTE_SLICE_MS, at least 0, until the time `until`. */
int sl_remote_slice_ms(double until);

/* *out: an environment of borrowed entries, NULL at the end; owned by the caller. names: see
 * sl_process_settings; NULL: none. Errors: SL_EARG for one that is not there. */
sl_status sl_environment_take(char ***out, const char *names) SL_MUSTUSE;

/* Between hold and release, writing to a closed pipe gives EPIPE and no signal, for this thread. */
typedef struct sl_sigpipe {
    sigset_t old;
    int was_pending;
} sl_sigpipe;
void sl_sigpipe_hold(sl_sigpipe *held);
void sl_sigpipe_release(const sl_sigpipe *held);

#endif
