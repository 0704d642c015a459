/* What the stage benchmark has to show (docs/stage-benchmark.md): points 1 to 4 of the mini world
 * and 7 where it has branch tests, 5 of the full one, on cells of the plain row. */
#ifndef SL_ANALYSIS_STAGES_ACCEPT_H
#define SL_ANALYSIS_STAGES_ACCEPT_H

#include "analysis/stages_verdict.h"

typedef struct sl_stage_check {
    int point, is_held;
    double seed;        /* NaN: over all seeds */
    const char *method; /* NULL: over both */
    char text[200];     /* what was found */
} sl_stage_check;

/* check (most) = the checks that these cells allow; a start that was not measured gives none.
 * Errors: SL_ENOMEM; SL_EINTERNAL over `most`. */
sl_status sl_stage_accept(sl_stage_check *check, size_t *count, size_t most,
                          const sl_stage_cell *const *cell, size_t n) SL_MUSTUSE;

#endif
