#include "analysis/decide.h"
#include "analysis/special.h"
#include <math.h>
#include <string.h>

int sl_hysteresis_step(sl_hysteresis *h, sl_stage side)
{
    if (side == SL_STAGE_UNDECIDED || side == h->state) {
        h->count = 0;
        return 0;
    }
    h->count++;
    if (h->state != SL_STAGE_UNDECIDED && h->count < h->consecutive)
        return 0;
    h->state = side;
    h->count = 0;
    return 1;
}

sl_stage sl_interval_side(double lower, double upper, double centre, double margin)
{
    if (lower > centre + margin)
        return SL_STAGE_FINE_TUNING;
    if (upper < centre - margin)
        return SL_STAGE_INJECTION;
    return SL_STAGE_UNDECIDED;
}

double sl_mix_linear(double bs, double low, double high)
{
    return fmin(1.0, fmax(0.0, (bs - low) / (high - low)));
}

double sl_mix_smoothstep(double bs, double low, double high)
{
    const double x = sl_mix_linear(bs, low, high);

    return x * x * (3.0 - 2.0 * x);
}

double sl_mix_logistic(double bs, double centre, double width)
{
    return 1.0 / (1.0 + exp(-(bs - centre) / width));
}

/* --- the rule -------------------------------------------------------------------------------- */

const char *const sl_advice_names[] = { "hard",     "branch",    "linear", "smoothstep",
                                        "logistic", "posterior", NULL };

sl_decision_rule sl_decision_rule_defaults(void)
{
    return (sl_decision_rule){ .advice = SL_ADVICE_HARD,
                               .consecutive = 1,
                               .width = 0.05,
                               .ema = 0.5,
                               .forget = 0.8,
                               .change = 0.25,
                               .least = 0.05 };
}

static sl_status read_advice(int *out, const char *name)
{
    for (int i = 0; sl_advice_names[i]; i++)
        if (!strcmp(name, sl_advice_names[i])) {
            *out = i;
            return SL_OK;
        }
    return SL_FAIL(SL_EFORMAT, "want policy.advice of the table, found \"%.32s\"", name);
}

static sl_status check_rule(const sl_decision_rule *r)
{
    if (r->consecutive >= 1 && r->width > 0.0 && r->ema > 0.0 && r->ema <= 1.0 &&
        r->forget >= 0.0 && r->forget <= 1.0 && r->change > 0.0 && r->least >= 0.0 &&
        r->least <= 0.5 && r->first >= 0.0 && r->first <= 1.0)
        return SL_OK;
    return SL_FAIL(SL_EFORMAT,
                   "want a rule of decisions within its ranges, found consecutive %d, width %g, "
                   "ema %g, forget %g, change %g, least %g, mix %g",
                   r->consecutive, r->width, r->ema, r->forget, r->change, r->least, r->first);
}

sl_status sl_decision_rule_read(sl_decision_rule *out, const sl_json *recipe)
{
    const sl_json *policy = json_object_get(recipe, "policy");
    const sl_json *measure = json_object_get(recipe, "measure");
    sl_decision_rule r = sl_decision_rule_defaults();
    const char *advice = sl_advice_names[r.advice];
    int64_t consecutive = r.consecutive;

    if (measure)
        SL_TRY(sl_json_i64_or(&consecutive, measure, "consecutive", consecutive));
    r.consecutive = consecutive > INT32_MAX ? INT32_MAX : (int)consecutive;
    if (policy) {
        SL_TRY(sl_json_text_or(&advice, policy, "advice", advice));
        SL_TRY(sl_json_f64_or(&r.width, policy, "width", r.width));
        SL_TRY(sl_json_f64_or(&r.ema, policy, "ema", r.ema));
        SL_TRY(sl_json_f64_or(&r.forget, policy, "forget", r.forget));
        SL_TRY(sl_json_f64_or(&r.change, policy, "change", r.change));
        SL_TRY(sl_json_f64_or(&r.least, policy, "least", r.least));
        SL_TRY(sl_json_f64_or(&r.first, policy, "mix", r.first));
    }
    SL_TRY(read_advice(&r.advice, advice));
    if (r.advice <= SL_ADVICE_BRANCH)
        r.first = 0.0;
    *out = r;
    return check_rule(out);
}

/* --- the state ------------------------------------------------------------------------------- */

sl_status sl_decision_state_save(sl_json **out, const sl_decision_state *s)
{
    *out =
        json_pack("{s:i, s:i, s:i, s:f, s:f, s:f, s:f, s:i}", "state", s->hysteresis.state, "count",
                  s->hysteresis.count, "measured", s->measured, "score", s->score, "wins", s->wins,
                  "losses", s->losses, "branch_ss", s->branch_ss, "branch_dof", s->branch_dof);
    return *out ? SL_OK : SL_FAIL(SL_ENOMEM, "want memory for the advisor's state, found none");
}

sl_status sl_decision_state_load(sl_decision_state *out, const sl_json *saved)
{
    sl_decision_state s = *out;
    int64_t stage, count, measured, dof = 0;

    SL_TRY(sl_json_i64(&stage, saved, "state"));
    SL_TRY(sl_json_i64(&count, saved, "count"));
    SL_TRY(sl_json_i64(&measured, saved, "measured"));
    SL_TRY(sl_json_f64(&s.score, saved, "score"));
    SL_TRY(sl_json_f64(&s.wins, saved, "wins"));
    SL_TRY(sl_json_f64(&s.losses, saved, "losses"));
    SL_TRY(sl_json_f64_or(&s.branch_ss, saved, "branch_ss", 0.0));
    SL_TRY(sl_json_i64_or(&dof, saved, "branch_dof", 0));
    if (stage < SL_STAGE_UNDECIDED || stage > SL_STAGE_FINE_TUNING)
        return SL_FAIL(SL_EFORMAT, "want an advisor state of 0 to 2, found %lld", (long long)stage);
    s.hysteresis.state = (sl_stage)stage;
    s.hysteresis.count = (int)count;
    s.measured = (int)measured;
    s.branch_dof = (int)dof;
    *out = s;
    return SL_OK;
}

/* --- decisions ------------------------------------------------------------------------------- */

/* One vote a prompt: the votes of a prompt are not independent. */
static void observe(sl_decision_state *s, const sl_decision_rule *r, const sl_verdict *v)
{
    const double wins = v->bs.value * (double)v->prompts;

    s->score = s->measured ? (1.0 - r->ema) * s->score + r->ema * v->bs.value : v->bs.value;
    s->wins = r->forget * s->wins + wins;
    s->losses = r->forget * s->losses + ((double)v->prompts - wins);
    s->measured++;
}

static double by_linear(const sl_decision_state *s, double width, double tau)
{
    return sl_mix_linear(s->score, tau - width, tau + width);
}

static double by_smoothstep(const sl_decision_state *s, double width, double tau)
{
    return sl_mix_smoothstep(s->score, tau - width, tau + width);
}

static double by_logistic(const sl_decision_state *s, double width, double tau)
{
    return sl_mix_logistic(s->score, tau, width);
}

static double by_posterior(const sl_decision_state *s, double width, double tau)
{
    (void)width;
    return sl_beta_cdf(1.0 - tau, 0.5 + s->losses, 0.5 + s->wins);
}

/* The share that the state asks for, before any limit. */
static double (*const wanted[])(const sl_decision_state *, double width, double tau) = {
    [SL_ADVICE_LINEAR] = by_linear,
    [SL_ADVICE_SMOOTHSTEP] = by_smoothstep,
    [SL_ADVICE_LOGISTIC] = by_logistic,
    [SL_ADVICE_POSTERIOR] = by_posterior,
};

static double limited(double share, double want, const sl_decision_rule *r)
{
    const double next = share + fmin(r->change, fmax(-r->change, want - share));

    return fmin(1.0 - r->least, fmax(r->least, next));
}

static void decide_hard(sl_row_decisions *row, const sl_hysteresis *h)
{
    static const uint8_t actions[] = { SL_ACTION_KEEP, SL_ACTION_STATIC, SL_ACTION_ON_POLICY };
    const double shares[] = { row->mix_weight, 0.0, 1.0 };

    row->action = actions[h->state];
    row->mix_weight = shares[h->state];
}

void sl_decision_branch(sl_decision_state *s, const double *off, const double *on,
                        size_t replicates)
{
    double mean = 0.0, se;
    const double n = (double)replicates;

    s->branch = SL_STAGE_UNDECIDED;
    if (replicates < 2)
        return;
    for (size_t r = 0; r < replicates; r++)
        mean += (on[r] - off[r]) / n;
    for (size_t r = 0; r < replicates; r++)
        s->branch_ss += (on[r] - off[r] - mean) * (on[r] - off[r] - mean);
    s->branch_dof += (int)replicates - 1;
    se = sqrt(s->branch_ss / s->branch_dof / n);
    if (fabs(mean) > 2.0 * se)
        s->branch = mean > 0.0 ? SL_STAGE_FINE_TUNING : SL_STAGE_INJECTION;
}

sl_status sl_decision_row(sl_row_decisions *row, sl_decision_state *state,
                          const sl_decision_rule *rule, const sl_boundary *b, double share)
{
    sl_verdict v;

    SL_TRY(sl_boundary_verdict(&v, b));
    *row = (sl_row_decisions){ .expiry = INT64_MAX,
                               .bs = v.bs.value,
                               .lower = v.sequence.lower,
                               .upper = v.sequence.upper,
                               .mix_weight = share,
                               .votes = (uint32_t)v.votes,
                               .stage = (uint8_t)v.stage,
                               .action = SL_ACTION_KEEP };
    state->hysteresis.consecutive = rule->consecutive;
    sl_hysteresis_step(&state->hysteresis,
                       rule->advice == SL_ADVICE_BRANCH ? state->branch : (sl_stage)v.stage);
    state->branch = SL_STAGE_UNDECIDED;
    if (v.prompts)
        observe(state, rule, &v);
    if (rule->advice <= SL_ADVICE_BRANCH) {
        decide_hard(row, &state->hysteresis);
    } else if (v.prompts) {
        row->action = SL_ACTION_MIX;
        row->mix_weight =
            limited(share, wanted[rule->advice](state, rule->width, b->set.tau), rule);
    }
    return SL_OK;
}
