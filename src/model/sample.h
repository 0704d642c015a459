/* Sampling with a KV cache: n candidates a prompt share the prompt's cache rows. Each candidate is
 * drawn from its own random stream, so that neither the batch size nor the neighbours change it. */
#ifndef SL_MODEL_SAMPLE_H
#define SL_MODEL_SAMPLE_H

#include "model/model.h"

typedef enum sl_stop { SL_STOP_EOS, SL_STOP_LENGTH, SL_STOP_STRING, SL_STOP_ERROR } sl_stop;

typedef struct sl_generate {
    sl_sample_settings law;
    uint32_t max_new;    /* tokens */
    const int32_t *stop; /* end-of-turn ids; the stop token is part of the answer */
    size_t stop_count;   /* 0: fixed length max_new */
    uint64_t seed;
    uint64_t step; /* of the random streams */
} sl_generate;

typedef struct sl_prompt {
    const int32_t *token;
    uint32_t count;
} sl_prompt;

typedef struct sl_candidate {
    int32_t *token; /* (max_new), caller's */
    float *logp;    /* (max_new) under the law sampled from, caller's */
    uint32_t count;
    sl_stop stop;
    uint64_t stream; /* in: random stream of this candidate */
} sl_candidate;

typedef struct sl_generator sl_generator;

/* Ready for batches of up to `batch` candidates at once, prompts up to max_prompt tokens. */
sl_status sl_generator_open(sl_generator **out, const sl_config *config, const sl_backend *backend,
                            size_t batch, uint32_t max_prompt, uint32_t max_new) SL_MUSTUSE;
void sl_generator_close(sl_generator **generator);
/* Fills candidates (count*each): candidate c of prompt p at p*each + c. Works through any count in
 * batches. */
sl_status sl_model_sample(sl_candidate *candidate, sl_generator *generator, const sl_model *model,
                          const sl_prompt *prompt, size_t count, size_t each,
                          const sl_generate *settings) SL_MUSTUSE;

#endif
