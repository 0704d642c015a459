/* The verdict of a branch test (docs/math.md, "The branch test"): gains of static and of on-policy
 * data from one policy, replicate by replicate, and which source wins now. */
#ifndef SL_ANALYSIS_BRANCH_H
#define SL_ANALYSIS_BRANCH_H

#include "analysis/boundary.h"
#include "analysis/interval.h"

typedef struct sl_branch_verdict {
    double off, on;       /* mean gains */
    sl_mean difference;   /* on - off, paired by replicate: the replicate is the unit */
    sl_interval interval; /* of it, Student's t at level 1 - alpha */
    sl_stage winner;      /* beyond two standard errors: injection is static data's side */
} sl_branch_verdict;

/* off, on (replicates), replicates >= 2; paired (replicates) gets on - off. A gain that is not a
 * number leaves its replicate out. */
void sl_branch_verdict_of(sl_branch_verdict *out, double *paired, const double *off,
                          const double *on, size_t replicates, double alpha);

/* What a score and a branch test say together. */
typedef enum sl_branch_accord {
    SL_ACCORD_UNKNOWN, /* one of them is undecided */
    SL_ACCORD_SAME,
    SL_ACCORD_OPPOSITE
} sl_branch_accord;
sl_branch_accord sl_branch_accord_of(sl_stage score, sl_stage winner);

#endif
