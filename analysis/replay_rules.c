#include "analysis/replay_rules.h"
#include "analysis/report_int.h"
#include "analysis/trajectory.h"
#include "base/alloc.h"
#include <math.h>
#include <string.h>

sl_status sl_replay_run_read(sl_replay_run *out, sl_reader *reader, const char *name)
{
    *out = (sl_replay_run){ .name = name };
    SL_TRY(sl_run_analyze(&out->analysis, reader));
    return sl_run_gains(&out->gain, &out->gains, &out->analysis, reader);
}

void sl_replay_run_close(sl_replay_run *run)
{
    sl_run_analysis_close(&run->analysis);
    sl_free(run->gain);
    *run = (sl_replay_run){ 0 };
}

/* --- one series ------------------------------------------------------------------------------ */

/* T measurements of one name and judge. Columns are of one block. */
typedef struct series {
    const sl_vote_point *first;
    const sl_replay_run *run; /* NULL: votes of a file */
    size_t *index;            /* (T) into the points */
    const sl_summary *all;    /* (points) */
    size_t T;
    double *t, *truth, *gain_static, *gain_on; /* (T) of the measurements with known gains */
    double *found, *weight;                    /* (T) of the rule at hand */
    size_t known;                              /* how many have known gains */
    size_t *known_at;                          /* (T) which measurements they are */
    double boundary;
} series;

static const sl_measurement *measurement_of(const series *s, int64_t step)
{
    for (size_t i = 0; s->run && i < s->run->analysis.count; i++)
        if (s->run->analysis.row[i].step == step)
            return &s->run->analysis.row[i];
    return NULL;
}

static double gain_of(const sl_replay_run *run, int64_t iteration, int origin)
{
    for (size_t i = 0; i < run->gains; i++)
        if (run->gain[i].iteration == iteration && run->gain[i].origin == origin)
            return run->gain[i].value;
    return NAN;
}

/* Start of the final run of fine-tuning states. */
static double boundary_of(const double *t, const double *state, size_t n)
{
    const sl_trajectory path = { .t = t, .truth = state, .found = state, .T = n };

    return sl_trajectory_score_of(NULL, &path).found;
}

static void find_truth(series *s, const sl_vote_set *set)
{
    for (size_t i = 0; i < s->T; i++) {
        const int64_t step = set->point[s->index[i]].step;
        const sl_measurement *m = measurement_of(s, step);
        double off, on;

        if (!m)
            continue;
        off = gain_of(s->run, m->iteration, SL_ORIGIN_STATIC);
        on = gain_of(s->run, m->iteration, SL_ORIGIN_ON_POLICY);
        if (isnan(off) || isnan(on))
            continue;
        s->t[s->known] = (double)step;
        s->gain_static[s->known] = off;
        s->gain_on[s->known] = on;
        s->truth[s->known] = on > off;
        s->known_at[s->known++] = i;
    }
    s->boundary = boundary_of(s->t, s->truth, s->known);
}

static void series_close(series *s)
{
    sl_free(s->index);
    sl_free(s->known_at);
    sl_free(s->t);
}

static sl_status series_open(series *s, const sl_replay_set *set, const sl_summary *all,
                             size_t first)
{
    const size_t n = set->votes->points + 1;

    *s = (series){ .first = &set->votes->point[first], .all = all };
    for (size_t i = 0; i < set->runs; i++)
        if (!strcmp(set->run[i].name, s->first->name))
            s->run = &set->run[i];
    SL_TRY(sl_take(&s->index, n, sizeof *s->index));
    SL_TRY(sl_take(&s->known_at, n, sizeof *s->known_at));
    SL_TRY(sl_take(&s->t, 6 * n, sizeof *s->t));
    s->truth = s->t + n;
    s->gain_static = s->truth + n;
    s->gain_on = s->gain_static + n;
    s->found = s->gain_on + n;
    s->weight = s->found + n;
    sl_report_series(s->index, &s->T, set->votes, first);
    find_truth(s, set->votes);
    return SL_OK;
}

/* --- how right ------------------------------------------------------------------------------- */

static sl_trajectory_score score_of(const series *s, const double *found, const double *weight)
{
    const sl_trajectory path = { .t = s->t,
                                 .truth = s->truth,
                                 .found = found,
                                 .utility_inj = s->gain_static,
                                 .utility_ft = s->gain_on,
                                 .weight = weight,
                                 .T = s->known,
                                 .boundary = s->boundary };

    return sl_trajectory_score_of(NULL, &path);
}

/* Schedules that look at no vote: the state at measurement i of T. */
static double always_off(const series *s, size_t i)
{
    (void)s;
    (void)i;
    return 0.0;
}

static double always_on(const series *s, size_t i)
{
    (void)s;
    (void)i;
    return 1.0;
}

static double half_way(const series *s, size_t i)
{
    return 2 * i >= s->known;
}

static double off_then_on(const series *s, size_t i)
{
    (void)s;
    return i > 0;
}

static double oracle(const series *s, size_t i)
{
    return s->truth[i];
}

/* What the run itself did. */
static double recorded(const series *s, size_t i)
{
    const sl_measurement *m = measurement_of(s, (int64_t)s->t[i]);

    return m && m->decided.mix_weight >= 0.5;
}

static const struct {
    const char *name;
    double (*state)(const series *s, size_t i);
} schedules[] = {
    { "always-off", always_off },   { "always-on", always_on }, { "switch-at-half", half_way },
    { "off-then-on", off_then_on }, { "oracle", oracle },       { "recorded", recorded },
};
enum { SCHEDULES = sizeof schedules / sizeof schedules[0] };

static sl_trajectory_score schedule_score(const series *s, size_t k)
{
    for (size_t i = 0; i < s->known; i++)
        s->found[i] = schedules[k].state(s, i);
    return score_of(s, s->found, NULL);
}

/* Keys of a score; infinite boundaries are null beside their word. */
static sl_status put_score(sl_json *to, const series *s, const sl_trajectory_score *score,
                           double fixed_regret)
{
    sl_json *row;

    if (!s->known)
        return sl_out_text(to, "score", NULL);
    SL_TRY(sl_out_object(&row, to, "score"));
    SL_TRY(sl_out_number(row, "found", isfinite(score->found) ? score->found : NAN));
    SL_TRY(sl_out_text(row, "path",
                       isfinite(score->found) ? "crosses"
                       : score->found > 0.0   ? "never"
                                              : "always"));
    SL_TRY(sl_out_number(row, "signed_error", score->signed_error));
    SL_TRY(sl_out_number(row, "error_evals", score->error_evals));
    SL_TRY(sl_out_number(row, "delay", score->delay));
    SL_TRY(sl_out_number(row, "early", fmax(-score->signed_error, 0.0)));
    SL_TRY(sl_out_i64(row, "switches", (int64_t)score->switches));
    SL_TRY(sl_out_i64(row, "false_switches", score->false_switches));
    SL_TRY(sl_out_i64(row, "false_alarms", (int64_t)score->false_alarms));
    SL_TRY(sl_out_number(row, "accuracy", score->accuracy));
    SL_TRY(sl_out_number(row, "regret", score->regret));
    return sl_out_number(row, "relative_regret",
                         fixed_regret > 0.0 ? score->regret / fixed_regret : NAN);
}

/* Regret of the better of the two constant schedules. */
static double fixed_regret_of(const series *s)
{
    return fmin(schedule_score(s, 0).regret, schedule_score(s, 1).regret);
}

/* --- one rule -------------------------------------------------------------------------------- */

static const char *stage_or_null(sl_stage stage)
{
    return stage == SL_STAGE_UNDECIDED ? NULL : sl_stage_name(stage);
}

static sl_status put_look(sl_json *list, const sl_vote_point *p, const sl_rule_look *look,
                          double wants)
{
    sl_json *row;

    SL_TRY(sl_out_object(&row, list, NULL));
    SL_TRY(p->has_step ? sl_out_i64(row, "step", p->step) : sl_out_text(row, "step", NULL));
    SL_TRY(sl_out_text(row, "stage", stage_or_null(look->side)));
    SL_TRY(sl_out_text(row, "state", stage_or_null(look->state)));
    SL_TRY(sl_out_bool(row, "switch", look->is_switch));
    SL_TRY(sl_out_bool(row, "short", look->is_short));
    SL_TRY(sl_out_number(row, "wants", wants > 0.0 ? wants : NAN));
    SL_TRY(sl_out_number(row, "score", look->score));
    SL_TRY(sl_out_number(row, "lower", look->lower));
    SL_TRY(sl_out_number(row, "upper", look->upper));
    SL_TRY(sl_out_number(row, "weight", look->weight));
    SL_TRY(sl_out_i64(row, "prompts", (int64_t)look->prompts));
    return sl_out_i64(row, "votes", (int64_t)look->votes);
}

typedef struct tally {
    size_t decided, shorts, switches, prompts, votes, same, compared;
} tally;

static void count_look(tally *n, const sl_rule_look *look, const sl_measurement *done)
{
    n->decided += look->side != SL_STAGE_UNDECIDED;
    n->shorts += look->is_short != 0;
    n->switches += look->is_switch != 0;
    n->prompts += look->prompts;
    n->votes += look->votes;
    n->compared += done != NULL;
    n->same += done && done->recorded.stage == look->side;
}

static sl_status put_tally(sl_json *to, const tally *n)
{
    SL_TRY(sl_out_i64(to, "decided", (int64_t)n->decided));
    SL_TRY(sl_out_i64(to, "short", (int64_t)n->shorts));
    SL_TRY(sl_out_i64(to, "switches", (int64_t)n->switches));
    SL_TRY(sl_out_i64(to, "prompts", (int64_t)n->prompts));
    SL_TRY(sl_out_i64(to, "votes", (int64_t)n->votes));
    return n->compared ? sl_out_i64(to, "same_stage", (int64_t)n->same)
                       : sl_out_text(to, "same_stage", NULL);
}

static sl_status put_rule(sl_json *list, series *s, const sl_vote_set *set, const sl_rule *rule)
{
    sl_rule_memory memory = { 0 };
    tally n = { 0 };
    sl_trajectory_score score;
    sl_json *to, *looks;
    size_t known = 0;

    SL_TRY(sl_out_object(&to, list, NULL));
    SL_TRY(sl_out_text(to, "rule", rule->text));
    SL_TRY(sl_out_text(to, "what", rule->row->what));
    SL_TRY(sl_out_list(&looks, to, "looks"));
    for (size_t i = 0; i < s->T; i++) {
        const sl_vote_point *p = &set->point[s->index[i]];
        const sl_summary *v = &s->all[s->index[i]];
        const sl_rule_votes votes = { v->mean, v->votes, v->prompts };
        sl_rule_look look;

        SL_TRY(sl_err_where(sl_rule_step(&look, &memory, rule, &votes), "rule \"%s\"", rule->text));
        SL_TRY(put_look(looks, p, &look, rule->value[SL_RULE_N]));
        count_look(&n, &look, measurement_of(s, p->step));
        if (known < s->known && s->known_at[known] == i) {
            s->found[known] = look.state == SL_STAGE_FINE_TUNING;
            s->weight[known++] = look.weight;
        }
    }
    SL_TRY(put_tally(to, &n));
    score = score_of(s, s->found, s->weight);
    return put_score(to, s, &score, fixed_regret_of(s));
}

/* --- what was done --------------------------------------------------------------------------- */

static sl_status put_done(sl_json *list, const series *s, const sl_vote_set *set, size_t i)
{
    const sl_vote_point *p = &set->point[s->index[i]];
    const sl_summary *v = &s->all[s->index[i]];
    const sl_measurement *m = measurement_of(s, p->step);
    sl_json *row, *done;

    SL_TRY(sl_out_object(&row, list, NULL));
    SL_TRY(p->has_step ? sl_out_i64(row, "step", p->step) : sl_out_text(row, "step", NULL));
    SL_TRY(sl_out_i64(row, "prompts", (int64_t)v->prompts));
    SL_TRY(sl_out_i64(row, "votes", (int64_t)v->verdict.votes));
    SL_TRY(sl_out_number(row, "bs", v->verdict.bs.value));
    if (!m)
        return sl_out_text(row, "done", NULL);
    SL_TRY(sl_out_object(&done, row, "done"));
    SL_TRY(sl_out_text(done, "rule", SL_BOUNDARY_RULE));
    SL_TRY(sl_out_number(done, "delta", m->recorded.delta));
    SL_TRY(sl_out_text(done, "stage", stage_or_null(m->recorded.stage)));
    SL_TRY(sl_out_text(done, "action", sl_action_word(m->decided.action)));
    SL_TRY(sl_out_i64(done, "prompts", m->recorded.prompts));
    return sl_out_i64(done, "votes", m->recorded.votes);
}

static sl_status put_truth(sl_json *to, const series *s)
{
    sl_json *list, *row;

    SL_TRY(sl_out_list(&list, to, "truth"));
    for (size_t i = 0; i < s->known; i++) {
        SL_TRY(sl_out_object(&row, list, NULL));
        SL_TRY(sl_out_number(row, "step", s->t[i]));
        SL_TRY(sl_out_number(row, "gain_static", s->gain_static[i]));
        SL_TRY(sl_out_number(row, "gain_on_policy", s->gain_on[i]));
        SL_TRY(sl_out_text(row, "stage",
                           s->truth[i] == 1.0 ? sl_stage_name(SL_STAGE_FINE_TUNING)
                                              : sl_stage_name(SL_STAGE_INJECTION)));
    }
    return SL_OK;
}

/* Schedules, and the rules that use no sequential test, on what was recorded. */
static sl_status put_baselines(sl_json *to, series *s, const sl_vote_set *set)
{
    static const char *const rules[] = { "fixed:n=0", "wilson:n=0", "sprt-votes" };
    const double fixed_regret = fixed_regret_of(s);
    sl_json *list, *row;

    SL_TRY(sl_out_list(&list, to, "baselines"));
    if (!s->known)
        return SL_OK;
    for (size_t k = 0; k < SCHEDULES; k++) {
        const sl_trajectory_score score = schedule_score(s, k);

        SL_TRY(sl_out_object(&row, list, NULL));
        SL_TRY(sl_out_text(row, "rule", schedules[k].name));
        SL_TRY(put_score(row, s, &score, fixed_regret));
    }
    for (size_t k = 0; k < sizeof rules / sizeof rules[0]; k++) {
        sl_rule rule;

        SL_TRY(sl_rule_parse(&rule, rules[k]));
        SL_TRY(put_rule(list, s, set, &rule));
    }
    return SL_OK;
}

static sl_status put_series(sl_json *list, series *s, const sl_replay_set *set)
{
    sl_json *to, *rows;

    SL_TRY(sl_out_object(&to, list, NULL));
    SL_TRY(sl_out_text(to, "name", s->first->name));
    SL_TRY(sl_out_text(to, "judge", s->first->judge));
    SL_TRY(sl_out_list(&rows, to, "measurements"));
    for (size_t i = 0; i < s->T; i++)
        SL_TRY(put_done(rows, s, set->votes, i));
    SL_TRY(sl_out_list(&rows, to, "rules"));
    for (size_t k = 0; k < set->rules; k++)
        SL_TRY(put_rule(rows, s, set->votes, &set->rule[k]));
    SL_TRY(put_truth(to, s));
    return put_baselines(to, s, set->votes);
}

static sl_status fill(sl_json *out, sl_summary *all, const sl_replay_set *set,
                      const sl_votes_settings *settings)
{
    sl_json *list;
    sl_status st = SL_OK;

    SL_TRY(sl_out_text(out, "schema", "stageline.replay/1"));
    for (size_t i = 0; i < set->votes->points; i++)
        SL_TRY(sl_err_where(sl_summary_of(&all[i], &set->votes->point[i], settings), "%s",
                            set->votes->point[i].name));
    SL_TRY(sl_out_list(&list, out, "series"));
    for (size_t i = 0; i < set->votes->points && st == SL_OK; i++) {
        series s;

        if (!sl_report_is_first(set->votes, i))
            continue;
        st = series_open(&s, set, all, i);
        if (st == SL_OK)
            st = put_series(list, &s, set);
        series_close(&s);
    }
    return st;
}

sl_status sl_replay_rules(sl_json **out, const sl_replay_set *set,
                          const sl_votes_settings *settings)
{
    sl_summary *all = NULL;
    sl_status st = SL_OK;

    *out = json_object();
    if (!*out)
        return SL_FAIL(SL_ENOMEM, "want memory for a document, found none");
    SL_TRY_OUT(sl_take(&all, set->votes->points + 1, sizeof *all));
    st = fill(*out, all, set, settings);
out:
    for (size_t i = 0; all && i < set->votes->points; i++)
        sl_summary_close(&all[i]);
    sl_free(all);
    if (st != SL_OK)
        sl_json_close(out);
    return st;
}
