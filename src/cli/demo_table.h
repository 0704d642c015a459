/* The demo's summary: what each measurement said, what was chosen, and what either source gained.
 */
#ifndef SL_CLI_DEMO_TABLE_H
#define SL_CLI_DEMO_TABLE_H

#include "analysis/run_analysis.h"

typedef struct sl_demo_row {
    char start[32];
    int64_t iteration;
    double bs_fixed, bs, lower, upper; /* bs_fixed: of 1000 prompts; the others at the early stop */
    uint32_t votes, prompts, max_votes;
    int stage, action;
    double gain_chosen, gain_other; /* exact reward; NaN: not run */
} sl_demo_row;

enum { SL_DEMO_ROWS = 32 };
typedef struct sl_demo_table {
    sl_demo_row row[SL_DEMO_ROWS];
    size_t count;
} sl_demo_table;

sl_status sl_demo_table_add(sl_demo_table *table, const char *start,
                            const sl_run_analysis *analysis, sl_reader *reader) SL_MUSTUSE;
/* Prints it with the verdict on the verdicts, and writes OUT/summary.tsv. */
sl_status sl_demo_table_print(const sl_demo_table *table, const char *out) SL_MUSTUSE;

#endif
