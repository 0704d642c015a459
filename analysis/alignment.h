/* Gradients of an update split by source and by side, by layer group, over the steps at which the
 * record splits them: do static and on-policy pairs push the parameters the same way? A sign of the
 * stage that asks no judge. */
#ifndef SL_ANALYSIS_ALIGNMENT_H
#define SL_ANALYSIS_ALIGNMENT_H

#include "analysis/interval.h"
#include "run/reader.h"
#include <stddef.h>

typedef struct sl_alignment_row {
    int64_t step;
    int64_t group;    /* 0: all parameters */
    const char *name; /* borrowed from the reader */
    double norm_static, norm_on, cos_static_on, norm_c, norm_r, cos_c_r;
    double noise_scale; /* pairs; docs/math.md C2; NaN: not recorded, or noise dominates */
} sl_alignment_row;

/* Means over steps of one group; se over steps, which follow one another: not independent. */
typedef struct sl_alignment_group {
    int64_t group;
    const char *name;
    sl_mean early, late; /* cosine of static and on-policy, first and second half of the steps */
    sl_mean chosen_rejected; /* cosine of the two sides, all steps */
} sl_alignment_group;

typedef struct sl_alignment {
    sl_alignment_row *row; /* (count) by step, then group */
    size_t count;
    sl_alignment_group *group; /* (groups) ascending */
    size_t groups;
} sl_alignment;
/* Names live as long as the reader shows this snapshot. Runs that split nothing: count 0. */
sl_status sl_alignment_run(sl_alignment *out, sl_reader *reader) SL_MUSTUSE;
/* The row of a step among s (count), which ascend from *at on; NULL: none. *at moves on. */
const sl_row_steps *sl_step_row(const sl_row_steps *s, size_t count, size_t *at, int64_t step);
void sl_alignment_close(sl_alignment *alignment);

#endif
