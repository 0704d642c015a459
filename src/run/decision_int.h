/* decisions.log as bytes: what both sides and verify read. */
#ifndef SL_RUN_DECISION_INT_H
#define SL_RUN_DECISION_INT_H

#include "run/files.h"
#include "run/journal.h"

enum { SL_DECISIONS_MAX = 256 << 20 }; /* bytes of decisions.log */

typedef struct sl_decision_log {
    unsigned char *data; /* (bytes) a copy: a decider may cut a torn end, owned */
    size_t bytes;
    sl_journal *journal; /* NULL: the file holds nothing whole yet */
    size_t read_to;      /* bytes up to which STARTs were looked for */
    char *rule;          /* of the latest START, owned */
    int has_row;
    sl_row_decisions row;
    sl_commit commit; /* of the last unit */
} sl_decision_log;

sl_status sl_decision_log_open(sl_decision_log *out, const char *path,
                               const sl_run_identity *identity) SL_MUSTUSE;
/* Whether what follows the last decision is no whole frame. */
int sl_decision_log_is_torn(const sl_decision_log *log);
void sl_decision_log_close(sl_decision_log *log);
/* The next decision without taking it; *there = 0: none. rule: borrowed until the next call.
 * Errors: SL_EFORMAT when a unit is no decision, or synced bytes are damaged. */
sl_status sl_decision_log_peek(sl_decision_log *log, sl_row_decisions *row, const char **rule,
                               int *there) SL_MUSTUSE;
void sl_decision_log_take(sl_decision_log *log);

#endif
