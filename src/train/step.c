/* The training step, top to bottom. Shapes: docs/notation.md; P pairs, N targets. */
#include "train/step.h"
#include "train/clock.h"
#include "train/emit.h"
#include "train/reference.h"
#include "train/start.h"

/* Forward, loss and backward of one micro-batch; gradients add up over the update. */
static sl_status micro_step(sl_session *s)
{
    sl_update *u = &s->update;
    double at = sl_clock_now();

    SL_TRY(sl_model_forward(s->policy, s->work, &u->packer.packed));
    SL_TRY(sl_update_logp(u, s->policy, s->work)); /* logp (N), nats */
    SL_TRY(sl_update_coef(u, s->loss));            /* coef (N) = dL/dlogp */
    if (s->watch.fn)
        SL_TRY(s->watch.fn(s->watch.state, s));
    sl_clock_lap(&s->times.forward, &at);
    s->times.backward += s->split.seconds;                /* which is no part of it */
    SL_TRY(sl_gradsplit_backward(&s->split, u, s->work)); /* adds to the gradients */
    sl_clock_lap(&s->times.backward, &at);
    s->times.backward -= s->split.seconds;
    return sl_emit_tokens(s);
}

/* What statistics of gradients cost is counted where they are recorded. */
static void add_times(sl_session *s, double step_s)
{
    s->times.step = step_s;
    s->times.split = s->split.seconds;
    s->times.norms = s->optim.norms_s;
    if (!s->run)
        return;
    s->spent.step += s->times.step;
    s->spent.norms += s->times.norms;
    s->spent.split += s->times.split;
    s->spent.pairgrad += s->times.pairgrad;
}

static sl_status update(sl_session *s)
{
    sl_update *u = &s->update;
    const double begun = sl_clock_now();
    double at;
    const sl_fed *fed;
    size_t P;
    int more;

    SL_TRY(sl_feed_next(&fed, &P, &s->feed, s->update_at, s->is_replay));
    sl_update_begin(u, fed, P);
    sl_gradsplit_begin(&s->split, sl_is_split_step(s), s->run != NULL);
    do {
        SL_TRY(sl_update_pack(u, &more));
        if (more)
            SL_TRY(micro_step(s));
    } while (more);
    sl_update_end(u);
    sl_gradsplit_end(&s->split, u);
    SL_TRY(sl_start_check(s)); /* first update: policy and reference agree */
    SL_TRY(sl_emit_pairgrads(s));
    at = sl_clock_now();
    SL_TRY(sl_optim_step(&s->optim, sl_schedule_rate(&s->schedule, s->update_at + 1)));
    sl_reference_move(s);
    sl_clock_lap(&s->times.update, &at);
    add_times(s, sl_clock_now() - begun);
    s->update_at++;
    return sl_emit_update(s); /* rows of the update, COMMIT */
}

sl_status sl_train_step(sl_session *session)
{
    session->step++;
    session->times = (sl_phase_times){ 0 };
    return sl_err_where(update(session), "step %lld", (long long)session->step);
}
