#include "train/elsewhere.h"
#include "base/alloc.h"
#include <stdio.h>
#include <string.h>

enum { BYTES = 256, LONGEST = 1 << 22 }; /* of a prompt or an answer, bytes */

int sl_elsewhere_is(const sl_recipe *recipe)
{
    return strcmp(recipe->sampler.name, "policy") != 0;
}

sl_status sl_elsewhere_check(const sl_recipe *recipe)
{
    const sl_recipe *r = recipe;

    if (!strcmp(r->data.source, "world"))
        return SL_FAIL(SL_EARG, "want data.source FILE with sampler.name \"%s\", found world",
                       r->sampler.name);
    if (!strcmp(r->measure.judge, "truth"))
        return SL_FAIL(SL_EARG,
                       "want measure.judge command, endpoint, reward or stored with sampler.name "
                       "\"%s\", found truth",
                       r->sampler.name);
    if (r->model.policy[0])
        return SL_FAIL(SL_EARG, "want no model.policy with sampler.name \"%s\", found \"%s\"",
                       r->sampler.name, r->model.policy);
    return SL_OK;
}

/* --- bytes as ids ---------------------------------------------------------------------------- */

static sl_status encode(void *state, int32_t **ids, size_t *count, const char *text, int is_start)
{
    const size_t n = strlen(text);

    (void)state;
    (void)is_start;
    SL_TRY(sl_take(ids, n + 1, sizeof **ids));
    for (size_t i = 0; i < n; i++)
        (*ids)[i] = (unsigned char)text[i];
    *count = n;
    return SL_OK;
}

/* Lines "role: content"; only their lengths matter, words are kept beside them. */
static sl_status render(void *state, char **text, const sl_message *message, size_t count,
                        int is_prompt)
{
    static const char answer[] = "assistant: ";
    size_t bytes = sizeof answer, used = 0;

    (void)state;
    for (size_t i = 0; i < count; i++)
        bytes += strlen(message[i].role) + strlen(message[i].content) + 3;
    SL_TRY(sl_take(text, bytes, 1));
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(*text + used, bytes - used, "%s: %s\n", message[i].role,
                                 message[i].content);
    if (is_prompt)
        (void)snprintf(*text + used, bytes - used, "%s", answer);
    return SL_OK;
}

sl_status sl_elsewhere_data(sl_data **out, const sl_recipe *recipe)
{
    static const sl_encoder encoder = { NULL, encode, render };
    const sl_file_settings set = { .path = recipe->data.source,
                                   .wants = SL_WANTS_PAIRS,
                                   .encoder = &encoder,
                                   .max_prompt_tok = LONGEST,
                                   .max_answer_tok = LONGEST,
                                   .allows = SL_ALLOW_EOS_MISSING | SL_ALLOW_MISMATCH,
                                   .seed = (uint64_t)recipe->seed,
                                   .is_in_file_order = !recipe->data.shuffle,
                                   .probe_share = 1.0,
                                   .eos = -1,
                                   .vocab = BYTES,
                                   .keeps_text = 1 };

    return sl_data_open_file(out, &set);
}

static const char *given(const char *text)
{
    return text[0] ? text : NULL;
}

sl_status sl_elsewhere_open(sl_outside **out, const sl_recipe *recipe, const volatile int *stop)
{
    const sl_recipe *r = recipe;
    const sl_outside_settings set = { .name = r->sampler.name,
                                      .candidates = given(r->sampler.candidates),
                                      .command = given(r->sampler.command),
                                      .env = given(r->sampler.env),
                                      .url = given(r->sampler.url),
                                      .model = given(r->sampler.model),
                                      .key_env = given(r->sampler.key_env),
                                      .start_s = r->sampler.start_s,
                                      .timeout_s = r->sampler.timeout_s,
                                      .backoff_s = r->sampler.backoff_s,
                                      .batch = (uint32_t)r->sampler.batch,
                                      .retries = (uint32_t)r->sampler.retries,
                                      .max_new = (uint32_t)r->data.max_answer,
                                      .seed = (uint64_t)r->seed,
                                      .stop = stop };

    return sl_err_where(sl_outside_open(out, &set), "section \"sampler\"");
}
