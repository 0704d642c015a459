/* Parameters between a checkpoint folder and the flat array of a model. */
#ifndef SL_MODEL_WEIGHTS_H
#define SL_MODEL_WEIGHTS_H

#include "model/tensors.h"

/* flat (table->floats) = the folder's model.safetensors, or the shards of its index. notes_storage:
 * the storage type of each tensor is noted in the table. Missing, misshapen and unexpected tensors
 * are errors (SL_EFORMAT, SL_ESHAPE, SL_EUNSUPPORTED); buffers that old checkpoints carry are
 * ignored. On failure the contents are undefined. */
sl_status sl_weights_load(float *flat, sl_tensors *table, const sl_config *config,
                          const char *folder, int notes_storage) SL_MUSTUSE;
/* Writes model.safetensors, config.json and, if there was one, generation_config.json into the
 * folder, one after the other, each whole or not at all. */
sl_status sl_weights_save(const float *flat, const sl_tensors *table, const sl_config *config,
                          const char *folder, int as_f32) SL_MUSTUSE;

#endif
