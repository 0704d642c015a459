/* Whether the memory plan fits the machine: refused before anything large is taken. */
#ifndef SL_TRAIN_MEMORY_H
#define SL_TRAIN_MEMORY_H

#include "base/status.h"
#include <stddef.h>

/* Bytes of the machine's memory; 0: the system does not tell. */
size_t sl_memory_physical(void);
/* Errors: SL_ENOMEM with the number needed and the settings that shrink it when `bytes` is over
 * `limit` (0: no limit). what: of which part of the plan. */
sl_status sl_memory_check(size_t bytes, size_t limit, const char *what) SL_MUSTUSE;

#endif
