/* The boundary measurement, read from top to bottom as the algorithm of arXiv 2508.10530 with a
 * stopping rule. For every prompt, in a fixed order:
 *
 *   1. all on-policy answers are compared with all static answers: votes       (judge, elsewhere)
 *   2. the votes of the prompt become one mean Y; prompts are the sampling unit   sl_boundary_add
 *   3. two e-processes bet on Y, one for each stage                               sl_eprocess_add
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
        .tau = 0.5, .delta = 0.05, .alpha = 0.05, .bet_count = SL_DEFAULT_BETS
    };

    memcpy(s.bets, sl_default_bets, SL_DEFAULT_BETS * sizeof s.bets[0]);
    return s;
}

sl_status sl_boundary_check(const sl_boundary_settings *s)
{
    if (!(s->alpha > 0.0 && s->alpha < 1.0))
        return SL_FAIL(SL_EARG, "want alpha between 0 and 1, found %g", s->alpha);
    if (!(s->delta >= 0.0 && s->tau - s->delta > 0.0 && s->tau + s->delta < 1.0))
        return SL_FAIL(SL_EARG, "want tau - delta > 0 and tau + delta < 1, found tau %g, delta %g",
                       s->tau, s->delta);
    if (!s->bet_count || s->bet_count > SL_BETS_MOST)
        return SL_FAIL(SL_EARG, "want 1 to %d bets, found %zu", SL_BETS_MOST, s->bet_count);
    return SL_OK;
}

sl_status sl_boundary_begin(sl_boundary *b, const sl_boundary_settings *settings)
{
    const sl_boundary_settings s = *settings;

    *b = (sl_boundary){ .set = s };
    SL_TRY(sl_boundary_check(&s));
    sl_eprocess_begin(&b->zone, s.tau, s.delta, s.alpha, s.bets, s.bet_count);
    sl_eprocess_begin(&b->sign, s.tau, 0.0, s.alpha, s.bets, s.bet_count);
    return SL_OK;
}

void sl_boundary_close(sl_boundary *b)
{
    sl_free(b->y);
    *b = (sl_boundary){ 0 };
}

sl_status sl_boundary_add(sl_boundary *b, const sl_prompt_mean *prompt)
{
    b->dropped += prompt->dropped;
    if (!(prompt->mean >= 0.0 && prompt->mean <= 1.0)) {
        b->dropped++;
        return SL_OK;
    }
    SL_TRY(sl_grow(&b->y, &b->capacity, b->score.n + 1, sizeof *b->y));
    b->y[b->score.n] = prompt->mean;
    sl_mean_add(&b->score, prompt->mean);
    sl_eprocess_add(&b->zone, prompt->mean);
    sl_eprocess_add(&b->sign, prompt->mean);
    if (isfinite(prompt->margin_on))
        sl_mean_add(&b->margin_on, prompt->margin_on);
    if (isfinite(prompt->margin_off))
        sl_mean_add(&b->margin_off, prompt->margin_off);
    b->v_on += prompt->v_on;
    b->v_off += prompt->v_off;
    b->votes += prompt->votes;
    b->ties += prompt->ties;
    return SL_OK;
}

int sl_boundary_is_settled(const sl_boundary *b)
{
    return b->zone.decided != 0;
}

static sl_stage stage_of(const sl_eprocess *e)
{
    return e->decided > 0   ? SL_STAGE_FINE_TUNING
           : e->decided < 0 ? SL_STAGE_INJECTION
                            : SL_STAGE_UNDECIDED;
}

static double mean_or_nan(const sl_mean *m)
{
    return m->n ? m->mean : NAN;
}

void sl_boundary_verdict(sl_verdict *out, const sl_boundary *b)
{
    *out = (sl_verdict){ .stage = stage_of(&b->zone),
                         .certified = stage_of(&b->sign),
                         .bs = sl_mean_estimate(&b->score, 1.0 - b->set.alpha),
                         .lower = 0.0,
                         .upper = 1.0,
                         .log_e_ft = sl_eprocess_log_ft(&b->zone),
                         .log_e_inj = sl_eprocess_log_inj(&b->zone),
                         .margin_on = mean_or_nan(&b->margin_on),
                         .margin_off = mean_or_nan(&b->margin_off),
                         .v_on = b->v_on,
                         .v_off = b->v_off,
                         .prompts = b->score.n,
                         .votes = b->votes,
                         .ties = b->ties,
                         .dropped = b->dropped,
                         .prompts_used = b->zone.decided ? b->zone.decided_at : b->score.n };
    if (b->score.n)
        sl_betting_interval(&out->lower, &out->upper, b->y, b->score.n, b->set.alpha);
}
