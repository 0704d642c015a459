/* Branch tests over all runs that `analyze` is given: what each says, and the threshold of their
 * recipe. */
#ifndef SL_CLI_ANALYZE_BRANCH_H
#define SL_CLI_ANALYZE_BRANCH_H

#include "analysis/branch_run.h"
#include "analysis/threshold.h"

typedef struct sl_analyze_branches {
    sl_threshold_test *test; /* (n) */
    size_t n, capacity;
    sl_json *recipe;    /* of the first run with tests; NULL: none so far */
    char first[1024];   /* its path */
    char differs[1200]; /* a sentence: why there is no one threshold; "": there is */
} sl_analyze_branches;
void sl_analyze_branches_close(sl_analyze_branches *all);

/* Takes in the tests of a run: into the array branch_tests of its document, or printed (NULL).
 * all NULL: nothing. */
sl_status sl_analyze_branches_add(sl_analyze_branches *all, sl_json *document,
                                  const sl_run_analysis *analysis, sl_reader *reader,
                                  const char *path) SL_MUSTUSE;
/* "threshold" of a document (null without tests), or a line (NULL; none without tests). */
sl_status sl_analyze_threshold(sl_json *document, sl_analyze_branches *all) SL_MUSTUSE;

#endif
