/* The branch tests of runs, from their records. */
#ifndef SL_ANALYSIS_BRANCH_RUN_H
#define SL_ANALYSIS_BRANCH_RUN_H

#include "analysis/branch.h"
#include "analysis/run_analysis.h"

enum { SL_RUN_BRANCH_MOST = 64 }; /* replicates */

/* Gains on static and on on-policy data of one measurement's test, by replicate; without a test
 * *count is 0. */
sl_status sl_run_branch_gains(double gain[2][SL_RUN_BRANCH_MOST], size_t *count, sl_reader *reader,
                              uint32_t measurement) SL_MUSTUSE;

/* The score of the fixed sample at a step; *has 0: there is none, and the others stay. */
sl_status sl_run_fixed_score(double *bs, double *se, int *has, sl_reader *reader,
                             int64_t step) SL_MUSTUSE;

typedef struct sl_run_branch {
    uint32_t measurement;
    int64_t step;
    double score; /* of the fixed sample where there is one, else of the sequential test */
    int is_fixed;
    size_t replicates;
    sl_branch_verdict verdict;
    sl_branch_accord accord; /* with the stage of the sequential test */
} sl_run_branch;
/* *out (*count), ascending in measurements; owned by the caller. */
sl_status sl_run_branches(sl_run_branch **out, size_t *count, const sl_run_analysis *analysis,
                          sl_reader *reader) SL_MUSTUSE;

/* Whether two effective recipes are one as far as gains go: objective, optimizer, data of either
 * source, judge, horizon. Seed, start, record and who decides may differ. key: the first that does,
 * "" for none. */
void sl_recipe_difference(char *key, size_t size, const sl_json *a, const sl_json *b);

#endif
