/* config.json: published sizes, both dialects, refusals by name, rotary frequencies. */
#include "base/file.h"
#include "model/config.h"
#include "model/model.h"
#include "model/rope.h"
#include "model_test.h"
#include <stdio.h>
#include <string.h>

/* Published checkpoints; their parameter counts are facts from their model cards. */
static const struct {
    const char *name, *model_type;
    size_t D, F, L, H, K, V;
    const char *more;
    size_t parameters;
} published[] = {
    { "Meta-Llama-3-8B", "llama", 4096, 14336, 32, 32, 8, 128256, "", 8030261248 },
    { "Llama-3.2-1B", "llama", 2048, 8192, 16, 32, 8, 128256, ",\"tie_word_embeddings\":true",
      1235814400 },
    { "Llama-3.2-3B", "llama", 3072, 8192, 28, 24, 8, 128256, ",\"tie_word_embeddings\":true",
      3212749824 },
    { "zephyr-7b-beta", "mistral", 4096, 14336, 32, 32, 8, 32000, "", 7241732096 },
    { "phi-2", "phi", 2560, 10240, 32, 32, 32, 51200, ",\"partial_rotary_factor\":0.4",
      2779683840 },
    { "Qwen1.5-1.8B", "qwen2", 2048, 5504, 24, 16, 16, 151936, "", 1836828672 },
    { "Qwen2.5-0.5B", "qwen2", 896, 4864, 24, 14, 2, 151936, ",\"tie_word_embeddings\":true",
      494032768 },
    { "Qwen2.5-7B", "qwen2", 3584, 18944, 28, 28, 4, 152064, "", 7615616512 },
    { "Qwen3-0.6B", "qwen3", 1024, 3072, 28, 16, 8, 151936,
      ",\"tie_word_embeddings\":true,\"head_dim\":128", 596049920 },
    { "Qwen3-8B", "qwen3", 4096, 12288, 36, 32, 8, 151936, ",\"head_dim\":128", 8190735360 },
    { "pythia-14m", "gpt_neox", 128, 512, 6, 4, 4, 50304, "", 14067712 },
    { "pythia-70m", "gpt_neox", 512, 2048, 6, 8, 8, 50304, "", 70426624 },
    { "pythia-1b", "gpt_neox", 2048, 8192, 16, 8, 8, 50304, "", 1011781632 },
    { "pythia-12b", "gpt_neox", 5120, 20480, 36, 40, 40, 50688, "", 11846072320 },
    { "SmolLM2-135M", "llama", 576, 1536, 30, 9, 3, 49152, ",\"tie_word_embeddings\":true",
      134515008 },
};

static void test_published_parameter_counts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof published / sizeof published[0]; i++) {
        char json[1024];
        sl_config c;

        (void)snprintf(json, sizeof json,
                       "{\"model_type\":\"%s\",\"hidden_size\":%zu,\"intermediate_size\":%zu,"
                       "\"num_hidden_layers\":%zu,\"num_attention_heads\":%zu,"
                       "\"num_key_value_heads\":%zu,\"vocab_size\":%zu%s}",
                       published[i].model_type, published[i].D, published[i].F, published[i].L,
                       published[i].H, published[i].K, published[i].V, published[i].more);
        c = t_config(json);
        assert_int_equal(sl_config_parameters(&c), published[i].parameters);
        sl_config_close(&c);
    }
}

/* Kept per token and layer: x, mid, qkv, o, gate and up, lse; 47,104 + 32 floats for Llama-3-8B. */
static void test_memory_of_a_layer(void **state)
{
    const sl_packed_limits limits = { 64, 1, 1, 64, 64 };
    size_t bytes[2];

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        sl_config c = t_config("{\"model_type\":\"llama\",\"hidden_size\":4096,"
                               "\"intermediate_size\":14336,\"num_key_value_heads\":8}");

        c.L = 31 + i;
        bytes[i] = sl_work_bytes(&c, &limits, 1);
        sl_config_close(&c);
    }
    assert_int_equal(bytes[1] - bytes[0], 64 * (47104 + 32) * sizeof(float));
}

static void test_every_family_is_found(void **state)
{
    size_t count = 0;

    (void)state;
    for (const char *const *name = sl_family_names(); *name; name++, count++) {
        char json[64];
        sl_config c;

        (void)snprintf(json, sizeof json, "{\"model_type\":\"%s\"}", *name);
        c = t_config(json);
        assert_string_equal(sl_config_family_name(&c), *name);
        sl_config_close(&c);
    }
    assert_int_equal(count, 6);
}

static void test_axes_of_partial_rotation_and_windows(void **state)
{
    sl_config c = t_config("{\"model_type\":\"phi\",\"hidden_size\":60,\"num_attention_heads\":5,"
                           "\"partial_rotary_factor\":0.4}");

    (void)state;
    assert_int_equal(c.R, 4); /* int(12 * 0.4) */
    assert_int_equal(c.residual, SL_RES_PARALLEL_SHARED);
    assert_int_equal(c.window, 0);
    sl_config_close(&c);
    c = t_config("{\"model_type\":\"gpt_neox\",\"rope_parameters\":{\"rope_theta\":5000.0,"
                 "\"partial_rotary_factor\":0.5},\"rotary_pct\":0.25}");
    assert_int_equal(c.R, 48); /* the dictionary beats the key outside */
    assert_true(c.rope.theta == 5000.0f);
    sl_config_close(&c);
    c = t_config("{\"model_type\":\"mistral\"}");
    assert_int_equal(c.window, 4096);
    assert_int_equal(c.K, 8);
    sl_config_close(&c);
    c = t_config("{\"model_type\":\"mistral\",\"sliding_window\":null,\"eos_token_id\":[2,5]}");
    assert_int_equal(c.window, 0);
    assert_int_equal(c.eos_count, 2);
    assert_int_equal(c.eos[1], 5);
    sl_config_close(&c);
    c = t_config("{\"model_type\":\"qwen2\",\"num_hidden_layers\":3,\"use_sliding_window\":true,"
                 "\"sliding_window\":9,\"max_window_layers\":0,\"layer_types\":[\"full_attention\","
                 "\"sliding_attention\",\"full_attention\"]}");
    assert_int_equal(c.windowed[0], 2);
    sl_config_close(&c);
}

#define TINY "\"hidden_size\":8,\"num_attention_heads\":2,"

static void test_refusals_name_what_they_found(void **state)
{
    static const struct {
        const char *json;
        sl_status code;
        const char *text;
    } cases[] = {
        { "[]", SL_EFORMAT, "want a JSON object" },
        { "{}", SL_EFORMAT, "model_type" },
        { "{\"model_type\":\"gpt2\"}", SL_EUNSUPPORTED, "found \"gpt2\"" },
        { "{\"model_type\":\"lama\"}", SL_EUNSUPPORTED, "the nearest is llama" },
        { "{\"model_type\":\"qwen\",\"architectures\":[\"QWenLMHeadModel\"]}", SL_EUNSUPPORTED,
          "found \"qwen\" hint: Qwen-1 has" },
        { "{\"model_type\":\"mixformer-sequential\"}", SL_EUNSUPPORTED, "model_type phi" },
        { "{\"model_type\":\"phi-msft\"}", SL_EUNSUPPORTED, "model_type phi" },
        { "{\"model_type\":\"mixtral\"}", SL_EUNSUPPORTED, "mixtures of experts" },
        { "{\"model_type\":\"qwen2_moe\"}", SL_EUNSUPPORTED, "mixtures of experts" },
        { "{\"model_type\":\"llama\",\"num_local_experts\":8}", SL_EUNSUPPORTED,
          "found num_local_experts" },
        { "{\"model_type\":\"llama\",\"rope_scaling\":{\"rope_type\":\"su\",\"factor\":2}}",
          SL_EUNSUPPORTED, "\"su\"" },
        { "{\"model_type\":\"llama\",\"hidden_act\":\"relu\"}", SL_EUNSUPPORTED, "\"relu\"" },
        { "{\"model_type\":\"llama\",\"rope_scaling\":{\"type\":\"longrope\"}}", SL_EUNSUPPORTED,
          "\"longrope\"" },
        { "{\"model_type\":\"llama\",\"rope_scaling\":{\"type\":\"linear\"}}", SL_EFORMAT,
          "want factor" },
        { "{\"model_type\":\"llama\",\"attention_dropout\":0.1}", SL_EUNSUPPORTED,
          "attention_dropout 0" },
        { "{\"model_type\":\"llama\",\"quantization_config\":{}}", SL_EUNSUPPORTED,
          "quantization_config" },
        { "{\"model_type\":\"llama\",\"dtype\":\"float8\"}", SL_EUNSUPPORTED, "\"float8\"" },
        { "{\"model_type\":\"llama\",\"num_hidden_layers\":513}", SL_EFORMAT, "1..512, found 513" },
        { "{\"model_type\":\"llama\",\"vocab_size\":-1}", SL_EFORMAT, "found -1" },
        { "{\"model_type\":\"llama\",\"vocab_size\":99999999999}", SL_EFORMAT, "vocab_size" },
        { "{\"model_type\":\"llama\",\"hidden_size\":9,\"num_attention_heads\":2}", SL_EFORMAT,
          "multiple of num_attention_heads" },
        { "{\"model_type\":\"llama\"," TINY "\"num_key_value_heads\":3}", SL_EFORMAT,
          "multiple of num_key_value_heads" },
        { "{\"model_type\":\"llama\",\"hidden_size\":6,\"num_attention_heads\":2}", SL_EFORMAT,
          "even rotated part" },
        { "{\"model_type\":\"llama\",\"pad_token_id\":32000}", SL_EFORMAT, "pad_token_id" },
        { "{\"model_type\":\"llama\",\"vocab_size\":\"many\"}", SL_EFORMAT, "vocab_size" },
        { "{\"model_type\":\"llama\",\"rope_parameters\":{\"partial_rotary_factor\":0.5}}",
          SL_EUNSUPPORTED, "partial_rotary_factor 1" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sl_config c;
        sl_json *tree = NULL;

        T_OK(sl_json_parse(&tree, cases[i].json, strlen(cases[i].json), "test"));
        T_FAILS(sl_config_parse(&c, tree, "config.json"), cases[i].code, cases[i].text);
    }
}

/* A folder whose weights have another form says which, and the way out. */
static void test_other_forms_of_weights(void **state)
{
    static const struct {
        const char *file, *text;
    } cases[] = {
        { "adapter_config.json", "hint: this is an adapter" },
        { "adapter_model.safetensors", "config.json" },
        { "phi-2.Q4_K_M.gguf", "hint: GGUF is not read" },
        { "pytorch_model-00001-of-00002.bin", "hint: pickles are never read" },
        { "consolidated.00.pth", "hint: pickles are never read" },
    };
    char path[4200];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *folder = t_scratch();
        sl_config c;

        (void)snprintf(path, sizeof path, "%s/%s", folder, cases[i].file);
        T_OK(sl_file_write_atomic(path, "x", 1));
        T_FAILS(sl_config_load(&c, folder), SL_EIO, cases[i].text);
        t_scratch_remove();
    }
}

/* Values of Llama-3.1 (theta 5e5, head 128), as transformers computes them. */
static void test_scaled_frequencies(void **state)
{
    float inverse[64];
    const sl_rope rope = { .type = SL_ROPE_BANDED,
                           .theta = 5e5f,
                           .factor = 8.0f,
                           .low = 1.0f,
                           .high = 4.0f,
                           .original_positions = 8192 };
    const sl_rope plain = { .type = SL_ROPE_DEFAULT, .theta = 5e5f };
    float unscaled[64];

    (void)state;
    sl_rope_inverse(inverse, &rope, 128);
    sl_rope_inverse(unscaled, &plain, 128);
    T_CLOSE_ALL(inverse, unscaled, 29, TOL_EXACT);
    T_CLOSE(inverse[29] / 0.00216657076, 1.0, TOL_SUM(1));
    T_CLOSE(inverse[30] / 0.00137189357, 1.0, TOL_SUM(1));
    T_CLOSE(inverse[35] / 9.55621235e-05, 1.0, TOL_SUM(1));
    T_CLOSE(inverse[63] / 3.06892599e-07, 1.0, TOL_SUM(1));
}

/* yarn: the fastest pair is kept, the slowest divided by the factor, cosines carry the factor. */
static void test_yarn(void **state)
{
    float inverse[32], unscaled[32], cosine[32], sine[32];
    const sl_rope plain = { .type = SL_ROPE_DEFAULT, .theta = 1e4f };
    const sl_rope yarn = { .type = SL_ROPE_YARN,
                           .theta = 1e4f,
                           .factor = 4.0f,
                           .beta_fast = 32.0f,
                           .beta_slow = 1.0f,
                           .is_truncated = 1,
                           .original_positions = 2048 };

    (void)state;
    sl_rope_inverse(inverse, &yarn, 64);
    sl_rope_inverse(unscaled, &plain, 64);
    T_CLOSE(inverse[0], unscaled[0], TOL_EXACT);
    T_CLOSE(inverse[31] / unscaled[31], 0.25, TOL_4ULP);
    sl_rope_fill(cosine, sine, &yarn, 64, 1);
    T_CLOSE(cosine[5], 0.1 * log(4.0) + 1.0, TOL_4ULP);
    T_CLOSE(sine[5], 0.0, TOL_EXACT);
}

/* The same model in both dialects is one descriptor. */
static void test_dialects_agree(void **state)
{
    static const char *const folders[] = {
        "llama", "llama31",      "llama_bias", "phi2",  "phi_qknorm", "pythia", "pythia_sequential",
        "qwen2", "qwen2_window", "qwen3",      "zephyr"
    };

    (void)state;
    if (!t_shared("goldens/models"))
        skip();
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        char name[256];
        sl_config c[2];
        const char *const dialects[] = { "config.v4.json", "config.v5.json" };
        const char *path = NULL;
        sl_json *tree = NULL;

        for (size_t d = 0; d < 2; d++) {
            (void)snprintf(name, sizeof name, "goldens/models/%s/%s", folders[i], dialects[d]);
            path = t_shared(name);
            if (!path) {
                (void)snprintf(name, sizeof name, "goldens/models/%s/config.json", folders[i]);
                path = t_shared(name);
            }
            T_OK(sl_json_load(&tree, path, 1 << 20));
            T_OK(sl_config_parse(&c[d], tree, path));
        }
        assert_ptr_not_equal(c[0].tree, c[1].tree);
        for (size_t d = 0; d < 2; d++)
            sl_json_close(&c[d].tree);
        assert_memory_equal(&c[0], &c[1], sizeof c[0]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_parameter_counts),
        cmocka_unit_test(test_memory_of_a_layer),
        cmocka_unit_test(test_every_family_is_found),
        cmocka_unit_test(test_axes_of_partial_rotation_and_windows),
        cmocka_unit_test(test_refusals_name_what_they_found),
        cmocka_unit_test(test_other_forms_of_weights),
        cmocka_unit_test(test_scaled_frequencies),
        cmocka_unit_test(test_yarn),
        cmocka_unit_test(test_dialects_agree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
