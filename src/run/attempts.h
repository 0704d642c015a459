/* Attempts and live rows. A resume from checkpoint C begins attempt + 1 with resumed_from = C; a
 * row of attempt a is live iff its step <= resumed_from of every later attempt. Rows of a table
 * ascend by step within an attempt, so the live part of a segment's table is a prefix. */
#ifndef SL_RUN_ATTEMPTS_H
#define SL_RUN_ATTEMPTS_H

#include "base/status.h"
#include <stddef.h>
#include <stdint.h>

typedef struct sl_attempt {
    uint32_t attempt;     /* from 1 */
    int64_t resumed_from; /* step; -1 for the first */
} sl_attempt;

typedef struct sl_attempts {
    sl_attempt *row; /* (count), ascending, owned */
    size_t count, capacity;
} sl_attempts;

/* Adds an attempt unless it is there. Errors: SL_EFORMAT when it is there with another
 * resumed_from, or when numbers do not ascend. */
sl_status sl_attempts_add(sl_attempts *attempts, uint32_t attempt, int64_t resumed_from) SL_MUSTUSE;
void sl_attempts_close(sl_attempts *attempts);
/* Rows of `attempt` are live up to and including this step; INT64_MAX when none came later. */
int64_t sl_attempts_live_until(const sl_attempts *attempts, uint32_t attempt);
/* How many of `count` packed rows (each row_bytes apart, ascending by step) are live: the length of
 * the prefix with step <= until. */
size_t sl_attempts_live_prefix(const unsigned char *rows, size_t count, size_t row_bytes,
                               int64_t until);

#endif
