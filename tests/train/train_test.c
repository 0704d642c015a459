#include "train/train_test.h"

static const char *const tiny[] = {
    "model.hidden=16",
    "model.intermediate=24",
    "model.heads=4",
    "model.kv_heads=2",
    "model.layers=2",
    "model.embed_std=0.3",
    "model.matrix_std=0.2",
    "train.prompts=64",
    "train.batch=16",
    "policy.source=mix",
    "policy.mix=0.5",
    "measure.prompts=0",
    "measure.exact_prompts=16",
    "optim.learning_rate=1.0e-2",
    "optim.clip=0",
    "method.beta=0.5",
};

void tr_open(sl_session *s, const char *device, const char *const *set)
{
    const sl_backend *backend = NULL;
    sl_memory_plan plan;
    sl_recipe recipe = { 0 };

    T_OK(sl_yaml_defaults(&recipe, sl_recipe_keys, sl_recipe_key_count));
    for (size_t i = 0; i < sizeof tiny / sizeof tiny[0]; i++)
        T_OK(sl_yaml_set(&recipe, sl_recipe_keys, sl_recipe_key_count, tiny[i]));
    for (; set && *set; set++)
        T_OK(sl_yaml_set(&recipe, sl_recipe_keys, sl_recipe_key_count, *set));
    T_OK(sl_backend_open(&backend, device, 1));
    T_OK(sl_session_open(s, &recipe, backend, NULL, &plan));
    sl_feed_begin(&s->feed, 0);
    s->feed.mix = s->mix;
}

size_t tr_floats(const sl_session *s)
{
    return sl_model_tensors(s->policy)->floats;
}

/* Moves the policy off its reference, so that coefficients differ from pair to pair. */
void tr_walk_off(sl_session *s)
{
    float *p = sl_model_parameters(s->policy);
    sl_rng rng = sl_rng_at(9, sl_rng_stream("test walk"), 0);

    for (size_t i = 0; i < tr_floats(s); i++)
        p[i] += 0.02f * (float)sl_rng_normal(&rng);
}

double tr_distance(const float *a, const float *b, size_t n)
{
    double d = 0.0, size = 0.0;

    for (size_t i = 0; i < n; i++) {
        d += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
        size += (double)b[i] * (double)b[i];
    }
    return sqrt(d / size);
}
