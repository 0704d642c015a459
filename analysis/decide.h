/* From verdicts to decisions (docs/math.md D4): hysteresis over measurements and mixing weights.
 * Plain values in, plain values out: the live advisor and the analyzer of a record run the same
 * code. */
#ifndef SL_ANALYSIS_DECIDE_H
#define SL_ANALYSIS_DECIDE_H

#include "analysis/boundary.h"
#include "base/json.h"

/* State after measurements in a row. */
typedef struct sl_hysteresis {
    sl_stage state;  /* SL_STAGE_UNDECIDED before the first decided measurement */
    int consecutive; /* measurements on the other side that it takes to switch */
    int count;       /* seen so far on the other side, without a break */
} sl_hysteresis;

/* One measurement: its side, SL_STAGE_UNDECIDED when undecided, which keeps the state and starts
 * the count anew. The first decided one sets the state. Returns 1 when the state changed. */
int sl_hysteresis_step(sl_hysteresis *h, sl_stage side);
/* The side of an interval: beyond 1/2 +- margin. */
sl_stage sl_interval_side(double lower, double upper, double centre, double margin);

/* Share of on-policy pairs by the score (docs/math.md D4). */
double sl_mix_linear(double bs, double low, double high);
double sl_mix_smoothstep(double bs, double low, double high);
double sl_mix_logistic(double bs, double centre, double width);

/* How measurements become decisions: one source or the other by hysteresis, or a share of both. */
typedef enum sl_advice {
    SL_ADVICE_HARD,
    SL_ADVICE_BRANCH,     /* by the branch test of the measurement, in place of the votes */
    SL_ADVICE_LINEAR,     /* of the smoothed score, 0 to 1 over tau +- width */
    SL_ADVICE_SMOOTHSTEP, /* the same, with level ends */
    SL_ADVICE_LOGISTIC,   /* sigmoid((score - tau) / width) */
    SL_ADVICE_POSTERIOR   /* P(score > tau) under a Beta(1/2, 1/2) prior, one vote a prompt */
} sl_advice;
extern const char *const sl_advice_names[]; /* NULL-terminated */

typedef struct sl_decision_rule {
    int advice;      /* sl_advice */
    int consecutive; /* hard: measurements on the other side that it takes to switch */
    double width;
    double ema;    /* weight of the newest score in the smoothed one; 1: that alone */
    double forget; /* posterior: what earlier prompts count at the next measurement, of 1 */
    double change; /* largest change of the share at a decision */
    double least;  /* share that each source keeps, so that both stay measurable */
    double first;  /* share before the first decision; hard: 0 */
} sl_decision_rule;
sl_decision_rule sl_decision_rule_defaults(void); /* hard, 1, .05, .5, .8, .25, .05, 0 */
/* From a recipe as a run holds it (measure.consecutive, policy.advice, ...); what it does not name
 * is as above. Live and on a record alike. Errors: SL_EFORMAT for values out of range. */
sl_status sl_decision_rule_read(sl_decision_rule *out, const sl_json *recipe) SL_MUSTUSE;

/* What measurements leave behind for the next. */
typedef struct sl_decision_state {
    sl_hysteresis hysteresis;
    int measured;        /* measurements that had votes */
    double score;        /* smoothed; 0 before the first */
    double wins, losses; /* prompts, forgotten little by little */
    double branch_ss;    /* branch tests: squares about the means of their differences */
    int branch_dof;      /* their degrees of freedom */
    sl_stage branch;     /* winner of the test of this measurement; used up by its decision */
} sl_decision_state;
/* The state as JSON, owned by the caller, and back: bit for bit. */
sl_status sl_decision_state_save(sl_json **out, const sl_decision_state *state) SL_MUSTUSE;
sl_status sl_decision_state_load(sl_decision_state *out, const sl_json *saved) SL_MUSTUSE;

/* The branch test of the measurement that ends next: gains on static and on on-policy data
 * (replicates). The winner is beyond two standard errors by the sd pooled over the tests so far. */
void sl_decision_branch(sl_decision_state *state, const double *off, const double *on,
                        size_t replicates);

/* Ends a measurement: fills the decision; ids and names are the caller's. share: of on-policy pairs
 * in use; mix_weight is that from here on. Without votes everything stays as it is. */
sl_status sl_decision_row(sl_row_decisions *row, sl_decision_state *state,
                          const sl_decision_rule *rule, const sl_boundary *b,
                          double share) SL_MUSTUSE;

#endif
