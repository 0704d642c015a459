#include "train/session.h"
#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include "model/reward.h"
#include "train/branch.h"
#include "train/data_file.h"
#include "train/emit.h"
#include "train/memory.h"
#include "train/policy.h"
#include "train/random_start.h"
#include "train/reference.h"
#include "train/sampling.h"
#include "train/voices.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static sl_status open_file(sl_session *s)
{
    sl_data_file file;
    sl_status st = SL_OK;

    SL_TRY_OUT(sl_data_file_open(&file, &s->recipe));
    if (file.text) {
        snprintf(s->tokenizer_hash, sizeof s->tokenizer_hash, "%s",
                 sl_tokenizer_hash(sl_text_encoder_tokenizer(file.text)));
        s->tokenizer_vocab = sl_tokenizer_vocab(sl_text_encoder_tokenizer(file.text));
    }
    file.file.keeps_text = sl_sampling_needs_judge(&s->recipe) && sl_voices_want_words(&s->recipe);
    SL_TRY_OUT(sl_data_open_file(&s->data, &file.file));
    if (file.file.keeps_text) {
        s->text = file.text;
        file.text = NULL;
    }
out:
    sl_data_file_close(&file);
    return st;
}

/* Numbers between blanks: the strengths of the world's static generators. */
static sl_status read_generators(sl_world_settings *world, const char *text)
{
    const size_t most = sizeof world->generator_content / sizeof world->generator_content[0];
    char word[SL_RECIPE_WORD];

    world->generator_count = 0;
    for (const char *at = text + strspn(text, " "); *at; at += strspn(at, " ")) {
        const size_t bytes = strcspn(at, " ");

        if (world->generator_count == most)
            return SL_FAIL(SL_EARG, "want at most %zu numbers, found \"%s\"", most, text);
        memcpy(word, at, bytes);
        word[bytes] = 0;
        SL_TRY(sl_text_f64(&world->generator_content[world->generator_count++], word));
        at += bytes;
    }
    return SL_OK;
}

static sl_status open_data(sl_session *s)
{
    const sl_recipe *r = &s->recipe;
    sl_world_settings world = sl_world_defaults();

    if (!strcmp(r->data.source, "world")) {
        world.seed = (uint64_t)r->world.seed;
        world.start_content = r->world.content;
        world.start_style = r->world.style;
        world.habit_std = r->world.habit;
        world.quirk = r->world.quirk;
        world.label_temperature = r->world.label_temperature;
        SL_TRY(
            sl_err_where(read_generators(&world, r->world.generators), "key \"world.generators\""));
        return sl_data_open_world(&s->data, &world);
    }
    return open_file(s);
}

static sl_optim_settings optim_settings(const sl_recipe *r)
{
    return (sl_optim_settings){ .beta1 = r->optim.beta1,
                                .beta2 = r->optim.beta2,
                                .eps = r->optim.eps,
                                .weight_decay = r->optim.weight_decay,
                                .clip = r->optim.clip,
                                .momentum = r->optim.momentum,
                                .alpha = r->optim.alpha,
                                .kind = (sl_optim_kind)r->optim.kind,
                                .decay = (sl_optim_decay)r->optim.decayed };
}

/* A reward model has pairs, but neither a policy to sample from nor a reference. */
static int is_policy(const sl_session *s)
{
    return s->recipe.method.kind == SL_METHOD_PREFERENCE;
}

/* A reference of its own, beside the policy at the start of the iteration. */
static int has_reference(const sl_session *s)
{
    const int is_wanted = s->loss && !s->recipe.reference.stored &&
                          (s->loss->needs_reference || s->recipe.reference.always);

    return s->loss && (s->recipe.model.reference[0] ||
                       (is_wanted && s->recipe.reference.kind != SL_REFERENCE_PREVIOUS));
}

static int has_pairgrad(const sl_recipe *r)
{
    return r->record.level >= SL_PAIRGRAD_LEVEL && r->record.pair_grad_every > 0;
}

static int has_splits(const sl_session *s)
{
    return s->loss && (s->recipe.record.grad_split_every || has_pairgrad(&s->recipe));
}

static int has_shards(const sl_session *s)
{
    const int64_t micro = s->recipe.train.micro_batch;

    return has_splits(s) && micro && micro < s->recipe.train.batch;
}

/* Parameters, gradients, moments and what the method keeps beside them, before a byte is loaded. */
static sl_status check_parameters(const sl_session *s)
{
    const sl_recipe *r = &s->recipe;
    const sl_optim_settings optim = optim_settings(r);
    const size_t copies = 2 + sl_optim_moments(&optim) + (is_policy(s) ? 1 : 0) +
                          (has_reference(s) ? 1 : 0) +
                          (sl_sampling_has_drawer(&s->recipe) ? 1 : 0) + (has_splits(s) ? 2 : 0) +
                          (has_shards(s) ? 1 : 0) + (has_pairgrad(r) ? 2 : 0);
    sl_config config;
    size_t bytes, judge;

    if (!r->model.policy[0])
        return SL_OK;
    SL_TRY(sl_sampling_judge_bytes(&judge, s));
    SL_TRY(sl_err_where(sl_config_load(&config, r->model.policy), "key \"model.policy\""));
    bytes = sl_config_parameters(&config) * sizeof(float) * copies + judge;
    sl_config_close(&config);
    return sl_memory_check(bytes, sl_memory_physical(), "parameters, gradients and moments");
}

/* The reward method turns a language model into a reward model, or goes on with one. */
static sl_status settle_head(sl_session *s)
{
    sl_model *scorer = NULL;

    if (s->recipe.method.kind != SL_METHOD_REWARD)
        return sl_err_where(sl_model_check_speaks(s->policy), "key \"model.policy\"");
    if (sl_model_config(s->policy)->is_scorer)
        return SL_OK;
    SL_TRY(sl_model_scorer_of(&scorer, s->policy, (uint64_t)s->recipe.seed, 1));
    sl_model_close(&s->policy);
    s->policy = scorer;
    return SL_OK;
}

/* A random start has a row for every token of the tokenizer, seen in the data or not. */
static sl_status start_at_random(sl_session *s)
{
    sl_data_limits limits = *sl_data_limits_of(s->data);

    if (s->tokenizer_vocab > limits.vocab)
        limits.vocab = s->tokenizer_vocab;
    return sl_random_start(&s->policy, &s->recipe, &limits, s->backend);
}

static sl_status open_models(sl_session *s)
{
    const sl_recipe *r = &s->recipe;
    const sl_data_limits *l = sl_data_limits_of(s->data);

    if (r->model.policy[0])
        SL_TRY(sl_err_where(sl_model_load(&s->policy, r->model.policy, s->backend, 1),
                            "key \"model.policy\""));
    else
        SL_TRY(start_at_random(s));
    if (sl_model_config(s->policy)->V < l->vocab)
        return SL_FAIL(SL_ESHAPE, "want a vocabulary of at least %zu tokens, found %zu", l->vocab,
                       sl_model_config(s->policy)->V);
    SL_TRY(settle_head(s));
    if (!is_policy(s))
        return SL_OK;
    SL_TRY(sl_model_clone(&s->start, s->policy, 0));
    if (r->model.reference[0])
        SL_TRY(sl_err_where(sl_model_load(&s->reference, r->model.reference, s->backend, 0),
                            "key \"model.reference\""));
    else if (has_reference(s))
        SL_TRY(sl_model_clone(&s->reference, s->policy, 0));
    return sl_sampling_has_drawer(&s->recipe) ? sl_model_clone(&s->drawer, s->policy, 0) : SL_OK;
}

static void carve_probe(sl_probe_set *probe, sl_arena *arena, const sl_data_limits *l, size_t V)
{
    const sl_packed_limits most = sl_pack_limits(probe->count, l->prompt_tok, l->answer_tok);

    if (!probe->count)
        return;
    sl_packer_carve(&probe->packer, arena, &most);
    probe->sequence = sl_arena_take(arena, probe->count, sizeof *probe->sequence);
    probe->id = sl_arena_take(arena, probe->count, sizeof *probe->id);
    probe->token = sl_arena_i32(arena, probe->count, (size_t)l->prompt_tok + l->answer_tok);
    probe->logits = sl_arena_f32(arena, most.N, V);
    probe->logp = sl_arena_f32(arena, 1, most.N);
    probe->stats = sl_arena_take(arena, most.N, sizeof *probe->stats);
}

static void carve_statistics(sl_session *s, sl_arena *arena)
{
    const sl_tensors *table = sl_model_tensors(s->policy);
    const sl_recipe *r = &s->recipe;

    if (has_splits(s))
        sl_gradsplit_carve(&s->split, arena, table, has_shards(s));
    else
        sl_gradsplit_carve_rows(&s->split, arena, table);
    if (has_pairgrad(r))
        sl_pairgrad_carve(&s->pairgrad, arena, table, sl_data_limits_of(s->data),
                          (size_t)r->record.sketch);
}

static void carve(sl_session *s, sl_arena *arena)
{
    const sl_data_limits *l = sl_data_limits_of(s->data);
    const sl_tensors *table = sl_model_tensors(s->policy);
    const sl_recipe *r = &s->recipe;

    sl_optim_carve(&s->optim, arena, table);
    sl_feed_carve(&s->feed, arena, l);
    sl_update_carve(&s->update, arena, l, (size_t)r->train.batch);
    carve_statistics(s, arena);
    carve_probe(&s->probe, arena, l, sl_model_config(s->policy)->V);
    s->exact_before = sl_arena_f64(arena, 1, (size_t)r->measure.exact_prompts + 1);
    s->exact_after = sl_arena_f64(arena, 1, (size_t)r->measure.exact_prompts + 1);
    s->group_name = sl_arena_take(arena, table->group_count, sizeof *s->group_name);
}

/* Static answers of frozen prompts: the same at every probe of the run. */
static sl_status fill_probe(sl_session *s)
{
    const sl_data_limits *l = sl_data_limits_of(s->data);
    sl_probe_set *probe = &s->probe;

    for (size_t i = 0; i < probe->count; i++) {
        int32_t *token = probe->token + i * ((size_t)l->prompt_tok + l->answer_tok);
        size_t found = 0;

        SL_TRY(sl_data_prompt(&probe->sequence[i].prompt, token, s->data, SL_SPLIT_EVAL, 0, i));
        SL_TRY(sl_data_static_candidates(&probe->sequence[i].answer, &found, token + l->prompt_tok,
                                         s->data, SL_SPLIT_EVAL, 0, i, 1));
        probe->id[i] = probe->sequence[i].prompt.id ^ probe->sequence[i].answer.id;
    }
    return SL_OK;
}

static void settle_sizes(sl_session *s)
{
    const sl_recipe *r = &s->recipe;
    const sl_data_limits *l = sl_data_limits_of(s->data);

    s->update.sides = s->loss ? (s->loss->needs_target ? 3 : 2) : 1;
    s->update.micro = (size_t)(r->train.micro_batch ? r->train.micro_batch : r->train.batch);
    s->update.is_reward = r->method.kind == SL_METHOD_REWARD;
    s->update.top_k = r->record.level > 0 && !s->update.is_reward ? (size_t)r->record.top_k : 0;
    if (s->update.top_k > sl_model_config(s->policy)->V)
        s->update.top_k = sl_model_config(s->policy)->V;
    s->feed = (sl_feed){
        .settings = { .seed = (uint64_t)r->seed,
                      .prompts = r->train.prompts ? (size_t)r->train.prompts : l->train_count,
                      .batch = (size_t)r->train.batch,
                      .epochs = r->train.epochs,
                      .refill = r->policy.refill,
                      .draw = sl_sampling_draw(s),
                      .is_imitation = !s->loss,
                      .has_target = s->loss && s->loss->needs_target,
                      .is_in_order = !r->data.shuffle,
                      .is_live = !r->reference.precompute,
                      .is_stored = r->reference.stored,
                      .keeps_tokens = is_policy(s) && r->record.level > 0 },
        .data = s->data,
    };
    s->feed.capacity = sl_feed_capacity(&s->feed.settings);
    s->probe.count =
        r->record.probe_every && !s->update.is_reward ? (size_t)r->record.probe_prompts : 0;
    if (s->probe.count > l->probe_count)
        s->probe.count = l->probe_count;
    s->optim.settings = optim_settings(r);
}

static int64_t warmup_updates(const sl_recipe *r, int64_t updates)
{
    const int64_t steps = r->optim.warmup_steps;

    if (!steps)
        return (int64_t)ceil(r->optim.warmup * (double)updates);
    return steps < updates ? steps : updates;
}

static void connect(sl_session *s)
{
    const sl_recipe *r = &s->recipe;
    const int64_t updates = sl_session_updates(s);

    s->optim.model = s->policy;
    s->split.model = s->policy;
    s->pairgrad.model = s->policy;
    s->feed.judge = s->judge;
    s->feed.sampler = s->judge ? &s->door : NULL;
    s->feed.work = s->work;
    s->feed.packer = &s->update.packer;
    s->feed.reference = sl_reference_of(s);
    s->schedule = (sl_schedule){ .shape = (sl_schedule_shape)r->optim.schedule,
                                 .peak = r->optim.learning_rate,
                                 .warmup = warmup_updates(r, updates),
                                 .total = updates,
                                 .starts_at_zero = r->optim.warmup_from_zero };
    s->mix = sl_policy_first_share(r);
    s->recorder.measurement = UINT32_MAX; /* the first one is 0 */
    s->outside_answered = -1;
    s->last_bs = NAN;
    sl_emit_feed_sink(s);
}

static sl_status check_stored(const sl_session *s)
{
    const sl_data_report *r = sl_data_report_of(s->data);

    if (!s->recipe.reference.stored || (r->pairs && r->referenced == r->pairs))
        return SL_OK;
    return sl_err_hint(
        SL_FAIL(SL_EFORMAT,
                "want ref_chosen_logps and ref_rejected_logps in every pair of %s, "
                "found %zu of %zu pairs without",
                s->recipe.data.source, r->pairs - r->referenced, r->pairs),
        "a pair that is cut loses them; reference.logps=computed asks the reference");
}

static sl_status check_data(const sl_session *s)
{
    const sl_data_limits *l = sl_data_limits_of(s->data);
    const size_t prompts = s->feed.settings.prompts;

    if (prompts == SIZE_MAX || prompts == 0)
        return SL_FAIL(SL_EARG, "want train.prompts > 0 with data.source world, found 0");
    if (prompts > l->train_count)
        return SL_FAIL(SL_EARG, "want train.prompts <= %zu, the pairs of data.source, found %zu",
                       l->train_count, prompts);
    if (s->recipe.measure.exact_prompts && strcmp(s->recipe.data.source, "world") != 0)
        return SL_FAIL(SL_EARG, "want data.source world with measure.exact_prompts, found \"%s\"",
                       s->recipe.data.source);
    return check_stored(s);
}

static sl_status open_memory(sl_session *s, sl_memory_plan *plan)
{
    const sl_data_limits *l = sl_data_limits_of(s->data);
    const sl_config *c = sl_model_config(s->policy);
    const size_t floats = sl_model_tensors(s->policy)->floats;
    const size_t sequences = s->update.sides * s->update.micro > s->probe.count
                                 ? s->update.sides * s->update.micro
                                 : s->probe.count;
    const sl_packed_limits most = sl_pack_limits(sequences, l->prompt_tok, l->answer_tok);
    sl_arena measure = SL_ARENA_MEASURE, statistics = SL_ARENA_MEASURE;
    size_t judge;

    SL_TRY(sl_sampling_judge_bytes(&judge, s));
    carve(s, &measure);
    carve_statistics(s, &statistics);
    plan->parameters = floats * sizeof(float) *
                           (2 + (s->start != NULL) + (s->reference != NULL) + (s->drawer != NULL)) +
                       judge;
    plan->activations = sl_work_bytes(c, &most, 1);
    plan->cache = s->judge ? sl_sampling_cache_bytes(s) : 0;
    plan->other = measure.used_bytes;
    plan->statistics = statistics.used_bytes;
    SL_TRY(sl_memory_check(plan->parameters + plan->activations + plan->cache + plan->other,
                           sl_memory_physical(), "the whole plan"));
    SL_TRY(sl_work_open(&s->work, c, s->backend, &most, 1));
    SL_TRY(sl_arena_open(&s->arena, measure.used_bytes));
    carve(s, &s->arena);
    return SL_OK;
}

static sl_status open_all(sl_session *s, sl_memory_plan *plan)
{
    const sl_recipe *r = &s->recipe;

    SL_TRY(sl_recipe_check(r));
    if (sl_elsewhere_is(r))
        return SL_FAIL(SL_EARG, "want sampler.name policy to train, found \"%s\"", r->sampler.name);
    SL_TRY(sl_recipe_objective(&s->objective, r));
    s->loss = r->method.kind == SL_METHOD_SFT ? NULL : &s->objective;
    SL_TRY(open_data(s));
    SL_TRY(check_parameters(s));
    SL_TRY(open_models(s));
    settle_sizes(s);
    SL_TRY(check_data(s));
    SL_TRY(sl_err_where(sl_branch_check(s), "key \"measure.branch\""));
    if (is_policy(s) && sl_sampling_needs_judge(r))
        SL_TRY(sl_sampling_open(s));
    SL_TRY(open_memory(s, plan));
    connect(s);
    return fill_probe(s);
}

/* The policy alone, frozen, and every prompt of the data a probe. */
static sl_status open_measuring(sl_session *s, sl_memory_plan *plan)
{
    sl_recipe *r = &s->recipe;
    const sl_config *c;
    const sl_data_limits *l;
    size_t judge;

    SL_TRY(sl_recipe_check(r));
    SL_TRY(sl_recipe_objective(&s->objective, r));
    r->method.kind = SL_METHOD_PREFERENCE;
    r->data.probe_share = 1.0;
    s->loss = &s->objective;
    *plan = (sl_memory_plan){ 0 };
    if (sl_elsewhere_is(r))
        return sl_sampling_open_elsewhere(s);
    SL_TRY(open_data(s));
    l = sl_data_limits_of(s->data);
    SL_TRY(sl_err_where(sl_model_load(&s->policy, r->model.policy, s->backend, 0),
                        "key \"model.policy\""));
    SL_TRY(sl_err_where(sl_model_check_speaks(s->policy), "key \"model.policy\""));
    c = sl_model_config(s->policy);
    if (c->V < l->vocab)
        return SL_FAIL(SL_ESHAPE, "want a vocabulary of at least %zu tokens, found %zu", l->vocab,
                       c->V);
    SL_TRY(sl_sampling_judge_bytes(&judge, s));
    *plan =
        (sl_memory_plan){ .parameters = sl_model_tensors(s->policy)->floats * sizeof(float) + judge,
                          .cache = sl_sampling_cache_bytes(s) };
    SL_TRY(sl_memory_check(plan->parameters + plan->cache, sl_memory_physical(),
                           "parameters and KV cache"));
    s->recorder.measurement = UINT32_MAX; /* the first one is 0 */
    return sl_sampling_open(s);
}

sl_status sl_session_open_measuring(sl_session *out, const sl_recipe *recipe,
                                    const sl_backend *backend, const volatile int *stop,
                                    sl_memory_plan *plan)
{
    sl_status st;

    *out = (sl_session){ .recipe = *recipe, .backend = backend, .stop = stop };
    sl_candidate_log_init(&out->candidates);
    st = open_measuring(out, plan);
    if (st != SL_OK)
        sl_session_close(out);
    return st;
}

sl_status sl_session_open(sl_session *out, const sl_recipe *recipe, const sl_backend *backend,
                          const volatile int *stop, sl_memory_plan *plan)
{
    sl_status st;

    *out = (sl_session){ .recipe = *recipe, .backend = backend, .stop = stop };
    sl_candidate_log_init(&out->candidates);
    st = open_all(out, plan);
    if (st != SL_OK)
        sl_session_close(out);
    return st;
}

void sl_session_close(sl_session *s)
{
    sl_decisions_close(&s->outside);
    sl_measure_close(&s->measure);
    sl_outside_close(&s->elsewhere);
    if (s->sampler.generator)
        sl_model_sampler_close(&s->sampler);
    sl_work_close(&s->work);
    sl_model_close(&s->policy);
    sl_model_close(&s->start);
    sl_model_close(&s->reference);
    sl_model_close(&s->drawer);
    sl_candidate_log_close(&s->candidates);
    sl_judge_close(&s->judge);
    sl_text_encoder_close(&s->text);
    sl_data_close(&s->data);
    sl_arena_close(&s->arena);
}

int64_t sl_session_updates(const sl_session *s)
{
    return sl_feed_updates(&s->feed.settings);
}
