/* What cells of the stage benchmark say about the rule "score below 1/2: static data next, else
 * on-policy data": how often it names the source that gains more, what it costs against other
 * rules, where the winner really changes, and what its votes cost. Truth is the exact reward. */
#ifndef SL_ANALYSIS_STAGES_VERDICT_H
#define SL_ANALYSIS_STAGES_VERDICT_H

#include "analysis/stages.h"

/* Gains closer than this are not called: data order and labels alone move them apart as far. */
#define SL_STAGE_CLEAR 0.1
/* Scores in between are near the threshold of every recipe that samples both kinds alike. */
#define SL_STAGE_NEAR_LOW 0.30
#define SL_STAGE_NEAR_HIGH 0.55

/* Which cells; NULL, NaN: any. */
typedef struct sl_stage_filter {
    const char *variant, *method;
    double seed, strength;
} sl_stage_filter;
sl_stage_filter sl_stage_any(void);
int sl_stage_passes(const sl_stage_cell *cell, const sl_stage_filter *filter);
/* out (n) = those that pass, in their order; returns how many. */
size_t sl_stage_select(const sl_stage_cell **out, const sl_stage_cell *const *cell, size_t n,
                       const sl_stage_filter *filter);

double sl_stage_difference(const sl_stage_cell *cell); /* gain on-policy - gain static */
/* Whether the score of policies there names on-policy data. */
int sl_stage_says_on_policy(const sl_stage_cell *cell, sl_place at);
/* Gain on-policy / gain static; NaN unless the static gain is positive. */
double sl_stage_ratio(const sl_stage_cell *cell);

typedef struct sl_stage_count {
    size_t right, of;
    double share;         /* NaN: none */
    sl_interval interval; /* Wilson, .95 */
} sl_stage_count;
void sl_stage_count_add(sl_stage_count *count, int is_right);
void sl_stage_count_close(sl_stage_count *count); /* share and interval, when all are in */

typedef struct sl_stage_verdicts {
    sl_stage_count all, clear, outside; /* outside: clear, and the score not near the threshold */
    size_t confusion[2][2];             /* clear cells: said injection, fine-tuning; true winner */
    double wrong_low, wrong_high;       /* scores of wrong clear cells; NaN: none is wrong */
} sl_stage_verdicts;
/* at: where the policies stand that are asked, at the start or after one iteration on a source;
 * cells that were not trained on from there count nothing. */
sl_stage_verdicts sl_stage_verdicts_of(const sl_stage_cell *const *cell, size_t n, sl_place at);

/* The score at which on-policy data begin to win: by linear interpolation of the difference over
 * cells of one row, method and seed in the order of their scores. -inf: they win everywhere; +inf:
 * nowhere. */
double sl_stage_crossing(const sl_stage_cell *const *cell, size_t n);

typedef enum sl_stage_rule {
    SL_STAGE_GUIDED,   /* by the score, measured before every iteration */
    SL_STAGE_BRANCHED, /* the source that gained more in the branch test; one iteration */
    SL_STAGE_STATIC,
    SL_STAGE_ON_POLICY,
    SL_STAGE_SWITCH, /* static first, then on-policy; needs two iterations */
    SL_STAGE_ORACLE, /* the best there is */
    SL_STAGE_RULES
} sl_stage_rule;
extern const char *const sl_stage_rule_names[SL_STAGE_RULES];
/* Total gain of a cell under a rule after 1 or 2 iterations; NaN where it was not measured. */
double sl_stage_gain(const sl_stage_cell *cell, sl_stage_rule rule, int iterations);

typedef struct sl_stage_rule_sum {
    double gain, regret; /* means over cells; regret against the oracle */
    size_t best, of;     /* cells in which the rule is the best there is */
} sl_stage_rule_sum;
sl_stage_rule_sum sl_stage_rule_of(const sl_stage_cell *const *cell, size_t n, sl_stage_rule rule,
                                   int iterations);

/* The sequential test against the whole sample. */
typedef struct sl_stage_votes {
    double votes, fixed_votes; /* means */
    size_t of, undecided;      /* starts; without an answer after all prompts */
    size_t other_side;         /* answered, but not as the whole sample */
    size_t wrong, fixed_wrong; /* against the truth, clear cells; an undecided one is none */
    size_t clear;
} sl_stage_votes;
sl_stage_votes sl_stage_votes_of(const sl_stage_cell *const *cell, size_t n);

#endif
