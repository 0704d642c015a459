/* The world's truth: P(a > b) = sigmoid(r_a - r_b), exact. */
#include "datasets/world.h"
#include "judge/judge_int.h"
#include <math.h>

static sl_status truth_open(const sl_data *data)
{
    if (sl_data_is_world(data))
        return SL_OK;
    return sl_err_hint(SL_FAIL(SL_EARG, "want the built-in world with judge \"truth\", found data "
                                        "from a file"),
                       "measure.prompts=0 with policy.source=static trains without a judge");
}

static sl_status truth_votes(sl_vote *vote, const sl_prompt_text *prompt, const sl_answer *a,
                             const sl_answer *b, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        double ra, rb;

        if (prompt[i].count != SL_WORLD_PROMPT || a[i].count != SL_WORLD_ANSWER ||
            b[i].count != SL_WORLD_ANSWER)
            return SL_FAIL(SL_ESHAPE, "want %d prompt and %d answer tokens, found %u, %u and %u",
                           SL_WORLD_PROMPT, SL_WORLD_ANSWER, prompt[i].count, a[i].count,
                           b[i].count);
        ra = sl_world_reward(prompt[i].token, a[i].token);
        rb = sl_world_reward(prompt[i].token, b[i].token);
        vote[i] = (sl_vote){ 1.0 / (1.0 + exp(rb - ra)), ra, rb };
    }
    return SL_OK;
}

const sl_judge_row sl_judge_truth = { .name = "truth", .open = truth_open, .votes = truth_votes };
