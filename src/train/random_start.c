#include "train/random_start.h"
#include "base/json.h"

/* config.json of a random start, in the newer dialect. */
static sl_json *random_tree(const sl_recipe *r, size_t vocab, size_t positions)
{
    const char *family = r->model.family[0] ? r->model.family : sl_family_names()[0];

    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:b, s:n, s:n, s:n,"
                     " s:{s:s, s:f}}",
                     "model_type", family, "hidden_size", (json_int_t)r->model.hidden,
                     "intermediate_size", (json_int_t)r->model.intermediate, "num_hidden_layers",
                     (json_int_t)r->model.layers, "num_attention_heads", (json_int_t)r->model.heads,
                     "num_key_value_heads", (json_int_t)r->model.kv_heads, "vocab_size",
                     (json_int_t)vocab, "max_position_embeddings", (json_int_t)positions,
                     "max_window_layers", (json_int_t)r->model.layers, "dtype", "float32",
                     "tie_word_embeddings", 0, "bos_token_id", "eos_token_id", "pad_token_id",
                     "rope_parameters", "rope_type", "default", "rope_theta", r->model.rope_theta);
}

sl_status sl_random_start(sl_model **out, const sl_recipe *recipe, const sl_data_limits *limits,
                          const sl_backend *backend)
{
    const sl_recipe *r = recipe;
    const sl_data_limits *l = limits;
    const sl_init init = { (uint64_t)r->seed, (float)r->model.embed_std,
                           (float)r->model.matrix_std };
    sl_json *tree = random_tree(r, l->vocab, (size_t)l->prompt_tok + l->answer_tok);
    sl_config config;

    if (!tree)
        return SL_FAIL(SL_ENOMEM, "want a config of a random start, found no memory");
    if (r->model.rotary > 0.0 &&
        json_object_set_new(json_object_get(tree, "rope_parameters"), "partial_rotary_factor",
                            json_real(r->model.rotary))) {
        sl_json_close(&tree);
        return SL_FAIL(SL_ENOMEM, "want a config of a random start, found no memory");
    }
    SL_TRY(sl_config_parse(&config, tree, "section \"model\""));
    return sl_model_create(out, &config, backend, &init, 1);
}
