/* A recipe: everything that a run depends on, as one plain struct with a table of keys. The
 * effective recipe is stored in the run. */
#ifndef SL_TRAIN_RECIPE_H
#define SL_TRAIN_RECIPE_H

#include "base/yaml.h"

typedef enum sl_method { SL_METHOD_SFT, SL_METHOD_PREFERENCE } sl_method;
typedef enum sl_policy_kind {
    SL_POLICY_STATIC,
    SL_POLICY_ON_POLICY,
    SL_POLICY_MIX,
    SL_POLICY_ADVISED
} sl_policy_kind;

enum { SL_RECIPE_PATH = 1024, SL_RECIPE_WORD = 64 };

typedef struct sl_recipe {
    int64_t seed;
    struct {
        char policy[SL_RECIPE_PATH];    /* Hugging Face folder; empty: random initialisation */
        char reference[SL_RECIPE_PATH]; /* empty: the policy at the start of each iteration */
        char family[SL_RECIPE_WORD];
        int64_t layers, hidden, intermediate, heads, kv_heads;
        double rope_theta, rotary, embed_std, matrix_std;
    } model;
    struct {
        char source[SL_RECIPE_PATH]; /* "world" or a file of preference pairs */
        char tokenizer[SL_RECIPE_PATH];
        int64_t max_prompt, max_answer;
        int drop_long, allow_mismatch;
        double probe_share;
    } data;
    struct {
        int64_t seed;
        double content, style, habit, quirk, label_temperature;
    } world;
    struct {
        int kind;                  /* sl_method */
        char loss[SL_RECIPE_WORD]; /* of the preference method */
        double beta, delta, lambda;
        int check_start;
    } method;
    struct {
        double learning_rate, warmup, beta1, beta2, eps, weight_decay, clip;
        int schedule;
    } optim;
    struct {
        int64_t iterations, prompts, epochs, batch, micro_batch, checkpoint_every;
    } train;
    struct {
        int kind; /* sl_policy_kind */
        double mix;
        int64_t refill, sample_batch;
        double temperature, top_p;
        int64_t top_k;
    } policy;
    struct {
        char judge[SL_RECIPE_WORD];
        int64_t prompts, every, batch, on, off, reference_prompts, exact_prompts;
        double tau, delta, alpha;
        int64_t consecutive;
        int counterfactual;
    } measure;
    struct {
        int64_t level, top_k, seal_every, probe_every, probe_prompts, grad_split_every;
        double min_free_gib;
    } record;
} sl_recipe;

extern const sl_key sl_recipe_keys[];
extern const size_t sl_recipe_key_count;

/* Checks what one key alone cannot say (micro_batch divides batch, heads divide, ...).
 * Errors: SL_EARG naming the keys. */
sl_status sl_recipe_check(const sl_recipe *recipe) SL_MUSTUSE;

#endif
