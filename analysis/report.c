#include "analysis/report.h"
#include "analysis/json_out_int.h"
#include "analysis/locate.h"
#include "base/alloc.h"
#include "base/rng.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BOOTSTRAPS = 1000 };

static const char *stage_or_null(sl_stage stage)
{
    return stage == SL_STAGE_UNDECIDED ? NULL : sl_stage_name(stage);
}

static int same_text(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

/* --- inputs and points ------------------------------------------------------------------------ */

static sl_status put_inputs(sl_json *to, const sl_vote_set *set)
{
    sl_json *list, *row;

    SL_TRY(sl_out_list(&list, to, "inputs"));
    for (size_t i = 0; i < set->inputs; i++) {
        const sl_vote_input *in = &set->input[i];

        SL_TRY(sl_out_object(&row, list, NULL));
        SL_TRY(sl_out_text(row, "path", in->path));
        SL_TRY(sl_out_text(row, "sha256", in->sha256[0] ? in->sha256 : NULL));
        SL_TRY(sl_out_i64(row, "rows", (int64_t)in->rows));
        SL_TRY(sl_out_i64(row, "dropped", (int64_t)in->dropped));
    }
    return SL_OK;
}

static sl_status put_score(sl_json *to, const sl_summary *s, double alpha)
{
    const sl_verdict *v = &s->verdict;
    const sl_interval fixed = sl_interval_clip(v->fixed);
    sl_json *bs;

    SL_TRY(sl_out_object(&bs, to, "bs"));
    SL_TRY(sl_out_number(bs, "value", v->bs.value));
    SL_TRY(sl_out_number(bs, "se", v->bs.se));
    SL_TRY(sl_out_number(bs, "lower", fixed.lower));
    SL_TRY(sl_out_number(bs, "upper", fixed.upper));
    SL_TRY(sl_out_number(bs, "level", 1.0 - alpha));
    SL_TRY(sl_out_text(bs, "method", "prompt-mean"));
    SL_TRY(sl_out_number(to, "bs_without_ties", s->pairs.no_ties));
    SL_TRY(sl_out_i64(to, "wins", (int64_t)s->pairs.wins));
    SL_TRY(sl_out_i64(to, "losses", (int64_t)s->pairs.losses));
    return sl_out_i64(to, "ties", (int64_t)s->pairs.ties);
}

static sl_status put_test(sl_json *to, const sl_summary *s, const sl_boundary_settings *set)
{
    const sl_verdict *v = &s->verdict;
    sl_json *test, *sequence;

    SL_TRY(sl_out_text(to, "stage", sl_stage_name(v->stage)));
    SL_TRY(sl_out_object(&test, to, "test"));
    SL_TRY(sl_out_text(test, "name", "indifference-kelly"));
    SL_TRY(sl_out_number(test, "delta", set->delta));
    SL_TRY(sl_out_number(test, "alpha", set->alpha));
    SL_TRY(sl_out_i64(test, "prompts_used", (int64_t)v->prompts_used));
    SL_TRY(sl_out_i64(test, "votes_used", (int64_t)s->votes_used));
    SL_TRY(sl_out_text(to, "certified", stage_or_null(v->certified)));
    SL_TRY(sl_out_object(&sequence, to, "sequence"));
    SL_TRY(sl_out_number(sequence, "lower", v->sequence.lower));
    return sl_out_number(sequence, "upper", v->sequence.upper);
}

static sl_status put_effects(sl_json *to, const sl_summary *s)
{
    sl_json *length, *bias;

    SL_TRY(sl_out_number(to, "margin", s->margin));
    SL_TRY(sl_out_object(&length, to, "length"));
    SL_TRY(sl_out_number(length, "on_mean", s->chars_on));
    SL_TRY(sl_out_number(length, "off_mean", s->chars_off));
    SL_TRY(sl_out_number(length, "lc_bs", s->lc_bs));
    SL_TRY(sl_out_number(length, "lc_se", s->lc_se));
    if (!s->position.bias.used)
        return sl_out_text(to, "position_bias", NULL);
    SL_TRY(sl_out_object(&bias, to, "position_bias"));
    SL_TRY(sl_out_number(bias, "value", s->position.bias.value));
    return sl_out_number(bias, "se", s->position.bias.se);
}

/* Mean agreement of point i with the other judges of the same checkpoint; NaN without one. */
static sl_status agreement(double *out, const sl_vote_set *set, const sl_summary *s, size_t i)
{
    double sum = 0.0, others = 0.0;

    for (size_t j = 0; j < set->points; j++) {
        const sl_vote_point *a = &set->point[i], *b = &set->point[j];
        double one;

        if (i == j || a->has_step != b->has_step || a->step != b->step ||
            !same_text(a->name, b->name) || same_text(a->judge, b->judge))
            continue;
        SL_TRY(sl_summary_agreement(&one, &s[i], &s[j]));
        if (!isnan(one)) {
            sum += one;
            others++;
        }
    }
    *out = others > 0.0 ? sum / others : NAN;
    return SL_OK;
}

static sl_status put_point(sl_json *list, const sl_vote_set *set, const sl_summary *all, size_t i,
                           const sl_boundary_settings *test)
{
    const sl_vote_point *p = &set->point[i];
    const sl_summary *s = &all[i];
    double agreed;
    sl_json *row;

    SL_TRY(sl_out_object(&row, list, NULL));
    SL_TRY(sl_out_text(row, "name", p->name));
    SL_TRY(p->has_step ? sl_out_i64(row, "step", p->step) : sl_out_text(row, "step", NULL));
    SL_TRY(sl_out_text(row, "judge", p->judge));
    SL_TRY(sl_out_i64(row, "prompts", (int64_t)s->prompts));
    SL_TRY(sl_out_i64(row, "votes", (int64_t)p->count));
    SL_TRY(sl_out_i64(row, "dropped", (int64_t)p->dropped));
    SL_TRY(put_score(row, s, test->alpha));
    SL_TRY(put_test(row, s, test));
    SL_TRY(put_effects(row, s));
    SL_TRY(agreement(&agreed, set, all, i));
    return sl_out_number(row, "judge_agreement", agreed);
}

/* --- the boundary ------------------------------------------------------------------------------
 */

/* Points of one run and judge in order of steps. */
typedef struct series {
    const sl_summary **at; /* (T) */
    double *t, *bs, *n;    /* (T) step, score, prompts */
    sl_interval *interval; /* (T) confidence sequence at alpha/T */
    size_t T;
} series;

static void series_close(series *s)
{
    sl_free(s->at);
    sl_free(s->t);
    sl_free(s->bs);
    sl_free(s->n);
    sl_free(s->interval);
}

static sl_status series_open(series *s, size_t most)
{
    *s = (series){ 0 };
    SL_TRY(sl_take(&s->at, most + 1, sizeof *s->at));
    SL_TRY(sl_take(&s->t, most + 1, sizeof *s->t));
    SL_TRY(sl_take(&s->bs, most + 1, sizeof *s->bs));
    SL_TRY(sl_take(&s->n, most + 1, sizeof *s->n));
    return sl_take(&s->interval, most + 1, sizeof *s->interval);
}

/* Keeps the points of the first (run, judge), by insertion in order of steps. A series without
 * steps is its one point. */
static void fill_series(series *s, const sl_vote_set *set, const sl_summary *all)
{
    for (size_t i = 0; i < set->points; i++) {
        const sl_vote_point *p = &set->point[i], *first = &set->point[0];
        size_t at = s->T;

        if (!same_text(p->name, first->name) || !same_text(p->judge, first->judge) ||
            !all[i].prompts || (i && !p->has_step))
            continue;
        for (; at > 0 && s->t[at - 1] > (double)p->step; at--) {
            s->t[at] = s->t[at - 1];
            s->at[at] = s->at[at - 1];
        }
        s->t[at] = (double)p->step;
        s->at[at] = &all[i];
        s->T++;
    }
}

static sl_status measure_series(series *s, double alpha)
{
    for (size_t i = 0; i < s->T; i++) {
        const sl_summary *p = s->at[i];
        double *lambda = NULL;

        s->bs[i] = p->verdict.bs.value;
        s->n[i] = (double)p->prompts;
        SL_TRY(sl_take(&lambda, p->prompts, sizeof *lambda));
        sl_bet_series(lambda, p->mean, p->prompts, alpha / (double)s->T);
        s->interval[i] = sl_bet_interval(p->mean, lambda, p->prompts, alpha / (double)s->T);
        sl_free(lambda);
    }
    return SL_OK;
}

static double finite_or_nan(double x)
{
    return isfinite(x) ? x : NAN;
}

static sl_status put_estimate(sl_json *list, const char *method, double value, sl_interval i)
{
    sl_json *row;

    SL_TRY(sl_out_object(&row, list, NULL));
    SL_TRY(sl_out_text(row, "method", method));
    SL_TRY(sl_out_number(row, "value", finite_or_nan(value)));
    SL_TRY(sl_out_number(row, "lower", finite_or_nan(i.lower)));
    return sl_out_number(row, "upper", finite_or_nan(i.upper));
}

/* One crossing of the isotonic fit with every checkpoint's prompts drawn again. */
static sl_status redraw(double *crossing, double *work, const series *s, double level, sl_rng *rng)
{
    double *bs = work, *fit = work + s->T;
    size_t index;

    for (size_t i = 0; i < s->T; i++) {
        const sl_summary *p = s->at[i];

        bs[i] = 0.0;
        for (size_t k = 0; k < p->prompts; k++)
            bs[i] += p->mean[sl_rng_below(rng, (uint32_t)p->prompts)];
        bs[i] /= (double)p->prompts;
    }
    SL_TRY(sl_isotonic(fit, bs, s->n, s->T));
    *crossing = sl_isotonic_crossing(&index, s->t, fit, s->T, level);
    return SL_OK;
}

/* An end between two infinities, or between a number and one, is the nearer replicate. */
static double end_of(const double *sorted, double p)
{
    const double x = sl_quantile_sorted(sorted, BOOTSTRAPS, p);

    return isnan(x) ? sorted[(size_t)(p * (BOOTSTRAPS - 1))] : x;
}

static sl_status put_isotonic(sl_json *list, const series *s, double level,
                              const sl_votes_settings *set)
{
    sl_rng rng = sl_rng_at(set->seed, sl_rng_stream("isotonic"), 0);
    const double alpha = set->test.alpha;
    double *work = NULL, *draw, value;
    size_t index;
    sl_interval ends;
    sl_status st = SL_OK;

    SL_TRY(sl_take(&work, 2 * s->T + BOOTSTRAPS, sizeof *work));
    draw = work + 2 * s->T;
    SL_TRY_OUT(sl_isotonic(work, s->bs, s->n, s->T));
    value = sl_isotonic_crossing(&index, s->t, work, s->T, level);
    for (size_t b = 0; b < BOOTSTRAPS; b++)
        SL_TRY_OUT(redraw(&draw[b], work, s, level, &rng));
    sl_sort_f64(draw, BOOTSTRAPS);
    ends = (sl_interval){ end_of(draw, alpha / 2.0), end_of(draw, 1.0 - alpha / 2.0) };
    st = put_estimate(list, "isotonic", value, ends);
out:
    sl_free(work);
    return st;
}

static sl_status put_logistic(sl_json *list, const series *s, const sl_votes_settings *set)
{
    const sl_interval none = { NAN, NAN };
    sl_logistic l;

    SL_TRY(sl_logistic_fit(&l, s->t, s->bs, s->n, s->T, set->test.alpha));
    if (isnan(l.b) || l.b <= 0.0 || set->test.tau != 0.5) /* no rise, or another level than its */
        return put_estimate(list, "logistic", NAN, none);
    return put_estimate(list, "logistic", l.crossing, l.fieller);
}

static sl_status put_series(sl_json *to, const series *s, const sl_votes_settings *set)
{
    static const char *const verdicts[SL_PATH_COUNT] = { "undecided", "crossed", "always-injection",
                                                         "always-fine-tuning" };
    const sl_bracket b = sl_bracket_of(s->t, s->interval, s->T, set->test.tau);
    sl_json *bracket, *list;

    SL_TRY(sl_out_text(to, "verdict", verdicts[b.path]));
    if (b.path == SL_PATH_CROSSED) {
        SL_TRY(sl_out_list(&bracket, to, "bracket"));
        SL_TRY(sl_out_number(bracket, NULL, b.low));
        SL_TRY(sl_out_number(bracket, NULL, b.high));
    } else
        SL_TRY(sl_out_text(to, "bracket", NULL));
    SL_TRY(sl_out_list(&list, to, "estimates"));
    if (s->T < 2)
        return SL_OK;
    SL_TRY(put_isotonic(list, s, set->test.tau, set));
    return put_logistic(list, s, set);
}

static sl_status put_boundary(sl_json *to, const sl_vote_set *set, const sl_summary *all,
                              const sl_votes_settings *settings)
{
    series s;
    sl_json *boundary;
    sl_status st = SL_OK;

    SL_TRY(sl_out_object(&boundary, to, "boundary"));
    SL_TRY_OUT(series_open(&s, set->points));
    if (set->points)
        fill_series(&s, set, all);
    SL_TRY_OUT(measure_series(&s, settings->test.alpha));
    st = put_series(boundary, &s, settings);
out:
    series_close(&s);
    return st;
}

/* --- the document ------------------------------------------------------------------------------
 */

static sl_status fill(sl_json *out, sl_summary *all, const sl_vote_set *set,
                      const sl_votes_settings *settings)
{
    sl_json *points;

    SL_TRY(sl_out_text(out, "schema", "stageline.analysis/1"));
    SL_TRY(put_inputs(out, set));
    SL_TRY(sl_out_list(&points, out, "points"));
    for (size_t i = 0; i < set->points; i++)
        SL_TRY(sl_err_where(sl_summary_of(&all[i], &set->point[i], settings), "%s",
                            set->point[i].name));
    for (size_t i = 0; i < set->points; i++)
        SL_TRY(put_point(points, set, all, i, &settings->test));
    return put_boundary(out, set, all, settings);
}

sl_status sl_analyze_votes(sl_json **out, const sl_vote_set *set, const sl_votes_settings *settings)
{
    sl_summary *all = NULL;
    sl_status st = SL_OK;

    *out = json_object();
    if (!*out)
        return SL_FAIL(SL_ENOMEM, "want memory for a document, found none");
    SL_TRY_OUT(sl_take(&all, set->points + 1, sizeof *all));
    st = fill(*out, all, set, settings);
out:
    for (size_t i = 0; all && i < set->points; i++)
        sl_summary_close(&all[i]);
    sl_free(all);
    if (st != SL_OK)
        sl_json_close(out);
    return st;
}
