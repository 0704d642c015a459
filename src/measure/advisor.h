/* The advisor: who looks at votes while they come in, says "enough", and decides which data come
 * next. The measurement owns this interface and knows no statistics; the program plugs an analyzer
 * in. */
#ifndef SL_MEASURE_ADVISOR_H
#define SL_MEASURE_ADVISOR_H

#include "base/json.h"
#include "base/status.h"
#include "run/schema.h"

/* The votes of one prompt, all pairs of its candidates. */
typedef struct sl_prompt_votes {
    double mean;        /* mean vote for the on-policy side, in [0,1] */
    double margin_on;   /* mean |2p-1| between its on-policy candidates; NaN: fewer than 2 */
    double margin_off;  /* the same of its static candidates */
    double v_on, v_off; /* sums of votes of each side */
    uint32_t votes, ties, dropped;
    uint32_t index; /* of the prompt in the measurement */
} sl_prompt_votes;

typedef struct sl_advisor {
    void *state;
    /* A measurement begins; measurements of a run are numbered from 0. */
    sl_status (*begin)(void *state, uint32_t measurement, int64_t step, uint32_t max_prompts);
    /* One more prompt; *is_enough: the answer is settled. */
    sl_status (*observe)(void *state, const sl_prompt_votes *votes, int *is_enough);
    /* The row of a look at what was observed so far; step, judge and rule are the caller's. */
    sl_status (*look)(void *state, sl_row_boundary *row);
    /* A branch test of this measurement: gains on static and on on-policy data (replicates). NULL:
     * not wanted. */
    sl_status (*branch)(void *state, const double *off, const double *on, size_t replicates);
    /* Ends the measurement: the decision, in row->mix_weight the share of on-policy data from here
     * on; before the call it holds the share in use. Step, ids and names are the caller's. */
    sl_status (*decide)(void *state, sl_row_decisions *row);
    /* What must survive to resume (hysteresis): owned by the caller; and back. */
    sl_status (*save)(void *state, sl_json **out);
    sl_status (*load)(void *state, const sl_json *saved);
    const char *rule;       /* name of the rule, for the record */
    const char *parameters; /* of the rule, as JSON text */
} sl_advisor;

#endif
