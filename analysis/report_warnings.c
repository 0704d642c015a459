/* What casts doubt on a verdict: length, order, cut answers, judges that disagree. */
#include "analysis/report_int.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#define CUT_SHARE 0.05  /* of pairs with an answer that the judge saw cut */
#define BIAS_LEAST 0.05 /* of votes, and significant */
#define AGREEMENT_LEAST 0.6

/* "NAME at step 3, judge J: " in front of the sentence. */
static sl_status warn(sl_json *list, const sl_vote_point *p, const char *fmt, ...) SL_PRINTF(3, 4);

static sl_status warn(sl_json *list, const sl_vote_point *p, const char *fmt, ...)
{
    char text[640];
    int n = snprintf(text, sizeof text, "%.128s", p->name);
    va_list args;

    if (p->has_step)
        n += snprintf(text + n, sizeof text - (size_t)n, " at step %lld", (long long)p->step);
    if (p->judge)
        n += snprintf(text + n, sizeof text - (size_t)n, ", judge %.128s", p->judge);
    n += snprintf(text + n, sizeof text - (size_t)n, ": ");
    va_start(args, fmt);
    vsnprintf(text + n, sizeof text - (size_t)n, fmt, args);
    va_end(args);
    return sl_out_text(list, NULL, text);
}

static sl_status warn_length(sl_json *list, const sl_vote_point *p, const sl_summary *s)
{
    const sl_stage stage = s->verdict.stage;

    if (stage == SL_STAGE_UNDECIDED || isnan(s->lc_bs) || s->lc_stage == stage)
        return SL_OK;
    if (s->lc_stage != SL_STAGE_UNDECIDED)
        return warn(list, p,
                    "the verdict changes under length control: %s by the votes (%.3f), %s at equal "
                    "length (%.3f, se %.3f)",
                    sl_stage_name(stage), s->verdict.bs.value, sl_stage_name(s->lc_stage), s->lc_bs,
                    s->lc_se);
    if (s->fixed_stage == stage)
        return warn(list, p,
                    "the verdict does not stand under length control: %s by the votes (%.3f), "
                    "undecided at equal length (%.3f, se %.3f)",
                    sl_stage_name(stage), s->verdict.bs.value, s->lc_bs, s->lc_se);
    return SL_OK;
}

static sl_status warn_rest(sl_json *list, const sl_vote_point *p, const sl_summary *s,
                           double agreement)
{
    const sl_mean *bias = &s->position.bias;

    if (fmax(s->cut_on, s->cut_off) > CUT_SHARE)
        SL_TRY(warn(list, p,
                    "the judge saw %.1f %% of the on-policy and %.1f %% of the static answers cut "
                    "off",
                    100.0 * s->cut_on, 100.0 * s->cut_off));
    if (bias->used > 1 && fabs(bias->value) > fmax(BIAS_LEAST, 2.0 * bias->se))
        SL_TRY(warn(list, p,
                    "the judge prefers the answer shown %s by %.3f (se %.3f); both orders cancel "
                    "it, one order does not",
                    bias->value > 0.0 ? "first" : "second", fabs(bias->value), bias->se));
    if (agreement < AGREEMENT_LEAST)
        SL_TRY(warn(list, p, "the other judges see the same winner on %.0f %% of the prompts only",
                    100.0 * agreement));
    return SL_OK;
}

/* Two judges of one checkpoint on two sides; named at the later one. */
static sl_status warn_sides(sl_json *list, const sl_vote_set *set, const sl_summary *all, size_t i)
{
    const sl_vote_point *p = &set->point[i];

    for (size_t k = 0; k < i; k++) {
        const sl_vote_point *q = &set->point[k];

        if (q->has_step == p->has_step && q->step == p->step &&
            sl_report_same_text(q->name, p->name) &&
            all[i].verdict.stage + all[k].verdict.stage ==
                SL_STAGE_INJECTION + SL_STAGE_FINE_TUNING &&
            all[i].verdict.stage && all[k].verdict.stage)
            SL_TRY(warn(list, p, "%s, but %s by judge %.128s", sl_stage_name(all[i].verdict.stage),
                        sl_stage_name(all[k].verdict.stage),
                        q->judge ? q->judge : "without a name"));
    }
    return SL_OK;
}

sl_status sl_report_warnings(sl_json *to, const sl_vote_set *set, const sl_summary *all,
                             const double *agreement)
{
    sl_json *list;

    SL_TRY(sl_out_list(&list, to, "warnings"));
    for (size_t i = 0; i < set->points; i++) {
        SL_TRY(warn_length(list, &set->point[i], &all[i]));
        SL_TRY(warn_rest(list, &set->point[i], &all[i], agreement[i]));
        SL_TRY(warn_sides(list, set, all, i));
    }
    return SL_OK;
}
