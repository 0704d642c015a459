#include "train/feed.h"
#include "base/hash.h"
#include "base/rng.h"
#include <math.h>
#include <string.h>

static size_t updates_per_epoch(const sl_feed_settings *s)
{
    return (s->prompts + s->batch - 1) / s->batch;
}

size_t sl_feed_capacity(const sl_feed_settings *s)
{
    const size_t refill = s->refill ? (size_t)s->refill * s->batch : s->prompts;
    const size_t most = SL_FEED_MOST - SL_FEED_MOST % s->batch;

    if (s->refill)
        return refill < s->prompts ? refill : s->prompts;
    return s->prompts <= most || most == 0 ? s->prompts : most;
}

int64_t sl_feed_updates(const sl_feed_settings *s)
{
    return s->epochs * (int64_t)updates_per_epoch(s);
}

void sl_feed_carve(sl_feed *feed, sl_arena *arena, const sl_data_limits *limits)
{
    const size_t n = feed->capacity, batch = feed->settings.batch;
    const size_t answer = limits->answer_tok;
    const sl_draw_settings *draw = &feed->settings.draw;

    feed->order = sl_arena_take(arena, n, sizeof *feed->order);
    feed->fed = sl_arena_take(arena, n, sizeof *feed->fed);
    feed->batch = sl_arena_take(arena, batch, sizeof *feed->batch);
    feed->token = sl_arena_i32(arena, n, limits->prompt_tok + 2 * answer);
    feed->target_token = feed->settings.has_target
                             ? sl_arena_i32(arena, n, (size_t)limits->prompt_tok + answer)
                             : NULL;
    feed->prompt = sl_arena_take(arena, n, sizeof *feed->prompt);
    feed->drawn_for = sl_arena_take(arena, n, sizeof *feed->drawn_for);
    feed->draw.settings = feed->settings.draw;
    sl_draw_carve(&feed->draw, arena, limits);
    feed->stream = sl_arena_take(arena, draw->chunk * draw->each, sizeof *feed->stream);
    feed->label_rng = sl_arena_take(arena, draw->chunk, sizeof *feed->label_rng);
    feed->ref_tok = feed->settings.keeps_tokens ? sl_arena_f32(arena, n, 2 * answer) : NULL;
    feed->logp = sl_arena_f32(arena, batch, 2 * answer);
    feed->sequence = sl_arena_take(arena, 2 * batch, sizeof *feed->sequence);
}

void sl_feed_begin(sl_feed *feed, uint64_t iteration)
{
    feed->iteration = iteration;
    feed->count = 0;
    feed->ordered_epoch = -1;
}

/* Uniform number of (purpose, iteration, prompt): the same whatever else was drawn. */
static sl_rng prompt_rng(const sl_feed *feed, const char *purpose, uint64_t index)
{
    const uint64_t stream = sl_rng_substream(sl_rng_stream(purpose), feed->iteration);

    return sl_rng_at(feed->settings.seed, sl_rng_substream(stream, index), 0);
}

static int is_on_policy(const sl_feed *feed, uint64_t index)
{
    sl_rng rng = prompt_rng(feed, "mix", index);

    return sl_rng_uniform(&rng) < feed->mix;
}

static int32_t *token_at(const sl_feed *feed, size_t i)
{
    const sl_data_limits *l = sl_data_limits_of(feed->data);

    return feed->token + i * (l->prompt_tok + 2 * (size_t)l->answer_tok);
}

static void set_pair(sl_feed *feed, size_t i, const sl_pair *pair)
{
    const int is_stored = feed->settings.is_stored;

    feed->fed[i] = (sl_fed){ .pair = *pair,
                             .ref_logp_c = is_stored ? pair->ref_logp_c : NAN,
                             .ref_logp_r = is_stored ? pair->ref_logp_r : NAN };
}

/* An answer copied to `token`; its words lived in the sampler. */
static sl_answer keep_answer(int32_t *token, const sl_answer *drawn)
{
    sl_answer answer = *drawn;

    memcpy(token, drawn->token, drawn->count * sizeof *token);
    answer.token = token;
    answer.text = NULL;
    return answer;
}

/* What became of prompt p of the chunk: the pair at place i, or a weight of 0 for compact. */
static void keep_pair(sl_feed *feed, size_t i, const sl_prompt_text *prompt, size_t p)
{
    const sl_data_limits *l = sl_data_limits_of(feed->data);
    const sl_drawn *drawn = feed->draw.drawn + p * feed->draw.settings.each;
    const sl_pick *pick = &feed->draw.pick[p];
    int32_t *token = token_at(feed, i) + l->prompt_tok;
    sl_pair pair = { .prompt = *prompt, .source = SL_SOURCE_ON_POLICY };
    uint64_t ids[3];

    if (pick->fate == SL_PAIR_KEPT) {
        pair.chosen = keep_answer(token, &drawn[pick->chosen].answer);
        pair.rejected = keep_answer(token + l->answer_tok, &drawn[pick->rejected].answer);
        pair.label_p = (float)pick->label_p;
        pair.weight = 1.0f;
        pair.flags = pick->is_tie ? SL_PAIR_LABEL_TIE : 0;
    }
    ids[0] = pair.prompt.id;
    ids[1] = pair.chosen.id;
    ids[2] = pair.rejected.id;
    pair.id = sl_hash_id(ids, sizeof ids);
    set_pair(feed, i, &pair);
}

static void count_drawn(sl_drawn_counts *counts, const sl_pick *pick, size_t each)
{
    counts->prompts++;
    counts->answers += (uint32_t)each;
    counts->duplicates += pick->duplicates;
    counts->same += pick->fate == SL_PAIR_SAME;
    counts->close += pick->fate == SL_PAIR_CLOSE;
}

static sl_status tell(const sl_feed *feed, const sl_prompt_text *prompt, size_t p)
{
    const sl_draw *d = &feed->draw;
    const sl_drawn_prompt drawn = { .prompt = prompt,
                                    .drawn = d->drawn + p * d->settings.each,
                                    .score = d->score + p * d->settings.each,
                                    .each = d->settings.each,
                                    .vote = d->vote + p * d->pairs,
                                    .between = d->between,
                                    .votes = d->votes[p],
                                    .pick = &d->pick[p] };

    return feed->sink.drawn ? feed->sink.drawn(feed->sink.state, &drawn) : SL_OK;
}

/* Draws for prompts [done, done + n) of those to draw for, n <= chunk. */
static sl_status draw_chunk(sl_feed *feed, size_t done, size_t n, int is_replay)
{
    const uint64_t stream = sl_rng_substream(sl_rng_stream("on-policy"), feed->iteration);
    const size_t each = feed->draw.settings.each;

    for (size_t p = 0; p < n; p++) {
        const uint64_t index = feed->first + feed->drawn_for[done + p];

        feed->label_rng[p] = prompt_rng(feed, "label", index);
        for (size_t slot = 0; slot < each; slot++)
            feed->stream[p * each + slot] = sl_rng_substream(stream, each * index + slot);
    }
    SL_TRY(sl_draw_prompts(&feed->draw, feed->sampler, feed->judge, feed->prompt + done,
                           feed->stream, feed->label_rng, n));
    for (size_t p = 0; p < n; p++) {
        keep_pair(feed, feed->drawn_for[done + p], &feed->prompt[done + p], p);
        count_drawn(&feed->counts, &feed->draw.pick[p], each);
        if (!is_replay)
            SL_TRY(tell(feed, &feed->prompt[done + p], p));
    }
    return SL_OK;
}

static sl_status fill_on_policy(sl_feed *feed, size_t count, int is_replay)
{
    const size_t chunk = feed->draw.settings.chunk;

    if (!feed->judge || !feed->sampler || !chunk)
        return SL_FAIL(SL_EARG, "want a judge for on-policy pairs, found none");
    for (size_t done = 0; done < count; done += chunk)
        SL_TRY(draw_chunk(feed, done, count - done < chunk ? count - done : chunk, is_replay));
    return SL_OK;
}

/* Pairs that were dropped leave their places to those behind. */
static void compact(sl_feed *feed)
{
    feed->kept = 0;
    for (size_t i = 0; i < feed->count; i++)
        if (feed->fed[i].pair.weight > 0.0f)
            feed->fed[feed->kept++] = feed->fed[i];
}

static void keep_reference(sl_feed *feed, sl_fed *fed, size_t i, size_t side, const float *logp,
                           uint32_t n)
{
    const size_t answer = sl_data_limits_of(feed->data)->answer_tok;
    double sum = 0.0;

    for (uint32_t t = 0; t < n; t++)
        sum += (double)logp[t];
    *(side ? &fed->ref_logp_r : &fed->ref_logp_c) = sum;
    if (feed->ref_tok) {
        float *kept = feed->ref_tok + (2 * i + side) * answer;

        memcpy(kept, logp, n * sizeof *kept);
        *(side ? &fed->ref_tok_r : &fed->ref_tok_c) = kept;
    }
}

/* Reference log-probabilities of pairs fed[first, first + n), n <= batch. Those of tokens stand at
 * the same place of ref_tok. */
static sl_status reference_batch(sl_feed *feed, sl_fed *fed, size_t first, size_t n)
{
    const sl_packed *packed = &feed->packer->packed;

    for (size_t i = 0; i < n; i++) {
        const sl_pair *p = &fed[first + i].pair;

        feed->sequence[2 * i] = (sl_sequence){ p->prompt, p->chosen };
        feed->sequence[2 * i + 1] = (sl_sequence){ p->prompt, p->rejected };
    }
    SL_TRY(sl_pack(feed->packer, feed->sequence, 2 * n));
    SL_TRY(sl_model_forward(feed->reference, feed->work, packed));
    SL_TRY(sl_model_logp(feed->logp, NULL, NULL, feed->reference, feed->work, packed));
    for (size_t s = 0; s < 2 * n; s++)
        keep_reference(feed, &fed[first + s / 2], first + s / 2, s % 2,
                       feed->logp + packed->seq_first[s],
                       packed->seq_first[s + 1] - packed->seq_first[s]);
    return SL_OK;
}

static sl_status fill_reference(sl_feed *feed, sl_fed *fed, size_t count)
{
    const size_t most = feed->packer->limits.B / 2, batch = feed->settings.batch;
    const size_t at_once = most < batch ? most : batch;

    if (!feed->reference)
        return SL_OK;
    for (size_t i = 0; i < count; i += at_once)
        SL_TRY(reference_batch(feed, fed, i, count - i < at_once ? count - i : at_once));
    return SL_OK;
}

/* The answer to each pair's prompt that SFT would imitate. */
static sl_status fill_targets(sl_feed *feed)
{
    const sl_data_limits *l = sl_data_limits_of(feed->data);

    if (!feed->target_token)
        return SL_OK;
    for (size_t i = 0; i < feed->count; i++) {
        int32_t *token = feed->target_token + i * ((size_t)l->prompt_tok + l->answer_tok);
        sl_prompt_text prompt;

        SL_TRY(sl_data_imitation(&prompt, &feed->fed[i].target, token, feed->data, feed->iteration,
                                 feed->first + i));
        SL_CHECK(prompt.id == feed->fed[i].pair.prompt.id);
    }
    return SL_OK;
}

static sl_status fill_pairs(sl_feed *feed, int is_replay)
{
    size_t drawn = 0;

    for (size_t i = 0; i < feed->count; i++) {
        const uint64_t index = feed->first + i;
        sl_pair pair;

        if (is_on_policy(feed, index)) {
            SL_TRY(sl_data_prompt(&feed->prompt[drawn], token_at(feed, i), feed->data,
                                  SL_SPLIT_TRAIN, feed->iteration, index));
            feed->drawn_for[drawn++] = (uint32_t)i;
            continue;
        }
        SL_TRY(sl_data_static_pair(&pair, token_at(feed, i), feed->data, feed->iteration, index));
        set_pair(feed, i, &pair);
    }
    feed->counts = (sl_drawn_counts){ 0 };
    if (drawn)
        SL_TRY(fill_on_policy(feed, drawn, is_replay));
    SL_TRY(fill_targets(feed));
    compact(feed);
    if (!feed->settings.is_live)
        SL_TRY(fill_reference(feed, feed->fed, feed->kept));
    if (drawn && !is_replay && feed->sink.filled)
        SL_TRY(feed->sink.filled(feed->sink.state, &feed->counts));
    return SL_OK;
}

static sl_status fill_imitations(sl_feed *feed)
{
    for (size_t i = 0; i < feed->count; i++) {
        sl_pair pair = { .weight = 1.0f, .source = SL_SOURCE_STATIC };

        SL_TRY(sl_data_imitation(&pair.prompt, &pair.chosen, token_at(feed, i), feed->data,
                                 feed->iteration, feed->first + i));
        pair.id = sl_hash_id(&pair.chosen.id, sizeof pair.chosen.id) ^ pair.prompt.id;
        set_pair(feed, i, &pair);
    }
    feed->kept = feed->count;
    return SL_OK;
}

static sl_status refill(sl_feed *feed, size_t first, int64_t epoch, int is_replay)
{
    const size_t rest = feed->settings.prompts - first;

    feed->first = first;
    feed->count = rest < feed->capacity ? rest : feed->capacity;
    feed->ordered_epoch = -1;
    feed->filled_mix = feed->mix;
    feed->filled_epoch = epoch;
    return feed->settings.is_imitation ? fill_imitations(feed) : fill_pairs(feed, is_replay);
}

/* Epoch 0 goes in the order of the prompts, later ones in an order of their own. */
static void order(sl_feed *feed, int64_t epoch)
{
    sl_rng rng = prompt_rng(feed, "epoch", (uint64_t)epoch);

    for (size_t i = 0; i < feed->kept; i++)
        feed->order[i] = (uint32_t)i;
    if (epoch > 0 && !feed->settings.is_in_order)
        sl_rng_shuffle(&rng, feed->order, feed->kept);
    feed->ordered_epoch = epoch;
}

int sl_feed_is_refill(const sl_feed *feed, int64_t update)
{
    const size_t within = (size_t)update % updates_per_epoch(&feed->settings);

    if (!feed->settings.refill && feed->capacity >= feed->settings.prompts)
        return update == 0; /* kept over the epochs */
    return within * feed->settings.batch % feed->capacity == 0;
}

/* Pairs [*from, *to) of the order for the batch that begins at prompt `at` of the refill. */
static sl_status cut_batch(size_t *from, size_t *to, const sl_feed *feed, size_t at)
{
    const size_t batch = feed->settings.batch;
    const size_t end = feed->count - at < batch ? feed->count : at + batch;

    *from = at * feed->kept / feed->count;
    *to = end * feed->kept / feed->count;
    if (*from < *to)
        return SL_OK;
    return sl_err_hint(SL_FAIL(SL_EARG,
                               "want a pair for every update, found %zu left of %zu prompts: %u "
                               "without two different answers, %u too close",
                               feed->kept, feed->count, feed->counts.same, feed->counts.close),
                       "more policy.candidates or policy.temperature, a smaller policy.margin, a "
                       "larger policy.refill");
}

sl_status sl_feed_next(const sl_fed **fed, size_t *count, sl_feed *feed, int64_t update,
                       int is_replay)
{
    const sl_feed_settings *s = &feed->settings;
    const int64_t epoch = update / (int64_t)updates_per_epoch(s);
    const size_t at = (size_t)update % updates_per_epoch(s) * s->batch; /* prompt of the epoch */
    const size_t first = at / feed->capacity * feed->capacity;
    size_t from, to;

    if (!feed->count || feed->first != first || (s->refill && feed->filled_epoch != epoch))
        SL_TRY(refill(feed, first, epoch, is_replay));
    if (feed->ordered_epoch != epoch)
        order(feed, epoch);
    SL_TRY(cut_batch(&from, &to, feed, at - first));
    for (size_t i = from; i < to; i++) {
        feed->batch[i - from] = feed->fed[feed->order[i]];
        feed->batch[i - from].pair.visit = (uint32_t)epoch;
    }
    *fed = feed->batch;
    *count = to - from;
    return s->is_live && !s->is_imitation ? fill_reference(feed, feed->batch, *count) : SL_OK;
}
