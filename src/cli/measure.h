/* What `measure` prints. */
#ifndef SL_CLI_MEASURE_H
#define SL_CLI_MEASURE_H

#include "cli/measure_branch.h"

typedef struct sl_measured {
    const char *policy, *data, *judge;
    const char *run; /* NULL: no record was made */
    uint32_t max_prompts, fixed_prompts, votes_per_prompt;
    const sl_boundary_settings *settings;
    const sl_branch *branch; /* NULL: no branch test */
} sl_measured;

/* Schema stageline.measure/1: the keys of a point of stageline.analysis/1. */
sl_status sl_measured_json(const sl_measured *m, const sl_verdict *v) SL_MUSTUSE;
/* A few lines for people; the verdict in a sentence. */
sl_status sl_measured_text(const sl_measured *m, const sl_verdict *v) SL_MUSTUSE;

#endif
