/* A scorer of answers against a rule, on pairs whose better answer is known: how often each names
 * it, and the difference on the same pairs. Prompts are the sampling unit. */
#ifndef SL_ANALYSIS_RANKING_H
#define SL_ANALYSIS_RANKING_H

#include "analysis/interval.h"

/* Of one pair: what the scorer and the rule give the better answer above the other one. */
typedef struct sl_ranked_pair {
    uint64_t prompt; /* id */
    double score, rule;
} sl_ranked_pair;

/* A share of pairs, as a mean over prompts; a difference of 0 names no answer and counts 1/2. */
typedef struct sl_ranked_share {
    double value;
    sl_interval interval; /* Student's t over prompts; NaN below 2 prompts */
} sl_ranked_share;

typedef enum sl_ranking_verdict {
    SL_RANKING_UNDECIDED, /* the interval of the difference holds 0, or there is none */
    SL_RANKING_BETTER,
    SL_RANKING_WORSE
} sl_ranking_verdict;
extern const char *const sl_ranking_verdict_names[];

typedef struct sl_ranking {
    size_t pairs, prompts;
    double alpha;
    sl_ranked_share scorer, rule;
    sl_ranked_share gain; /* scorer - rule, paired; in [-1,1] */
    sl_ranking_verdict verdict;
} sl_ranking;
/* Errors: SL_ENOMEM; SL_ENUMERIC for a score that is not finite. */
sl_status sl_ranking_of(sl_ranking *out, const sl_ranked_pair *pair, size_t count,
                        double alpha) SL_MUSTUSE;

#endif
