#include "train/decide.h"
#include "base/hash.h"
#include "train/branch.h"
#include "train/outside.h"
#include <stdio.h>
#include <string.h>

static const char *const stage_words[] = { "undecided", "injection", "fine-tuning" };
static const char *const action_words[] = { "the data stay as they are", "static data next",
                                            "on-policy data next", "mixed data next", "stop" };
static const char *const reasons[] = { "undecided: sides not separated",
                                       "injection: static answers win",
                                       "fine-tuning: on-policy answers win" };

static const char *const branch_reasons[] = { "branch test: undecided, as before",
                                              "branch test: static data gain more",
                                              "branch test: on-policy data gain more" };

/* By the votes' stage or, where branch tests decide, by what is done. */
static const char *reason_of(const sl_session *s, const sl_row_decisions *d)
{
    if (s->recipe.policy.advice == SL_ADVISED_BRANCH)
        return branch_reasons[d->action];
    return reasons[d->stage];
}

/* Fills what the advisor leaves to the trainer, records the row, waits until it is durable. */
static sl_status record_decision(sl_session *s, sl_row_decisions *d)
{
    const uint64_t parts[3] = { (uint64_t)s->step, d->measurement, d->action };

    d->step = d->based_on = s->step;
    d->measurement = s->recorder.measurement;
    d->decision_id = sl_hash_id(parts, sizeof parts);
    d->rule_hash = sl_hash_id(s->advisor->parameters, strlen(s->advisor->parameters));
    d->outcome = SL_OUTCOME_APPLIED;
    d->decider = SL_DECIDER_IN_PROCESS;
    SL_TRY(sl_run_text(s->run, NULL, "rule", NULL, s->advisor->rule, s->advisor->parameters));
    SL_TRY(sl_run_name(s->run, &d->reason, SL_NAME_REASON, reason_of(s, d)));
    SL_TRY(sl_run_row(s->run, SL_TABLE_DECISIONS, d, NULL));
    SL_TRY(sl_run_commit(s->run, SL_UNIT_CONTROL, s->step));
    return sl_run_sync(s->run);
}

/* Which data come next, by the advisor here or by an analyzer elsewhere; in words. */
static sl_status choose(sl_session *s, sl_row_decisions *d, char *words, size_t bytes)
{
    int is_there = 1;

    if (s->recipe.policy.decider == SL_DECIDED_OUTSIDE) {
        SL_TRY(sl_outside_wait(s, d, &is_there));
    } else {
        SL_TRY(record_decision(s, d));
        s->mix = d->mix_weight;
    }
    snprintf(words, bytes, "%s, share %.3g on-policy",
             is_there ? action_words[d->action]
                      : "no decision came from outside: the data stay as they are",
             s->mix);
    return SL_OK;
}

/* Both sources from the start of the iteration, told to the advisor before it decides. */
static sl_status test_branches(sl_session *s)
{
    double gain[SL_BRANCH_SOURCES][SL_BRANCH_MOST];
    sl_branch result;

    if (!s->recipe.measure.branch || s->update_at || s->iteration >= s->recipe.train.iterations)
        return SL_OK;
    SL_TRY(sl_branch_test(&result, s));
    SL_TRY(sl_run_commit(s->run, SL_UNIT_EVALS, s->step));
    for (size_t source = 0; source < SL_BRANCH_SOURCES; source++)
        for (size_t r = 0; r < result.replicates; r++)
            gain[source][r] = result.row[source][r].gain;
    return s->advisor->branch
               ? s->advisor->branch(s->advisor->state, gain[0], gain[1], result.replicates)
               : SL_OK;
}

sl_status sl_decide_measure(sl_session *s)
{
    sl_row_boundary look = { 0 };
    sl_row_decisions decision = { .mix_weight = s->mix };
    char next[96];

    if (!s->advisor)
        return SL_FAIL(SL_EARG, "want an advisor for a measurement, found none");
    s->recorder.step = s->step;
    s->recorder.measurement++;
    SL_TRY(test_branches(s));
    SL_TRY(sl_measure_run(&look, &decision, s->measure, &s->door, s->advisor, &s->recorder));
    s->last_bs = look.bs;
    if (s->iteration >= s->recipe.train.iterations)
        snprintf(next, sizeof next, "end of the run");
    else if (s->recipe.policy.kind == SL_POLICY_ADVISED)
        SL_TRY(choose(s, &decision, next, sizeof next));
    else
        snprintf(next, sizeof next, "the recipe says: share %.3g on-policy", s->mix);
    snprintf(s->decision_note, sizeof s->decision_note,
             "step %lld: boundary score %.3f [%.3f, %.3f] after %u votes on %u prompts: %s; %s",
             (long long)s->step, look.bs, look.lower, look.upper, look.votes, look.prompts,
             stage_words[look.stage], next);
    return SL_OK;
}
