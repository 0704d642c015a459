#include "analysis/crossing_int.h"
#include "base/alloc.h"
#include "base/rng.h"
#include "analysis/special.h"
#include <math.h>
#include <stdio.h>

enum { BOOTSTRAPS = 1000 };

const char *const sl_path_names[SL_PATH_COUNT] = { "undecided", "crossed", "always-injection",
                                                   "always-fine-tuning" };
const char *const sl_crossing_names[SL_CROSSING_METHODS] = {
    "isotonic",        "logistic",      "segmented",  "pelt-l2",       "pelt-normal",
    "pelt-rbf",        "pelt-binomial", "binary-l2",  "binary-normal", "binary-rbf",
    "binary-binomial", "bocpd",         "e-detector",
};
const char *const sl_crossing_rule =
    "bracket: the last checkpoint whose confidence sequence at alpha/T lies below the threshold "
    "before the first one above; it assumes no shape of the path and holds however the votes were "
    "stopped; the point is the isotonic crossing, which assumes only a rise";

/* --- columns ---------------------------------------------------------------------------------- */

static void data_close(sl_path_data *p)
{
    sl_free(p->t);
    sl_free(p->bs);
    sl_free(p->n);
    sl_free(p->work);
    sl_free(p->interval);
}

static sl_status sequence_of(sl_interval *out, const sl_checkpoint *c, double alpha)
{
    double *lambda = NULL;

    SL_TRY(sl_take(&lambda, c->prompts + 1, sizeof *lambda));
    sl_bet_series(lambda, c->mean, c->prompts, alpha);
    *out = sl_bet_interval(c->mean, lambda, c->prompts, alpha);
    sl_free(lambda);
    return SL_OK;
}

static sl_status data_open(sl_path_data *p, const sl_checkpoint *at, size_t T)
{
    p->at = at;
    p->T = T;
    SL_TRY(sl_take(&p->t, T + 1, sizeof *p->t));
    SL_TRY(sl_take(&p->bs, T + 1, sizeof *p->bs));
    SL_TRY(sl_take(&p->n, T + 1, sizeof *p->n));
    SL_TRY(sl_take(&p->work, 4 * T + 1, sizeof *p->work));
    SL_TRY(sl_take(&p->interval, T + 1, sizeof *p->interval));
    for (size_t i = 0; i < T; i++) {
        p->t[i] = at[i].step;
        p->bs[i] = sl_mean_of(at[i].mean, at[i].prompts).value;
        p->n[i] = (double)at[i].prompts;
        SL_TRY(sequence_of(&p->interval[i], &at[i], p->alpha / (double)T));
    }
    return SL_OK;
}

/* --- isotonic, logistic, segmented ------------------------------------------------------------ */

/* One crossing of the isotonic fit with every checkpoint's prompts drawn again. */
static sl_status redraw(double *crossing, const sl_path_data *p, sl_rng *rng)
{
    double *bs = p->work, *fit = p->work + p->T;
    size_t index;

    for (size_t i = 0; i < p->T; i++) {
        const sl_checkpoint *c = &p->at[i];

        bs[i] = 0.0;
        for (size_t k = 0; k < c->prompts; k++)
            bs[i] += c->mean[sl_rng_below(rng, (uint32_t)c->prompts)];
        bs[i] /= (double)c->prompts;
    }
    SL_TRY(sl_isotonic(fit, bs, p->n, p->T));
    *crossing = sl_isotonic_crossing(&index, p->t, fit, p->T, p->tau);
    return SL_OK;
}

/* An end between two infinities, or between a number and one, is the nearer replicate. */
static double end_of(const double *sorted, double share)
{
    const double x = sl_quantile_sorted(sorted, BOOTSTRAPS, share);

    return isnan(x) ? sorted[(size_t)(share * (BOOTSTRAPS - 1))] : x;
}

static sl_status isotonic(sl_estimate *out, const sl_path_data *p)
{
    sl_rng rng = sl_rng_at(p->seed, sl_rng_stream("isotonic"), 0);
    double draw[BOOTSTRAPS];
    size_t index;

    SL_TRY(sl_isotonic(p->work, p->bs, p->n, p->T));
    out->value = sl_isotonic_crossing(&index, p->t, p->work, p->T, p->tau);
    for (size_t b = 0; b < BOOTSTRAPS; b++)
        SL_TRY(redraw(&draw[b], p, &rng));
    sl_sort_f64(draw, BOOTSTRAPS);
    out->lower = end_of(draw, p->alpha / 2.0);
    out->upper = end_of(draw, 1.0 - p->alpha / 2.0);
    if (isinf(out->value))
        out->note = "the fit does not cross within the series";
    return SL_OK;
}

/* Its level is 1/2. Prompt means of several votes vary less than binary votes, those of a bad fit
 * more: Pearson's dispersion, where above 1, widens as if there were fewer prompts. */
static sl_status logistic(sl_estimate *out, const sl_path_data *p)
{
    double *n = p->work;
    sl_logistic l;

    if (p->tau != 0.5) {
        out->note = "its level is 1/2, the threshold is another";
        return SL_OK;
    }
    SL_TRY(sl_logistic_fit(&l, p->t, p->bs, p->n, p->T, p->alpha));
    if (l.dispersion > 1.0) {
        for (size_t i = 0; i < p->T; i++)
            n[i] = p->n[i] / l.dispersion;
        SL_TRY(sl_logistic_fit(&l, p->t, p->bs, n, p->T, p->alpha));
    }
    if (isnan(l.b) || l.b <= 0.0) {
        out->note = isnan(l.b) ? "fewer than 3 checkpoints, or the votes are separable" : "no rise";
        return SL_OK;
    }
    out->value = l.crossing;
    out->lower = l.fieller.lower;
    out->upper = l.fieller.upper;
    if (isinf(l.fieller.lower))
        out->note = "the slope is not significant";
    return SL_OK;
}

static sl_status segmented(sl_estimate *out, const sl_path_data *p)
{
    sl_segmented s;

    if (p->T < 5) {
        out->note = "fewer than 5 checkpoints";
        return SL_OK;
    }
    SL_TRY(sl_segmented_fit(&s, p->t, p->bs, p->T, p->alpha));
    out->value = p->t[s.tau];
    out->lower = s.interval.lower;
    out->upper = s.interval.upper;
    out->note = s.is_better ? "where the slope changes, not the crossing"
                            : "no better than a straight line by BIC";
    return SL_OK;
}

/* --- the verdict ------------------------------------------------------------------------------ */

static size_t index_of(const sl_path_data *p, double step)
{
    size_t i = 0;

    while (i + 1 < p->T && p->t[i] < step)
        i++;
    return i;
}

/* The checkpoint whose confidence sequence is nearest to leaving the threshold. */
static size_t nearest(const sl_path_data *p)
{
    size_t best = 0;
    double least = INFINITY;

    for (size_t i = 0; i < p->T; i++) {
        const double away = fmin(p->interval[i].upper - p->tau, p->tau - p->interval[i].lower);

        if (away < least) {
            least = away;
            best = i;
        }
    }
    return best;
}

static void say_undecided(sl_crossing *out, const sl_path_data *p)
{
    const size_t i = p->T ? nearest(p) : 0;

    if (!p->T)
        snprintf(out->reason, sizeof out->reason, "there is no checkpoint with votes");
    else
        snprintf(out->reason, sizeof out->reason,
                 "no confidence sequence of %zu checkpoint%s leaves %g; nearest is step %g with "
                 "[%.3f, %.3f] from %.0f prompts: more prompts are needed, or the score is close "
                 "to the threshold",
                 p->T, p->T == 1 ? "" : "s", p->tau, p->t[i], p->interval[i].lower,
                 p->interval[i].upper, p->n[i]);
}

static void say(sl_crossing *out, const sl_path_data *p)
{
    const size_t low = index_of(p, out->low), high = index_of(p, out->high);
    char *s = out->reason;
    const size_t size = sizeof out->reason;
    int n = 0;

    switch (out->path) {
    case SL_PATH_CROSSED:
        n = snprintf(s, size,
                     "below %g at step %g (at most %.3f), above at step %g (at least %.3f)", p->tau,
                     out->low, p->interval[low].upper, out->high, p->interval[high].lower);
        break;
    case SL_PATH_INJECTION:
        n = snprintf(s, size,
                     "below %g at step %g (at most %.3f), above at none of %zu checkpoints: not "
                     "crossed by step %g",
                     p->tau, out->low, p->interval[low].upper, p->T, p->t[p->T - 1]);
        break;
    case SL_PATH_FINE_TUNING:
        n = snprintf(s, size,
                     "above %g at step %g (at least %.3f), below at none before: crossed before "
                     "the first decided checkpoint or never below",
                     p->tau, out->high, p->interval[high].lower);
        break;
    default:
        say_undecided(out, p);
        return;
    }
    if (!isnan(out->back))
        snprintf(s + n, size - (size_t)n, "; below again at step %g: the path is not a single rise",
                 out->back);
}

static void decide(sl_crossing *out, const sl_path_data *p)
{
    const sl_bracket b = sl_bracket_of(p->t, p->interval, p->T, p->tau);
    const double point = out->estimate[SL_CROSSING_ISOTONIC].value;

    out->path = b.path;
    out->low = b.low;
    out->high = b.high;
    out->back = NAN;
    for (size_t i = 0; i < p->T; i++) {
        const int is_below = p->interval[i].upper < p->tau;

        out->decided += (size_t)(is_below || p->interval[i].lower > p->tau);
        if (is_below && isnan(out->back) && b.high < p->t[i])
            out->back = p->t[i];
    }
    out->value = b.path == SL_PATH_CROSSED ? fmin(fmax(point, b.low), b.high) : NAN;
    say(out, p);
}

sl_status sl_crossing_of(sl_crossing *out, const sl_checkpoint *at, size_t T,
                         const sl_boundary_settings *test, uint64_t seed)
{
    sl_path_data p = { .tau = test->tau, .alpha = test->alpha, .seed = seed };
    sl_status st = SL_OK;

    *out = (sl_crossing){ .T = T };
    for (size_t m = 0; m < SL_CROSSING_METHODS; m++)
        out->estimate[m] =
            (sl_estimate){ .value = NAN, .lower = NAN, .upper = NAN, .penalty = NAN };
    SL_TRY_OUT(data_open(&p, at, T));
    if (T >= 2) {
        SL_TRY_OUT(isotonic(&out->estimate[SL_CROSSING_ISOTONIC], &p));
        SL_TRY_OUT(logistic(&out->estimate[SL_CROSSING_LOGISTIC], &p));
        SL_TRY_OUT(segmented(&out->estimate[SL_CROSSING_SEGMENTED], &p));
        SL_TRY_OUT(sl_crossing_changes(out->estimate, &p));
    }
    decide(out, &p);
out:
    data_close(&p);
    return st;
}
