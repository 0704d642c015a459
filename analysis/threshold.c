#include "analysis/threshold.h"
#include "analysis/locate.h"
#include "analysis/special.h"
#include "base/alloc.h"
#include "base/sort.h"
#include <math.h>
#include <stdio.h>

/* The .95 quantile of the limit of the likelihood ratio for the place where a rising function has a
 * given value; it knows no other parameter. */
#define RATIO_QUANTILE 2.286920
#define ALPHA 0.05

const char *const sl_threshold_names[SL_THRESHOLD_KINDS] = { "too-few-tests", "crossed",
                                                             "always-static", "always-on-policy" };

/* Tests of one score are one point. */
typedef struct points {
    double *score, *mean, *weight; /* (n) ascending; weight: replicates */
    double *fit;                   /* (n) */
    size_t n;
    double within;   /* squares of tests about the mean of their point, weighted */
    double variance; /* of one replicate, pooled */
    double freedom;  /* of it */
    size_t tests;
} points;

static int by_score(const void *a, const void *b)
{
    const sl_threshold_test *x = a, *y = b;

    return (x->score > y->score) - (x->score < y->score);
}

static int is_whole(const sl_threshold_test *t)
{
    return isfinite(t->score) && isfinite(t->difference) && isfinite(t->sd) && t->replicates >= 2.0;
}

static void add(points *p, const sl_threshold_test *t)
{
    const double w = t->replicates;
    double away;

    if (!p->n || t->score > p->score[p->n - 1]) {
        p->score[p->n] = t->score;
        p->mean[p->n] = p->weight[p->n] = 0.0;
        p->n++;
    }
    away = t->difference - p->mean[p->n - 1];
    p->weight[p->n - 1] += w;
    p->mean[p->n - 1] += away * w / p->weight[p->n - 1];
    p->within += w * away * (t->difference - p->mean[p->n - 1]);
    p->variance += (w - 1.0) * t->sd * t->sd;
    p->freedom += w - 1.0;
    p->tests++;
}

/* Squares of the points [first, last) about their isotonic fit, values above `most` and below
 * `least` moved there; *levels: different values of the fit. */
static sl_status squares(double *out, size_t *levels, points *p, size_t first, size_t last,
                         double least, double most)
{
    *out = 0.0;
    *levels = 0;
    SL_TRY(sl_isotonic(p->fit, p->mean + first, p->weight + first, last - first));
    for (size_t i = 0; i < last - first; i++) {
        const double away = p->mean[first + i] - fmin(fmax(p->fit[i], least), most);

        *out += p->weight[first + i] * away * away;
        *levels += !i || p->fit[i] > p->fit[i - 1];
    }
    return SL_OK;
}

/* A threshold in the gap below point g: the fit is at most 0 before it and at least 0 from it on.
 * Gaps that are not refused: [*first, *last]. */
static sl_status kept_gaps(size_t *first, size_t *last, points *p)
{
    const double stretch =
        sl_student_quantile(1.0 - ALPHA / 2.0, p->freedom) / sl_normal_quantile(1.0 - ALPHA / 2.0);
    double free_squares, scale = p->variance;
    size_t levels;

    SL_TRY(squares(&free_squares, &levels, p, 0, p->n, -INFINITY, INFINITY));
    if (p->tests > levels)
        scale = fmax(scale, (free_squares + p->within) / (double)(p->tests - levels));
    *first = p->n;
    *last = 0;
    for (size_t g = 0; g <= p->n; g++) {
        double below, above;

        SL_TRY(squares(&below, &levels, p, 0, g, -INFINITY, 0.0));
        SL_TRY(squares(&above, &levels, p, g, p->n, 0.0, INFINITY));
        if (below + above - free_squares >
            RATIO_QUANTILE * stretch * stretch * scale + 1e-12 * (below + above))
            continue;
        *first = *first < g ? *first : g;
        *last = g;
    }
    return SL_OK;
}

static sl_status locate(sl_threshold *out, points *p)
{
    size_t first, last, index;

    SL_TRY(sl_isotonic(p->fit, p->mean, p->weight, p->n));
    out->value = sl_isotonic_crossing(&index, p->score, p->fit, p->n, 0.0);
    out->kind = isfinite(out->value) ? SL_THRESHOLD_CROSSED
                : out->value > 0.0   ? SL_THRESHOLD_STATIC
                                     : SL_THRESHOLD_ON_POLICY;
    SL_TRY(kept_gaps(&first, &last, p));
    out->interval.lower = first ? p->score[first - 1] : -INFINITY;
    out->interval.upper = last < p->n ? p->score[last] : INFINITY;
    out->excludes_half = out->interval.lower > 0.5 || out->interval.upper < 0.5;
    return SL_OK;
}

static void say(sl_threshold *out)
{
    static const char *const what[] = { "", "", "static data gain more at every",
                                        "on-policy data gain as much or more at every" };
    const int is_static = out->kind == SL_THRESHOLD_STATIC;
    char *s = out->reason;
    const size_t size = sizeof out->reason;

    if (out->kind == SL_THRESHOLD_NONE)
        snprintf(s, size, "%zu branch test%s: a threshold wants %d or more, at different scores",
                 out->tests, out->tests == 1 ? "" : "s", SL_THRESHOLD_TESTS);
    else if (out->kind != SL_THRESHOLD_CROSSED)
        snprintf(s, size,
                 "%s score from %.2f to %.2f: no crossing, the threshold lies %s %.2f if anywhere",
                 what[out->kind], out->low, out->high, is_static ? "above" : "below",
                 is_static ? out->high : out->low);
    else if (out->excludes_half)
        snprintf(s, size,
                 "on-policy data begin to gain more at a score of %.2f: 1/2 misleads with this "
                 "recipe, measure.tau=%.2f does not",
                 out->value, out->value);
    else
        snprintf(s, size,
                 "on-policy data begin to gain more at a score of %.2f; the interval holds 1/2: "
                 "keep 1/2",
                 out->value);
}

sl_status sl_threshold_of(sl_threshold *out, sl_threshold_test *test, size_t n)
{
    points p = { .n = 0 };
    double *room = NULL;
    sl_status st = SL_OK;

    *out = (sl_threshold){ .low = NAN, .high = NAN, .value = NAN, .interval = { NAN, NAN } };
    SL_TRY_OUT(sl_take(&room, 4 * (n + 1), sizeof *room));
    p.score = room;
    p.mean = room + (n + 1);
    p.weight = room + 2 * (n + 1);
    p.fit = room + 3 * (n + 1);
    sl_sort(test, n, sizeof *test, by_score);
    for (size_t i = 0; i < n; i++)
        if (is_whole(&test[i]))
            add(&p, &test[i]);
    out->tests = p.tests;
    if (p.tests >= SL_THRESHOLD_TESTS && p.n >= 2) {
        p.variance /= p.freedom;
        out->low = p.score[0];
        out->high = p.score[p.n - 1];
        SL_TRY_OUT(locate(out, &p));
    }
    say(out);
out:
    sl_free(room);
    return st;
}
