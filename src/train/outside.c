#include "train/outside.h"

static const char *const reasons[] = { "from outside: undecided", "from outside: injection",
                                       "from outside: fine-tuning" };

static sl_status record(sl_session *s, sl_row_decisions *row, const char *rule)
{
    if (rule)
        SL_TRY(sl_run_text(s->run, NULL, "rule", NULL, "decisions.log", rule));
    if (row->stage <= SL_STAGE_FINE_TUNING)
        SL_TRY(sl_run_name(s->run, &row->reason, SL_NAME_REASON, reasons[row->stage]));
    SL_TRY(sl_run_row(s->run, SL_TABLE_DECISIONS, row, NULL));
    SL_TRY(sl_run_commit(s->run, SL_UNIT_CONTROL, s->step));
    return sl_run_sync(s->run);
}

static void apply(sl_session *s, const sl_row_decisions *row)
{
    const double by_action[] = { s->mix, 0.0, 1.0, row->mix_weight, s->mix };

    if (row->outcome != SL_OUTCOME_APPLIED)
        return;
    s->mix = s->feed.mix = by_action[row->action];
    s->is_told_to_stop = row->action == SL_ACTION_STOP;
}

sl_status sl_outside_poll(sl_session *session)
{
    sl_session *s = session;
    int found = 1;

    while (s->outside && s->run && found) {
        const char *rule = NULL;
        sl_row_decisions row;

        SL_TRY(sl_decisions_next(s->outside, s->step, &row, &rule, &found));
        if (!found)
            break;
        SL_TRY(record(s, &row, rule));
        apply(s, &row);
    }
    return SL_OK;
}
