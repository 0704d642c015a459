/* Tables of the stage benchmark for figures and people (docs/stage-benchmark.md). */
#ifndef SL_ANALYSIS_STAGES_TABLE_H
#define SL_ANALYSIS_STAGES_TABLE_H

#include "analysis/stages_verdict.h"
#include <stddef.h>

/* Mean over seeds, with the least and the largest. */
typedef struct sl_stage_band {
    double mean, low, high;
} sl_stage_band;
/* A number of a cell: computed, or where `of` is NULL the member at the offset. */
typedef struct sl_stage_value {
    size_t offset;
    double (*of)(const sl_stage_cell *cell);
} sl_stage_value;
#define SL_STAGE_MEMBER(member)                                                                    \
    {                                                                                              \
        .offset = offsetof(sl_stage_cell, member)                                                  \
    }
/* NaN when any is NaN, or none is there. */
sl_stage_band sl_stage_band_of(const sl_stage_cell *const *cell, size_t n, sl_stage_value value);

/* Strengths of the cells, ascending, each once: out (n); returns how many. Seeds likewise. */
size_t sl_stage_strengths(double *out, const sl_stage_cell *const *cell, size_t n);
size_t sl_stage_seeds(double *out, const sl_stage_cell *const *cell, size_t n);

/* Writes stage_cells.tsv, stage_branch.tsv, stage_effect.tsv, stage_path.tsv, stage_orders.tsv,
 * stage_data.tsv into a folder; all but the first two are of the plain row. */
sl_status sl_stage_tables(const char *folder, const sl_stage_cell *const *cell,
                          size_t n) SL_MUSTUSE;

#endif
