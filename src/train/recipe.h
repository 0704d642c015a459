/* A recipe: everything that a run depends on, as one plain struct with a table of keys. The
 * effective recipe is stored in the run. */
#ifndef SL_TRAIN_RECIPE_H
#define SL_TRAIN_RECIPE_H

#include "base/yaml.h"
#include "train/objective.h"

typedef enum sl_method { SL_METHOD_SFT, SL_METHOD_PREFERENCE, SL_METHOD_REWARD } sl_method;
typedef enum sl_policy_kind {
    SL_POLICY_STATIC,
    SL_POLICY_ON_POLICY,
    SL_POLICY_MIX,
    SL_POLICY_SCHEDULE,
    SL_POLICY_ADVISED
} sl_policy_kind;

/* Advice that is one source; the analyzer knows the others by name. */
enum { SL_ADVISED_HARD, SL_ADVISED_BRANCH };

typedef enum sl_decided_by { SL_DECIDED_IN_PROCESS, SL_DECIDED_OUTSIDE } sl_decided_by;

typedef enum sl_nll_over { SL_NLL_BATCH, SL_NLL_ANSWER, SL_NLL_SUM } sl_nll_over;
typedef enum sl_reference_kind {
    SL_REFERENCE_FIRST,    /* the policy at the start of the run */
    SL_REFERENCE_PREVIOUS, /* the policy at the start of each iteration */
    SL_REFERENCE_MIXED     /* moves towards the policy every few updates (TR-DPO) */
} sl_reference_kind;

enum { SL_RECIPE_PATH = 1024, SL_RECIPE_WORD = 64, SL_RECIPE_LINE = 256 };

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
        int drop_long, shuffle;
        int allow_mismatch, allow_eos_missing, allow_double_bos;
        int special_in_text; /* sl_special_in_text */
        double probe_share;
    } data;
    struct {
        char format[SL_RECIPE_WORD]; /* a known format; empty: the texts below, or the folder's */
        char prefix[SL_RECIPE_LINE], suffix[SL_RECIPE_LINE], prompt[SL_RECIPE_LINE];
        char last[SL_RECIPE_LINE], begin[SL_RECIPE_LINE];
        char default_system[SL_RECIPE_PATH], system_start[SL_RECIPE_PATH];
        char system[SL_RECIPE_WORD], user[SL_RECIPE_WORD], assistant[SL_RECIPE_WORD];
        int trim;
    } chat;
    struct {
        int64_t seed;
        double content, style, habit, quirk, label_temperature;
        char generators[SL_RECIPE_WORD]; /* numbers and blanks */
    } world;
    struct {
        int kind;                  /* sl_method */
        char loss[SL_RECIPE_LINE]; /* of the preference method: one, or a sum of several */
        double beta, delta, lambda, gamma, smoothing, nll;
        int nll_over; /* sl_nll_over */
        int check_start;
    } method;
    struct {
        int kind;    /* sl_optim_kind */
        int decayed; /* sl_optim_decay */
        double learning_rate, warmup, beta1, beta2, eps, weight_decay, clip, momentum, alpha;
        int64_t warmup_steps;
        int schedule, warmup_from_zero, keep_moments;
    } optim;
    struct {
        int kind;   /* sl_reference_kind */
        int stored; /* log-probabilities stand in the data */
        int precompute, always;
        double alpha, fit;
        int64_t every;
    } reference;
    struct {
        int64_t iterations, prompts, epochs, batch, micro_batch, checkpoint_every;
        int64_t keep_checkpoints;
    } train;
    struct {
        int kind;   /* sl_policy_kind */
        int advice; /* SL_ADVISED_HARD, SL_ADVISED_BRANCH, others: a share */
        char schedule[SL_RECIPE_PATH];
        double mix, width, ema, forget, change, least;
        int64_t refill, sample_batch;
        double temperature, top_p;
        int64_t top_k;
        int64_t candidates;
        int rule, labels; /* sl_pair_rule, sl_labels */
        double margin;
        int keep_candidates;
        int decider; /* sl_decided_by */
        double wait_s;
    } policy;
    struct {
        char judge[SL_RECIPE_WORD];
        int64_t prompts, every, batch, on, off, reference_prompts, exact_prompts;
        double tau, delta, alpha;
        int64_t consecutive;
        int counterfactual;
        int64_t branch, branch_replicates, branch_prompts;
    } measure;
    struct {
        char command[SL_RECIPE_PATH], url[SL_RECIPE_PATH], scores[SL_RECIPE_PATH];
        char prompt[SL_RECIPE_PATH], reward[SL_RECIPE_PATH], tokenizer[SL_RECIPE_PATH];
        char model[SL_RECIPE_WORD * 4], key_env[SL_RECIPE_WORD], label[SL_RECIPE_WORD];
        double temperature, timeout_s, start_s, backoff_s;
        int64_t batch, retries, max_tok;
        int both_orders, noise;
        char env[SL_RECIPE_LINE];
    } judge;
    struct {
        char name[SL_RECIPE_WORD], candidates[SL_RECIPE_PATH], command[SL_RECIPE_PATH];
        char url[SL_RECIPE_PATH], model[SL_RECIPE_WORD * 4], key_env[SL_RECIPE_WORD];
        double timeout_s, start_s, backoff_s;
        int64_t batch, retries;
        char env[SL_RECIPE_LINE];
    } sampler;
    struct {
        int64_t level, top_k, seal_every, probe_every, probe_prompts, grad_split_every,
            pair_grad_every, sketch;
        double min_free_gib;
    } record;
} sl_recipe;

extern const sl_key sl_recipe_keys[];
extern const size_t sl_recipe_key_count;

/* What the preference method minimises: method.loss with its settings and method.nll; of the reward
 * method -log sigmoid(reward_c - reward_r), smoothed, its rewards in place of log-probabilities.
 * Errors: SL_EARG naming the key. */
sl_status sl_recipe_objective(sl_objective *out, const sl_recipe *recipe) SL_MUSTUSE;
/* Checks what one key alone cannot say (micro_batch divides batch, heads divide, ...).
 * Errors: SL_EARG naming the keys. */
sl_status sl_recipe_check(const sl_recipe *recipe) SL_MUSTUSE;

#endif
