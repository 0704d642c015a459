/* Rope type dynamic: beyond the trained positions the numbers are those of a model with the theta
 * of the batch's longest position; up to there those of the default type. usage: test_dynamic
 * BACKEND */
#include "model/rope.h"
#include "model/sample.h"
#include "model_test.h"
#include <stdlib.h>
#include <string.h>

#define SHAPE                                                                                      \
    "\"model_type\":\"llama\",\"hidden_size\":24,\"intermediate_size\":20,"                        \
    "\"num_hidden_layers\":2,\"vocab_size\":61,\"num_attention_heads\":3,"                         \
    "\"initializer_range\":0.2,\"max_position_embeddings\":32,"
enum { TRAINED = 32, LONG = 50, R = 8, V = 61, FACTOR = 4 };

static const sl_backend *backend;
static const char dynamic_json[] =
    "{" SHAPE "\"rope_theta\":100.0,\"rope_scaling\":{\"rope_type\":\"dynamic\",\"factor\":4.0}}";

/* The formula of transformers' modeling_rope_utils, in double. */
static double theta_of(size_t n)
{
    return 100.0 * pow((double)FACTOR * (double)n / TRAINED - (FACTOR - 1.0), R / (R - 2.0));
}

static sl_model *open_model(const char *json)
{
    sl_config config = t_config(json);
    sl_model *model = NULL;

    T_OK(sl_model_create(&model, &config, backend, &(sl_init){ .seed = 3 }, 0));
    return model;
}

/* Default rope with that theta. */
static sl_model *open_plain(double theta)
{
    char json[1024];

    (void)snprintf(json, sizeof json, "{" SHAPE "\"rope_theta\":%.17g}", theta);
    return open_model(json);
}

static float *logits(const sl_model *model, size_t count)
{
    const sl_packed_limits limits = { .T = LONG, .S = 1, .B = 1, .N = LONG, .positions = LONG };
    float *z = malloc(count * V * sizeof *z);
    int32_t token[LONG];
    static t_batch batch;
    sl_work *work = NULL;

    t_tokens(token, LONG, V, 5);
    t_batch_begin(&batch);
    t_batch_every_row(&batch, token, count);
    T_OK(sl_work_open(&work, sl_model_config(model), backend, &limits, 0));
    T_OK(sl_model_forward(model, work, &batch.packed));
    T_OK(sl_model_logits(z, model, work, &batch.packed));
    sl_work_close(&work);
    return z;
}

/* Largest distance of the logits of the first `count` tokens. */
static double apart(const sl_model *a, const sl_model *b, size_t count)
{
    float *x = logits(a, count), *y = logits(b, count);
    double worst = 0.0;

    for (size_t i = 0; i < count * V; i++)
        worst = fmax(worst, fabs((double)x[i] - (double)y[i]));
    free(x);
    free(y);
    return worst;
}

static void test_longest_sets_theta(void **state)
{
    sl_model *dynamic = open_model(dynamic_json), *plain = open_plain(100.0);
    sl_model *stretched = open_plain(theta_of(LONG));

    (void)state;
    T_CLOSE(apart(dynamic, stretched, LONG), 0.0, 2e-5);
    assert_true(apart(dynamic, plain, LONG) > 1e-3);   /* the rule matters */
    T_CLOSE(apart(dynamic, plain, TRAINED), 0.0, 0.0); /* and begins where it should */
    assert_true(apart(stretched, plain, TRAINED) > 1e-3);
    sl_model_close(&dynamic);
    sl_model_close(&plain);
    sl_model_close(&stretched);
}

static void test_growing_rows(void **state)
{
    const sl_rope rope = { .type = SL_ROPE_DYNAMIC, .theta = 100.0f, .factor = FACTOR };
    float c[LONG * R / 2], s[LONG * R / 2], want_c[LONG * R / 2], want_s[LONG * R / 2];

    (void)state;
    sl_rope_fill_growing(c, s, &rope, R, LONG, TRAINED);
    for (size_t p = 0; p < LONG; p++) {
        const double theta = p + 1 > TRAINED ? theta_of(p + 1) : 100.0;
        const sl_rope plain = { .type = SL_ROPE_DEFAULT, .theta = (float)theta };

        sl_rope_fill(want_c, want_s, &plain, R, LONG);
        T_CLOSE_ALL(c + p * R / 2, want_c + p * R / 2, R / 2, 1e-5);
        T_CLOSE_ALL(s + p * R / 2, want_s + p * R / 2, R / 2, 1e-5);
    }
}

/* The prompt is computed with the theta of its own length: the first token drawn is the argmax of
 * the forward pass; several prompts in one call do not disturb each other. */
static void test_generation(void **state)
{
    sl_model *model = open_model(dynamic_json);
    int32_t token[LONG], out[2][4];
    float logp[2][4], *z = logits(model, 40);
    sl_candidate c[2] = { { .token = out[0], .logp = logp[0] },
                          { .token = out[1], .logp = logp[1], .stream = 1 } };
    const sl_generate greedy = { .law = { .temperature = 0.0f, .top_p = 1.0f }, .max_new = 4 };
    sl_prompt prompt[2] = { { token, 40 }, { token, 20 } };
    sl_generator *g = NULL;
    size_t best = 0;
    int32_t alone[4];

    (void)state;
    t_tokens(token, LONG, V, 5);
    T_OK(sl_generator_open(&g, sl_model_config(model), backend, 2, 40, 4));
    T_OK(sl_model_sample(c, g, model, prompt, 1, 1, &greedy));
    memcpy(alone, out[0], sizeof alone);
    for (size_t v = 1; v < V; v++)
        best = z[39 * V + v] > z[39 * V + best] ? v : best;
    assert_int_equal(alone[0], best);
    T_OK(sl_model_sample(c, g, model, prompt, 2, 1, &greedy));
    assert_memory_equal(alone, out[0], sizeof alone);
    sl_generator_close(&g);
    sl_model_close(&model);
    free(z);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_longest_sets_theta),
        cmocka_unit_test(test_growing_rows),
        cmocka_unit_test(test_generation),
    };

    T_OK(sl_backend_open(&backend, argc == 2 ? argv[1] : "cpu", 1));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
