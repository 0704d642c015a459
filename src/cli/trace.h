/* What a golden trace says about the run that it holds, as a recipe. */
#ifndef SL_CLI_TRACE_H
#define SL_CLI_TRACE_H

#include "cli/opts.h"
#include "run/arrays.h"
#include "train/recipe.h"

/* What the trace's "loss" means here, and what float32 allows: ten times the deviation that the
 * trace's makers measured between right programs. */
typedef struct sl_trace_kind {
    const char *name, *set;             /* a recipe key that makes it so */
    double loss, grad_norm, parameters; /* absolute, absolute, relative to the way moved */
} sl_trace_kind;

typedef struct sl_trace_plan {
    const sl_trace_kind *kind;
    size_t steps, pairs;
} sl_trace_plan;

/* recipe: in, what the caller asks of the model and the data; out, that of the trace. The trace
 * stands at path; set (KEY=VALUE) has the last word. Errors: SL_EFORMAT, SL_EUSAGE of set. */
sl_status sl_trace_recipe(sl_trace_plan *plan, sl_recipe *recipe, const sl_arrays *file,
                          const char *path, const sl_opt_list *set) SL_MUSTUSE;

#endif
