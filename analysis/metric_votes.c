/* Quality by votes, scores and margins (docs/math.md B2, B4, B6, B7, D1). */
#include "analysis/metric.h"
#include "analysis/special.h"
#include "base/alloc.h"
#include <math.h>

sl_win_rate sl_win_rate_of(const double *s, size_t n)
{
    sl_win_rate w = { .rate = sl_mean_of(s, n) };
    const double used = (double)w.rate.used;

    for (size_t i = 0; i < n; i++) {
        w.wins += s[i] > 0.5;
        w.losses += s[i] < 0.5;
        w.ties += s[i] == 0.5;
    }
    w.no_ties = w.wins + w.losses ? (double)w.wins / (double)(w.wins + w.losses) : NAN;
    w.net = w.rate.used ? ((double)w.wins - (double)w.losses) / used : NAN;
    w.discrete = w.rate.used ? ((double)w.wins + 0.5 * (double)w.ties) / used : NAN;
    return w;
}

sl_status sl_position_bias(sl_position *out, const double *first, const double *second, size_t n)
{
    double *gap = NULL, sum = 0.0, tie_sum = 0.0, kept_sum = 0.0, slot = 0.0;
    double same = 0.0, kept = 0.0, used;

    SL_TRY(sl_take(&gap, n + 1, sizeof *gap));
    for (size_t i = 0; i < n; i++) {
        const double s = 0.5 * (first[i] + second[i]);

        gap[i] = first[i] - second[i]; /* NaN when one is: dropped by the mean */
        if (!isfinite(gap[i]))
            continue;
        sum += s;
        slot += 0.5 * (first[i] + 1.0 - second[i]);
        tie_sum += first[i] == second[i] ? s : 0.5;
        same += first[i] == second[i];
        if (first[i] == second[i] && s != 0.5) {
            kept_sum += s;
            kept++;
        }
    }
    out->bias = sl_mean_of(gap, n);
    used = out->bias.used ? (double)out->bias.used : NAN;
    out->average = sum / used;
    out->consistency = same / used;
    out->inconsistent_as_tie = tie_sum / used;
    out->consistent_only = kept > 0.0 ? kept_sum / kept : NAN;
    out->first_slot = slot / used;
    sl_free(gap);
    return SL_OK;
}

double sl_best_of(const double *ascending, size_t N, size_t n)
{
    double sum = 0.0, log_all;

    if (!n || n > N)
        return NAN;
    log_all = sl_log_gamma((double)N + 1.0) - sl_log_gamma((double)n + 1.0) -
              sl_log_gamma((double)(N - n) + 1.0);
    for (size_t i = n; i <= N; i++) { /* the i-th smallest is the best of C(i-1, n-1) subsets */
        const double log_ways =
            sl_log_gamma((double)i) - sl_log_gamma((double)n) - sl_log_gamma((double)(i - n) + 1.0);

        sum += exp(log_ways - log_all) * ascending[i - 1];
    }
    return sum;
}

sl_dpo_signal sl_dpo_signal_of(const sl_dpo_pair *p, double beta)
{
    sl_dpo_signal s = { .ratio_chosen = p->policy_chosen - p->ref_chosen,
                        .ratio_rejected = p->policy_rejected - p->ref_rejected };

    s.reward_chosen = beta * s.ratio_chosen;
    s.reward_rejected = beta * s.ratio_rejected;
    s.margin = s.reward_chosen - s.reward_rejected;
    s.loss = sl_softplus(-s.margin);
    return s;
}

double sl_margin_accuracy(const double *margin, size_t n, double tie)
{
    double sum = 0.0, used = 0.0;

    for (size_t i = 0; i < n; i++)
        if (!isnan(margin[i])) {
            sum += margin[i] > 0.0 ? 1.0 : margin[i] == 0.0 ? tie : 0.0;
            used++;
        }
    return used > 0.0 ? sum / used : NAN;
}

double sl_vote_margin(const double *p, size_t n)
{
    double sum = 0.0, used = 0.0;

    for (size_t i = 0; i < n; i++)
        if (isfinite(p[i])) {
            sum += fabs(2.0 * p[i] - 1.0);
            used++;
        }
    return used > 0.0 ? sum / used : NAN;
}

/* --- calibration ------------------------------------------------------------------------------ */

/* sum m (y - sigmoid(a m)): falls in a. */
static double slope_gap(const double *m, const double *y, size_t n, double a)
{
    double sum = 0.0;

    for (size_t i = 0; i < n; i++)
        if (isfinite(m[i]) && isfinite(y[i]))
            sum += m[i] * (y[i] - sl_sigmoid(a * m[i]));
    return sum;
}

/* The slope of a logistic fit without intercept, in [-20, 20]: beyond, the labels are separable. */
static double slope_of(const double *m, const double *y, size_t n)
{
    double low = -20.0, high = 20.0;

    if (slope_gap(m, y, n, high) >= 0.0)
        return high;
    if (slope_gap(m, y, n, low) <= 0.0)
        return low;
    for (int i = 0; i < 100; i++) {
        const double middle = 0.5 * (low + high);

        if (slope_gap(m, y, n, middle) > 0.0)
            low = middle;
        else
            high = middle;
    }
    return 0.5 * (low + high);
}

typedef struct bin {
    double count, right, confidence;
} bin;

static double calibration_error(const bin *b, size_t bins, double n)
{
    double sum = 0.0;

    for (size_t k = 0; k < bins; k++)
        if (b[k].count > 0.0)
            sum += fabs(b[k].right - b[k].confidence) / n;
    return sum;
}

sl_status sl_calibration_of(sl_calibration *out, const double *m, const double *y, size_t n,
                            size_t bins)
{
    bin *b = NULL;
    double brier = 0.0, nll = 0.0, right = 0.0, used = 0.0;

    if (!bins)
        return SL_FAIL(SL_EARG, "want a bin, found none");
    SL_TRY(sl_take(&b, bins, sizeof *b));
    for (size_t i = 0; i < n; i++) {
        const double p = sl_sigmoid(m[i]), confidence = fmax(p, 1.0 - p);
        const double hit = m[i] == 0.0 ? 0.5 : m[i] > 0.0 ? y[i] : 1.0 - y[i];
        size_t k;

        if (!isfinite(m[i]) || !isfinite(y[i]))
            continue;
        k = (size_t)((confidence - 0.5) * 2.0 * (double)bins);
        k = k < bins ? k : bins - 1; /* the last bin is closed */
        b[k].count++;
        b[k].right += hit;
        b[k].confidence += confidence;
        brier += (p - y[i]) * (p - y[i]);
        nll += sl_softplus(m[i]) - y[i] * m[i];
        right += hit;
        used++;
    }
    used = used > 0.0 ? used : NAN;
    *out = (sl_calibration){ .brier = brier / used,
                             .nll = nll / used,
                             .ece = calibration_error(b, bins, used),
                             .slope = slope_of(m, y, n),
                             .accuracy = right / used };
    sl_free(b);
    return SL_OK;
}
