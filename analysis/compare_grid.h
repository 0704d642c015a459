/* The runs of a grid side by side: families x starts x methods over seeds, as the tables of arXiv
 * 2508.10530: gains of either source, the score before and after every iteration. */
#ifndef SL_ANALYSIS_COMPARE_GRID_H
#define SL_ANALYSIS_COMPARE_GRID_H

#include "base/json.h"
#include <stdint.h>

typedef struct sl_grid_cell {
    const char *family, *start, *method; /* names of the grid */
    int64_t seed;
    const char *run; /* path */
} sl_grid_cell;
/* *out: stageline.compare_grid/1 (docs/documents.md), owned by the caller. cell (n): seeds of one
 * family, start and method stand together. Intervals of differences: spread over seeds, pooled over
 * the cells of a method and iteration, Student's t; with one seed everywhere, standard errors over
 * probe prompts, normal. */
sl_status sl_compare_grid(sl_json **out, const sl_grid_cell *cell, size_t n,
                          double alpha) SL_MUSTUSE;

#endif
