#include "train/data_file.h"
#include "base/file.h"
#include "model/config.h"
#include <stdio.h>
#include <string.h>

/* What the policy's config.json says about ids. */
static sl_status read_config(sl_data_file *d, const char *folder)
{
    sl_config config;

    SL_TRY(sl_err_where(sl_config_load(&config, folder), "key \"model.policy\""));
    d->file.vocab = config.V;
    d->bos = config.bos;
    for (size_t i = 0; i < config.eos_count; i++)
        if (!i)
            d->file.eos = config.eos[0];
        else if (d->file.stop_count < SL_STOPS - 1)
            d->file.stop[d->file.stop_count++] = config.eos[i];
    sl_config_close(&config);
    return SL_OK;
}

static const char *or_none(const char *text)
{
    return *text ? text : NULL;
}

/* Section "chat": a format by name or by its texts, into *own; neither: the folder's. */
static sl_status read_chat(sl_text_settings *out, sl_chat_format *own, const sl_recipe *r)
{
    const int has_texts = r->chat.prefix[0] || r->chat.suffix[0] || r->chat.prompt[0];
    const int has_more = r->chat.last[0] || r->chat.begin[0] || r->chat.default_system[0] ||
                         r->chat.system_start[0] || r->chat.trim;

    *out = (sl_text_settings){ .special = (sl_special_in_text)r->data.special_in_text };
    if (r->chat.format[0] && (has_texts || has_more))
        return SL_FAIL(SL_EARG, "want chat.format or the texts of a format, found both");
    if (!has_texts && has_more)
        return SL_FAIL(SL_EARG, "want chat.prefix, chat.suffix and chat.prompt with other keys of "
                                "chat, found none of them");
    if (r->chat.format[0])
        return sl_err_where(sl_chat_named(&out->chat, r->chat.format), "key \"chat.format\"");
    *own = (sl_chat_format){ .name = "of the recipe",
                             .prefix = r->chat.prefix,
                             .suffix = r->chat.suffix,
                             .prompt = r->chat.prompt,
                             .last = or_none(r->chat.last),
                             .begin = or_none(r->chat.begin),
                             .default_system = or_none(r->chat.default_system),
                             .system_start = or_none(r->chat.system_start),
                             .role = { r->chat.system, r->chat.user, r->chat.assistant },
                             .trims = r->chat.trim };
    out->chat = has_texts ? own : NULL;
    return has_texts ? sl_err_where(sl_chat_check(own), "section \"chat\"") : SL_OK;
}

static sl_status open_text(sl_data_file *d, const sl_recipe *r)
{
    sl_text_settings settings;
    sl_chat_format own;
    const char *folder = r->data.tokenizer[0] ? r->data.tokenizer : r->model.policy;
    char path[SL_RECIPE_PATH + 32];
    const int32_t *prefix;
    size_t count = 0;

    snprintf(path, sizeof path, "%s/tokenizer.json", folder);
    if (!r->data.tokenizer[0] && !(folder[0] && sl_file_exists(path)))
        return SL_OK;
    SL_TRY(read_chat(&settings, &own, r));
    SL_TRY(sl_err_where(sl_text_encoder_open_as(&d->text, folder, &settings),
                        "key \"data.tokenizer\""));
    d->encoder = (sl_encoder){ d->text, sl_text_encode, sl_text_render };
    d->file.encoder = &d->encoder;
    prefix = sl_tokenizer_prefix(sl_text_encoder_tokenizer(d->text), &count);
    if (count == 1)
        d->bos = prefix[0];
    return SL_OK;
}

sl_status sl_data_file_open(sl_data_file *out, const sl_recipe *recipe)
{
    const sl_recipe *r = recipe;
    const unsigned allows = (r->data.allow_mismatch ? SL_ALLOW_MISMATCH : 0u) |
                            (r->data.allow_eos_missing ? SL_ALLOW_EOS_MISSING : 0u) |
                            (r->data.allow_double_bos ? SL_ALLOW_DOUBLE_BOS : 0u);

    *out = (sl_data_file){
        .bos = -1,
        .file = { .path = r->data.source,
                  .wants = r->method.kind == SL_METHOD_SFT ? SL_WANTS_ANSWERS : SL_WANTS_PAIRS,
                  .max_prompt_tok = (uint32_t)r->data.max_prompt,
                  .max_answer_tok = (uint32_t)r->data.max_answer,
                  .drop_long = r->data.drop_long,
                  .allows = allows,
                  .seed = (uint64_t)r->seed,
                  .is_in_file_order = !r->data.shuffle,
                  .probe_share = r->data.probe_share,
                  .eos = -1 },
    };
    if (r->model.policy[0])
        SL_TRY(read_config(out, r->model.policy));
    SL_TRY(open_text(out, r));
    if (out->bos >= 0)
        out->file.bos = &out->bos;
    return SL_OK;
}

void sl_data_file_close(sl_data_file *data)
{
    sl_text_encoder_close(&data->text);
}
