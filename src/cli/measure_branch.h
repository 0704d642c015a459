/* What `measure` says of a branch test: which source wins now, beside the boundary score and what
 * either cost. */
#ifndef SL_CLI_MEASURE_BRANCH_H
#define SL_CLI_MEASURE_BRANCH_H

#include "analysis/branch.h"
#include "base/json.h"
#include "train/branch.h"

void sl_measured_branch_verdict(sl_branch_verdict *out, const sl_branch *branch);
/* score: the stage by votes, which took votes_alone. NULL: no memory. */
sl_json *sl_measured_branch_json(const sl_branch *branch, sl_stage score, size_t votes_alone);
void sl_measured_branch_text(const sl_branch *branch, sl_stage score, double tau,
                             size_t votes_alone);

#endif
