#include "train/voices.h"
#include "model/config.h"
#include <string.h>

/* NULL for what the recipe leaves empty. */
static const char *given(const char *text)
{
    return text[0] ? text : NULL;
}

sl_status sl_voices_judge(sl_judge **out, const sl_recipe *recipe, const sl_data *data,
                          const sl_backend *backend, const volatile int *stop)
{
    sl_judge_settings set = sl_judge_defaults();

    set.name = recipe->measure.judge;
    set.label = given(recipe->judge.label);
    set.seed = (uint64_t)recipe->seed;
    set.temperature = recipe->judge.temperature;
    set.is_noisy = recipe->judge.noise;
    set.both_orders = recipe->judge.both_orders;
    set.scores = given(recipe->judge.scores);
    set.reward = given(recipe->judge.reward);
    set.tokenizer = given(recipe->judge.tokenizer);
    set.backend = backend;
    set.command = given(recipe->judge.command);
    set.env = given(recipe->judge.env);
    set.url = given(recipe->judge.url);
    set.model = given(recipe->judge.model);
    set.key_env = given(recipe->judge.key_env);
    set.template_path = given(recipe->judge.prompt);
    set.max_tok = (uint32_t)recipe->judge.max_tok;
    set.timeout_s = recipe->judge.timeout_s;
    set.start_s = recipe->judge.start_s;
    set.backoff_s = recipe->judge.backoff_s;
    set.batch = (uint32_t)recipe->judge.batch;
    set.retries = (uint32_t)recipe->judge.retries;
    set.stop = stop;
    return sl_err_where(sl_judge_open(out, &set, data), "key \"measure.judge\"");
}

sl_status sl_voices_bytes(size_t *bytes, const sl_recipe *recipe)
{
    sl_config config;

    *bytes = 0;
    if (strcmp(recipe->measure.judge, "reward") != 0 || !recipe->judge.reward[0])
        return SL_OK;
    SL_TRY(sl_err_where(sl_config_load(&config, recipe->judge.reward), "key \"judge.reward\""));
    *bytes = sl_config_parameters(&config) * sizeof(float);
    sl_config_close(&config);
    return SL_OK;
}

int sl_voices_want_words(const sl_recipe *recipe)
{
    return strcmp(recipe->measure.judge, "truth") != 0;
}

static sl_status words(void *state, char **out, const int32_t *id, size_t count)
{
    size_t bytes;

    return sl_tokenizer_decode(out, &bytes, sl_text_encoder_tokenizer(state), id, count, 1);
}

sl_wording sl_voices_decode(sl_text_encoder *text)
{
    return (sl_wording){ .state = text, .text = words };
}
