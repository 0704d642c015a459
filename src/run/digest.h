/* The digest of a run: SHA-256 over all live rows (packed, with wide columns) of the tables that
 * depend neither on the clock nor on crashes, in schema order, rows by (step, rank, position). Same
 * recipe, machine and thread count, or killed and resumed: same digest. */
#ifndef SL_RUN_DIGEST_H
#define SL_RUN_DIGEST_H

#include "run/journal.h"

/* Gives all live rows of a table, in order. */
typedef sl_status (*sl_table_source)(void *with, sl_table table, sl_rows_visit visit,
                                     void *visitor);
/* hex: 65 bytes. */
sl_status sl_digest_of(char *hex, sl_table_source source, void *with) SL_MUSTUSE;

/* Live rows of a run on disk, segments and journals, one rank; until_step: rows beyond are left
 * out (INT64_MAX: none). */
typedef struct sl_live_run {
    const char *run_path;
    const sl_run_identity *identity;
    int64_t until_step;
} sl_live_run;
/* A sl_table_source; with: sl_live_run. */
sl_status sl_live_rows(void *with, sl_table table, sl_rows_visit visit, void *visitor) SL_MUSTUSE;
/* Both together. */
sl_status sl_digest_run(char *hex, const char *run_path) SL_MUSTUSE;

#endif
