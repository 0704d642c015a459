/* `train --golden TRACE.h5`: a training run of another program, step by step. */
#ifndef SL_CLI_TRAIN_GOLDEN_H
#define SL_CLI_TRAIN_GOLDEN_H

#include "cli/opts.h"
#include "kernels/backend.h"
#include "train/recipe.h"

/* Takes the updates that the trace describes with the product's own step and compares what it
 * saw; prints the document of golden_list.h. recipe: model.policy and data.source, where it names
 * them, replace what stands beside the trace; the trace says everything else, and set (KEY=VALUE)
 * has the last word. Errors: SL_EFORMAT unless everything in the trace agrees. */
sl_status sl_train_golden(const char *trace, const sl_recipe *recipe, const sl_opt_list *set,
                          const sl_backend *backend) SL_MUSTUSE;

#endif
