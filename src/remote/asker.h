/* Questions to a long-lived program outside: one line of JSON with an id each, answers in any order
 * within a batch. A program that dies or is silent is started again and asked what it left open, a
 * bounded number of times; not so one that never answered or that breaks the protocol. */
#ifndef SL_REMOTE_ASKER_H
#define SL_REMOTE_ASKER_H

#include "base/status.h"
#include <stddef.h>
#include <stdint.h>

typedef struct sl_asker sl_asker;

typedef struct sl_asker_settings {
    const char *command;      /* for /bin/sh -c; copied */
    const char *env;          /* sl_process_settings; copied */
    double start_s;           /* for its first answer, over timeout_s */
    double timeout_s;         /* of a batch */
    double backoff_s;         /* before the first new attempt; doubles */
    uint32_t retries;         /* attempts after the first */
    const volatile int *stop; /* borrowed until close; not 0: SL_EINTERRUPT; NULL: never */
} sl_asker_settings;

/* Errors: SL_EARG without a command. The program is started by the first question. */
sl_status sl_asker_open(sl_asker **out, const sl_asker_settings *settings) SL_MUSTUSE;
void sl_asker_close(sl_asker **asker);

typedef struct sl_asker_batch {
    void *with;
    size_t count;
    /* *out: question i as one line without its break, with that id; owned by the caller. Called
     * once for each attempt. */
    sl_status (*write)(void *with, char **out, size_t i, int64_t id);
    /* Reads a line into what belongs to `with`: its id. Errors: SL_EFORMAT. */
    sl_status (*read)(void *with, int64_t *id, const char *line, size_t bytes);
    void (*keep)(void *with, size_t i); /* what was read last is the answer to question i */
} sl_asker_batch;
/* Answers that were kept stay on failure. Errors: SL_EIO when it died or was late, after its
 * retries; SL_EFORMAT for answers out of protocol; SL_EINTERRUPT; those of write. */
sl_status sl_asker_ask(sl_asker *asker, const sl_asker_batch *batch) SL_MUSTUSE;

#endif
