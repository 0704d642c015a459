#include "train/recipe.h"
#include "text/encoder.h"
#include "train/optim.h"
#include "train/pair_rule.h"
#include "train/policy.h"
#include "train/schedule.h"
#include <stddef.h>
#include <string.h>

static const char *const methods[] = { "sft", "preference", "reward", NULL };
static const char *const nll_overs[] = { "batch", "answer", "sum", NULL };
static const char *const references[] = { "first", "previous", "mixed", NULL };
static const char *const deciders[] = { "in-process", "outside", NULL };
static const char *const logp_sources[] = { "computed", "stored", NULL };
static const char *const policies[] = { "static", "on-policy", "mix", "schedule", "advised", NULL };
static const char *const advices[] = { "hard",     "branch",    "linear", "smoothstep",
                                       "logistic", "posterior", NULL };

#define AT(section, name) offsetof(sl_recipe, section.name)
#define SIZE(section, name) sizeof(((sl_recipe *)0)->section.name)
#define I64(section, name, low, high, fallback, help)                                              \
    {                                                                                              \
#section, #name, SL_KEY_I64, AT(section, name), SIZE(section, name), low, high, NULL,      \
            fallback, help                                                                         \
    }
#define F64(section, name, low, high, fallback, help)                                              \
    {                                                                                              \
#section, #name, SL_KEY_F64, AT(section, name), SIZE(section, name), low, high, NULL,      \
            fallback, help                                                                         \
    }
#define TEXT(section, name, fallback, help)                                                        \
    {                                                                                              \
#section, #name, SL_KEY_TEXT, AT(section, name), SIZE(section, name), 0, 0, NULL,          \
            fallback, help                                                                         \
    }
#define FLAG(section, name, fallback, help)                                                        \
    {                                                                                              \
#section, #name, SL_KEY_BOOL, AT(section, name), SIZE(section, name), 0, 0, NULL,          \
            fallback, help                                                                         \
    }
#define PICK(section, key, field, list, fallback, help)                                            \
    {                                                                                              \
#section, key, SL_KEY_CHOICE, AT(section, field), SIZE(section, field), 0, 0, list,        \
            fallback, help                                                                         \
    }

const sl_key sl_recipe_keys[] = {
    { "", "seed", SL_KEY_I64, offsetof(sl_recipe, seed), sizeof(int64_t), 0, 4294967295.0, NULL,
      "1", "seed of every random stream" },
    TEXT(model, policy, "", "folder of the policy to start from; empty: random initialisation"),
    TEXT(model, reference, "", "folder of the reference; empty: policy at each iteration's start"),
    TEXT(model, family, "", "model_type of a random start; empty: the first of the table"),
    I64(model, layers, 1, 512, "2", "blocks of a random start"),
    I64(model, hidden, 2, 65536, "48", "hidden size"),
    I64(model, intermediate, 1, 262144, "128", "width of the MLP"),
    I64(model, heads, 1, 1024, "4", "query heads"),
    I64(model, kv_heads, 1, 1024, "4", "key/value heads"),
    F64(model, rope_theta, 1, 1e9, "10000", "base of the rotary angles"),
    F64(model, rotary, 0, 1, "0", "rotated share of a head; 0: the family's default"),
    F64(model, embed_std, 0, 100, "0", "sd of random embeddings; 0: initializer_range"),
    F64(model, matrix_std, 0, 100, "0", "sd of other random matrices; 0: initializer_range"),
    TEXT(data, source, "world", "\"world\" or a file of preference pairs (JSONL, may be gzip'ed)"),
    TEXT(data, tokenizer, "", "tokenizer.json for rows of text; empty: that of the policy"),
    I64(data, max_prompt, 1, 1048576, "1024", "tokens of a prompt"),
    I64(data, max_answer, 1, 1048576, "1024", "tokens of an answer"),
    FLAG(data, drop_long, "false", "drop pairs that are too long, instead of cutting"),
    FLAG(data, allow_mismatch, "false", "keep rows with a token across prompt and answer"),
    FLAG(data, allow_eos_missing, "false", "keep rows with an answer that no end of turn closes"),
    FLAG(data, allow_double_bos, "false", "keep rows that begin with two beginnings of a sequence"),
    FLAG(data, shuffle, "true", "false: pairs of a file in its order, in every epoch"),
    F64(data, probe_share, 0, 0.5, "0.05", "share of the prompts held out for measurement"),
    PICK(data, "special_in_text", special_in_text, sl_special_in_text_names, "strings",
         "special tokens count as such in strings, everywhere (true), nowhere (false)"),
    TEXT(chat, format, "", "name of a chat format; empty: the texts below, or the tokenizer's own"),
    TEXT(chat, prefix, "", "before each message, {role} is replaced"),
    TEXT(chat, suffix, "", "after each message"),
    TEXT(chat, prompt, "", "before an answer; begins what an assistant's message is written as"),
    TEXT(chat, last, "", "after an answer that ends the dialogue; empty: the suffix"),
    TEXT(chat, begin, "", "before all messages"),
    TEXT(chat, default_system, "", "said when the first message is not of the system"),
    TEXT(chat, system_start, "", "before the content of a first message of the system"),
    TEXT(chat, system, "system", "what {role} becomes"),
    TEXT(chat, user, "user", "what {role} becomes"),
    TEXT(chat, assistant, "assistant", "what {role} becomes"),
    FLAG(chat, trim, "false", "white space around each message is dropped"),
    I64(world, seed, 0, 4294967295.0, "1", "seed of generators, habits and prompts"),
    F64(world, content, -20, 20, "2.5", "strength c of the generator that SFT imitates"),
    F64(world, style, -20, 20, "0.5", "its style strength k"),
    F64(world, habit, 0, 20, "0.5", "sd of its style habit"),
    F64(world, quirk, -20, 20, "2", "logit of its systematic mistake; 0: none"),
    F64(world, label_temperature, 0.01, 100, "1", "temperature of the labels of pairs"),
    TEXT(world, generators, "0 1 2 3 4", "strengths of the generators of static answers: 2 to 8"),
    PICK(method, "name", kind, methods, "preference", "sft, preference or reward"),
    TEXT(method, loss, "dpo", "loss, or a sum as dpo + 0.2*sft; docs/math.md lists them"),
    F64(method, beta, 1e-6, 1000, "0.1", "inverse temperature of the implicit reward"),
    F64(method, delta, 0, 1000, "1", "hinge margin of slic-hf, nats"),
    F64(method, lambda, 0, 1000, "0.1",
        "slic-hf: weight of the regulariser; orpo: of the odds ratio"),
    F64(method, gamma, 0, 1000, "0.5", "target margin of simpo (gamma, not gamma/beta)"),
    F64(method, smoothing, 0, 0.5, "0", "share of labels taken to be swapped; 0: none"),
    F64(method, nll, 0, 1000, "0", "weight of -log p of the chosen answer; 0: none"),
    PICK(method, "nll_over", nll_over, nll_overs, "batch",
         "its mean over batch or answer, or the sum"),
    FLAG(method, check_start, "true", "stop unless policy and reference agree at the start"),
    PICK(optim, "name", kind, sl_optim_names, "adamw", "adamw, rmsprop or sgd"),
    F64(optim, learning_rate, 0, 1, "1e-6", "peak rate"),
    F64(optim, warmup, 0, 1, "0.1", "share of an iteration's updates with rising rate"),
    I64(optim, warmup_steps, 0, 1e9, "0", "updates with rising rate; 0: the share"),
    FLAG(optim, warmup_from_zero, "false", "the first update has rate 0, as in transformers"),
    F64(optim, beta1, 0, 0.99999, "0.9", "decay of the first moment"),
    F64(optim, beta2, 0, 0.9999999, "0.999", "decay of the second moment"),
    F64(optim, eps, 1e-30, 1, "1e-8", "added to the root of the second moment"),
    F64(optim, momentum, 0, 0.99999, "0", "of sgd; 0: none"),
    F64(optim, alpha, 0, 0.9999999, "0.99", "decay of rmsprop's mean square"),
    F64(optim, weight_decay, 0, 10, "0", "decay: decoupled with adamw, else added to the gradient"),
    PICK(optim, "decay", decayed, sl_optim_decay_names, "matrices", "what decays: matrices or all"),
    F64(optim, clip, 0, 1e9, "1", "largest global gradient norm; 0: off"),
    FLAG(optim, keep_moments, "false", "moments go on over iterations, instead of 0"),
    PICK(optim, "schedule", schedule, sl_schedule_names, "linear", "constant, linear or cosine"),
    PICK(reference, "policy", kind, references, "previous", "first, previous or mixed (TR-DPO)"),
    PICK(reference, "logps", stored, logp_sources, "computed",
         "computed, or stored: ref_chosen_logps and ref_rejected_logps of the data file"),
    F64(reference, fit, 0, 1e6, "0.01",
        "stored: largest difference from the policy at the start, nats a token"),
    FLAG(reference, precompute, "true", "once a refill; false: at every update"),
    FLAG(reference, always, "false", "its log-probabilities even where the loss needs none"),
    F64(reference, alpha, 0, 1, "0.6", "mixed: reference = alpha policy + (1 - alpha) reference"),
    I64(reference, every, 1, 1e9, "512", "mixed: updates between two such moves"),
    I64(train, iterations, 1, 100000, "1", "iterations; each has its own reference and optimizer"),
    I64(train, prompts, 0, 1e9, "0", "prompts of an iteration; 0: all of the file"),
    I64(train, epochs, 1, 1000, "1", "passes over the pairs of an iteration"),
    I64(train, batch, 1, 65536, "32", "pairs (SFT: answers) of an update"),
    I64(train, micro_batch, 0, 65536, "0", "pairs computed at once; 0: the whole batch"),
    I64(train, checkpoint_every, 0, 1e9, "0", "updates between checkpoints; 0: iterations only"),
    I64(train, keep_checkpoints, 0, 1e6, "0", "the last of them are kept; 0: all"),
    PICK(policy, "source", kind, policies, "static", "static, on-policy, mix, schedule or advised"),
    F64(policy, mix, 0, 1, "0.5", "share of on-policy pairs under mix; the first of soft advice"),
    TEXT(policy, schedule, "",
         "schedule: a source by iteration, as static, on-policy, mix 0.5; the last goes on"),
    PICK(policy, "advice", advice, advices, "hard",
         "advised: one source by votes (hard) or by branch tests (branch), or a share by linear, "
         "smoothstep, logistic or posterior"),
    F64(policy, width, 1e-6, 1, "0.05", "of soft advice: tau +- width, logistic: its scale"),
    F64(policy, ema, 1e-6, 1, "0.5", "weight of the newest score in soft advice; 1: that alone"),
    F64(policy, forget, 0, 1, "0.8", "posterior: what prompts count a measurement later"),
    F64(policy, change, 1e-6, 1, "0.25", "largest change of the share at a decision"),
    F64(policy, least, 0, 0.5, "0.05", "share that each source keeps under soft advice"),
    I64(policy, refill, 0, 1e9, "0",
        "updates between draws by the policy as it then stands (1: every step); 0: by that at the "
        "iteration's start"),
    F64(policy, temperature, 0.01, 100, "1", "of on-policy samples"),
    F64(policy, top_p, 0.001, 1, "1", "of on-policy samples; 1: off"),
    I64(policy, top_k, 0, 1e6, "0", "of on-policy samples; 0: off"),
    I64(policy, sample_batch, 0, 1e6, "0", "answers sampled at once; 0: by memory"),
    I64(policy, candidates, 2, SL_CANDIDATES_MOST, "2", "answers drawn for a prompt"),
    PICK(policy, "pair", rule, sl_pair_rule_names, "two",
         "which two: two, best-worst, best-random or margin (any at least that far apart)"),
    F64(policy, margin, 0, 1e6, "0",
        "least log-odds (score / judge.temperature) between the two; closer pairs are dropped"),
    PICK(policy, "labels", labels, sl_labels_names, "drawn",
         "who wins: drawn by the judge's probability, or best by its score"),
    FLAG(policy, keep_candidates, "true", "all answers drawn, as lines of RUN/candidates.jsonl"),
    PICK(policy, "decider", decider, deciders, "in-process",
         "advised: in-process, or outside (stageline watch RUN --decide)"),
    F64(policy, wait_s, 0, 86400, "60",
        "outside: longest wait for a decision after a measurement; then the data stay"),
    TEXT(measure, judge, "truth",
         "who votes and labels: truth, stored, reward, command or endpoint"),
    I64(measure, prompts, 0, 1e6, "2000", "most prompts of a boundary measurement; 0: none"),
    I64(measure, every, 0, 1e9, "0", "updates between measurements; 0: at each iteration"),
    I64(measure, batch, 1, 65536, "16", "prompts sampled and judged between looks"),
    I64(measure, on, 1, 64, "2", "on-policy candidates a prompt"),
    I64(measure, off, 1, 64, "2", "static candidates a prompt"),
    I64(measure, reference_prompts, 0, 1e6, "0", "prompts of a fixed-size score to compare with"),
    I64(measure, exact_prompts, 0, 1e6, "0", "prompts of the exact reward (world only); 0: none"),
    F64(measure, tau, 0.01, 0.99, "0.5", "threshold of the boundary score"),
    F64(measure, delta, 0, 0.4, "0.05", "half width of the indifference zone"),
    F64(measure, alpha, 1e-9, 0.5, "0.05", "error rate of the test"),
    I64(measure, consecutive, 1, 100, "1", "decided measurements in a row before a switch back"),
    FLAG(measure, counterfactual, "false", "also run the source that was not chosen, and discard"),
    I64(measure, branch, 0, 1e9, "0",
        "updates of each branch of a branch test at every iteration; 0: none"),
    I64(measure, branch_replicates, 2, 64, "2", "replicates of a branch test, with fresh data"),
    I64(measure, branch_prompts, 2, 1e6, "256",
        "without exact reward: held-out prompts on which a branch meets the fork"),
    TEXT(judge, reward, "", "reward: folder of a reward model"),
    TEXT(judge, tokenizer, "", "reward: folder or tokenizer.json; empty: the reward model's own"),
    TEXT(judge, command, "", "command: how it is started, by /bin/sh -c"),
    TEXT(judge, env, "", "command: names of environment variables that it gets, beside the usual"),
    TEXT(judge, url, "", "endpoint: its address, as http://localhost:8000/v1"),
    TEXT(judge, model, "", "endpoint: the model's name there"),
    TEXT(judge, key_env, "", "endpoint: environment variable that holds the key"),
    TEXT(judge, prompt, "",
         "endpoint: file of the prompt with {prompt}, {a}, {b}; empty: built in"),
    TEXT(judge, scores, "", "stored: file of scores; empty: those of the data"),
    TEXT(judge, label, "", "name in the record; empty: the judge's own"),
    F64(judge, temperature, 1e-6, 1e6, "1", "of scores: p = sigmoid(difference / temperature)"),
    FLAG(judge, noise, "false",
         "truth: each vote is one Bradley-Terry contest, not its probability"),
    FLAG(judge, both_orders, "false", "every pair in both orders, averaged"),
    I64(judge, batch, 1, 256, "8", "requests under way at a time"),
    F64(judge, timeout_s, 0.001, 86400, "60", "of a batch of a command, of a request"),
    F64(judge, start_s, 0, 86400, "300", "of a command's first answer, over timeout_s"),
    I64(judge, retries, 0, 100, "4", "new attempts"),
    F64(judge, backoff_s, 0, 3600, "1", "before the first of them; doubles"),
    I64(judge, max_tok, 1, 65536, "8", "endpoint: longest reply, tokens"),
    TEXT(sampler, name, "policy", "measure: policy, candidates, command or endpoint"),
    TEXT(sampler, candidates, "", "candidates: file of answers that were drawn before"),
    TEXT(sampler, command, "", "command: how it is started, by /bin/sh -c"),
    TEXT(sampler, env, "",
         "command: names of environment variables that it gets, beside the usual"),
    TEXT(sampler, url, "", "endpoint: its address, as http://localhost:8000/v1"),
    TEXT(sampler, model, "", "endpoint: the model's name there"),
    TEXT(sampler, key_env, "", "endpoint: environment variable that holds the key"),
    I64(sampler, batch, 1, 256, "8", "requests under way at a time"),
    F64(sampler, timeout_s, 0.001, 86400, "300", "of a batch of a command, of a request"),
    F64(sampler, start_s, 0, 86400, "300", "of a command's first answer, over timeout_s"),
    I64(sampler, retries, 0, 100, "4", "new attempts"),
    F64(sampler, backoff_s, 0, 3600, "1", "before the first of them; doubles"),
    I64(record, level, 0, 3, "1",
        "0 ledger, 1 tokens and probes, 2 top-k of all pairs, 3 gradients of pairs"),
    I64(record, top_k, 0, 1024, "32", "largest log-probabilities kept of a token"),
    I64(record, seal_every, 0, 86400, "0", "seconds between seals at most; 0: by size and age"),
    I64(record, probe_every, 0, 1e9, "100", "updates between probes; 0: none"),
    I64(record, probe_prompts, 0, 4096, "4", "prompts of the frozen probe set"),
    I64(record, grad_split_every, 0, 1e9, "10", "updates between splits of the gradient; 0: none"),
    I64(record, pair_grad_every, 0, 1e9, "100",
        "level 3: updates between gradients of every pair; 0: none"),
    I64(record, sketch, 16, 1048576, "4096", "numbers of a count sketch of such a gradient"),
    F64(record, min_free_gib, 0, 1e6, "2", "free space wanted before the run starts, GiB"),
};
const size_t sl_recipe_key_count = sizeof sl_recipe_keys / sizeof sl_recipe_keys[0];

sl_status sl_recipe_objective(sl_objective *out, const sl_recipe *recipe)
{
    static const char *const nll_terms[] = { "sft", "nll", "nll-sum" };

    if (recipe->method.kind == SL_METHOD_REWARD) {
        SL_TRY(sl_objective_parse(out, "cpo"));
        out->settings.beta = 1.0;
        out->settings.smoothing = recipe->method.smoothing;
        return sl_objective_check(out);
    }
    SL_TRY(sl_err_where(sl_objective_parse(out, recipe->method.loss), "key \"method.loss\""));
    out->settings = (sl_loss_settings){ .beta = recipe->method.beta,
                                        .delta = recipe->method.delta,
                                        .lambda = recipe->method.lambda,
                                        .gamma = recipe->method.gamma,
                                        .smoothing = recipe->method.smoothing };
    if (recipe->method.nll > 0.0)
        SL_TRY(sl_err_where(
            sl_objective_add(out, nll_terms[recipe->method.nll_over], recipe->method.nll),
            "key \"method.nll\""));
    return sl_err_where(sl_objective_check(out), "section \"method\"");
}

static sl_status check_reward(const sl_recipe *recipe)
{
    if (recipe->method.kind != SL_METHOD_REWARD)
        return SL_OK;
    if (recipe->policy.kind != SL_POLICY_STATIC)
        return SL_FAIL(SL_EARG, "want policy.source static with method.name reward, found another");
    if (recipe->model.reference[0])
        return SL_FAIL(SL_EARG, "want no model.reference with method.name reward, found \"%s\"",
                       recipe->model.reference);
    return SL_OK;
}

/* A reference that moves, or moments that stay, cannot be taken back after a branch. */
static sl_status check_reference(const sl_recipe *recipe)
{
    const int is_mixed = recipe->reference.kind == SL_REFERENCE_MIXED;

    if (is_mixed && recipe->reference.precompute)
        return SL_FAIL(SL_EARG, "want reference.precompute false with reference.policy mixed, "
                                "found true");
    if (recipe->measure.counterfactual && (is_mixed || recipe->optim.keep_moments))
        return SL_FAIL(SL_EARG, "want measure.counterfactual false with %s, found true",
                       is_mixed ? "reference.policy mixed" : "optim.keep_moments");
    if (recipe->measure.branch && (is_mixed || recipe->optim.keep_moments))
        return SL_FAIL(SL_EARG, "want no measure.branch with %s, found %lld",
                       is_mixed ? "reference.policy mixed" : "optim.keep_moments",
                       (long long)recipe->measure.branch);
    if (recipe->measure.branch && !recipe->measure.prompts)
        return SL_FAIL(SL_EARG, "want measure.prompts > 0 with measure.branch, found 0");
    if (recipe->measure.branch && recipe->method.kind != SL_METHOD_PREFERENCE)
        return SL_FAIL(SL_EARG, "want method.name preference with measure.branch, found %s",
                       methods[recipe->method.kind]);
    return SL_OK;
}

/* What stands in a file belongs to static pairs and to one reference. */
static sl_status check_stored(const sl_recipe *recipe, const sl_objective *objective)
{
    const sl_recipe *r = recipe;
    const char *want = NULL;

    if (!r->reference.stored)
        return SL_OK;
    if (r->method.kind != SL_METHOD_PREFERENCE ||
        !(objective->needs_reference || r->reference.always))
        want = "a loss with a reference, or reference.always";
    else if (r->policy.kind != SL_POLICY_STATIC)
        want = "policy.source static";
    else if (r->measure.branch)
        want = "no measure.branch";
    else if (r->reference.kind == SL_REFERENCE_MIXED ||
             (r->reference.kind == SL_REFERENCE_PREVIOUS && r->train.iterations > 1))
        want = "reference.policy first";
    else if (r->model.reference[0])
        want = "no model.reference";
    return want ? SL_FAIL(SL_EARG, "want %s with reference.logps stored, found another", want)
                : SL_OK;
}

static sl_status check_noise(const sl_recipe *recipe)
{
    if (!recipe->judge.noise || !strcmp(recipe->measure.judge, "truth"))
        return SL_OK;
    return SL_FAIL(SL_EARG, "want judge.noise with measure.judge truth, found \"%s\"",
                   recipe->measure.judge);
}

static sl_status check_pair_rule(const sl_recipe *recipe)
{
    const int64_t n = recipe->policy.candidates;

    if (recipe->policy.rule == SL_RULE_TWO && n != 2)
        return sl_err_hint(SL_FAIL(SL_EARG,
                                   "want policy.candidates 2 with policy.pair two, found %lld",
                                   (long long)n),
                           "policy.pair=best-worst takes the first and the last of them");
    return SL_OK;
}

/* A branch forks from the start of an iteration, and its gains are this process's. */
static sl_status check_branch_advice(const sl_recipe *recipe)
{
    const char *want = !recipe->measure.branch                        ? "measure.branch > 0"
                       : recipe->measure.every                        ? "measure.every 0"
                       : recipe->policy.decider == SL_DECIDED_OUTSIDE ? "policy.decider in-process"
                                                                      : NULL;

    return want ? SL_FAIL(SL_EARG, "want %s with policy.advice branch, found another", want)
                : SL_OK;
}

/* A share that is asked for at another time than the recipe can say would pass unseen. */
static sl_status check_policy(const sl_recipe *recipe)
{
    const int is_scheduled = recipe->policy.kind == SL_POLICY_SCHEDULE;

    if (is_scheduled)
        return sl_err_where(sl_policy_check_schedule(recipe), "key \"policy.schedule\"");
    if (recipe->policy.schedule[0])
        return SL_FAIL(SL_EARG, "want policy.source schedule with policy.schedule, found \"%s\"",
                       policies[recipe->policy.kind]);
    if (recipe->policy.advice && recipe->policy.kind != SL_POLICY_ADVISED)
        return SL_FAIL(SL_EARG, "want policy.source advised with policy.advice %s, found \"%s\"",
                       advices[recipe->policy.advice], policies[recipe->policy.kind]);
    if (recipe->policy.kind == SL_POLICY_ADVISED && !recipe->measure.prompts)
        return SL_FAIL(SL_EARG, "want measure.prompts > 0 with policy.source advised, found 0");
    return recipe->policy.advice == SL_ADVISED_BRANCH ? check_branch_advice(recipe) : SL_OK;
}

sl_status sl_recipe_check(const sl_recipe *recipe)
{
    const int64_t batch = recipe->train.batch, micro = recipe->train.micro_batch;
    sl_objective objective;

    SL_TRY(sl_recipe_objective(&objective, recipe));
    SL_TRY(check_reward(recipe));
    SL_TRY(check_reference(recipe));
    SL_TRY(check_stored(recipe, &objective));
    SL_TRY(check_pair_rule(recipe));
    SL_TRY(check_noise(recipe));
    if (micro && batch % micro)
        return SL_FAIL(SL_EARG, "want train.micro_batch to divide train.batch, found %lld and %lld",
                       (long long)micro, (long long)batch);
    if (recipe->measure.every &&
        (!recipe->policy.refill || recipe->measure.every % recipe->policy.refill))
        return SL_FAIL(SL_EARG,
                       "want measure.every to be a multiple of policy.refill, found %lld and %lld",
                       (long long)recipe->measure.every, (long long)recipe->policy.refill);
    SL_TRY(check_policy(recipe));
    if (recipe->policy.decider == SL_DECIDED_OUTSIDE && recipe->policy.kind != SL_POLICY_ADVISED)
        return SL_FAIL(SL_EARG, "want policy.source advised with policy.decider outside, found "
                                "another");
    if (recipe->measure.counterfactual && !recipe->measure.exact_prompts)
        return SL_FAIL(SL_EARG, "want measure.exact_prompts > 0 with measure.counterfactual, "
                                "found 0");
    return SL_OK;
}
