/* Test vectors of betting capital, confidence sequences and the e-detector (docs/math.md D2). */
#include "analysis/golden_int.h"
#include "analysis/hypothesis.h"
#include <math.h>

/* Running intersection of intervals (n). */
static void intersect(double *lower, double *upper, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        lower[i] = fmax(lower[i], lower[i - 1]);
        upper[i] = fmin(upper[i], upper[i - 1]);
    }
}

enum { BREAKS = 1000 };

/* The same sequence on a grid of means, widened by one step of the grid. */
static sl_interval on_grid(const double *y, const double *lambda, size_t n, double alpha)
{
    const double limit = log(2.0 / alpha);
    int low = 0, high = BREAKS;

    while (low < BREAKS && sl_bet_log_plus((double)low / BREAKS, y, lambda, n) > limit)
        low++;
    while (high > 0 && sl_bet_log_minus((double)high / BREAKS, y, lambda, n) > limit)
        high--;
    return sl_interval_clip(
        (sl_interval){ (double)(low - 1) / BREAKS, (double)(high + 1) / BREAKS });
}

static sl_status put_both(sl_gold *g, const char *lower_key, const char *upper_key,
                          const double *lower, const double *upper, size_t n)
{
    SL_TRY(sl_gold_put_array(g->out, lower_key, lower, n));
    return sl_gold_put_array(g->out, upper_key, upper, n);
}

static sl_status betting_cs(sl_gold *g)
{
    sl_series y;
    double alpha, *lambda, *lower, *upper, *plus, *minus;

    SL_TRY(sl_gold_present(&y, g, "x"));
    SL_TRY(sl_gold_param(&alpha, g, "alpha"));
    SL_TRY(sl_gold_take(g, &lambda, y.n, sizeof *lambda));
    SL_TRY(sl_gold_take(g, &lower, y.n, sizeof *lower));
    SL_TRY(sl_gold_take(g, &upper, y.n, sizeof *upper));
    SL_TRY(sl_gold_take(g, &plus, y.n, sizeof *plus));
    SL_TRY(sl_gold_take(g, &minus, y.n, sizeof *minus));
    sl_bet_series(lambda, y.x, y.n, alpha);
    for (size_t t = 0; t < y.n; t++) {
        const sl_interval i = sl_bet_interval(y.x, lambda, t + 1, alpha);

        lower[t] = i.lower;
        upper[t] = i.upper;
        plus[t] = sl_bet_log_plus(0.5, y.x, lambda, t + 1);
        minus[t] = sl_bet_log_minus(0.5, y.x, lambda, t + 1);
    }
    SL_TRY(sl_gold_put_array(g->out, "lambda_untruncated", lambda, y.n));
    SL_TRY(put_both(g, "log_Kplus_at_half", "log_Kminus_at_half", plus, minus, y.n));
    SL_TRY(put_both(g, "lower_exact", "upper_exact", lower, upper, y.n));
    intersect(lower, upper, y.n);
    SL_TRY(put_both(g, "lower_running", "upper_running", lower, upper, y.n));
    for (size_t t = 0; t < y.n; t++) {
        const sl_interval i = on_grid(y.x, lambda, t + 1, alpha);

        lower[t] = i.lower;
        upper[t] = i.upper;
    }
    intersect(lower, upper, y.n);
    return put_both(g, "grid_lower_running_breaks1000", "grid_upper_running_breaks1000", lower,
                    upper, y.n);
}

static sl_status betting_wor(sl_gold *g)
{
    sl_series y;
    double alpha, N, m, *lambda, *plus, *minus;

    SL_TRY(sl_gold_present(&y, g, "x"));
    SL_TRY(sl_gold_param(&alpha, g, "alpha"));
    SL_TRY(sl_gold_param(&N, g, "N"));
    SL_TRY(sl_gold_param(&m, g, "m"));
    SL_TRY(sl_gold_take(g, &lambda, y.n, sizeof *lambda));
    SL_TRY(sl_gold_take(g, &plus, y.n, sizeof *plus));
    SL_TRY(sl_gold_take(g, &minus, y.n, sizeof *minus));
    sl_bet_series(lambda, y.x, y.n, alpha);
    sl_bet_pool(plus, minus, y.x, lambda, y.n, N, m);
    return put_both(g, "log_Kplus", "log_Kminus", plus, minus, y.n);
}

static sl_status bernstein_by(sl_gold *g, sl_bernstein_centre centre, const char *lower_key,
                              const char *upper_key)
{
    sl_series y;
    sl_bernstein b = { .centre = centre };
    double alpha, *lower, *upper;

    SL_TRY(sl_gold_present(&y, g, "x"));
    SL_TRY(sl_gold_param(&alpha, g, "alpha"));
    SL_TRY(sl_gold_take(g, &lower, y.n, sizeof *lower));
    SL_TRY(sl_gold_take(g, &upper, y.n, sizeof *upper));
    for (size_t t = 0; t < y.n; t++) {
        sl_interval i;

        sl_bernstein_add(&b, y.x[t], alpha);
        i = sl_bernstein_interval(&b, alpha);
        lower[t] = i.lower;
        upper[t] = i.upper;
    }
    return put_both(g, lower_key, upper_key, lower, upper, y.n);
}

static sl_status empirical_bernstein_cs(sl_gold *g)
{
    SL_TRY(bernstein_by(g, SL_BERNSTEIN_PAPER, "lower_paper", "upper_paper"));
    return bernstein_by(g, SL_BERNSTEIN_PLAIN, "lower_confseq_code", "upper_confseq_code");
}

static sl_status put_alarm(sl_gold *g, const char *key, const double *log_e, size_t n, double arl)
{
    for (size_t t = 0; t < n; t++)
        if (log_e[t] >= log(arl))
            return sl_out_i64(g->out, key, (int64_t)t + 1);
    return sl_out_text(g->out, key, NULL);
}

static sl_status e_detector(sl_gold *g)
{
    sl_series y, grid;
    double m0, arl, *sr, *cusum;
    sl_detector d;

    SL_TRY(sl_gold_present(&y, g, "x"));
    SL_TRY(sl_gold_params(&grid, g, "lambda_grid"));
    SL_TRY(sl_gold_param(&m0, g, "m0"));
    SL_TRY(sl_gold_param(&arl, g, "arl"));
    SL_TRY(sl_gold_take(g, &sr, y.n, sizeof *sr));
    SL_TRY(sl_gold_take(g, &cusum, y.n, sizeof *cusum));
    SL_TRY(sl_detector_open(&d, m0, grid.x, grid.n));
    for (size_t t = 0; t < y.n; t++) {
        sl_detector_add(&d, y.x[t]);
        sr[t] = d.log_mean_sr;
        cusum[t] = d.log_mean_cusum;
    }
    SL_TRY(put_both(g, "log_SR", "log_CUSUM", sr, cusum, y.n));
    SL_TRY(put_alarm(g, "first_alarm_SR_1based", sr, y.n, arl));
    return put_alarm(g, "first_alarm_CUSUM_1based", cusum, y.n, arl);
}

const sl_gold_row sl_gold_betting[] = {
    { "betting_cs", betting_cs },
    { "betting_wor", betting_wor },
    { "empirical_bernstein_cs", empirical_bernstein_cs },
    { "e_detector", e_detector },
    { NULL, NULL },
};
