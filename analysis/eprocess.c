#include "analysis/eprocess.h"
#include <math.h>
#include <string.h>

const double sl_default_bets[] = { 0.1, 0.2, 0.4, 0.8, 1.6 };

void sl_eprocess_begin(sl_eprocess *e, double tau, double delta, double alpha, const double *bets,
                       size_t count)
{
    memset(e, 0, sizeof *e);
    e->bets = count < SL_BETS_MOST ? count : SL_BETS_MOST;
    e->from_ft = tau - delta;
    e->from_inj = 1.0 - tau - delta;
    e->log_bound = -log(alpha);
    /* wealth stays positive iff lambda * max(from) < 1: Y at its worst */
    for (size_t j = 0; j < e->bets; j++)
        e->bet[j] = fmin(bets[j], 0.9 / fmax(e->from_ft, e->from_inj));
}

static double log_mean(const double *x, size_t n)
{
    double most = x[0], sum = 0.0;

    for (size_t j = 1; j < n; j++)
        most = fmax(most, x[j]);
    for (size_t j = 0; j < n; j++)
        sum += exp(x[j] - most);
    return most + log(sum / (double)n);
}

double sl_eprocess_log_ft(const sl_eprocess *e)
{
    return log_mean(e->log_ft, e->bets);
}

double sl_eprocess_log_inj(const sl_eprocess *e)
{
    return log_mean(e->log_inj, e->bets);
}

void sl_eprocess_add(sl_eprocess *e, double y)
{
    for (size_t j = 0; j < e->bets; j++) {
        e->log_ft[j] += log1p(e->bet[j] * (y - e->from_ft));
        e->log_inj[j] += log1p(e->bet[j] * ((1.0 - y) - e->from_inj));
    }
    e->prompts++;
    if (e->decided)
        return;
    if (sl_eprocess_log_ft(e) >= e->log_bound)
        e->decided = 1;
    else if (sl_eprocess_log_inj(e) >= e->log_bound)
        e->decided = -1;
    if (e->decided)
        e->decided_at = e->prompts;
}

void sl_betting_capital(double *log_plus, double *log_minus, double *bet, const double *y, size_t n,
                        double m, double alpha)
{
    double sum = 0.5, square = 0.25, s2 = 0.25; /* regularised mean and variance */

    *log_plus = *log_minus = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double t = (double)i + 1.0;
        const double lambda = sqrt(2.0 * log(2.0 / alpha) / (s2 * t * log(t + 1.0)));
        const double plus = m > 0.0 ? fmin(lambda, 0.5 / m) : lambda;
        const double minus = m < 1.0 ? fmin(lambda, 0.5 / (1.0 - m)) : lambda;
        double mean;

        *log_plus += log1p(plus * (y[i] - m));
        *log_minus += log1p(-minus * (y[i] - m));
        if (bet)
            bet[i] = lambda;
        sum += y[i];
        mean = sum / (t + 1.0);
        square += (y[i] - mean) * (y[i] - mean);
        s2 = square / (t + 1.0);
    }
}

/* Whether m belongs to the sequence: neither capital has reached 2/alpha. */
static int is_inside(const double *y, size_t n, double m, double alpha)
{
    double plus, minus;

    sl_betting_capital(&plus, &minus, NULL, y, n, m, alpha);
    return fmax(plus, minus) <= log(2.0 / alpha);
}

/* Boundary between outside (at `out`) and inside (at `in`). */
static double find_end(const double *y, size_t n, double alpha, double out, double in)
{
    for (int i = 0; i < 60; i++) {
        const double mid = 0.5 * (out + in);

        if (is_inside(y, n, mid, alpha))
            in = mid;
        else
            out = mid;
    }
    return in;
}

/* A point inside: where the two capitals are equal, K+ falling and K- rising in m. */
static double find_inside(const double *y, size_t n, double alpha)
{
    double low = 0.0, high = 1.0;

    for (int i = 0; i < 60; i++) {
        const double mid = 0.5 * (low + high);
        double plus, minus;

        sl_betting_capital(&plus, &minus, NULL, y, n, mid, alpha);
        if (plus > minus)
            low = mid;
        else
            high = mid;
    }
    return 0.5 * (low + high);
}

void sl_betting_interval(double *lower, double *upper, const double *y, size_t n, double alpha)
{
    const double inside = find_inside(y, n, alpha);

    *lower = is_inside(y, n, 0.0, alpha) ? 0.0 : find_end(y, n, alpha, 0.0, inside);
    *upper = is_inside(y, n, 1.0, alpha) ? 1.0 : find_end(y, n, alpha, 1.0, inside);
}
