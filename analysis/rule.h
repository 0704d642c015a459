/* Rules that turn votes into a stage and into the data that come next, as rows of a table, so that
 * `replay` can ask each of them what it would have done (docs/math.md, "Rules"). A rule is written
 * NAME[:KEY=VALUE[,KEY=VALUE...]], as in "kelly:delta=.025".
 *
 * A rule sees one measurement at a time: prompt means in the order in which they were voted. It
 * stops as soon as it may, and says so when the votes end before that. */
#ifndef SL_ANALYSIS_RULE_H
#define SL_ANALYSIS_RULE_H

#include "analysis/decide.h"
#include <stdint.h>

typedef enum sl_rule_key {
    SL_RULE_TAU,   /* threshold */
    SL_RULE_DELTA, /* half width of the indifference zone */
    SL_RULE_ALPHA, /* error, or 1 - level */
    SL_RULE_N,     /* prompts at most, or of a fixed sample; 0: all that were recorded */
    SL_RULE_C,     /* decided measurements in a row that a switch takes */
    SL_RULE_H,     /* margin on either side of tau */
    SL_RULE_ETA,   /* weight of the newest score */
    SL_RULE_LOW,   /* scores between which the share of on-policy pairs goes from 0 to 1 */
    SL_RULE_HIGH,
    SL_RULE_WIDTH, /* of the logistic */
    SL_RULE_PRIOR, /* a of Beta(a, a) */
    SL_RULE_KEEP,  /* share of old votes kept at a new measurement */
    SL_RULE_STEP,  /* most that the share moves in one measurement */
    SL_RULE_EDGE,  /* the share stays within [edge, 1 - edge] */
    SL_RULE_KEYS
} sl_rule_key;

typedef struct sl_rule_row sl_rule_row;
typedef struct sl_rule {
    const sl_rule_row *row;
    double value[SL_RULE_KEYS];
    char text[160]; /* with all its parameters */
} sl_rule;

/* Prompt means of one measurement. */
typedef struct sl_rule_votes {
    const double *mean;    /* (prompts) in [0,1] */
    const uint32_t *votes; /* (prompts) votes behind each */
    size_t prompts;
} sl_rule_votes;

/* What a rule remembers between measurements; zeros before the first. */
typedef struct sl_rule_memory {
    sl_hysteresis hysteresis;
    double average, variance; /* moving */
    int has_average;
    double wins, losses, weight;
    size_t seen; /* measurements */
} sl_rule_memory;

typedef struct sl_rule_look {
    double score, lower, upper; /* at the stop; NaN: the rule has no interval */
    double weight;              /* share of on-policy pairs from here on */
    size_t prompts, votes;      /* used */
    sl_stage side, state;       /* of this measurement; after it */
    int is_switch;              /* another source from here on than before */
    int is_short;               /* the votes ended before the rule could answer */
} sl_rule_look;

struct sl_rule_row {
    const char *name, *what;
    uint32_t keys; /* bits of sl_rule_key */
    double fallback[SL_RULE_KEYS];
    int is_mix; /* decides the share itself, not by its side */
    sl_status (*look)(sl_rule_look *out, sl_rule_memory *memory, const sl_rule *rule,
                      const sl_rule_votes *votes);
};
extern const sl_rule_row sl_rules[];
extern const size_t sl_rule_count;

/* Errors: SL_EUSAGE with the nearest name or the range. */
sl_status sl_rule_parse(sl_rule *out, const char *text) SL_MUSTUSE;
/* One measurement more. */
sl_status sl_rule_step(sl_rule_look *out, sl_rule_memory *memory, const sl_rule *rule,
                       const sl_rule_votes *votes) SL_MUSTUSE;
const char *sl_rule_key_name(sl_rule_key key);

#endif
