/* The boundary measurement, read from top to bottom as the algorithm of arXiv 2508.10530 with a
 * stopping rule. For every prompt, in a fixed order:
 *
 *   1. all on-policy answers are compared with all static answers: votes       (judge, elsewhere)
 *   2. the votes of the prompt become one mean Y; prompts are the sampling unit   sl_boundary_add
 *   3. two e-processes bet on Y, one for each stage                               sl_kelly_add
 *   4. the first to reach 1/alpha answers: injection or fine-tuning      sl_boundary_is_settled
 *
 * and at any moment: the score with its interval, and the verdict            sl_boundary_verdict.
 */
#include "analysis/boundary.h"
#include "base/alloc.h"
#include <math.h>
#include <string.h>

const char *sl_stage_name(sl_stage stage)
{
    static const char *const names[] = { "undecided", "injection", "fine-tuning" };

    return names[stage];
}

sl_boundary_settings sl_boundary_defaults(void)
{
    sl_boundary_settings s = {
        .tau = 0.5, .delta = 0.05, .alpha = 0.05, .grid = sizeof sl_kelly_lambda / sizeof(double)
    };

    memcpy(s.lambda, sl_kelly_lambda, sizeof sl_kelly_lambda);
    return s;
}

sl_status sl_boundary_check(const sl_boundary_settings *s)
{
    sl_kelly kelly;

    if (!(s->alpha > 0.0 && s->alpha < 1.0))
        return SL_FAIL(SL_EARG, "want alpha between 0 and 1, found %g", s->alpha);
    return sl_kelly_open(&kelly, s->tau, s->delta, s->lambda, s->grid);
}

sl_status sl_boundary_begin(sl_boundary *b, const sl_boundary_settings *settings)
{
    *b = (sl_boundary){ .set = *settings };
    SL_TRY(sl_boundary_check(&b->set));
    SL_TRY(sl_kelly_open(&b->zone, b->set.tau, b->set.delta, b->set.lambda, b->set.grid));
    return sl_kelly_open(&b->sign, b->set.tau, 0.0, b->set.lambda, b->set.grid);
}

void sl_boundary_close(sl_boundary *b)
{
    sl_free(b->y);
    sl_free(b->margin_on);
    sl_free(b->margin_off);
    *b = (sl_boundary){ 0 };
}

static sl_status push(double **array, size_t *count, size_t *capacity, double value)
{
    SL_TRY(sl_grow(array, capacity, *count + 1, sizeof **array));
    (*array)[(*count)++] = value;
    return SL_OK;
}

/* The first side that a test settles is its answer, whatever comes later. */
static void settle(sl_stage *stage, sl_kelly *test, double y, double alpha)
{
    static const sl_stage by_side[] = { SL_STAGE_UNDECIDED, SL_STAGE_INJECTION,
                                        SL_STAGE_FINE_TUNING };

    sl_kelly_add(test, y);
    if (*stage == SL_STAGE_UNDECIDED)
        *stage = by_side[sl_kelly_side(test, alpha)];
}

sl_status sl_boundary_add(sl_boundary *b, const sl_prompt_mean *prompt)
{
    b->dropped += prompt->dropped;
    if (!(prompt->mean >= 0.0 && prompt->mean <= 1.0)) {
        b->dropped++;
        return SL_OK;
    }
    SL_TRY(push(&b->y, &b->prompts, &b->capacity, prompt->mean));
    if (isfinite(prompt->margin_on))
        SL_TRY(push(&b->margin_on, &b->margins_on, &b->capacity_on, prompt->margin_on));
    if (isfinite(prompt->margin_off))
        SL_TRY(push(&b->margin_off, &b->margins_off, &b->capacity_off, prompt->margin_off));
    settle(&b->stage, &b->zone, prompt->mean, b->set.alpha);
    settle(&b->certified, &b->sign, prompt->mean, b->set.alpha);
    if (b->stage != SL_STAGE_UNDECIDED && !b->prompts_used)
        b->prompts_used = b->prompts;
    b->v_on += prompt->v_on;
    b->v_off += prompt->v_off;
    b->votes += prompt->votes;
    b->ties += prompt->ties;
    return SL_OK;
}

int sl_boundary_is_settled(const sl_boundary *b)
{
    return b->stage != SL_STAGE_UNDECIDED;
}

/* Betting confidence sequence of the prompt means seen so far; [0,1] before the first. */
static sl_status sequence(sl_interval *out, const sl_boundary *b)
{
    double *lambda = NULL;

    *out = (sl_interval){ 0.0, 1.0 };
    if (!b->prompts)
        return SL_OK;
    SL_TRY(sl_take(&lambda, b->prompts, sizeof *lambda));
    sl_bet_series(lambda, b->y, b->prompts, b->set.alpha);
    *out = sl_bet_interval(b->y, lambda, b->prompts, b->set.alpha);
    sl_free(lambda);
    return SL_OK;
}

sl_status sl_boundary_verdict(sl_verdict *out, const sl_boundary *b)
{
    *out = (sl_verdict){ .stage = b->stage,
                         .certified = b->certified,
                         .bs = sl_mean_of(b->y, b->prompts),
                         .log_e_ft = b->zone.log_e_above,
                         .log_e_inj = b->zone.log_e_below,
                         .margin_on = sl_mean_of(b->margin_on, b->margins_on).value,
                         .margin_off = sl_mean_of(b->margin_off, b->margins_off).value,
                         .v_on = b->v_on,
                         .v_off = b->v_off,
                         .prompts = b->prompts,
                         .votes = b->votes,
                         .ties = b->ties,
                         .dropped = b->dropped,
                         .prompts_used = b->prompts_used ? b->prompts_used : b->prompts };
    out->fixed = sl_student_interval(&out->bs, b->set.alpha);
    return sequence(&out->sequence, b);
}
