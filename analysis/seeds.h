/* Runs of one recipe that differ in their seeds (and in the policies they start from) only: means
 * over seeds and intervals of the mean, step by step. */
#ifndef SL_ANALYSIS_SEEDS_H
#define SL_ANALYSIS_SEEDS_H

#include "analysis/run_analysis.h"

enum { SL_SEEDS_MOST = 64, SL_SEEDS_SERIES = 3 };

/* A series of one run. */
typedef struct sl_seed_series {
    int64_t *step; /* (count) ascending, owned */
    double *value; /* (count) owned */
    size_t count;
} sl_seed_series;

typedef struct sl_seeds {
    sl_json *recipe; /* of the first run, without what may differ; owned */
    sl_seed_series series[SL_SEEDS_SERIES][SL_SEEDS_MOST];
    size_t runs;
} sl_seeds;

/* Reads a run. Errors: SL_EARG when its recipe differs from the others' in more than that. */
sl_status sl_seeds_add(sl_seeds *seeds, const char *run_path) SL_MUSTUSE;
void sl_seeds_close(sl_seeds *seeds);
/* seed_boundary.tsv, seed_margin.tsv, seed_gradient.tsv in an existing folder: docs/tables.md. */
sl_status sl_seeds_tables(const char *folder, const sl_seeds *seeds) SL_MUSTUSE;

#endif
