/* Lines of examples/trl_callback.py: what is said of a step stands together, steps ascend within an
 * attempt. The reader goes over the file twice: the first time it only checks and counts, so that
 * run.json can say what was read before the first row is written. */
#ifndef SL_IMPORT_TRL_H
#define SL_IMPORT_TRL_H

#include "import/import_int.h"

typedef struct sl_trl_log {
    char *name; /* owned */
    double value;
} sl_trl_log;

typedef struct sl_trl {
    sl_import_report *report;
    const sl_import_format *format;
    const char *path; /* of the run; NULL: check only */
    sl_run *run;
    int has_run;        /* a line of kind "run" was read */
    int64_t step, from; /* of the unit at hand, -1: none; the attempt begins behind it */
    int is_open;        /* the unit has lines */
    uint32_t measurement;
    int has_step;
    sl_row_steps row;
    double utc_s;
    sl_row_pairs *pair; /* (pairs) of the unit */
    sl_row_tokens *token;
    sl_row_votes *vote;
    sl_trl_log *log;
    size_t pairs, tokens, votes, logs;
    size_t pair_capacity, token_capacity, vote_capacity, log_capacity;
} sl_trl;

/* One line. SL_EFORMAT: it is bad, nothing of it is kept. */
sl_status sl_trl_line(void *trl, const sl_json *row) SL_MUSTUSE;
/* Writes the unit at hand and empties it. */
sl_status sl_trl_flush(sl_trl *t) SL_MUSTUSE;
/* The run of the first line of kind "run". */
sl_status sl_trl_create(sl_trl *t, const sl_json *settings) SL_MUSTUSE;
void sl_trl_close(sl_trl *t);

#endif
