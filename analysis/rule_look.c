/* What every rule makes of the votes of one measurement. */
#include "analysis/rule_int.h"
#include "analysis/special.h"
#include "base/alloc.h"
#include <math.h>

static const sl_stage stage_of[] = { SL_STAGE_UNDECIDED, SL_STAGE_INJECTION, SL_STAGE_FINE_TUNING };

/* Prompts that the rule may use. */
static size_t most_of(const sl_rule *rule, const sl_rule_votes *votes)
{
    const double n = rule->value[SL_RULE_N];

    return n > 0.0 && n < (double)votes->prompts ? (size_t)n : votes->prompts;
}

/* 1 when a sample of exactly n prompts is there. */
static int take_sample(sl_rule_look *out, const sl_rule *rule, const sl_rule_votes *votes)
{
    const double n = rule->value[SL_RULE_N];

    out->prompts = most_of(rule, votes);
    out->score = sl_mean_of(votes->mean, out->prompts).value;
    out->is_short = !out->prompts || n > (double)out->prompts;
    return !out->is_short;
}

static sl_stage above_or_below(double score, double tau)
{
    return score >= tau ? SL_STAGE_FINE_TUNING : SL_STAGE_INJECTION;
}

sl_status sl_rule_fixed(sl_rule_look *out, sl_rule_memory *m, const sl_rule *rule,
                        const sl_rule_votes *votes)
{
    (void)m;
    if (take_sample(out, rule, votes))
        out->side = above_or_below(out->score, rule->value[SL_RULE_TAU]);
    return SL_OK;
}

/* A prompt mean counts as one vote: exact for one vote a prompt, wide for several. */
sl_status sl_rule_wilson(sl_rule_look *out, sl_rule_memory *m, const sl_rule *rule,
                         const sl_rule_votes *votes)
{
    const double *v = rule->value;
    sl_interval interval;

    (void)m;
    if (!take_sample(out, rule, votes))
        return SL_OK;
    interval = sl_wilson(out->score * (double)out->prompts, (double)out->prompts, v[SL_RULE_ALPHA]);
    out->lower = interval.lower;
    out->upper = interval.upper;
    out->side = sl_interval_side(out->lower, out->upper, v[SL_RULE_TAU], v[SL_RULE_H]);
    return SL_OK;
}

/* What stays to be said when a test has stopped, or has not. */
static void close_test(sl_rule_look *out, const sl_rule *rule, const sl_rule_votes *votes)
{
    const double n = rule->value[SL_RULE_N];

    out->score = sl_mean_of(votes->mean, out->prompts).value;
    out->is_short = out->side == SL_STAGE_UNDECIDED && (n == 0.0 || (double)out->prompts < n);
}

sl_status sl_rule_kelly(sl_rule_look *out, sl_rule_memory *m, const sl_rule *rule,
                        const sl_rule_votes *votes)
{
    const double *v = rule->value;
    const sl_boundary_settings set = sl_boundary_defaults();
    const size_t most = most_of(rule, votes);
    sl_kelly test;

    (void)m;
    SL_TRY(sl_kelly_open(&test, v[SL_RULE_TAU], v[SL_RULE_DELTA], set.lambda, set.grid));
    while (out->prompts < most && out->side == SL_STAGE_UNDECIDED) {
        sl_kelly_add(&test, votes->mean[out->prompts++]);
        out->side = stage_of[sl_kelly_side(&test, v[SL_RULE_ALPHA])];
    }
    close_test(out, rule, votes);
    return SL_OK;
}

static double majority(double mean)
{
    return mean > 0.5 ? 1.0 : mean < 0.5 ? 0.0 : 0.5;
}

static sl_status sprt(sl_rule_look *out, const sl_rule *rule, const sl_rule_votes *votes,
                      int is_by_vote)
{
    const double *v = rule->value;
    const size_t most = most_of(rule, votes);
    sl_sprt test;

    SL_TRY(sl_sprt_open(&test, v[SL_RULE_TAU] - v[SL_RULE_DELTA], v[SL_RULE_TAU] + v[SL_RULE_DELTA],
                        v[SL_RULE_ALPHA], v[SL_RULE_ALPHA]));
    while (out->prompts < most && out->side == SL_STAGE_UNDECIDED) {
        const double mean = votes->mean[out->prompts];
        const uint32_t times = is_by_vote ? votes->votes[out->prompts] : 1;

        for (uint32_t k = 0; k < times; k++) /* votes of a prompt enter by their mean */
            sl_sprt_add(&test, is_by_vote ? mean : majority(mean));
        out->prompts++;
        out->side = stage_of[sl_sprt_side(&test)];
    }
    close_test(out, rule, votes);
    return SL_OK;
}

sl_status sl_rule_sprt(sl_rule_look *out, sl_rule_memory *m, const sl_rule *rule,
                       const sl_rule_votes *votes)
{
    (void)m;
    return sprt(out, rule, votes, 0);
}

sl_status sl_rule_sprt_votes(sl_rule_look *out, sl_rule_memory *m, const sl_rule *rule,
                             const sl_rule_votes *votes)
{
    (void)m;
    return sprt(out, rule, votes, 1);
}

/* The sequence lies above tau + h as soon as its capital against that mean is large, and below
 * tau - h likewise: no interval has to be found before the stop. */
sl_status sl_rule_sequence(sl_rule_look *out, sl_rule_memory *m, const sl_rule *rule,
                           const sl_rule_votes *votes)
{
    const double *v = rule->value, *y = votes->mean;
    const double alpha = v[SL_RULE_ALPHA], enough = log(2.0 / alpha);
    const double high = v[SL_RULE_TAU] + v[SL_RULE_H], low = v[SL_RULE_TAU] - v[SL_RULE_H];
    const size_t most = most_of(rule, votes);
    double *lambda = NULL, plus = 0.0, minus = 0.0;
    sl_interval interval = { 0.0, 1.0 };

    (void)m;
    SL_TRY(sl_take(&lambda, most + 1, sizeof *lambda));
    sl_bet_series(lambda, y, most, alpha);
    while (out->prompts < most && out->side == SL_STAGE_UNDECIDED) {
        const size_t i = out->prompts++;

        plus += sl_bet_log_plus(high, y + i, lambda + i, 1);
        minus += sl_bet_log_minus(low, y + i, lambda + i, 1);
        if (plus > enough)
            out->side = SL_STAGE_FINE_TUNING;
        else if (minus > enough)
            out->side = SL_STAGE_INJECTION;
    }
    if (out->prompts)
        interval = sl_bet_interval(y, lambda, out->prompts, alpha);
    sl_free(lambda);
    out->lower = interval.lower;
    out->upper = interval.upper;
    close_test(out, rule, votes);
    return SL_OK;
}

sl_status sl_rule_bernstein(sl_rule_look *out, sl_rule_memory *m, const sl_rule *rule,
                            const sl_rule_votes *votes)
{
    const double *v = rule->value;
    const size_t most = most_of(rule, votes);
    sl_bernstein test = { .centre = SL_BERNSTEIN_PAPER };
    sl_interval interval = { 0.0, 1.0 };

    (void)m;
    while (out->prompts < most && out->side == SL_STAGE_UNDECIDED) {
        sl_bernstein_add(&test, votes->mean[out->prompts++], v[SL_RULE_ALPHA]);
        interval = sl_interval_clip(sl_bernstein_interval(&test, v[SL_RULE_ALPHA]));
        out->side = sl_interval_side(interval.lower, interval.upper, v[SL_RULE_TAU], v[SL_RULE_H]);
    }
    out->lower = interval.lower;
    out->upper = interval.upper;
    close_test(out, rule, votes);
    return SL_OK;
}

/* B = (1 - eta) B + eta BS, from the first score on; its variance from those of the scores. With
 * equal variances this goes to eta/(2 - eta) of one (docs/math.md). */
sl_status sl_rule_ema(sl_rule_look *out, sl_rule_memory *m, const sl_rule *rule,
                      const sl_rule_votes *votes)
{
    const double *v = rule->value;
    const double eta = m->has_average ? v[SL_RULE_ETA] : 1.0, keep = 1.0 - eta;
    sl_mean mean;
    double half;

    if (!take_sample(out, rule, votes))
        return SL_OK;
    mean = sl_mean_of(votes->mean, out->prompts);
    out->is_short = mean.used < 2; /* without a standard error */
    if (out->is_short)
        return SL_OK;
    m->has_average = 1;
    m->average = keep * m->average + eta * mean.value;
    m->variance = keep * keep * m->variance + eta * eta * mean.se * mean.se;
    half = sl_normal_quantile(1.0 - v[SL_RULE_ALPHA] / 2.0) * sqrt(m->variance);
    out->score = m->average;
    out->lower = m->average - half;
    out->upper = m->average + half;
    out->side = sl_interval_side(out->lower, out->upper, v[SL_RULE_TAU], 0.0);
    return SL_OK;
}

sl_status sl_rule_linear(sl_rule_look *out, sl_rule_memory *m, const sl_rule *rule,
                         const sl_rule_votes *votes)
{
    (void)m;
    if (take_sample(out, rule, votes))
        out->weight =
            sl_mix_linear(out->score, rule->value[SL_RULE_LOW], rule->value[SL_RULE_HIGH]);
    return SL_OK;
}

sl_status sl_rule_smoothstep(sl_rule_look *out, sl_rule_memory *m, const sl_rule *rule,
                             const sl_rule_votes *votes)
{
    (void)m;
    if (take_sample(out, rule, votes))
        out->weight =
            sl_mix_smoothstep(out->score, rule->value[SL_RULE_LOW], rule->value[SL_RULE_HIGH]);
    return SL_OK;
}

sl_status sl_rule_logistic(sl_rule_look *out, sl_rule_memory *m, const sl_rule *rule,
                           const sl_rule_votes *votes)
{
    (void)m;
    if (take_sample(out, rule, votes))
        out->weight =
            sl_mix_logistic(out->score, rule->value[SL_RULE_TAU], rule->value[SL_RULE_WIDTH]);
    return SL_OK;
}

sl_status sl_rule_posterior(sl_rule_look *out, sl_rule_memory *m, const sl_rule *rule,
                            const sl_rule_votes *votes)
{
    const double keep = rule->value[SL_RULE_KEEP];
    double n;

    if (!take_sample(out, rule, votes))
        return SL_OK;
    n = (double)out->prompts;
    m->wins = keep * m->wins + out->score * n;
    m->losses = keep * m->losses + (1.0 - out->score) * n;
    out->weight = sl_posterior_above_half(m->wins, m->losses, rule->value[SL_RULE_PRIOR]);
    return SL_OK;
}
