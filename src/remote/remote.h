/* What everyone who asks outside needs: patience and caution. */
#ifndef SL_REMOTE_REMOTE_H
#define SL_REMOTE_REMOTE_H

#include "base/status.h"
#include <stddef.h>

/* What a stranger wrote, fit for a message: control characters are spaces, blanks at the ends and
 * runs of them are gone. The end of the text stays when it is longer than out. */
void sl_remote_quote(char *out, size_t size, const char *text, size_t bytes);

/* Sleeps. Errors: SL_EINTERRUPT as soon as *stop is not 0; stop NULL: never. */
sl_status sl_remote_wait(double seconds, const volatile int *stop) SL_MUSTUSE;

#endif
