/* Measurements of a model that stands elsewhere: its answers come as words from a file, a program
 * or a server (measure/outside.h), so neither checkpoint nor tokenizer is needed here. */
#ifndef SL_TRAIN_ELSEWHERE_H
#define SL_TRAIN_ELSEWHERE_H

#include "measure/outside.h"
#include "train/recipe.h"

/* Whether sampler.name names a sampler outside. */
int sl_elsewhere_is(const sl_recipe *recipe);
/* Errors: SL_EARG naming the keys, where the rest of the recipe wants the policy itself. */
sl_status sl_elsewhere_check(const sl_recipe *recipe) SL_MUSTUSE;
/* The data file of the recipe with every byte an id, kept with its words; every prompt a probe. */
sl_status sl_elsewhere_data(sl_data **out, const sl_recipe *recipe) SL_MUSTUSE;
sl_status sl_elsewhere_open(sl_outside **out, const sl_recipe *recipe,
                            const volatile int *stop) SL_MUSTUSE;

#endif
