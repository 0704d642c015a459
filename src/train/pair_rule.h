/* Rules that make one preference pair of the scored answers to a prompt: one row of a table
 * (pair_rule.c) a rule. Pure functions of scores, ids and a random stream. */
#ifndef SL_TRAIN_PAIR_RULE_H
#define SL_TRAIN_PAIR_RULE_H

#include "base/rng.h"
#include "base/status.h"

enum { SL_CANDIDATES_MOST = 64 }; /* answers of a prompt */

typedef enum sl_pair_rule {
    SL_RULE_TWO,         /* two answers, labelled */
    SL_RULE_BEST_WORST,  /* first and last by label */
    SL_RULE_BEST_RANDOM, /* the first and another at random */
    SL_RULE_MARGIN       /* at random of all pairs that are far enough apart */
} sl_pair_rule;
extern const char *const sl_pair_rule_names[];

typedef enum sl_labels {
    SL_LABELS_DRAWN, /* by the judge's probability: Gumbel noise on scores / temperature */
    SL_LABELS_BEST   /* the higher score wins */
} sl_labels;
extern const char *const sl_labels_names[];

typedef struct sl_pair_settings {
    sl_pair_rule rule;
    sl_labels labels;
    double margin;      /* log-odds between the two, at least */
    double temperature; /* of drawn labels */
} sl_pair_settings;

typedef enum sl_pair_fate {
    SL_PAIR_KEPT,
    SL_PAIR_SAME, /* dropped: fewer than two different answers */
    SL_PAIR_CLOSE /* dropped: closer than the margin, or equal where the best must win */
} sl_pair_fate;

typedef struct sl_pick {
    size_t chosen, rejected; /* of the answers; undefined unless kept */
    double label_p;          /* of the label, under the judge's law */
    int is_tie;              /* equal scores */
    sl_pair_fate fate;
    uint32_t duplicates; /* answers that stand earlier in the list too */
} sl_pick;

/* score (n): log-odds (Bradley-Terry) of each answer, finite; id (n): the same for the same answer.
 * n <= SL_CANDIDATES_MOST. Of equal answers the first counts; of equal scores the first wins. */
sl_pick sl_pair_pick(const sl_pair_settings *settings, const double *score, const uint64_t *id,
                     size_t n, sl_rng *rng);

#endif
