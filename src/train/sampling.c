#include "train/sampling.h"
#include "train/voices.h"

enum { CACHE_BYTES = 256 << 20 }; /* of the KV cache when policy.sample_batch is 0 */

int sl_sampling_needs_judge(const sl_recipe *r)
{
    return r->policy.kind != SL_POLICY_STATIC || r->measure.prompts > 0 ||
           r->measure.reference_prompts > 0 || r->measure.branch > 0;
}

int sl_sampling_has_drawer(const sl_recipe *r)
{
    return r->method.kind == SL_METHOD_PREFERENCE && r->policy.refill > 1 &&
           (r->policy.kind != SL_POLICY_STATIC || r->measure.branch > 0);
}

/* KV cache of one answer. */
static size_t cache_bytes(const sl_session *s)
{
    const sl_config *c = sl_model_config(s->policy);
    const sl_data_limits *l = sl_data_limits_of(s->data);

    return 2 * c->L * c->K * c->E * sizeof(float) * ((size_t)l->prompt_tok + l->answer_tok);
}

size_t sl_sampling_batch(const sl_session *s)
{
    const size_t on = (size_t)s->recipe.measure.on, drawn = (size_t)s->recipe.policy.candidates;
    const size_t least = on > drawn ? on : drawn, set = (size_t)s->recipe.policy.sample_batch;
    size_t n = set ? set : CACHE_BYTES / cache_bytes(s);

    n = n > 1024 && !set ? 1024 : n;
    return n < least ? least : n;
}

size_t sl_sampling_cache_bytes(const sl_session *s)
{
    return sl_sampling_batch(s) * cache_bytes(s);
}

sl_status sl_sampling_judge_bytes(size_t *bytes, const sl_session *s)
{
    *bytes = 0;
    if (s->recipe.method.kind != SL_METHOD_PREFERENCE || !sl_sampling_needs_judge(&s->recipe))
        return SL_OK;
    return sl_voices_bytes(bytes, &s->recipe);
}

sl_draw_settings sl_sampling_draw(const sl_session *s)
{
    const sl_recipe *r = &s->recipe;
    const size_t each = r->method.kind == SL_METHOD_PREFERENCE && sl_sampling_needs_judge(r)
                            ? (size_t)r->policy.candidates
                            : 0;

    return (sl_draw_settings){ .pair = { .rule = (sl_pair_rule)r->policy.rule,
                                         .labels = (sl_labels)r->policy.labels,
                                         .margin = r->policy.margin,
                                         .temperature = r->world.label_temperature },
                               .each = each,
                               .chunk = each ? sl_sampling_batch(s) / each : 0,
                               .judge_temperature = r->judge.temperature };
}

/* The judge, and the measurement over the data. */
static sl_status open_voters(sl_session *s)
{
    const sl_recipe *r = &s->recipe;
    const sl_measure_settings set = { .seed = (uint64_t)r->seed,
                                      .prompts = (uint32_t)r->measure.prompts,
                                      .batch = (uint32_t)r->measure.batch,
                                      .on = (uint32_t)r->measure.on,
                                      .off = (uint32_t)r->measure.off };

    SL_TRY(sl_voices_judge(&s->judge, r, s->data, s->backend, s->stop));
    return sl_measure_open(&s->measure, &set, s->data, s->judge);
}

static sl_sample_settings sampling_law(const sl_recipe *r)
{
    return (sl_sample_settings){ (float)r->policy.temperature, (float)r->policy.top_p,
                                 (uint32_t)r->policy.top_k };
}

sl_status sl_sampling_open(sl_session *s)
{
    const sl_recipe *r = &s->recipe;
    const sl_data_limits *l = sl_data_limits_of(s->data);
    const sl_generate law = { .law = sampling_law(r),
                              .max_new = l->answer_tok,
                              .stop = l->stop,
                              .stop_count = l->stop_count,
                              .seed = (uint64_t)r->seed };

    SL_TRY(open_voters(s));
    SL_TRY(sl_model_sampler_open(&s->sampler, s->start ? s->start : s->policy, sl_sampling_batch(s),
                                 l->prompt_tok, l->answer_tok));
    s->sampler.decode = sl_voices_decode(s->text);
    s->door = sl_model_sampler_door(&s->sampler, &law);
    return SL_OK;
}

sl_status sl_sampling_open_elsewhere(sl_session *s)
{
    const sl_recipe *r = &s->recipe;
    sl_generate law = { .law = sampling_law(r) };

    SL_TRY(sl_elsewhere_check(r));
    SL_TRY(sl_elsewhere_data(&s->data, r));
    law.max_new = sl_data_limits_of(s->data)->answer_tok;
    s->recorder.measurement = UINT32_MAX; /* the first one is 0 */
    SL_TRY(open_voters(s));
    SL_TRY(sl_elsewhere_open(&s->elsewhere, r, s->stop));
    s->door = sl_outside_door(s->elsewhere, &law);
    return SL_OK;
}

const sl_model *sl_session_drawer(const sl_session *s)
{
    if (s->drawer)
        return s->drawer;
    return s->recipe.policy.refill == 1 ? s->policy : s->start;
}
