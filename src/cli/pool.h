/* Jobs over processes: each job runs in a fork of this program with nothing shared, so that one
 * thread a job fills the processors and a job that dies takes nothing with it. The parent must have
 * no threads of its own. */
#ifndef SL_CLI_POOL_H
#define SL_CLI_POOL_H

#include "base/status.h"
#include <stddef.h>

typedef struct sl_pool {
    void *state;
    size_t processes; /* at a time, at least 1 */
    /* In the child: *text, owned by the caller, is what the job has to say. Its error is the
     * parent's. */
    sl_status (*work)(void *state, size_t job, char **text);
    /* In the parent, as jobs end, in any order. */
    sl_status (*done)(void *state, size_t job, const char *text, size_t bytes);
    const volatile int *stop; /* not 0: begin no job any more; may be NULL */
} sl_pool;

/* Runs jobs 0 .. count-1. After the first error no job begins; those that run are waited for.
 * Errors: the job's own; SL_EIO when a process ends without a word; SL_EINTERRUPT by stop. */
sl_status sl_pool_run(const sl_pool *pool, size_t count) SL_MUSTUSE;

#endif
