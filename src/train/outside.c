#include "train/outside.h"
#include "train/clock.h"
#include <stdio.h>
#include <time.h>

static const char *const reasons[] = { "from outside: undecided", "from outside: injection",
                                       "from outside: fine-tuning" };

static sl_status record(sl_session *s, sl_row_decisions *row, const char *rule)
{
    if (row->outcome == SL_OUTCOME_APPLIED)
        row->mix_weight = sl_decision_share(row, s->mix);
    if (rule)
        SL_TRY(sl_run_text(s->run, NULL, "rule", NULL, "decisions.log", rule));
    if (row->stage <= SL_STAGE_FINE_TUNING)
        SL_TRY(sl_run_name(s->run, &row->reason, SL_NAME_REASON, reasons[row->stage]));
    SL_TRY(sl_run_row(s->run, SL_TABLE_DECISIONS, row, NULL));
    SL_TRY(sl_run_commit(s->run, SL_UNIT_CONTROL, s->step));
    return sl_run_sync(s->run);
}

/* A run that was told to stop and is resumed goes on: the stop is recorded again, not obeyed. */
static void apply(sl_session *s, const sl_row_decisions *row, int is_replay)
{
    s->outside_done = row->decision_id;
    if (row->decider == SL_DECIDER_WATCH)
        s->outside_answered = row->measurement;
    if (row->outcome != SL_OUTCOME_APPLIED)
        return;
    s->mix = s->feed.mix = sl_decision_share(row, s->mix);
    s->is_told_to_stop = row->action == SL_ACTION_STOP && !is_replay;
}

/* last (may be NULL): the newest decision of an analyzer. */
static sl_status take(sl_session *s, sl_row_decisions *last)
{
    const uint32_t newest = s->recorder.measurement;
    int found = 1;

    while (s->outside && s->run && found) {
        const int is_replay = sl_decisions_is_replaying(s->outside);
        const char *rule = NULL;
        sl_row_decisions row;

        sl_decisions_measured(s->outside, newest == UINT32_MAX ? -1 : (int64_t)newest);
        SL_TRY(sl_decisions_next(s->outside, s->step, &row, &rule, &found));
        if (!found)
            break;
        SL_TRY(record(s, &row, rule));
        apply(s, &row, is_replay);
        if (last && row.decider == SL_DECIDER_WATCH)
            *last = row;
    }
    return SL_OK;
}

sl_status sl_outside_poll(sl_session *session)
{
    return take(session, NULL);
}

static int is_waiting(const sl_session *s, double until)
{
    return s->outside_answered != (int64_t)s->recorder.measurement && !s->is_told_to_stop &&
           !(s->stop && *s->stop) && !sl_decisions_is_replaying(s->outside) &&
           sl_clock_now() < until;
}

sl_status sl_outside_wait(sl_session *s, sl_row_decisions *decision, int *is_there)
{
    const double until = sl_clock_now() + s->recipe.policy.wait_s;
    const struct timespec nap = { .tv_nsec = 5000000 };
    char text[128];

    *decision = (sl_row_decisions){ .action = SL_ACTION_KEEP };
    SL_CHECK(s->run && s->outside);
    SL_TRY(sl_run_sync(s->run)); /* whoever decides reads what is written */
    SL_TRY(take(s, decision));
    while (is_waiting(s, until)) {
        nanosleep(&nap, NULL);
        SL_TRY(take(s, decision));
    }
    *is_there = s->outside_answered == (int64_t)s->recorder.measurement;
    if (*is_there)
        return SL_OK;
    snprintf(text, sizeof text, "measurement %u: no decision from outside: the data stay",
             s->recorder.measurement);
    return sl_run_event(s->run, SL_EVENT_WARNING, s->recipe.policy.wait_s, text);
}
