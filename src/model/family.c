/* The families, one row each, and their tensor names. No other file knows a family by name. */
#include "model/family.h"

#include "model/rope.h"
#include "base/text.h"
#include <stdio.h>
#include <string.h>

/* Llama and those that took over its names. */
static const char *const llama_names[SL_TENSOR_ROLE_COUNT] = {
    [SL_TENSOR_EMBED] = "model.embed_tokens",
    [SL_TENSOR_NORM1] = "model.layers.{l}.input_layernorm",
    [SL_TENSOR_Q] = "model.layers.{l}.self_attn.q_proj",
    [SL_TENSOR_K] = "model.layers.{l}.self_attn.k_proj",
    [SL_TENSOR_V] = "model.layers.{l}.self_attn.v_proj",
    [SL_TENSOR_Q_NORM] = "model.layers.{l}.self_attn.q_norm",
    [SL_TENSOR_K_NORM] = "model.layers.{l}.self_attn.k_norm",
    [SL_TENSOR_OUT] = "model.layers.{l}.self_attn.o_proj",
    [SL_TENSOR_NORM2] = "model.layers.{l}.post_attention_layernorm",
    [SL_TENSOR_GATE] = "model.layers.{l}.mlp.gate_proj",
    [SL_TENSOR_UP] = "model.layers.{l}.mlp.up_proj",
    [SL_TENSOR_DOWN] = "model.layers.{l}.mlp.down_proj",
    [SL_TENSOR_FINAL_NORM] = "model.norm",
    [SL_TENSOR_HEAD] = "lm_head",
};

static const char *const phi_names[SL_TENSOR_ROLE_COUNT] = {
    [SL_TENSOR_EMBED] = "model.embed_tokens",
    [SL_TENSOR_NORM1] = "model.layers.{l}.input_layernorm",
    [SL_TENSOR_Q] = "model.layers.{l}.self_attn.q_proj",
    [SL_TENSOR_K] = "model.layers.{l}.self_attn.k_proj",
    [SL_TENSOR_V] = "model.layers.{l}.self_attn.v_proj",
    [SL_TENSOR_Q_NORM] = "model.layers.{l}.self_attn.q_layernorm",
    [SL_TENSOR_K_NORM] = "model.layers.{l}.self_attn.k_layernorm",
    [SL_TENSOR_OUT] = "model.layers.{l}.self_attn.dense",
    [SL_TENSOR_UP] = "model.layers.{l}.mlp.fc1",
    [SL_TENSOR_DOWN] = "model.layers.{l}.mlp.fc2",
    [SL_TENSOR_FINAL_NORM] = "model.final_layernorm",
    [SL_TENSOR_HEAD] = "lm_head",
};

static const char *const gpt_neox_names[SL_TENSOR_ROLE_COUNT] = {
    [SL_TENSOR_EMBED] = "gpt_neox.embed_in",
    [SL_TENSOR_NORM1] = "gpt_neox.layers.{l}.input_layernorm",
    [SL_TENSOR_QKV] = "gpt_neox.layers.{l}.attention.query_key_value",
    [SL_TENSOR_OUT] = "gpt_neox.layers.{l}.attention.dense",
    [SL_TENSOR_NORM2] = "gpt_neox.layers.{l}.post_attention_layernorm",
    [SL_TENSOR_UP] = "gpt_neox.layers.{l}.mlp.dense_h_to_4h",
    [SL_TENSOR_DOWN] = "gpt_neox.layers.{l}.mlp.dense_4h_to_h",
    [SL_TENSOR_FINAL_NORM] = "gpt_neox.final_layer_norm",
    [SL_TENSOR_HEAD] = "embed_out",
};

/* An axis left out is off. */
static const sl_family families[] = {
    {
        .model_type = "llama",
        .class_name = "Llama",
        .norm = SL_NORM_RMS,
        .eps_key = "rms_norm_eps",
        .residual = SL_RES_SEQUENTIAL,
        .mlp = SL_MLP_GATED,
        .act = "silu",
        .bias_key = { { "attention_bias", 0, SL_BIAS_QKV | SL_BIAS_OUT },
                      { "mlp_bias", 0, SL_BIAS_MLP } },
        .theta_key = "rope_theta",
        .has_head_dim = 1,
        .has_grouped_heads = 1,
        .has_pad_row = 1,
        .fallback = { 32000, 4096, 11008, 32, 32, 0, 2048, 0, 0, 1e-6, 1.0, 1, 2 },
        .names = llama_names,
    },
    {
        .model_type = "mistral", /* Zephyr */
        .class_name = "Mistral",
        .norm = SL_NORM_RMS,
        .eps_key = "rms_norm_eps",
        .residual = SL_RES_SEQUENTIAL,
        .mlp = SL_MLP_GATED,
        .act = "silu",
        .theta_key = "rope_theta",
        .has_head_dim = 1,
        .has_grouped_heads = 1,
        .window_rule = SL_WINDOW_ALWAYS,
        .has_pad_row = 1,
        .fallback = { 32000, 4096, 14336, 32, 32, 8, 131072, 4096, 0, 1e-6, 1.0, 1, 2 },
        .names = llama_names,
    },
    {
        .model_type = "phi", /* Phi-1, 1.5, 2 */
        .class_name = "Phi",
        .norm = SL_NORM_LAYER,
        .eps_key = "layer_norm_eps",
        .residual = SL_RES_PARALLEL_SHARED,
        .mlp = SL_MLP_PLAIN,
        .act = "gelu_new",
        .bias = SL_BIAS_QKV | SL_BIAS_OUT | SL_BIAS_MLP | SL_BIAS_HEAD,
        .qk_norm = SL_NORM_LAYER,
        .qk_norm_key = "qk_layernorm",
        .theta_key = "rope_theta",
        .partial_key = "partial_rotary_factor",
        .has_grouped_heads = 1,
        .has_pad_row = 1,
        .fallback = { 51200, 2048, 8192, 24, 32, 0, 2048, 0, 0, 1e-5, 0.5, 1, 2 },
        .names = phi_names,
    },
    {
        .model_type = "qwen2", /* Qwen 1.5, 2, 2.5 */
        .class_name = "Qwen2",
        .norm = SL_NORM_RMS,
        .eps_key = "rms_norm_eps",
        .residual = SL_RES_SEQUENTIAL,
        .mlp = SL_MLP_GATED,
        .act = "silu",
        .bias = SL_BIAS_QKV,
        .theta_key = "rope_theta",
        .has_head_dim = 1,
        .has_grouped_heads = 1,
        .window_rule = SL_WINDOW_BY_LAYER,
        .has_pad_row = 1,
        .fallback = { 151936, 4096, 22016, 32, 32, 32, 32768, 4096, 28, 1e-6, 1.0, -1, -1 },
        .names = llama_names,
    },
    {
        .model_type = "qwen3",
        .class_name = "Qwen3",
        .norm = SL_NORM_RMS,
        .eps_key = "rms_norm_eps",
        .residual = SL_RES_SEQUENTIAL,
        .mlp = SL_MLP_GATED,
        .act = "silu",
        .bias_key = { { "attention_bias", 0, SL_BIAS_QKV | SL_BIAS_OUT } },
        .qk_norm = SL_NORM_RMS,
        .theta_key = "rope_theta",
        .has_head_dim = 1,
        .has_grouped_heads = 1,
        .window_rule = SL_WINDOW_BY_LAYER,
        .has_pad_row = 1,
        .fallback = { 151936, 4096, 22016, 32, 32, 32, 32768, 4096, 28, 1e-6, 1.0, -1, -1 },
        .names = llama_names,
    },
    {
        .model_type = "gpt_neox", /* Pythia */
        .class_name = "GPTNeoX",
        .norm = SL_NORM_LAYER,
        .eps_key = "layer_norm_eps",
        .residual = SL_RES_PARALLEL_TWO,
        .parallel_key = "use_parallel_residual",
        .mlp = SL_MLP_PLAIN,
        .act = "gelu",
        .bias = SL_BIAS_MLP,
        .bias_key = { { "attention_bias", 1, SL_BIAS_QKV | SL_BIAS_OUT } },
        .theta_key = "rotary_emb_base",
        .partial_key = "rotary_pct",
        .qkv = SL_QKV_FUSED_PER_HEAD,
        .fallback = { 50432, 6144, 24576, 44, 64, 0, 2048, 0, 0, 1e-5, 0.25, 0, 2 },
        .names = gpt_neox_names,
    },
};

enum { FAMILY_COUNT = sizeof families / sizeof families[0] };

const char *const *sl_family_names(void)
{
    static const char *const names[FAMILY_COUNT + 1] = { "llama", "mistral",  "phi", "qwen2",
                                                         "qwen3", "gpt_neox", NULL };

    return names;
}

/* What is known of a family that has no row; NULL: nothing. */
static const char *foreign_hint(const char *model_type)
{
    static const char experts[] = "mixtures of experts are not read";
    static const struct {
        const char *name, *hint;
    } foreign[] = {
        { "qwen", "Qwen-1 has a code of its own and pickled weights; Qwen1.5 and later are read" },
        { "mixformer-sequential", "an early form of Phi; a folder of today says model_type phi" },
        { "phi-msft", "an early form of Phi-2; a folder of today says model_type phi" },
        { "phi3", "Phi-1, 1.5 and 2 are read (model_type phi), Phi-3 and later are not" },
        { "phi4", "Phi-1, 1.5 and 2 are read (model_type phi), Phi-3 and later are not" },
        { "mixtral", experts },
        { "phimoe", experts },
        { "qwen2_moe", experts },
        { "qwen3_moe", experts },
        { "olmoe", experts },
        { "deepseek_v3", experts },
    };

    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++)
        if (!strcmp(foreign[i].name, model_type))
            return foreign[i].hint;
    return NULL;
}

/* The names, comma-separated. */
static void list_names(char *out, size_t size)
{
    size_t n = 0;

    for (const char *const *name = sl_family_names(); *name && n < size; name++)
        n += (size_t)snprintf(out + n, size - n, "%s%s", n ? ", " : "", *name);
}

sl_status sl_family_find(const sl_family **out, const char *model_type)
{
    const char *near = sl_text_nearest(model_type, sl_family_names());
    const char *hint = foreign_hint(model_type);
    char names[256];

    for (size_t i = 0; i < FAMILY_COUNT; i++) {
        if (strcmp(families[i].model_type, model_type) == 0) {
            *out = &families[i];
            return SL_OK;
        }
    }
    list_names(names, sizeof names);
    SL_FAIL(SL_EUNSUPPORTED, "want model_type one of %s, found \"%.64s\"", names, model_type);
    if (hint)
        return sl_err_hint(SL_EUNSUPPORTED, "%s", hint);
    return sl_err_hint(SL_EUNSUPPORTED, "%s%s",
                       near ? "the nearest is " : "another family is a row of family.c",
                       near ? near : "");
}

void sl_family_tensor_name(char *out, size_t size, const sl_family *family, sl_tensor_role role,
                           size_t layer, int is_bias)
{
    const char *name = family->names[role], *mark = strstr(name, "{l}");
    const char *suffix = is_bias ? "bias" : "weight";

    if (mark)
        (void)snprintf(out, size, "%.*s%zu%s.%s", (int)(mark - name), name, layer, mark + 3,
                       suffix);
    else
        (void)snprintf(out, size, "%s.%s", name, suffix);
}

const char *sl_config_family_name(const sl_config *config)
{
    return config->family->model_type;
}

sl_status sl_rope_type_find(sl_rope_type *out, const char *name)
{
    static const struct {
        const char *name;
        sl_rope_type type;
    } types[] = {
        { "default", SL_ROPE_DEFAULT }, { "linear", SL_ROPE_LINEAR },
        { "dynamic", SL_ROPE_DYNAMIC }, { "llama3", SL_ROPE_BANDED },
        { "yarn", SL_ROPE_YARN },
    };

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(types[i].name, name) == 0) {
            *out = types[i].type;
            return SL_OK;
        }
    }
    return SL_FAIL(SL_EUNSUPPORTED,
                   "want rope type default, linear, dynamic, llama3 or yarn, found \"%.64s\"",
                   name);
}
