/* A causal language model over packed batches: parameters, forward, backward. The numbers of a
 * packed batch with shared prompts equal those of its sequences one at a time (to rounding).
 *
 * Memory: parameters (and gradients, when trainable) belong to the model; activations belong to a
 * work space, opened once for the largest batch and shared by all models of the same config.
 * Nothing is allocated by forward, logp, logits or backward. */
#ifndef SL_MODEL_MODEL_H
#define SL_MODEL_MODEL_H

#include "base/packed.h"
#include "base/status.h"
#include "kernels/backend.h"
#include "model/config.h"
#include "model/tensors.h"

typedef struct sl_model sl_model;
typedef struct sl_work sl_work;

/* Random initialisation: embeddings N(0, embed_std), other matrices N(0, matrix_std), biases 0,
 * norm weights 1, padding row 0; each tensor on its own stream (seed, "init", row of the table). A
 * std of 0 means the config's initializer_range. */
typedef struct sl_init {
    uint64_t seed;
    float embed_std, matrix_std;
} sl_init;

/* The config is consumed (also on failure). */
sl_status sl_model_create(sl_model **out, sl_config *config, const sl_backend *backend,
                          const sl_init *init, int is_trainable) SL_MUSTUSE;
/* From a Hugging Face folder: config.json + safetensors (one file or shards with index). */
sl_status sl_model_load(sl_model **out, const char *folder, const sl_backend *backend,
                        int is_trainable) SL_MUSTUSE;
/* Writes config.json, generation_config.json if there was one, and model.safetensors into an
 * existing folder, each by temporary file, fsync and rename; the tokenizer, chat format and licence
 * of the folder that the model came from go along (sl_carry). Storage type as loaded. as_f32: 1
 * stores float32 whatever was loaded (checkpoints).
 */
sl_status sl_model_save(const sl_model *model, const char *folder, int as_f32) SL_MUSTUSE;
/* Overwrites the parameters with those of the folder (same config). Storage types stay as loaded
 * first. */
sl_status sl_model_reload(sl_model *model, const char *folder) SL_MUSTUSE;
/* A frozen copy of the parameters as they stand (a reference policy, a branch). */
sl_status sl_model_clone(sl_model **out, const sl_model *model, int is_trainable) SL_MUSTUSE;
sl_status sl_model_copy(sl_model *to, const sl_model *from) SL_MUSTUSE; /* parameters only */
void sl_model_close(sl_model **model);

/* Errors: SL_EUNSUPPORTED for a reward model, which has no logits. */
sl_status sl_model_check_speaks(const sl_model *model) SL_MUSTUSE;
const sl_config *sl_model_config(const sl_model *model);
const sl_tensors *sl_model_tensors(const sl_model *model);
const sl_backend *sl_model_backend(const sl_model *model);
float *sl_model_parameters(sl_model *model); /* (floats), borrowed */
const float *sl_model_parameters_const(const sl_model *model);
float *sl_model_gradients(sl_model *model); /* (floats), borrowed; NULL unless trainable */
/* Makes backward add into another array of the same length (NULL: the model's own again). */
void sl_model_gradients_into(sl_model *model, float *gradients);
/* SHA-256 of the parameters as stored (32-bit little-endian), hex. For the record. */
sl_status sl_model_hash(char out[65], const sl_model *model) SL_MUSTUSE;

/* with_backward 0: activations of one layer only. size of the arena in bytes -> *bytes when not
 * NULL. */
sl_status sl_work_open(sl_work **out, const sl_config *config, const sl_backend *backend,
                       const sl_packed_limits *limits, int with_backward) SL_MUSTUSE;
size_t sl_work_bytes(const sl_config *config, const sl_packed_limits *limits, int with_backward);
void sl_work_close(sl_work **work);

/* Top-k of the rows of targets, filled by logp when k > 0; arrays (N, k), caller's. */
typedef struct sl_topk {
    uint32_t k;
    int32_t *id;
    float *logp;
} sl_topk;

/* Hidden states of all rows; kept in the work space for logp, logits and backward.
 * Errors: SL_ESHAPE when the batch is over the limits, a token or a position out of range. */
sl_status sl_model_forward(const sl_model *model, sl_work *work, const sl_packed *batch) SL_MUSTUSE;
/* logp (N) nats of each target; stats (N) or NULL; top or NULL. From tiles of tokens x vocabulary:
 * full logits are never stored. After forward of the same batch. */
sl_status sl_model_logp(float *logp, sl_row_stats *stats, sl_topk *top, const sl_model *model,
                        sl_work *work, const sl_packed *batch) SL_MUSTUSE;
/* z (N,V): the logits of each target's row. For probes and small vocabularies. */
sl_status sl_model_logits(float *z, const sl_model *model, sl_work *work,
                          const sl_packed *batch) SL_MUSTUSE;
/* Adds the gradient of sum_n coef[n] * logp[n] to the gradients; coef (N) = dLoss/dlogp. After
 * forward and logp of the same batch; may be called again with other coefficients: the kept
 * activations stay. Targets with coef 0 cost nothing in the head. */
sl_status sl_model_backward(sl_model *model, sl_work *work, const sl_packed *batch,
                            const float *coef) SL_MUSTUSE;
/* The first tensor with a NaN or infinity in x (floats) -> *row, *bad count; count 0: none. */
size_t sl_model_find_bad(const sl_model *model, const float *x, size_t *row);

#endif
