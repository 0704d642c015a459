/* Models and runs side by side (docs/math.md, "Comparison"): scores and stages, runs in units that
 * know no vocabulary, paired tests on common prompts, strengths of all models. */
#ifndef SL_ANALYSIS_COMPARE_H
#define SL_ANALYSIS_COMPARE_H

#include "analysis/summary.h"
#include "run/reader.h"

typedef struct sl_compare_set {
    const sl_vote_set *votes;
    const char *const *run; /* (runs) paths, the names of their points */
    sl_reader *const *reader;
    size_t runs;
    double alpha; /* 1 - level of all intervals */
} sl_compare_set;
/* *out: stageline.compare/1 (docs/documents.md), owned by the caller. */
sl_status sl_compare(sl_json **out, const sl_compare_set *set) SL_MUSTUSE;

#endif
