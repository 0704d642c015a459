/* The trainer's side of decisions.log. */
#include "run/decision.h"

#include "base/alloc.h"
#include "base/file.h"
#include "run/decision_int.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

struct sl_decisions {
    char path[SL_RUN_PATH];
    sl_run_identity identity;
    sl_decisions_settings settings;
    sl_row_decisions *replay; /* (replays) took effect in an earlier attempt after resumed_from */
    size_t replays, replays_done;
    uint64_t last_id;     /* no decision up to this one is new */
    int64_t measured;     /* newest measurement made; INT64_MAX: nobody tells */
    int64_t last_applied; /* step; INT64_MIN: none */
    off_t seen_bytes;     /* size of the file at the last look */
    int is_behind;        /* the file may hold more than was taken */
    sl_decision_log log;
    char *rule; /* of the decision given last */
};

static int is_share(double x)
{
    return x >= 0 && x <= 1;
}

const char *sl_decision_fault(const sl_row_decisions *row)
{
    if (!is_share(row->mix_weight))
        return "want mix_weight in [0,1]";
    if (!is_share(row->bs) || !is_share(row->lower) || !is_share(row->upper))
        return "want bs, lower and upper in [0,1]";
    if (row->lower > row->bs || row->bs > row->upper)
        return "want lower <= bs <= upper";
    if (row->stage > SL_STAGE_FINE_TUNING || row->action > SL_ACTION_STOP ||
        row->decider > SL_DECIDER_PERSON)
        return "want a known stage, action and decider";
    if (row->based_on < 0 || row->expiry < row->based_on)
        return "want 0 <= based_on <= expiry";
    return NULL;
}

sl_decisions_settings sl_decisions_settings_defaults(void)
{
    return (sl_decisions_settings){ .min_gap = 1 };
}

/* Rows from outside that took effect: what the checkpoint holds is done, the others are replayed. A
 * later attempt repeats an earlier one, so its row takes the place of the earlier. */
static sl_status take_known(sl_decisions *d, const sl_row_decisions *row, uint64_t done,
                            size_t *capacity)
{
    size_t at = 0;

    if (row->decider == SL_DECIDER_IN_PROCESS)
        return SL_OK;
    if (row->decision_id > d->last_id)
        d->last_id = row->decision_id;
    if (row->decision_id <= done) {
        if (row->outcome == SL_OUTCOME_APPLIED && row->step > d->last_applied)
            d->last_applied = row->step;
        return SL_OK;
    }
    while (at < d->replays && d->replay[at].decision_id != row->decision_id)
        at++;
    if (at == d->replays) {
        SL_TRY(sl_grow(&d->replay, capacity, d->replays + 1, sizeof d->replay[0]));
        d->replays++;
    }
    d->replay[at] = *row;
    return SL_OK;
}

sl_status sl_decisions_open(sl_decisions **out, const char *run_path, const sl_row_decisions *known,
                            size_t count, uint64_t done, const sl_decisions_settings *settings)
{
    sl_decisions *d = NULL;
    size_t capacity = 0;
    sl_status st = SL_OK;

    *out = NULL;
    SL_TRY(sl_take(&d, 1, sizeof *d));
    d->settings = *settings;
    d->last_applied = INT64_MIN;
    d->measured = INT64_MAX;
    SL_TRY_OUT(sl_file_join(d->path, sizeof d->path, run_path, "decisions.log"));
    SL_TRY_OUT(sl_run_identity_load(&d->identity, run_path));
    for (size_t i = 0; i < count; i++)
        SL_TRY_OUT(take_known(d, &known[i], done, &capacity));
    *out = d;
out:
    if (st != SL_OK)
        sl_decisions_close(&d);
    return st;
}

void sl_decisions_measured(sl_decisions *decisions, int64_t measurement)
{
    decisions->measured = measurement;
}

int sl_decisions_is_replaying(const sl_decisions *decisions)
{
    return decisions->replays_done < decisions->replays;
}

/* What it is based on is not there yet: after a resume the trainer comes to it again. */
static int is_ahead(const sl_decisions *d, int64_t step, const sl_row_decisions *row)
{
    return row->based_on > step ||
           (row->decider == SL_DECIDER_WATCH && (int64_t)row->measurement > d->measured);
}

static int next_replay(sl_decisions *d, int64_t step, sl_row_decisions *row)
{
    if (!sl_decisions_is_replaying(d) || d->replay[d->replays_done].step > step ||
        is_ahead(d, step, &d->replay[d->replays_done]))
        return 0;
    *row = d->replay[d->replays_done++];
    if (row->outcome == SL_OUTCOME_APPLIED)
        d->last_applied = row->step;
    return 1;
}

static void judge(sl_decisions *d, int64_t step, sl_row_decisions *row)
{
    row->step = step;
    row->outcome = SL_OUTCOME_APPLIED;
    if (sl_decision_fault(row))
        row->outcome = SL_OUTCOME_REJECTED;
    else if (row->expiry < step)
        row->outcome = SL_OUTCOME_EXPIRED;
    else if (d->last_applied != INT64_MIN && step - d->last_applied < d->settings.min_gap)
        row->outcome = SL_OUTCOME_REJECTED;
    if (row->outcome == SL_OUTCOME_APPLIED)
        d->last_applied = step;
}

/* Opens the log again when its file has grown. */
static sl_status look_again(sl_decisions *d)
{
    struct stat s;

    if (stat(d->path, &s))
        return errno == ENOENT ? SL_OK
                               : SL_FAIL(SL_EIO, "want its size, found: %s", strerror(errno));
    if (s.st_size == d->seen_bytes)
        return SL_OK;
    sl_decision_log_close(&d->log);
    SL_TRY(sl_decision_log_open(&d->log, d->path, &d->identity));
    d->seen_bytes = s.st_size;
    d->is_behind = 1;
    return SL_OK;
}

/* Takes what the file has for this step; decisions that were seen are passed over. */
static sl_status next_new(sl_decisions *d, int64_t step, sl_row_decisions *row, int *found)
{
    while (d->is_behind) {
        const char *rule;
        int there;

        SL_TRY(sl_decision_log_peek(&d->log, row, &rule, &there));
        if (!there) {
            d->is_behind = 0;
            return SL_OK;
        }
        if (row->decision_id > d->last_id && is_ahead(d, step, row) && !sl_decision_fault(row))
            return SL_OK; /* waits */
        sl_decision_log_take(&d->log);
        if (row->decision_id <= d->last_id)
            continue;
        d->last_id = row->decision_id;
        sl_free(d->rule);
        d->rule = NULL;
        SL_TRY(sl_strdup(&d->rule, rule));
        judge(d, step, row);
        *found = 1;
        return SL_OK;
    }
    return SL_OK;
}

sl_status sl_decisions_next(sl_decisions *d, int64_t step, sl_row_decisions *row, const char **rule,
                            int *found)
{
    *found = next_replay(d, step, row);
    if (rule)
        *rule = NULL;
    if (*found || sl_decisions_is_replaying(d))
        return SL_OK;
    SL_TRY(sl_err_where(look_again(d), "%s", d->path));
    SL_TRY(sl_err_where(next_new(d, step, row, found), "%s", d->path));
    if (rule && *found)
        *rule = d->rule;
    return SL_OK;
}

void sl_decisions_close(sl_decisions **decisions)
{
    sl_decisions *d = *decisions;

    if (!d)
        return;
    sl_decision_log_close(&d->log);
    sl_run_identity_close(&d->identity);
    sl_free(d->replay);
    sl_free(d->rule);
    sl_free(d);
    *decisions = NULL;
}

double sl_decision_share(const sl_row_decisions *row, double share)
{
    const double by_action[] = { [SL_ACTION_KEEP] = share,
                                 [SL_ACTION_STATIC] = 0.0,
                                 [SL_ACTION_ON_POLICY] = 1.0,
                                 [SL_ACTION_MIX] = row->mix_weight,
                                 [SL_ACTION_STOP] = share };

    return row->outcome == SL_OUTCOME_APPLIED ? by_action[row->action] : share;
}
