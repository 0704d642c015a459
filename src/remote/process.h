/* A long-lived program outside: started once, asked in lines of text on its stdin, answering in
 * lines on its stdout; what it writes to stderr is kept for messages. It runs in a process group of
 * its own, so that Ctrl-C reaches only us and closing reaches all of its children. */
#ifndef SL_REMOTE_PROCESS_H
#define SL_REMOTE_PROCESS_H

#include "base/status.h"
#include <stddef.h>

typedef struct sl_process sl_process;

typedef struct sl_process_settings {
    const char *command;      /* for /bin/sh -c */
    const char *env;          /* names of variables, blanks between, that it gets beside PATH, HOME,
                               * USER, LOGNAME, SHELL, TMPDIR, TZ, LANG, LANGUAGE and LC_*; NULL:
                               * none */
    size_t most_line_bytes;   /* of an answer */
    const volatile int *stop; /* borrowed until close; not 0: SL_EINTERRUPT; NULL: never */
} sl_process_settings;
sl_process_settings sl_process_defaults(void); /* lines of 1 MiB */

/* Starts it. That the shell finds no such program is seen in the first exchange. Errors: SL_EIO;
 * SL_EARG for a variable that is named and not there. */
sl_status sl_process_open(sl_process **out, const sl_process_settings *settings) SL_MUSTUSE;
/* Closes its stdin, waits a second (after a failure: not), then ends it and all of its group;
 * nothing is left behind. */
void sl_process_close(sl_process **process);

/* Takes a line without its line break; *is_done: no more are wanted. */
typedef sl_status (*sl_process_line)(void *with, int *is_done, const char *line, size_t bytes);
/* Writes text (bytes) and gives every line that comes to `line`, both at once, until is_done. After
 * a failure only sl_process_close makes sense. Errors: SL_EIO when it ended, closed its stdout or
 * was silent for timeout_s in all, with its last words; SL_EFORMAT for a line over the limit or an
 * end before all of the text was read; SL_EINTERRUPT; what `line` returns. */
sl_status sl_process_exchange(sl_process *process, const char *text, size_t bytes, double timeout_s,
                              sl_process_line line, void *with) SL_MUSTUSE;

#endif
