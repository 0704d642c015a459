/* Answers from our own model. */
#include "base/alloc.h"
#include "base/hash.h"
#include "base/text.h"
#include "measure/sampler.h"
#include <string.h>

sl_status sl_model_sampler_open(sl_model_sampler *out, const sl_model *model, size_t batch,
                                uint32_t max_prompt, uint32_t max_new)
{
    sl_status st = SL_OK;

    *out = (sl_model_sampler){ .model = model, .batch = batch };
    SL_TRY_OUT(sl_generator_open(&out->generator, sl_model_config(model), sl_model_backend(model),
                                 batch, max_prompt, max_new));
    SL_TRY_OUT(sl_take(&out->candidate, batch, sizeof *out->candidate));
    SL_TRY_OUT(sl_take(&out->logp, batch * max_new, sizeof *out->logp));
    SL_TRY_OUT(sl_take(&out->prompt, batch, sizeof *out->prompt));
out:
    if (st != SL_OK)
        sl_model_sampler_close(out);
    return st;
}

void sl_model_sampler_close(sl_model_sampler *sampler)
{
    sl_generator_close(&sampler->generator);
    sl_free(sampler->candidate);
    sl_free(sampler->logp);
    sl_free(sampler->prompt);
    sl_free(sampler->words);
    *sampler = (sl_model_sampler){ 0 };
}

static void read_answer(sl_drawn *drawn, const sl_candidate *c)
{
    drawn->answer = (sl_answer){ .token = c->token,
                                 .count = c->count,
                                 .bytes = c->count,
                                 .chars = c->count,
                                 .id = sl_hash_id(c->token, c->count * sizeof *c->token) };
    drawn->stop = c->stop;
    drawn->logp = 0.0;
    for (uint32_t i = 0; i < c->count; i++)
        drawn->logp += (double)c->logp[i];
}

/* Appends the words of an answer with their zero byte at *used. */
static sl_status add_words(sl_model_sampler *s, size_t *used, sl_drawn *drawn)
{
    sl_answer *a = &drawn->answer;
    char *text = NULL;
    size_t bytes;
    sl_status st = SL_OK;

    SL_TRY(
        s->decode.text(s->decode.state, &text, a->token, a->count - (drawn->stop == SL_STOP_EOS)));
    bytes = strlen(text);
    SL_TRY_OUT(sl_grow(&s->words, &s->words_capacity, *used + bytes + 1, 1));
    memcpy(s->words + *used, text, bytes + 1);
    a->bytes = (uint32_t)bytes;
    a->chars = sl_text_chars(text);
    *used += bytes + 1;
out:
    sl_free(text);
    return st;
}

/* The words grow while they are added, so pointers are set when all are there. */
static sl_status decode_all(sl_model_sampler *s, sl_drawn *drawn, size_t count)
{
    size_t used = 0, at = 0;

    if (!s->decode.state)
        return SL_OK;
    for (size_t i = 0; i < count; i++)
        SL_TRY(add_words(s, &used, &drawn[i]));
    for (size_t i = 0; i < count; i++) {
        drawn[i].answer.text = s->words + at;
        at += (size_t)drawn[i].answer.bytes + 1;
    }
    return SL_OK;
}

static sl_status model_draw(void *state, sl_drawn *drawn, int32_t *token, const sl_generate *law,
                            const sl_prompt_text *prompt, size_t count, size_t each)
{
    sl_model_sampler *s = state;
    const size_t at_once = s->batch / each;

    SL_CHECK(at_once > 0);
    for (size_t done = 0; done < count; done += at_once) {
        const size_t n = count - done < at_once ? count - done : at_once;

        for (size_t i = 0; i < n; i++)
            s->prompt[i] = (sl_prompt){ prompt[done + i].token, prompt[done + i].count };
        for (size_t i = 0; i < n * each; i++) {
            const sl_drawn *to = &drawn[done * each + i];

            s->candidate[i] =
                (sl_candidate){ .token = token + (done * each + i) * law->max_new,
                                .logp = to->tok_logp ? to->tok_logp : s->logp + i * law->max_new,
                                .stream = to->stream };
        }
        SL_TRY(sl_model_sample(s->candidate, s->generator, s->model, s->prompt, n, each, law));
        for (size_t i = 0; i < n * each; i++)
            read_answer(&drawn[done * each + i], &s->candidate[i]);
    }
    return decode_all(s, drawn, count * each);
}

sl_sampler sl_model_sampler_door(sl_model_sampler *sampler, const sl_generate *law)
{
    return (sl_sampler){ .state = sampler, .name = "policy", .law = *law, .draw = model_draw };
}
