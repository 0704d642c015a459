/* The worlds of the stage benchmark and its rows of settings: data over the recipes of the built-in
 * world. Rates were tuned on seeds 1 to 22 and then frozen (docs/stage-benchmark.md). */
#include "base/hash.h"
#include "base/alloc.h"
#include "cli/recipes.h"
#include "cli/stage.h"
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define LIST(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define UNCHANGED ((const char *const[]){ NULL })

const sl_stage_world sl_stage_mini = {
    .name = "mini",
    .what = "d = 32, 1024 prompts, one iteration",
    .start = LIST("model.hidden=32", "model.intermediate=64", "optim.learning_rate=1e-2"),
    .second = LIST("train.prompts=2560", "optim.learning_rate=2.0e-3", "optim.warmup=0.5"),
    .pairs = LIST("train.prompts=1024", "train.iterations=1"),
    .method = { LIST("optim.learning_rate=8e-4"),
                LIST("method.loss=slic-hf", "method.lambda=0.1", "optim.learning_rate=8e-4") },
    .strength = { 0, 1, 2, 3, 4, 5 },
    .strengths = 6,
    .iterations = 1,
};

const sl_stage_world sl_stage_full = {
    .name = "full",
    .what = "d = 48, 2048 prompts, two iterations in every order",
    .start = UNCHANGED,
    .second = LIST("train.prompts=2560", "optim.learning_rate=2.0e-3", "optim.warmup=0.5"),
    .pairs = UNCHANGED,
    .method = { LIST("optim.learning_rate=3e-4"),
                LIST("method.loss=slic-hf", "method.lambda=0.1", "optim.learning_rate=5e-4") },
    .strength = { 0, 1, 1.5, 2, 3, 4, 5 },
    .strengths = 7,
    .iterations = 2,
};

const sl_stage_variant sl_stage_variants[] = {
    { .name = "plain", .what = "as defined", .method = { UNCHANGED, UNCHANGED }, .is_shown = 1 },
    { .name = "best-of-4",
      .what = "on-policy pair: best and worst of 4 answers",
      .pairs = LIST("policy.candidates=4", "policy.pair=best-worst"),
      .method = { UNCHANGED, UNCHANGED },
      .is_shown = 1 },
    { .name = "poor-static",
      .what = "static generators c = 0 1 2",
      .pairs = LIST("world.generators=0 1 2"),
      .method = { UNCHANGED, UNCHANGED },
      .is_shown = 1 },
    { .name = "half-rate",
      .what = "half the learning rate",
      .method = { UNCHANGED, UNCHANGED },
      .rate = 0.5 },
    { .name = "double-rate",
      .what = "twice the learning rate",
      .method = { UNCHANGED, UNCHANGED },
      .rate = 2.0 },
    { .name = "noisy-labels",
      .what = "labels of both kinds at temperature 3",
      .pairs = LIST("world.label_temperature=3"),
      .method = { UNCHANGED, UNCHANGED } },
    { .name = "beta-.1", .what = "beta .1", .method = { LIST("method.beta=0.1"), NULL } },
    { .name = "no-nll",
      .what = "without the likelihood term",
      .method = { NULL, LIST("method.lambda=0") } },
    { .name = "narrow-static",
      .what = "static generators c = 2 2 2 2",
      .pairs = LIST("world.generators=2 2 2 2"),
      .method = { UNCHANGED, UNCHANGED } },
    { .name = "warm-sampling",
      .what = "answers drawn at temperature 1.5",
      .pairs = LIST("policy.temperature=1.5"),
      .method = { UNCHANGED, UNCHANGED } },
    { .name = "under-trained",
      .what = "a first phase of 40 updates instead of 150",
      .start = LIST("train.prompts=2560", "optim.warmup=0.5"),
      .method = { UNCHANGED, UNCHANGED },
      .is_stress = 1,
      .is_shown = 1 },
};
const size_t sl_stage_variant_count = sizeof sl_stage_variants / sizeof sl_stage_variants[0];

static sl_status set_all(sl_recipe *r, const char *const *list)
{
    for (; list && *list; list++)
        SL_TRY(sl_yaml_set(r, sl_recipe_keys, sl_recipe_key_count, *list));
    return SL_OK;
}

/* A recipe of the built-in world with the point's seed; it measures and trains without a record. */
static sl_status load(sl_recipe *r, const sl_stage_point *p, const char *name, const char *policy)
{
    char path[PATH_MAX];

    SL_TRY(sl_recipe_path(path, sizeof path, name));
    SL_TRY(sl_yaml_load(r, sl_recipe_keys, sl_recipe_key_count, path));
    if (strlen(policy) >= sizeof r->model.policy)
        return SL_FAIL(SL_EARG, "want a path below %zu bytes, found \"%s\"", sizeof r->model.policy,
                       policy);
    strcpy(r->model.policy, policy);
    r->seed = r->world.seed = p->seed;
    r->record.level = r->record.top_k = 0;
    r->record.probe_every = r->record.grad_split_every = 0;
    return SL_OK;
}

sl_status sl_stage_start_recipe(sl_recipe *out, const sl_stage_point *p, int phase,
                                const char *policy)
{
    SL_TRY(load(out, p, "world-start.yaml", policy));
    SL_TRY(set_all(out, p->world->start));
    if (phase == 1)
        return set_all(out, p->variant->start);
    SL_TRY(set_all(out, p->world->second));
    out->world.content = p->strength;
    out->world.style = p->strength / 4.0;
    return SL_OK;
}

sl_status sl_stage_pair_recipe(sl_recipe *out, const sl_stage_point *p, size_t method,
                               const char *policy)
{
    SL_TRY(load(out, p, "world-dpo.yaml", policy));
    out->policy.kind = SL_POLICY_ON_POLICY; /* so that everything it needs is opened */
    out->measure.batch = 128;
    SL_TRY(set_all(out, p->world->pairs));
    SL_TRY(set_all(out, p->world->method[method]));
    if (p->variant->rate > 0.0)
        out->optim.learning_rate *= p->variant->rate;
    SL_TRY(set_all(out, p->variant->pairs));
    return set_all(out, p->variant->method[method]);
}

/* Adds a recipe's values to a hash. */
static sl_status add_recipe(uint64_t *hash, const sl_recipe *r)
{
    sl_json *tree = NULL;
    char *text = NULL;
    uint64_t part[2] = { *hash, 0 };
    sl_status st;

    SL_TRY(sl_yaml_dump(&tree, r, sl_recipe_keys, sl_recipe_key_count));
    st = sl_json_dump(&text, tree, 0);
    sl_json_close(&tree);
    SL_TRY(st);
    part[1] = sl_hash_id(text, strlen(text));
    sl_free(text);
    *hash = sl_hash_id(part, sizeof part);
    return SL_OK;
}

sl_status sl_stage_settings(char out[17], const sl_stage_point *p, int method)
{
    uint64_t hash = 0;
    sl_recipe r;

    SL_TRY(sl_stage_start_recipe(&r, p, 1, ""));
    SL_TRY(add_recipe(&hash, &r));
    if (method != SL_STAGE_BASE) {
        SL_TRY(sl_stage_start_recipe(&r, p, 2, ""));
        SL_TRY(add_recipe(&hash, &r));
    }
    if (method >= 0) {
        SL_TRY(sl_stage_pair_recipe(&r, p, (size_t)method, ""));
        SL_TRY(add_recipe(&hash, &r));
    }
    snprintf(out, 17, "%016" PRIx64, hash);
    return SL_OK;
}
