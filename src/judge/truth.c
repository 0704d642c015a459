/* The world's truth: P(a > b) = sigmoid((r_a - r_b) / temperature), exact. */
#include "base/alloc.h"
#include "datasets/world.h"
#include "judge/judge_int.h"

static sl_status truth_open(void **state, const sl_judge_settings *set, const sl_data *data)
{
    double *temperature = NULL;

    if (!data || !sl_data_is_world(data))
        return sl_err_hint(SL_FAIL(SL_EARG,
                                   "want the built-in world with judge \"truth\", found data "
                                   "from a file"),
                           "measure.prompts=0 with policy.source=static trains without a judge");
    SL_TRY(sl_take(&temperature, 1, sizeof *temperature));
    *temperature = set->temperature;
    *state = temperature;
    return SL_OK;
}

static sl_status truth_votes(sl_vote *vote, void *state, const sl_prompt_text *prompt,
                             const sl_answer *a, const sl_answer *b, size_t count)
{
    const double *temperature = state;

    for (size_t i = 0; i < count; i++) {
        if (prompt[i].count != SL_WORLD_PROMPT || a[i].count != SL_WORLD_ANSWER ||
            b[i].count != SL_WORLD_ANSWER)
            return SL_FAIL(SL_ESHAPE, "want %d prompt and %d answer tokens, found %u, %u and %u",
                           SL_WORLD_PROMPT, SL_WORLD_ANSWER, prompt[i].count, a[i].count,
                           b[i].count);
        sl_vote_by_scores(&vote[i], sl_world_reward(prompt[i].token, a[i].token),
                          sl_world_reward(prompt[i].token, b[i].token), *temperature);
    }
    return SL_OK;
}

const sl_judge_row sl_judge_truth = {
    .name = "truth", .open = truth_open, .close = sl_free, .votes = truth_votes
};
