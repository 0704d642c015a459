/* The share of on-policy data that a recipe asks for by itself: before any decision, and by
 * iteration. */
#ifndef SL_TRAIN_POLICY_H
#define SL_TRAIN_POLICY_H

#include "train/recipe.h"

/* At the start of the run. */
double sl_policy_first_share(const sl_recipe *recipe);
/* Of policy.schedule, "static, on-policy, mix 0.5": that of an iteration (from 0); the last goes
 * on. Errors: SL_EARG naming the entry. */
sl_status sl_policy_scheduled(double *share, const char *schedule, int64_t iteration) SL_MUSTUSE;
/* Errors: SL_EARG where the schedule cannot be read, or has more entries than there are
 * iterations. */
sl_status sl_policy_check_schedule(const sl_recipe *recipe) SL_MUSTUSE;

#endif
