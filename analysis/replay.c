/* Measurements and decisions derived again from the votes of a record. The same code as live, so
 * the same bits: what differs was not recorded faithfully. */
#include "analysis/branch_run.h"
#include "analysis/run_analysis.h"
#include "base/alloc.h"
#include "run/decision.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

sl_status sl_boundary_row(sl_row_boundary *row, const sl_boundary *b, uint32_t max_prompts)
{
    sl_verdict v;

    SL_TRY(sl_boundary_verdict(&v, b));
    *row = (sl_row_boundary){ .bs = v.bs.value,
                              .se = v.bs.se,
                              .lower = v.sequence.lower,
                              .upper = v.sequence.upper,
                              .tau = b->set.tau,
                              .delta = b->set.delta,
                              .alpha = b->set.alpha,
                              .v_on = v.v_on,
                              .v_off = v.v_off,
                              .log_e_ft = v.log_e_ft,
                              .log_e_inj = v.log_e_inj,
                              .margin_static = v.margin_off,
                              .margin_on = v.margin_on,
                              .lc_bs = NAN,
                              .prompts = (uint32_t)v.prompts,
                              .votes = (uint32_t)v.votes,
                              .dropped = (uint32_t)v.dropped,
                              .ties = (uint32_t)v.ties,
                              .max_prompts = max_prompts,
                              .stage = (uint8_t)v.stage,
                              .certified = (uint8_t)v.certified };
    return SL_OK;
}

/* --- votes to prompts ------------------------------------------------------------------------ */

/* The votes of one prompt: [first, end) of the table. */
static size_t prompt_end(const sl_row_votes *v, size_t first, size_t count)
{
    size_t end = first;

    while (end < count && v[end].prompt_id == v[first].prompt_id &&
           v[end].measurement == v[first].measurement && v[end].step == v[first].step &&
           v[end].purpose == SL_PURPOSE_BOUNDARY)
        end++;
    return end;
}

/* |2p-1| between the first two answers of a side, from their recorded scores. */
static double side_margin(const sl_row_votes *v, size_t n, int is_on)
{
    for (size_t i = 1; i < n; i++) {
        const uint64_t first = is_on ? v[0].a_id : v[0].b_id;
        const uint64_t id = is_on ? v[i].a_id : v[i].b_id;
        const double a = (double)(is_on ? v[0].score_a : v[0].score_b);
        const double b = (double)(is_on ? v[i].score_a : v[i].score_b);

        if (id != first || (!is_on && v[i].a_id == v[0].a_id))
            return fabs(tanh(0.5 * (a - b)));
    }
    return NAN;
}

static sl_prompt_mean read_prompt(const sl_row_votes *v, size_t n)
{
    sl_prompt_mean p = { .mean = NAN };

    for (size_t i = 0; i < n; i++) {
        const double vote = (double)v[i].vote;

        if (v[i].status != SL_VOTE_OK || !(vote >= 0.0 && vote <= 1.0)) {
            p.dropped++;
            continue;
        }
        p.v_on += vote;
        p.v_off += 1.0 - vote;
        p.ties += vote == 0.5;
        p.votes++;
    }
    if (p.votes)
        p.mean = p.v_on / (double)p.votes;
    p.margin_on = side_margin(v, n, 1);
    p.margin_off = side_margin(v, n, 0);
    return p;
}

sl_status sl_boundary_look(sl_row_boundary *row, const sl_row_votes *v, size_t count)
{
    const sl_boundary_settings set = sl_boundary_defaults();
    sl_boundary b;
    uint32_t prompts = 0;
    sl_status st = SL_OK;

    for (size_t i = 0; i < count; i++)
        SL_CHECK(v[i].purpose == SL_PURPOSE_BOUNDARY);
    SL_TRY(sl_boundary_begin(&b, &set));
    for (size_t first = 0, end; first < count; first = end, prompts++) {
        sl_prompt_mean p;

        end = prompt_end(v, first, count);
        p = read_prompt(v + first, end - first);
        SL_TRY_OUT(sl_boundary_add(&b, &p));
    }
    st = sl_boundary_row(row, &b, prompts);
out:
    sl_boundary_close(&b);
    return st;
}

/* --- one measurement ------------------------------------------------------------------------- */

typedef struct replay {
    sl_run_analysis *out;
    const sl_row_votes *votes;
    size_t vote_count, vote_at;
    const sl_row_boundary *looks;
    size_t look_count, look_at;
    const sl_row_decisions *decisions;
    size_t decision_count, decision_at; /* the first that is not in `share` yet */
    sl_reader *reader;
    sl_decision_rule rule;
    sl_decision_state decided;
    double share; /* of on-policy data in use */
} replay;

static int same(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

/* The name of the first column that differs, NULL when none does. */
static const char *difference(const sl_row_boundary *a, const sl_row_boundary *b)
{
    const struct {
        const char *name;
        double a, b;
    } column[] = {
        { "bs", a->bs, b->bs },
        { "se", a->se, b->se },
        { "lower", a->lower, b->lower },
        { "upper", a->upper, b->upper },
        { "v_on", a->v_on, b->v_on },
        { "v_off", a->v_off, b->v_off },
        { "log_e_ft", a->log_e_ft, b->log_e_ft },
        { "log_e_inj", a->log_e_inj, b->log_e_inj },
        { "margin_static", a->margin_static, b->margin_static },
        { "margin_on", a->margin_on, b->margin_on },
        { "prompts", a->prompts, b->prompts },
        { "votes", a->votes, b->votes },
        { "ties", a->ties, b->ties },
        { "stage", a->stage, b->stage },
        { "certified", a->certified, b->certified },
    };

    for (size_t i = 0; i < sizeof column / sizeof column[0]; i++)
        if (!same(column[i].a, column[i].b))
            return column[i].name;
    return NULL;
}

static void compare_look(sl_run_analysis *out, sl_measurement *m, const sl_row_boundary *recorded)
{
    const char *column = difference(&m->derived, recorded);

    out->looks++;
    if (!column)
        return;
    m->is_same = 0;
    if (!out->differences++)
        snprintf(out->first_difference, sizeof out->first_difference,
                 "measurement %u, look at %u prompts: column %s", m->measurement, recorded->prompts,
                 column);
}

static sl_status add_prompts(replay *r, sl_boundary *b, const sl_row_boundary *look)
{
    while (b->prompts + b->dropped < look->prompts + look->dropped && r->vote_at < r->vote_count) {
        const sl_row_votes *v = r->votes + r->vote_at;
        size_t end;
        sl_prompt_mean p;

        if (v->purpose != SL_PURPOSE_BOUNDARY) {
            r->vote_at++;
            continue;
        }
        if (v->measurement != look->measurement)
            break;
        end = prompt_end(r->votes, r->vote_at, r->vote_count);
        p = read_prompt(v, end - r->vote_at);
        r->vote_at = end;
        SL_TRY(sl_boundary_add(b, &p));
    }
    return SL_OK;
}

/* What followed from a measurement: of the program itself or of an analyzer beside it, not of a
 * person. */
static const sl_row_decisions *decision_of(const replay *r, uint32_t measurement)
{
    for (size_t i = 0; i < r->decision_count; i++)
        if (r->decisions[i].measurement == measurement &&
            r->decisions[i].decider != SL_DECIDER_PERSON)
            return &r->decisions[i];
    return NULL;
}

/* Takes in the decisions that took effect before `next`; NULL: none has been recorded yet, and all
 * up to the step of m count. */
static void follow(replay *r, const sl_row_decisions *next, const sl_measurement *m)
{
    for (; r->decision_at < r->decision_count; r->decision_at++) {
        const sl_row_decisions *d = &r->decisions[r->decision_at];

        if (next ? d >= next : d->step > m->step)
            return;
        r->share = sl_decision_share(d, r->share);
    }
}

static sl_status replay_branch(replay *r, uint32_t measurement)
{
    double gain[2][SL_RUN_BRANCH_MOST];
    size_t replicates;

    SL_TRY(sl_run_branch_gains(gain, &replicates, r->reader, measurement));
    if (replicates)
        sl_decision_branch(&r->decided, gain[0], gain[1], replicates);
    return SL_OK;
}

static sl_status close_measurement(replay *r, sl_measurement *m, const sl_boundary *b)
{
    const sl_row_decisions *recorded = decision_of(r, m->measurement);
    sl_row_decisions derived;

    follow(r, recorded, m);
    SL_TRY(replay_branch(r, m->measurement));
    SL_TRY(sl_decision_row(&derived, &r->decided, &r->rule, b, r->share));
    m->derived_stage = m->derived.stage;
    m->derived_action = derived.action;
    m->answer = derived;
    m->decided = recorded ? *recorded : (sl_row_decisions){ .step = -1, .action = SL_ACTION_KEEP };
    if (recorded &&
        (recorded->action != derived.action || !same(recorded->mix_weight, derived.mix_weight))) {
        m->is_same = 0;
        if (!r->out->differences++)
            snprintf(r->out->first_difference, sizeof r->out->first_difference,
                     "measurement %u: another decision", m->measurement);
    }
    return SL_OK;
}

static sl_status replay_measurement(replay *r)
{
    const sl_row_boundary *first = r->looks + r->look_at;
    sl_measurement *m = &r->out->row[r->out->count++];
    sl_boundary_settings set = sl_boundary_defaults();
    sl_boundary b;
    sl_status st = SL_OK;

    set.tau = first->tau;
    set.delta = first->delta;
    set.alpha = first->alpha;
    *m = (sl_measurement){ .step = first->step, .measurement = first->measurement, .is_same = 1 };
    SL_TRY(sl_boundary_begin(&b, &set));
    for (; r->look_at < r->look_count && r->looks[r->look_at].measurement == first->measurement;
         r->look_at++) {
        const sl_row_boundary *look = r->looks + r->look_at;

        SL_TRY_OUT(add_prompts(r, &b, look));
        SL_TRY_OUT(sl_boundary_row(&m->derived, &b, look->max_prompts));
        compare_look(r->out, m, look);
        m->recorded = *look;
    }
    SL_TRY_OUT(close_measurement(r, m, &b));
out:
    sl_boundary_close(&b);
    return st;
}

/* Rule of decisions and first share of the run's recipe. */
static sl_status read_recipe(replay *r, const sl_reader *reader)
{
    const sl_json *recipe = json_object_get(sl_reader_json(reader), "recipe");

    SL_TRY(sl_decision_rule_read(&r->rule, recipe));
    r->share = r->rule.first;
    return SL_OK;
}

static sl_status fill_iterations(sl_run_analysis *a, sl_reader *reader)
{
    const sl_row_steps *steps;
    size_t count, at = 0;

    SL_TRY(sl_reader_rows(reader, SL_TABLE_STEPS, &steps, &count));
    for (size_t i = 0; i < a->count; i++) {
        while (at < count && steps[at].step <= a->row[i].step)
            at++;
        a->row[i].iteration = at < count ? steps[at].iteration
                              : count    ? steps[count - 1].iteration + 1
                                         : 0;
    }
    return SL_OK;
}

/* Prompt by prompt only: a corpus of every measurement would take longer than all the rest. */
static sl_status read_candidates(sl_answer_sets *sets, sl_reader *reader)
{
    sl_sets_settings settings = sl_sets_settings_defaults();

    settings.corpus = 0;
    SL_TRY(sl_sets_open(sets, &settings));
    SL_TRY(sl_sets_read_run(sets, reader));
    return sl_sets_finish(sets);
}

sl_status sl_run_analyze(sl_run_analysis *out, sl_reader *reader)
{
    replay r = { .out = out, .reader = reader };
    sl_status st = SL_OK;

    *out = (sl_run_analysis){ 0 };
    SL_TRY(sl_err_where(read_recipe(&r, reader), "run.json key \"recipe\""));
    SL_TRY_OUT(sl_reader_rows(reader, SL_TABLE_BOUNDARY, &r.looks, &r.look_count));
    SL_TRY_OUT(sl_reader_rows(reader, SL_TABLE_VOTES, &r.votes, &r.vote_count));
    SL_TRY_OUT(sl_reader_rows(reader, SL_TABLE_DECISIONS, &r.decisions, &r.decision_count));
    SL_TRY_OUT(sl_take(&out->row, r.look_count + 1, sizeof *out->row));
    while (r.look_at < r.look_count)
        SL_TRY_OUT(replay_measurement(&r));
    SL_TRY_OUT(fill_iterations(out, reader));
    SL_TRY_OUT(read_candidates(&out->candidates, reader));
out:
    if (st != SL_OK)
        sl_run_analysis_close(out);
    return st;
}

void sl_run_analysis_close(sl_run_analysis *a)
{
    sl_free(a->row);
    sl_sets_close(&a->candidates);
    *a = (sl_run_analysis){ 0 };
}
