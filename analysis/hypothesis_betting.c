/* Betting capital, the confidence sequence it gives, and the empirical Bernstein sequence that
 * needs no bisection. */
#include "analysis/hypothesis.h"
#include "analysis/special.h"
#include <math.h>

static const double capital_share = 0.5; /* c: at most this share of the capital is ever lost */
enum { HALVINGS = 60 };

double sl_bet_mean(const sl_bet *b)
{
    return (0.5 + b->sum) / (b->t + 1.0);
}

double sl_bet_lambda(const sl_bet *b, double alpha)
{
    const double variance = (0.25 + b->squares) / (b->t + 1.0), t = b->t + 1.0;

    return sqrt(2.0 * log(2.0 / alpha) / (variance * t * log(t + 1.0)));
}

void sl_bet_add(sl_bet *b, double y)
{
    double mean;

    b->sum += y;
    b->t += 1.0;
    mean = sl_bet_mean(b);
    b->squares += (y - mean) * (y - mean);
}

void sl_bet_series(double *lambda, const double *y, size_t n, double alpha)
{
    sl_bet bet = { 0 };

    for (size_t i = 0; i < n; i++) {
        lambda[i] = sl_bet_lambda(&bet, alpha);
        sl_bet_add(&bet, y[i]);
    }
}

double sl_bet_log_plus(double m, const double *y, const double *lambda, size_t n)
{
    const double cap = capital_share / m; /* m = 0: no cap */
    double sum = 0.0;

    for (size_t i = 0; i < n; i++)
        sum += log1p(fmin(lambda[i], cap) * (y[i] - m));
    return sum;
}

double sl_bet_log_minus(double m, const double *y, const double *lambda, size_t n)
{
    const double cap = capital_share / (1.0 - m);
    double sum = 0.0;

    for (size_t i = 0; i < n; i++)
        sum += log1p(-fmin(lambda[i], cap) * (y[i] - m));
    return sum;
}

typedef double log_capital(double m, const double *y, const double *lambda, size_t n);

/* The border between an excluded and a kept mean. */
static double border(log_capital *capital, double excluded, double kept, const double *y,
                     const double *lambda, size_t n, double limit)
{
    if (capital(excluded, y, lambda, n) <= limit)
        return excluded;
    for (int i = 0; i < HALVINGS; i++) {
        const double middle = 0.5 * (excluded + kept);

        if (capital(middle, y, lambda, n) > limit)
            excluded = middle;
        else
            kept = middle;
    }
    return kept;
}

sl_interval sl_bet_interval(const double *y, const double *lambda, size_t n, double alpha)
{
    const double limit = log(2.0 / alpha);

    return (sl_interval){ border(sl_bet_log_plus, 0.0, 1.0, y, lambda, n, limit),
                          border(sl_bet_log_minus, 1.0, 0.0, y, lambda, n, limit) };
}

void sl_bet_pool(double *plus, double *minus, const double *y, const double *lambda, size_t n,
                 double N, double m)
{
    double log_plus = 0.0, log_minus = 0.0, sum = 0.0;

    for (size_t i = 0; i < n; i++) {
        const double left = (N * m - sum) / (N - (double)i); /* mean of what is still in the pool */

        if (left < 0.0 || left > 1.0)
            log_plus = log_minus = INFINITY;
        else {
            log_plus += log1p(fmin(lambda[i], capital_share / left) * (y[i] - left));
            log_minus += log1p(-fmin(lambda[i], capital_share / (1.0 - left)) * (y[i] - left));
        }
        plus[i] = log_plus;
        minus[i] = log_minus;
        sum += y[i];
    }
}

void sl_bernstein_add(sl_bernstein *b, double y, double alpha)
{
    const double lambda = fmin(sl_bet_lambda(&b->bet, alpha), 0.5);
    const double psi = -log1p(-lambda) - lambda;
    const double plain = b->bet.t > 0.0 ? b->bet.sum / b->bet.t : 0.0;
    const double centre = b->centre == SL_BERNSTEIN_PAPER ? sl_bet_mean(&b->bet) : plain;

    b->weight += lambda;
    b->lower_sum += lambda * y;
    b->upper_sum += lambda * (1.0 - y);
    b->width += (y - centre) * (y - centre) * psi;
    sl_bet_add(&b->bet, y);
}

sl_interval sl_bernstein_interval(const sl_bernstein *b, double alpha)
{
    const double paid = log(2.0 / alpha) + b->width;

    if (b->weight <= 0.0)
        return (sl_interval){ 0.0, 1.0 };
    return (sl_interval){ fmax(0.0, (b->lower_sum - paid) / b->weight),
                          fmin(1.0, 1.0 - (b->upper_sum - paid) / b->weight) };
}
