#include "model_test.h"
#include <string.h>

#define SIZES                                                                                      \
    "\"hidden_size\":24,\"intermediate_size\":20,\"num_hidden_layers\":2,\"vocab_size\":61,"
#define WIDE "\"initializer_range\":0.2,\"max_position_embeddings\":128,"

const t_family t_families[] = {
    { "grouped heads", "{\"model_type\":\"llama\"," SIZES WIDE
                       "\"num_attention_heads\":4,\"num_key_value_heads\":2,\"pad_token_id\":5}" },
    { "biases everywhere, tied",
      "{\"model_type\":\"llama\"," SIZES WIDE "\"num_attention_heads\":3,\"head_dim\":10,"
      "\"attention_bias\":true,\"mlp_bias\":true,\"tie_word_embeddings\":true}" },
    { "window everywhere",
      "{\"model_type\":\"mistral\"," SIZES WIDE
      "\"num_attention_heads\":4,\"num_key_value_heads\":1,\"sliding_window\":5}" },
    { "parallel, shared norm, q/k layer norm",
      "{\"model_type\":\"phi\"," SIZES WIDE
      "\"num_attention_heads\":2,\"partial_rotary_factor\":0.5,\"qk_layernorm\":true}" },
    { "window in some layers, tied",
      "{\"model_type\":\"qwen2\"," SIZES WIDE "\"num_attention_heads\":4,"
      "\"num_key_value_heads\":2,\"use_sliding_window\":true,\"sliding_window\":4,"
      "\"max_window_layers\":1,\"tie_word_embeddings\":true}" },
    { "q/k rms norm", "{\"model_type\":\"qwen3\"," SIZES WIDE
                      "\"num_attention_heads\":4,\"num_key_value_heads\":2,\"head_dim\":8}" },
    { "parallel, two norms, fused",
      "{\"model_type\":\"gpt_neox\"," SIZES WIDE "\"num_attention_heads\":3}" },
    { "sequential, fused",
      "{\"model_type\":\"gpt_neox\"," SIZES WIDE
      "\"num_attention_heads\":2,\"rotary_pct\":0.5,\"use_parallel_residual\":false}" },
    { NULL, NULL },
};

void t_batch_begin(t_batch *b)
{
    memset(b, 0, sizeof *b);
    b->packed.token = b->token;
    b->packed.position = b->position;
    b->packed.segment = b->segment;
    b->packed.target = b->target;
    b->packed.seq_first = b->seq_first;
}

static int32_t add_segment(t_batch *b, int32_t parent, const int32_t *token, size_t count)
{
    sl_packed *p = &b->packed;
    const uint32_t position = parent < 0 ? 0 : b->segment[parent].count;

    assert_true(p->T + count <= T_ROWS && p->S < T_SEGMENTS);
    b->segment[p->S] = (sl_segment){ parent, (uint32_t)p->T, (uint32_t)count, position };
    for (size_t i = 0; i < count; i++) {
        b->token[p->T + i] = token[i];
        b->position[p->T + i] = (int32_t)(position + i);
    }
    p->T += count;
    return (int32_t)p->S++;
}

static void add_target(t_batch *b, size_t row, int32_t token)
{
    assert_true(b->packed.N < T_ROWS);
    b->target[b->packed.N++] = (sl_target){ (uint32_t)row, token, (uint32_t)b->packed.B };
}

static void end_sequence(t_batch *b)
{
    b->seq_first[++b->packed.B] = (uint32_t)b->packed.N;
}

int32_t t_batch_prompt(t_batch *b, const int32_t *token, size_t count)
{
    return add_segment(b, -1, token, count);
}

void t_batch_answer(t_batch *b, int32_t prompt, const int32_t *token, size_t count)
{
    const sl_segment *p = &b->segment[prompt];
    const size_t last = p->first + p->count - 1;
    const size_t first = b->segment[add_segment(b, prompt, token, count)].first;

    for (size_t i = 0; i < count; i++)
        add_target(b, i ? first + i - 1 : last, token[i]);
    end_sequence(b);
}

void t_batch_sequence(t_batch *b, const int32_t *token, size_t count, size_t first)
{
    const size_t row = b->segment[add_segment(b, -1, token, count)].first;

    for (size_t i = first; i < count; i++)
        add_target(b, row + i - 1, token[i]);
    end_sequence(b);
}

void t_batch_every_row(t_batch *b, const int32_t *token, size_t count)
{
    const size_t row = b->segment[add_segment(b, -1, token, count)].first;

    for (size_t i = 0; i < count; i++)
        add_target(b, row + i, i + 1 < count ? token[i + 1] : 0);
    end_sequence(b);
}

sl_packed_limits t_batch_limits(const t_batch *b)
{
    sl_packed_limits m = { b->packed.T, b->packed.S, b->packed.B, b->packed.N, 1 };

    for (size_t t = 0; t < b->packed.T; t++) {
        if ((size_t)b->position[t] + 1 > m.positions)
            m.positions = (size_t)b->position[t] + 1;
    }
    return m;
}

sl_config t_config(const char *json)
{
    sl_config c;
    sl_json *tree = NULL;

    T_OK(sl_json_parse(&tree, json, strlen(json), "test"));
    T_OK(sl_config_parse(&c, tree, "test"));
    return c;
}

void t_tokens(int32_t *out, size_t count, size_t V, uint64_t stream)
{
    sl_rng rng = sl_rng_at(7, stream, 0);

    for (size_t i = 0; i < count; i++)
        out[i] = (int32_t)sl_rng_below(&rng, (uint32_t)V);
}

double t_distance(const float *x, const float *y, size_t n)
{
    double diff = 0.0, size = 0.0;

    for (size_t i = 0; i < n; i++) {
        assert_true(isfinite(x[i]));
        diff += ((double)x[i] - y[i]) * ((double)x[i] - y[i]);
        size += (double)y[i] * y[i];
    }
    return sqrt(diff) / (size > 0.0 ? sqrt(size) : 1.0);
}
