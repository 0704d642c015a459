#include "cli/trace.h"
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { STEPS_MAX = 1 << 20 };

static const sl_trace_kind kinds[] = {
    { "dpo", "method.loss=dpo", 3e-6, 2e-5, 4e-4 },
    { "hinge", "method.loss=hinge", 5e-6, 3e-5, 4e-4 },
    { "ipo", "method.loss=ipo-mean", 1e-4, 5e-4, 3e-4 },
    { "slic", "method.loss=slic-hf", 9e-5, 3e-4, 3e-4 },
    { "sft", "method.name=sft", 1e-5, 1e-4, 4e-4 },
};

typedef struct reading {
    const sl_arrays *file;
    sl_trace_plan *plan;
    sl_recipe *recipe;
} reading;

static sl_status set_key(const reading *t, const char *key, const char *value)
{
    char text[SL_RECIPE_PATH + 64];

    if (snprintf(text, sizeof text, "%s=%s", key, value) >= (int)sizeof text)
        return SL_FAIL(SL_EFORMAT, "want a path of at most %d bytes, found a longer one",
                       SL_RECIPE_PATH);
    return sl_yaml_set(t->recipe, sl_recipe_keys, sl_recipe_key_count, text);
}

/* Numbers of the trace by attribute. */
static sl_status set_numbers(const reading *t)
{
    static const struct {
        const char *attribute, *key;
    } numbers[] = {
        { "beta", "method.beta" },          { "slic_delta", "method.delta" },
        { "slic_lambda", "method.lambda" }, { "learning_rate", "optim.learning_rate" },
        { "adam_beta1", "optim.beta1" },    { "adam_beta2", "optim.beta2" },
        { "adam_eps", "optim.eps" },        { "weight_decay", "optim.weight_decay" },
        { "max_grad_norm", "optim.clip" },  { "warmup_ratio", "optim.warmup" },
        { "batch", "train.batch" },
    };
    char value[40];

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        double x = 0.0;

        SL_TRY(sl_arrays_attribute(&x, t->file, "/", numbers[i].attribute));
        snprintf(value, sizeof value, "%.17g", x);
        SL_TRY(set_key(t, numbers[i].key, value));
    }
    return SL_OK;
}

/* What all traces have in common: no shuffling, no cuts, a linear schedule as transformers counts
 * it, decay of matrices; and nothing is recorded. */
static sl_status set_words(const reading *t)
{
    static const char *const words[] = {
        "data.shuffle=false",    "data.probe_share=0",   "optim.schedule=linear",
        "optim.decay=matrices",  "optim.name=adamw",     "optim.warmup_from_zero=true",
        "reference.always=true", "measure.prompts=0",    "record.level=0",
        "record.top_k=0",        "record.probe_every=0", "record.grad_split_every=0",
        "policy.source=static",  "train.iterations=1",   "reference.policy=previous",
    };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        SL_TRY(sl_yaml_set(t->recipe, sl_recipe_keys, sl_recipe_key_count, words[i]));
    return sl_yaml_set(t->recipe, sl_recipe_keys, sl_recipe_key_count, t->plan->kind->set);
}

static sl_status find_kind(const reading *t)
{
    char name[64];

    SL_TRY(sl_arrays_text(name, sizeof name, t->file, "/", "loss"));
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (!strcmp(kinds[i].name, name)) {
            t->plan->kind = &kinds[i];
            return SL_OK;
        }
    return SL_FAIL(SL_EFORMAT, "want attribute \"loss\" dpo, hinge, ipo, slic or sft, found \"%s\"",
                   name);
}

/* The checkpoint and the pairs stand beside the trace: ../models/NAME and pairs.jsonl. */
static sl_status set_paths(const reading *t, const char *path)
{
    const char *slash = strrchr(path, '/');
    const int n = slash ? (int)(slash - path) : 1;
    const char *folder = slash ? path : ".";
    char name[64], full[PATH_MAX];

    SL_TRY(sl_arrays_text(name, sizeof name, t->file, "/", "model"));
    if (!name[0] || strchr(name, '/') || name[0] == '.')
        return SL_FAIL(SL_EFORMAT, "want attribute \"model\" to name a folder, found \"%s\"", name);
    if (!t->recipe->model.policy[0]) {
        snprintf(full, sizeof full, "%.*s/../models/%s", n, folder, name);
        SL_TRY(set_key(t, "model.policy", full));
    }
    if (!strcmp(t->recipe->data.source, "world")) {
        snprintf(full, sizeof full, "%.*s/pairs.jsonl", n, folder);
        SL_TRY(set_key(t, "data.source", full));
    }
    return SL_OK;
}

static sl_status set_counts(const reading *t)
{
    double steps = 0.0, pairs = 0.0;
    char value[32];

    SL_TRY(sl_arrays_attribute(&steps, t->file, "/", "steps"));
    SL_TRY(sl_arrays_attribute(&pairs, t->file, "/", "pairs"));
    if (!(steps >= 1.0 && steps <= STEPS_MAX && pairs >= 1.0 && pairs <= STEPS_MAX) ||
        fmod(steps * (double)t->recipe->train.batch, pairs) != 0.0)
        return SL_FAIL(SL_EFORMAT, "want whole passes over the pairs, found %g steps of %lld of %g",
                       steps, (long long)t->recipe->train.batch, pairs);
    t->plan->steps = (size_t)steps;
    t->plan->pairs = (size_t)pairs;
    snprintf(value, sizeof value, "%zu", t->plan->pairs);
    SL_TRY(set_key(t, "train.prompts", value));
    snprintf(value, sizeof value, "%zu",
             t->plan->steps * (size_t)t->recipe->train.batch / t->plan->pairs);
    return set_key(t, "train.epochs", value);
}

sl_status sl_trace_recipe(sl_trace_plan *plan, sl_recipe *recipe, const sl_arrays *file,
                          const char *path, const sl_opt_list *set)
{
    const reading t = { file, plan, recipe };

    SL_TRY(find_kind(&t));
    SL_TRY(set_numbers(&t));
    SL_TRY(set_words(&t));
    SL_TRY(set_counts(&t));
    SL_TRY(set_paths(&t, path));
    for (size_t i = 0; i < set->count; i++)
        SL_TRY(sl_yaml_set(recipe, sl_recipe_keys, sl_recipe_key_count, set->at[i]));
    return SL_OK;
}
