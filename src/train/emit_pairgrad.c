/* Rows of the gradients of pairs. */
#include "train/clock.h"
#include "train/emit.h"

int sl_is_pairgrad_step(const sl_session *s)
{
    const int64_t every = s->recipe.record.pair_grad_every;

    return s->pairgrad.m > 0 && s->run && sl_run_wants(s->run, SL_TABLE_PAIR_GRAD) &&
           s->step % every == 0;
}

static sl_status emit_row(sl_session *s)
{
    const sl_pairgrad *pg = &s->pairgrad;
    const void *wide[] = { pg->group_norm, pg->group_cos, pg->sketch, pg->sketch_c, pg->sketch_r };

    s->pairgrad.row.step = s->step;
    return sl_run_row(s->run, SL_TABLE_PAIR_GRAD, &pg->row, wide);
}

sl_status sl_emit_pairgrads(sl_session *s)
{
    double at = sl_clock_now();

    if (!sl_is_pairgrad_step(s))
        return SL_OK;
    sl_pairgrad_begin(&s->pairgrad, &s->update, &s->split);
    for (size_t i = 0; i < s->update.P; i++) {
        SL_TRY(sl_pairgrad_pair(&s->pairgrad, &s->update, i, s->work));
        SL_TRY(emit_row(s));
    }
    for (size_t i = 0; i < s->probe.count; i++) {
        SL_TRY(sl_pairgrad_answer(&s->pairgrad, &s->probe.sequence[i], s->probe.id[i], s->work));
        SL_TRY(emit_row(s));
    }
    sl_pairgrad_end(&s->pairgrad, &s->split);
    sl_clock_lap(&s->times.pairgrad, &at);
    return SL_OK;
}
