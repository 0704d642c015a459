/* What the branch tests of cells of the stage benchmark say beside the score (docs/math.md, "The
 * branch test"). Truth is the exact gain of the cell's own iterations, whose data the tests have
 * not seen. */
#ifndef SL_ANALYSIS_STAGES_BRANCH_H
#define SL_ANALYSIS_STAGES_BRANCH_H

#include "analysis/boundary.h"
#include "analysis/stages_verdict.h"
#include "analysis/threshold.h"

/* A cell's test; the sd of a difference is pooled over the tests of its row and method, since two
 * replicates say little about it. */
typedef struct sl_stage_tested {
    double difference, se;
    sl_interval interval; /* Student's t with the pooled degrees of freedom, .95 */
    sl_stage winner;      /* beyond two standard errors */
} sl_stage_tested;
/* cell (n): those to pool over, where row and method are the cell's. NaN without a test. */
sl_stage_tested sl_stage_tested_of(const sl_stage_cell *of, const sl_stage_cell *const *cell,
                                   size_t n);

typedef struct sl_stage_branches {
    size_t of;                   /* cells with a test */
    sl_stage_count all, clear;   /* the source that gained more, decided or not */
    sl_stage_count decided;      /* of clear cells, those beyond two standard errors */
    sl_stage_count misled;       /* of clear cells in which the score is wrong: the test is right */
    size_t misled_open;          /* and of these the test is undecided in */
    double regret, score_regret; /* guided by the tests, by the score; against the better, means */
    double updates, answers, votes, cpu_s; /* of a test, means */
} sl_stage_branches;
/* Over the cells of a row (NULL: any) and a method (NULL: any). */
sl_stage_branches sl_stage_branches_of(const sl_stage_cell *const *cell, size_t n,
                                       const sl_stage_filter *filter);

/* The threshold of a row and method by the branch tests of all seeds, and what thresholds are worth
 * on starts they have not seen: each seed is judged by the tests of the others, whose threshold
 * replaces 1/2 where it excludes it. Clear cells with a test. */
typedef struct sl_stage_calibrated {
    sl_threshold all;
    sl_stage_count half, tau; /* right by 1/2, by the thresholds of other seeds */
    size_t replaced;          /* cells for which 1/2 was replaced */
} sl_stage_calibrated;
sl_status sl_stage_calibrate(sl_stage_calibrated *out, const sl_stage_cell *const *cell, size_t n,
                             const sl_stage_filter *filter) SL_MUSTUSE;

#endif
