/* The life of a run. For every iteration, at its first parameters theta_C:
 *
 *   checkpoint C -> exact reward, fixed score, branch test (where asked for) -> measurement
 *   -> decision -> branch of the other source (where asked for; branches leave no trace but their
 *   gains) -> updates
 *   -> exact reward and gain -> next iteration
 *
 * Rows at theta_C that an earlier attempt recorded after checkpoint C are live: the record skips
 * them when they are made again (sl_run_expect). */
#include "train/train.h"
#include "train/checkpoint.h"
#include "train/decide.h"
#include "train/emit.h"
#include "train/exact.h"
#include "train/outside.h"
#include "train/policy.h"
#include "train/step.h"
#include <math.h>
#include <stdio.h>

static void report(const sl_session *s, const sl_train_hooks *hooks, const char *doing,
                   const char *note)
{
    const sl_update_means *m = &s->update.means;
    const sl_progress p = { .step = s->step,
                            .steps = s->recipe.train.iterations * sl_session_updates(s),
                            .loss = m->loss,
                            .margin = m->margin,
                            .bs = s->last_bs,
                            .iteration = s->iteration,
                            .doing = doing,
                            .is_noted = note != NULL,
                            .note = note };

    if (hooks && hooks->progress)
        hooks->progress(hooks->state, &p);
}

static int is_stopped(const sl_session *s)
{
    return s->is_told_to_stop || (s->stop && *s->stop);
}

static sl_status interrupted(const sl_session *s)
{
    return SL_FAIL(SL_EINTERRUPT, "want step %lld, found a request to stop at step %lld",
                   (long long)(s->recipe.train.iterations * sl_session_updates(s)),
                   (long long)s->step);
}

/* --- exact reward ---------------------------------------------------------------------------- */

static sl_status emit_exact(sl_session *s, const sl_exact *e)
{
    const sl_eval rows[] = {
        { "exact_reward", e->reward, e->reward_se, e->prompts, 0, SL_ORIGIN_OTHER, 0 },
        { "exact_entropy", e->entropy, NAN, e->prompts, 0, SL_ORIGIN_OTHER, 0 },
        { "exact_kl", e->kl, NAN, e->prompts, 0, SL_ORIGIN_OTHER, 0 },
        { "exact_accuracy", e->accuracy, NAN, e->prompts, 0, SL_ORIGIN_OTHER, 0 },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        SL_TRY(sl_emit_eval(s, &rows[i]));
    return SL_OK;
}

/* Expected reward of every prompt under `model` -> per_prompt. */
static sl_status exact(sl_session *s, double *per_prompt, const sl_model *model, int is_emitted)
{
    sl_exact e;

    if (!s->recipe.measure.exact_prompts || !s->judge)
        return SL_OK;
    SL_TRY(sl_exact_measure(&e, per_prompt, s, model));
    return is_emitted ? emit_exact(s, &e) : SL_OK;
}

static uint8_t origin_of(double mix)
{
    return mix <= 0.0 ? SL_ORIGIN_STATIC : mix >= 1.0 ? SL_ORIGIN_ON_POLICY : SL_ORIGIN_OTHER;
}

/* The gain of an iteration in exact reward, by the source that it trained on. */
static sl_status emit_gain(sl_session *s, const char *name, double mix)
{
    const size_t n = (size_t)s->recipe.measure.exact_prompts;
    sl_eval row = { .name = name, .used = (uint32_t)n, .origin = origin_of(mix) };

    if (!n || !s->judge)
        return SL_OK;
    sl_exact_gain(&row.value, &row.se, s->exact_before, s->exact_after, n);
    return sl_emit_eval(s, &row);
}

/* --- updates --------------------------------------------------------------------------------- */

static sl_status begin_updates(sl_session *s)
{
    sl_feed_begin(&s->feed, (uint64_t)s->iteration);
    s->feed.mix = s->mix;
    s->update_at = 0;
    if (s->iteration == 0 || !s->recipe.optim.keep_moments)
        sl_optim_reset(&s->optim);
    return SL_OK;
}

static int is_checkpoint_due(const sl_session *s)
{
    const int64_t every = s->recipe.train.checkpoint_every;

    return s->run && every > 0 && s->update_at > 0 && s->update_at % every == 0;
}

static int is_measurement_due(const sl_session *s)
{
    const int64_t every = s->recipe.measure.every;

    return s->run && s->measure && every > 0 && s->update_at > 0 && s->update_at % every == 0;
}

/* What happens between two updates: decisions from outside, checkpoint, measurement. Decisions come
 * before the checkpoint, so that it holds what they changed. */
static sl_status between(sl_session *s, const sl_train_hooks *hooks, int has_checkpoint)
{
    if (!has_checkpoint)
        SL_TRY(sl_outside_poll(s));
    if (is_stopped(s)) {
        if (s->run && !has_checkpoint)
            SL_TRY(sl_checkpoint_save(s));
        return interrupted(s);
    }
    if (is_checkpoint_due(s) && !has_checkpoint)
        SL_TRY(sl_checkpoint_save(s));
    if (!is_measurement_due(s))
        return SL_OK;
    s->sampler.model = s->policy;
    SL_TRY(sl_decide_measure(s));
    s->feed.mix = s->mix;
    report(s, hooks, "measuring", NULL);
    return SL_OK;
}

/* The model that answers of the next update are drawn from, where they are. */
static sl_status begin_refill(sl_session *s)
{
    if (s->drawer && sl_feed_is_refill(&s->feed, s->update_at))
        SL_TRY(sl_model_copy(s->drawer, s->policy));
    s->sampler.model = sl_session_drawer(s);
    return SL_OK;
}

/* Updates of the iteration from update_at on. is_resumed: the pairs of the refill in progress were
 * recorded by the attempt before, and the checkpoint of this step stands. */
static sl_status run_updates(sl_session *s, const sl_train_hooks *hooks, int is_resumed)
{
    const int64_t updates = sl_session_updates(s);
    int has_checkpoint = is_resumed || s->update_at == 0;

    s->is_replay = is_resumed && s->update_at > 0 && !sl_feed_is_refill(&s->feed, s->update_at);
    if (s->is_replay)
        s->feed.mix = s->refill_mix;
    while (s->update_at < updates) {
        SL_TRY(between(s, hooks, has_checkpoint));
        s->recorder.step = s->step;
        SL_TRY(begin_refill(s));
        SL_TRY(sl_train_step(s));
        s->is_replay = 0;
        s->feed.mix = s->mix;
        has_checkpoint = 0;
        report(s, hooks, s->run ? "training" : "branch", NULL);
    }
    s->recorder.step = s->step;
    return SL_OK;
}

/* --- the branch ------------------------------------------------------------------------------ */

sl_status sl_train_branch(sl_session *s, double mix, const sl_train_hooks *hooks)
{
    const sl_session kept = *s;
    sl_status st;

    s->run = s->recorder.run = NULL;
    s->mix = mix;
    st = begin_updates(s);
    if (st == SL_OK)
        st = run_updates(s, hooks, 0);
    s->run = kept.run;
    s->recorder.run = kept.recorder.run;
    s->step = s->recorder.step = kept.step;
    s->samples = kept.samples;
    s->tokens = kept.tokens;
    s->mix = kept.mix;
    s->update_at = 0;
    return st;
}

/* The iteration with the source that was not chosen, from the same parameters, seeds and prompts;
 * then everything is as before. Only its gain is recorded. */
static sl_status run_branch(sl_session *s, const sl_train_hooks *hooks)
{
    sl_status st;

    if (!s->recipe.measure.counterfactual || (s->mix > 0.0 && s->mix < 1.0))
        return SL_OK;
    st = sl_train_branch(s, 1.0 - s->mix, hooks);
    if (st == SL_OK)
        st = exact(s, s->exact_after, s->policy, 0);
    SL_TRY(sl_err_where(st, "branch with the source not chosen"));
    SL_TRY(sl_model_copy(s->policy, s->start));
    SL_TRY(emit_gain(s, "gain_branch", 1.0 - s->mix));
    return sl_run_commit(s->run, SL_UNIT_EVALS, s->step);
}

/* --- iterations ------------------------------------------------------------------------------ */

/* The score of a fixed number of prompts, to compare the early stop with. */
static sl_status fixed_score(sl_session *s)
{
    const uint32_t n = (uint32_t)s->recipe.measure.reference_prompts;
    sl_fixed_score score;
    sl_eval row = { .name = "bs_fixed", .used = n, .origin = SL_ORIGIN_OTHER };

    if (!n || !s->judge)
        return SL_OK;
    SL_TRY(sl_measure_fixed(&score, s->measure, &s->door, UINT32_MAX, n));
    row.value = score.bs;
    row.se = score.se;
    return sl_emit_eval(s, &row);
}

static sl_status look_at_start(sl_session *s, const sl_train_hooks *hooks)
{
    s->recorder.step = s->step;
    s->recorder.iteration = (uint32_t)s->iteration;
    if (!s->start)
        return SL_OK;
    SL_TRY(sl_model_copy(s->start, s->policy));
    s->sampler.model = s->start;
    SL_TRY(exact(s, s->exact_before, s->policy, s->iteration == 0));
    SL_TRY(fixed_score(s));
    SL_TRY(sl_run_commit(s->run, SL_UNIT_EVALS, s->step));
    if (s->measure && s->recipe.measure.prompts)
        SL_TRY(sl_decide_measure(s));
    report(s, hooks, "measuring", s->decision_note[0] ? s->decision_note : NULL);
    return SL_OK;
}

static sl_status begin_iteration(sl_session *s, const sl_train_hooks *hooks, int has_checkpoint)
{
    s->iteration_step = s->step;
    s->update_at = 0;
    if (s->recipe.policy.kind == SL_POLICY_SCHEDULE)
        SL_TRY(sl_policy_scheduled(&s->mix, s->recipe.policy.schedule, s->iteration));
    if (!has_checkpoint) {
        SL_TRY(sl_outside_poll(s));
        SL_TRY(sl_checkpoint_save(s));
    }
    if (is_stopped(s))
        return interrupted(s);
    SL_TRY(look_at_start(s, hooks));
    if (s->start)
        SL_TRY(run_branch(s, hooks));
    return begin_updates(s);
}

/* Picks up an iteration in the middle: what the checkpoint does not hold is computed again. */
static sl_status resume_iteration(sl_session *s)
{
    sl_feed_begin(&s->feed, (uint64_t)s->iteration);
    s->feed.mix = s->mix;
    s->recorder.iteration = (uint32_t)s->iteration;
    if (!s->start)
        return SL_OK;
    s->sampler.model = s->start;
    return exact(s, s->exact_before, s->start, 0);
}

static sl_status end_iteration(sl_session *s)
{
    if (s->start) {
        SL_TRY(exact(s, s->exact_after, s->policy, 1));
        SL_TRY(emit_gain(s, "gain", s->mix));
        SL_TRY(sl_run_commit(s->run, SL_UNIT_EVALS, s->step));
    }
    s->iteration++;
    return SL_OK;
}

/* The last parameters: their checkpoint, and where they stand. */
static sl_status finish(sl_session *s, const sl_train_hooks *hooks, int has_checkpoint)
{
    s->iteration_step = s->step;
    s->update_at = 0;
    if (!has_checkpoint)
        SL_TRY(sl_checkpoint_save(s));
    SL_TRY(look_at_start(s, hooks));
    return sl_run_sync(s->run);
}

sl_status sl_train(sl_session *session, int is_resumed, const sl_train_hooks *hooks)
{
    sl_session *s = session;

    s->recorder.run = s->run;
    if (s->judge && s->recipe.policy.keep_candidates && s->recipe.policy.kind != SL_POLICY_STATIC)
        SL_TRY(sl_candidate_log_open(&s->candidates, sl_run_path(s->run), s->candidates_bytes));
    if (s->judge)
        SL_TRY(sl_recorder_name(&s->recorder, s->judge, s->door.name));
    SL_TRY(sl_emit_names(s));
    while (s->iteration < s->recipe.train.iterations) {
        const int is_inside = is_resumed && s->update_at > 0;

        if (is_inside)
            SL_TRY(resume_iteration(s));
        else
            SL_TRY(begin_iteration(s, hooks, is_resumed));
        SL_TRY(run_updates(s, hooks, is_inside));
        SL_TRY(end_iteration(s));
        is_resumed = 0;
    }
    return finish(s, hooks, is_resumed);
}
