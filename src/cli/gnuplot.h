/* gnuplot as a child process. No shell: file names may hold any byte. */
#ifndef SL_CLI_GNUPLOT_H
#define SL_CLI_GNUPLOT_H

#include "base/status.h"

enum { SL_GNUPLOT_MOST = 8 };

/* Runs a script without the person's own settings; argument (NULL-terminated, at most
 * SL_GNUPLOT_MOST) becomes ARG1, ARG2, ... of it. Errors: SL_EIO when there is no gnuplot or it
 * failed, with the last line it complained in. */
sl_status sl_gnuplot_run(const char *script, const char *const *argument) SL_MUSTUSE;

#endif
