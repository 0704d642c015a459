/* Data of the built-in world: every prompt, answer and label is a pure function of (seed, split,
 * iteration, index), each kind on its own random stream. */
#include "base/alloc.h"
#include "base/hash.h"
#include "datasets/data_int.h"
#include "datasets/world.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { GENERATORS_MOST = 8 };

typedef struct world_state {
    sl_world_settings set;
    sl_world_generator start, fixed[GENERATORS_MOST];
} world_state;

sl_world_settings sl_world_defaults(void)
{
    return (sl_world_settings){ .seed = 1,
                                .start_content = 2.5,
                                .start_style = 0.5,
                                .habit_std = 0.5,
                                .quirk = 2.0,
                                .generator_content = { 0.0, 1.0, 2.0, 3.0, 4.0 },
                                .generator_count = 5,
                                .label_temperature = 1.0 };
}

static sl_rng stream_at(const world_state *w, const char *purpose, sl_split split,
                        uint64_t iteration, uint64_t index)
{
    uint64_t stream = sl_rng_substream(sl_rng_stream(purpose), (uint64_t)split);

    /* probes and evaluations are frozen; only training prompts are fresh in every iteration */
    stream = sl_rng_substream(stream, split == SL_SPLIT_TRAIN ? iteration : 0);
    return sl_rng_at(w->set.seed, sl_rng_substream(stream, index), 0);
}

static void habits(sl_world_generator *g, uint64_t seed, uint64_t number, double std)
{
    sl_rng rng = sl_rng_at(seed, sl_rng_substream(sl_rng_stream("world habit"), number), 0);

    for (size_t t = 0; t < 4; t++)
        for (size_t k = 0; k < 8; k++)
            g->habit[t][k] = std * sl_rng_normal(&rng);
}

static sl_status world_prompt(sl_prompt_text *out, int32_t *token, const sl_data *data,
                              sl_split split, uint64_t iteration, uint64_t index)
{
    sl_rng rng = stream_at(data->state, "world prompt", split, iteration, index);

    sl_world_prompt(token, &rng);
    *out = (sl_prompt_text){ .token = token,
                             .count = SL_WORLD_PROMPT,
                             .id = sl_hash_id(token, SL_WORLD_PROMPT * sizeof *token) };
    return SL_OK;
}

static sl_answer read_answer(const int32_t *prompt, const int32_t *token)
{
    return (sl_answer){ .token = token,
                        .count = SL_WORLD_ANSWER,
                        .bytes = SL_WORLD_ANSWER,
                        .chars = SL_WORLD_ANSWER,
                        .id = sl_hash_id(token, SL_WORLD_ANSWER * sizeof *token),
                        .score = (float)sl_world_reward(prompt, token) };
}

/* One answer each of `want` different generators, in random order, to token (want * answer). */
static void draw_fixed(sl_answer *answer, int32_t *token, const world_state *w,
                       const int32_t *prompt, size_t want, sl_rng *rng)
{
    uint32_t order[GENERATORS_MOST];

    for (uint32_t g = 0; g < w->set.generator_count; g++)
        order[g] = g;
    sl_rng_shuffle(rng, order, w->set.generator_count);
    for (size_t i = 0; i < want; i++) {
        sl_world_draw(token + i * SL_WORLD_ANSWER, &w->fixed[order[i]], prompt, rng);
        answer[i] = read_answer(prompt, token + i * SL_WORLD_ANSWER);
    }
}

static sl_status world_pair(sl_pair *out, int32_t *token, const sl_data *data, uint64_t iteration,
                            uint64_t index)
{
    const world_state *w = data->state;
    sl_rng rng = stream_at(w, "world pair", SL_SPLIT_TRAIN, iteration, index);
    sl_answer answer[2];
    uint64_t ids[3];
    double logit, p;
    int first_wins;

    *out = (sl_pair){ .weight = 1.0f, .source = SL_SOURCE_STATIC };
    SL_TRY(world_prompt(&out->prompt, token, data, SL_SPLIT_TRAIN, iteration, index));
    draw_fixed(answer, token + SL_WORLD_PROMPT, w, token, 2, &rng);
    logit = (double)answer[0].score - (double)answer[1].score;
    p = 1.0 / (1.0 + exp(-logit / w->set.label_temperature));
    first_wins = sl_rng_uniform(&rng) < p;
    out->chosen = answer[first_wins ? 0 : 1];
    out->rejected = answer[first_wins ? 1 : 0];
    out->label_p = (float)(first_wins ? p : 1.0 - p);
    if (logit == 0.0)
        out->flags |= SL_PAIR_LABEL_TIE;
    if (answer[0].id == answer[1].id)
        out->flags |= SL_PAIR_DUPLICATE;
    ids[0] = out->prompt.id;
    ids[1] = out->chosen.id;
    ids[2] = out->rejected.id;
    out->id = sl_hash_id(ids, sizeof ids);
    return SL_OK;
}

static sl_status world_candidates(sl_answer *answer, size_t *count, int32_t *token,
                                  const sl_data *data, sl_split split, uint64_t iteration,
                                  uint64_t index, size_t want)
{
    const world_state *w = data->state;
    sl_rng rng = stream_at(w, "world candidates", split, iteration, index);
    int32_t prompt[SL_WORLD_PROMPT];
    sl_prompt_text text;

    SL_TRY(world_prompt(&text, prompt, data, split, iteration, index));
    *count = want < w->set.generator_count ? want : w->set.generator_count;
    draw_fixed(answer, token, w, prompt, *count, &rng);
    return SL_OK;
}

static sl_status world_imitation(sl_prompt_text *prompt, sl_answer *answer, int32_t *token,
                                 const sl_data *data, uint64_t iteration, uint64_t index)
{
    const world_state *w = data->state;
    sl_rng rng = stream_at(w, "world imitation", SL_SPLIT_TRAIN, iteration, index);

    SL_TRY(world_prompt(prompt, token, data, SL_SPLIT_TRAIN, iteration, index));
    sl_world_draw(token + SL_WORLD_PROMPT, &w->start, token, &rng);
    *answer = read_answer(token, token + SL_WORLD_PROMPT);
    return SL_OK;
}

static void world_close(sl_data *data)
{
    sl_free(data->state);
}

static const sl_data_ops world_ops = {
    .prompt = world_prompt,
    .static_pair = world_pair,
    .static_candidates = world_candidates,
    .imitation = world_imitation,
    .close = world_close,
};

/* The definition in words and numbers: what the hash in the record stands for. */
static void world_hash(char out[65], const sl_world_settings *s)
{
    char text[512];
    unsigned char digest[32];
    sl_sha256 sha;
    int n = snprintf(text, sizeof text, "world 1 seed %llu start %a %a habit %a quirk %a label %a",
                     (unsigned long long)s->seed, s->start_content, s->start_style, s->habit_std,
                     s->quirk, s->label_temperature);

    for (size_t g = 0; g < s->generator_count; g++)
        n += snprintf(text + n, sizeof text - (size_t)n, " %a", s->generator_content[g]);
    sl_sha256_open(&sha);
    sl_sha256_add(&sha, text, (size_t)n);
    sl_sha256_close(&sha, digest);
    sl_sha256_hex(out, digest);
}

static sl_status check(const sl_world_settings *s)
{
    if (s->generator_count < 2 || s->generator_count > GENERATORS_MOST)
        return SL_FAIL(SL_EARG, "want 2 to %d static generators, found %zu", GENERATORS_MOST,
                       s->generator_count);
    if (!(s->label_temperature > 0.0) || !isfinite(s->label_temperature))
        return SL_FAIL(SL_EARG, "want a label temperature > 0, found %g", s->label_temperature);
    return SL_OK;
}

sl_status sl_data_open_world(sl_data **out, const sl_world_settings *settings)
{
    sl_data *d = NULL;
    world_state *w;
    sl_status st = SL_OK;

    SL_TRY(check(settings));
    SL_TRY(sl_take(&d, 1, sizeof *d));
    d->ops = &world_ops;
    SL_TRY_OUT(sl_take(&d->state, 1, sizeof *w));
    w = d->state;
    w->set = *settings;
    w->start = (sl_world_generator){ .content = settings->start_content,
                                     .style = settings->start_style,
                                     .quirk = settings->quirk };
    habits(&w->start, settings->seed, 0, settings->habit_std);
    for (size_t g = 0; g < settings->generator_count; g++) {
        w->fixed[g] =
            (sl_world_generator){ .content = settings->generator_content[g], .style = 1.0 };
        habits(&w->fixed[g], settings->seed, 1 + g, 1.0);
    }
    d->is_world = 1;
    d->limits = (sl_data_limits){ .prompt_tok = SL_WORLD_PROMPT,
                                  .answer_tok = SL_WORLD_ANSWER,
                                  .vocab = SL_WORLD_VOCAB,
                                  .train_count = SIZE_MAX,
                                  .probe_count = SIZE_MAX };
    world_hash(d->hash, settings);
    *out = d;
    return SL_OK;
out:
    sl_data_close(&d);
    return st;
}
