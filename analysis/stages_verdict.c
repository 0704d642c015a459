#include "analysis/stages_verdict.h"
#include "run/schema.h"
#include <math.h>
#include <string.h>

#define THRESHOLD 0.5
#define ALPHA 0.05

const char *const sl_stage_rule_names[SL_STAGE_RULES] = {
    "guided by the score", "guided by branch tests", "always static",
    "always on-policy",    "static, then on-policy", "best of all orders"
};

sl_stage_filter sl_stage_any(void)
{
    return (sl_stage_filter){ NULL, NULL, NAN, NAN };
}

int sl_stage_passes(const sl_stage_cell *c, const sl_stage_filter *f)
{
    return (!f->variant || !strcmp(f->variant, c->variant)) &&
           (!f->method || !strcmp(f->method, c->method)) &&
           (isnan(f->seed) || f->seed == c->seed) &&
           (isnan(f->strength) || f->strength == c->strength);
}

size_t sl_stage_select(const sl_stage_cell **out, const sl_stage_cell *const *cell, size_t n,
                       const sl_stage_filter *filter)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++)
        if (sl_stage_passes(cell[i], filter))
            out[kept++] = cell[i];
    return kept;
}

double sl_stage_difference(const sl_stage_cell *c)
{
    return c->place[SL_PLACE_ON].gain - c->place[SL_PLACE_OFF].gain;
}

double sl_stage_ratio(const sl_stage_cell *c)
{
    const double off = c->place[SL_PLACE_OFF].gain;

    return off > 0.0 ? c->place[SL_PLACE_ON].gain / off : NAN;
}

int sl_stage_says_on_policy(const sl_stage_cell *c, sl_place at)
{
    return c->place[at].bs >= THRESHOLD;
}

static sl_place after(sl_place at, int is_on)
{
    static const sl_place next[SL_PLACE_ON + 1][2] = {
        { SL_PLACE_OFF, SL_PLACE_ON },
        { SL_PLACE_OFF_OFF, SL_PLACE_OFF_ON },
        { SL_PLACE_ON_OFF, SL_PLACE_ON_ON },
    };

    return next[at][is_on != 0];
}

/* --- verdicts -------------------------------------------------------------------------------- */

void sl_stage_count_add(sl_stage_count *c, int is_right)
{
    c->of++;
    c->right += is_right != 0;
}

void sl_stage_count_close(sl_stage_count *c)
{
    c->share = c->of ? (double)c->right / (double)c->of : NAN;
    c->interval = sl_wilson((double)c->right, (double)c->of, ALPHA);
}

sl_stage_verdicts sl_stage_verdicts_of(const sl_stage_cell *const *cell, size_t n, sl_place at)
{
    sl_stage_verdicts v = { .wrong_low = NAN, .wrong_high = NAN };

    for (size_t i = 0; i < n; i++) {
        const double d = cell[i]->place[after(at, 1)].gain - cell[i]->place[after(at, 0)].gain;
        const double bs = cell[i]->place[at].bs;
        const int said = sl_stage_says_on_policy(cell[i], at), is_right = said == (d > 0.0);

        if (isnan(d))
            continue;
        sl_stage_count_add(&v.all, is_right);
        if (!(fabs(d) > SL_STAGE_CLEAR))
            continue;
        sl_stage_count_add(&v.clear, is_right);
        v.confusion[said][d > 0.0]++;
        if (bs < SL_STAGE_NEAR_LOW || bs > SL_STAGE_NEAR_HIGH)
            sl_stage_count_add(&v.outside, is_right);
        if (!is_right) {
            v.wrong_low = fmin(v.wrong_low, bs); /* a NaN gives way */
            v.wrong_high = fmax(v.wrong_high, bs);
        }
    }
    sl_stage_count_close(&v.all);
    sl_stage_count_close(&v.clear);
    sl_stage_count_close(&v.outside);
    return v;
}

/* --- where the winner changes ---------------------------------------------------------------- */

/* The cell with the next larger score; NULL: none. */
static const sl_stage_cell *next_by_score(const sl_stage_cell *const *cell, size_t n, double after)
{
    const sl_stage_cell *next = NULL;

    for (size_t i = 0; i < n; i++) {
        const double bs = cell[i]->place[SL_PLACE_START].bs;

        if (bs > after && (!next || bs < next->place[SL_PLACE_START].bs))
            next = cell[i];
    }
    return next;
}

double sl_stage_crossing(const sl_stage_cell *const *cell, size_t n)
{
    const sl_stage_cell *a = next_by_score(cell, n, -INFINITY), *b;

    if (!a)
        return NAN;
    if (sl_stage_difference(a) >= 0.0)
        return -INFINITY;
    while ((b = next_by_score(cell, n, a->place[SL_PLACE_START].bs))) {
        const double d0 = sl_stage_difference(a), d1 = sl_stage_difference(b);
        const double x0 = a->place[SL_PLACE_START].bs, x1 = b->place[SL_PLACE_START].bs;

        if (d1 >= 0.0)
            return x0 + (x1 - x0) * d0 / (d0 - d1);
        a = b;
    }
    return INFINITY;
}

/* --- rules ----------------------------------------------------------------------------------- */

/* Source of an iteration (0, 1) under a rule. */
static int choice(const sl_stage_cell *c, sl_place at, sl_stage_rule rule, int iteration)
{
    if (rule == SL_STAGE_GUIDED)
        return sl_stage_says_on_policy(c, at);
    if (rule == SL_STAGE_BRANCHED)
        return c->branch.difference > 0.0;
    return rule == SL_STAGE_ON_POLICY || (rule == SL_STAGE_SWITCH && iteration > 0);
}

static int is_measured(const sl_stage_cell *c, sl_stage_rule rule, int iterations)
{
    if (rule == SL_STAGE_BRANCHED) /* tested at the start alone */
        return iterations == 1 && !isnan(c->branch.difference);
    return rule != SL_STAGE_SWITCH || iterations > 1;
}

static double best_gain(const sl_stage_cell *c, int iterations)
{
    const size_t first = iterations > 1 ? SL_PLACE_OFF_OFF : SL_PLACE_OFF;
    const size_t last = iterations > 1 ? SL_PLACE_ON_ON : SL_PLACE_ON;
    double best = -INFINITY;

    for (size_t at = first; at <= last; at++) {
        if (isnan(c->place[at].gain))
            return NAN;
        best = fmax(best, c->place[at].gain);
    }
    return best;
}

double sl_stage_gain(const sl_stage_cell *c, sl_stage_rule rule, int iterations)
{
    sl_place at = SL_PLACE_START;

    if (rule == SL_STAGE_ORACLE)
        return best_gain(c, iterations);
    if (!is_measured(c, rule, iterations))
        return NAN;
    for (int i = 0; i < iterations; i++)
        at = after(at, choice(c, at, rule, i));
    return c->place[at].gain;
}

sl_stage_rule_sum sl_stage_rule_of(const sl_stage_cell *const *cell, size_t n, sl_stage_rule rule,
                                   int iterations)
{
    sl_stage_rule_sum sum = { 0 };

    for (size_t i = 0; i < n; i++) {
        const double gain = sl_stage_gain(cell[i], rule, iterations);
        const double best = best_gain(cell[i], iterations);

        if (!isfinite(gain) || !isfinite(best))
            continue;
        sum.of++;
        sum.gain += gain;
        sum.regret += best - gain;
        sum.best += gain >= best;
    }
    sum.gain = sum.of ? sum.gain / (double)sum.of : NAN;
    sum.regret = sum.of ? sum.regret / (double)sum.of : NAN;
    return sum;
}

/* --- votes ----------------------------------------------------------------------------------- */

sl_stage_votes sl_stage_votes_of(const sl_stage_cell *const *cell, size_t n)
{
    sl_stage_votes v = { .of = n };

    for (size_t i = 0; i < n; i++) {
        const sl_stage_cell *c = cell[i];
        const double d = sl_stage_difference(c);
        const int is_decided = c->stage != SL_STAGE_UNDECIDED;
        const int said = c->stage == SL_STAGE_FINE_TUNING,
                  whole = sl_stage_says_on_policy(c, SL_PLACE_START);

        v.votes += c->votes / (double)n;
        v.fixed_votes += c->fixed_votes / (double)n;
        v.undecided += !is_decided;
        v.other_side += is_decided && said != whole;
        if (!(fabs(d) > SL_STAGE_CLEAR))
            continue;
        v.clear++;
        v.wrong += is_decided && said != (d > 0.0);
        v.fixed_wrong += whole != (d > 0.0);
    }
    return v;
}
