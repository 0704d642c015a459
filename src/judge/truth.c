/* The world's truth: P(a > b) = sigmoid((r_a - r_b) / temperature), exact or, with noise, the
 * winner of one Bradley-Terry contest. */
#include "base/alloc.h"
#include "base/hash.h"
#include "datasets/world.h"
#include "judge/judge_int.h"
#include <math.h>

typedef struct truth {
    double temperature;
    uint64_t seed;
    int is_noisy;
} truth;

static sl_status truth_open(void **state, const sl_judge_settings *set, const sl_data *data)
{
    truth *t = NULL;

    if (!data || !sl_data_is_world(data))
        return sl_err_hint(SL_FAIL(SL_EARG,
                                   "want the built-in world with judge \"truth\", found data "
                                   "from a file"),
                           "measure.prompts=0 with policy.source=static trains without a judge");
    SL_TRY(sl_take(&t, 1, sizeof *t));
    *t = (truth){ set->temperature, set->seed, set->is_noisy };
    *state = t;
    return SL_OK;
}

/* One contest, a pure function of seed, prompt and the two answers, whichever stands first: asked
 * again, or asked the other way round, the same answer wins. */
static void draw_winner(sl_vote *vote, const truth *t, const sl_prompt_text *prompt,
                        const sl_answer *a, const sl_answer *b)
{
    const int is_swapped = b->id < a->id;
    const uint64_t ids[3] = { prompt->id, is_swapped ? b->id : a->id, is_swapped ? a->id : b->id };
    sl_rng rng = sl_rng_at(t->seed, sl_rng_stream("judge noise"), sl_hash_id(ids, sizeof ids));
    const int first_wins = sl_rng_uniform(&rng) < (is_swapped ? 1.0 - vote->p : vote->p);

    if (a->id == b->id)
        vote->p = 0.5;
    else
        vote->p = first_wins != is_swapped ? 1.0 : 0.0;
    vote->score_a = vote->score_b = NAN;
}

static sl_status truth_votes(sl_vote *vote, void *state, const sl_prompt_text *prompt,
                             const sl_answer *a, const sl_answer *b, size_t count)
{
    const truth *t = state;

    for (size_t i = 0; i < count; i++) {
        if (prompt[i].count != SL_WORLD_PROMPT || a[i].count != SL_WORLD_ANSWER ||
            b[i].count != SL_WORLD_ANSWER)
            return SL_FAIL(SL_ESHAPE, "want %d prompt and %d answer tokens, found %u, %u and %u",
                           SL_WORLD_PROMPT, SL_WORLD_ANSWER, prompt[i].count, a[i].count,
                           b[i].count);
        sl_vote_by_scores(&vote[i], sl_world_reward(prompt[i].token, a[i].token),
                          sl_world_reward(prompt[i].token, b[i].token), t->temperature);
        if (t->is_noisy)
            draw_winner(&vote[i], t, &prompt[i], &a[i], &b[i]);
    }
    return SL_OK;
}

const sl_judge_row sl_judge_truth = {
    .name = "truth", .open = truth_open, .close = sl_free, .votes = truth_votes
};
