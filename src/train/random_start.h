/* A policy from nothing: section "model" of a recipe, weights at random. */
#ifndef SL_TRAIN_RANDOM_START_H
#define SL_TRAIN_RANDOM_START_H

#include "datasets/data.h"
#include "model/model.h"
#include "train/recipe.h"

/* Vocabulary and positions are those of the limits. Errors: those of the config, naming the
 * section. */
sl_status sl_random_start(sl_model **out, const sl_recipe *recipe, const sl_data_limits *limits,
                          const sl_backend *backend) SL_MUSTUSE;

#endif
