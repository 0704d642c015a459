/* Samplers: where on-policy answers come from. One row a sampler; our own model is the first. */
#ifndef SL_MEASURE_SAMPLER_H
#define SL_MEASURE_SAMPLER_H

#include "datasets/data.h"
#include "model/sample.h"

/* An answer drawn: tokens and the log-probability under the law it was drawn from. */
typedef struct sl_drawn {
    sl_answer answer; /* tokens borrowed from the buffer given */
    double logp;
    sl_stop stop;
    uint64_t stream; /* in: random stream of this answer */
    float *tok_logp; /* in: (law.max_new), gets those of its tokens; NULL: not wanted */
} sl_drawn;

typedef struct sl_sampler {
    void *state;
    const char *name;
    sl_generate law;
    /* drawn (count * each), answers of prompt i at i*each...; token (count * each * law.max_new).
     */
    sl_status (*draw)(void *state, sl_drawn *drawn, int32_t *token, const sl_generate *law,
                      const sl_prompt_text *prompt, size_t count, size_t each);
} sl_sampler;

/* Words of an answer: *out (sl_free) of count ids, the end of turn not among them. */
typedef struct sl_wording {
    void *state; /* NULL: no words */
    sl_status (*text)(void *state, char **out, const int32_t *id, size_t count);
} sl_wording;

/* Our own model behind a sampler; everything named is borrowed. */
typedef struct sl_model_sampler {
    const sl_model *model; /* may be changed between draws */
    sl_generator *generator;
    sl_candidate *candidate; /* (batch) */
    float *logp;             /* (batch * max_new) */
    sl_prompt *prompt;       /* (batch) */
    size_t batch;            /* most candidates a call of the generator */
    sl_wording decode;
    char *words; /* of the answers of the last draw, one after another; owned */
    size_t words_capacity;
} sl_model_sampler;

/* Opens the generator and its buffers. With `decode` set afterwards the answers of a draw carry
 * words until the next draw. */
sl_status sl_model_sampler_open(sl_model_sampler *out, const sl_model *model, size_t batch,
                                uint32_t max_prompt, uint32_t max_new) SL_MUSTUSE;
void sl_model_sampler_close(sl_model_sampler *sampler);
sl_sampler sl_model_sampler_door(sl_model_sampler *sampler, const sl_generate *law);

#endif
