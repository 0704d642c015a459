#include "analysis/special.h"
#include <float.h>
#include "base/levels.h"
#include <math.h>
#include <stdint.h>
#include <string.h>

double sl_sigmoid(double x)
{
    const double e = exp(-fabs(x));

    return x >= 0.0 ? 1.0 / (1.0 + e) : e / (1.0 + e);
}

double sl_softplus(double x)
{
    return fmax(x, 0.0) + log1p(exp(-fabs(x)));
}

double sl_log_sum_exp(const double *x, size_t n)
{
    double most = -INFINITY, sum = 0.0;

    for (size_t i = 0; i < n; i++)
        most = fmax(most, x[i]);
    if (isinf(most))
        return most;
    for (size_t i = 0; i < n; i++)
        sum += exp(x[i] - most);
    return most + log(sum);
}

/* exp(-t) = 2^k e^r with |r| <= ln 2 / 2; Taylor's terms up to r^13 leave less than the rounding.
 * Without a branch, so that the loop becomes vectors. */
static inline double exp_of_minus(double t)
{
    const double log2_high = 0x1.62e42fee00000p-1, log2_low = 0x1.a39ef35793c76p-33;
    const double shift = 0x1.8p52; /* rounds to whole numbers, in its low bits */
    const double shifted = shift - t * 0x1.71547652b82fep0, k = shifted - shift;
    const double r = (-t - k * log2_high) - k * log2_low;
    double e = 1.0 / 6227020800.0;
    uint64_t bits;
    double power;

    e = e * r + 1.0 / 479001600.0;
    e = e * r + 1.0 / 39916800.0;
    e = e * r + 1.0 / 3628800.0;
    e = e * r + 1.0 / 362880.0;
    e = e * r + 1.0 / 40320.0;
    e = e * r + 1.0 / 5040.0;
    e = e * r + 1.0 / 720.0;
    e = e * r + 1.0 / 120.0;
    e = e * r + 1.0 / 24.0;
    e = e * r + 1.0 / 6.0;
    e = e * r + 0.5;
    e = e * r * r + r + 1.0;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits + 1023) << 52;
    memcpy(&power, &bits, sizeof power);
    return e * power;
}

SL_LEVELS void sl_exp_of_minus(double *x, size_t n, double factor, double least, double most)
{
    for (size_t i = 0; i < n; i++) {
        const double t = factor * x[i], above = t > least ? t : least;

        x[i] = exp_of_minus(above < most ? above : most);
    }
}

double sl_log_gamma(double x)
{
    int sign;

    return lgamma_r(x, &sign);
}

double sl_log_beta(double a, double b)
{
    return sl_log_gamma(a) + sl_log_gamma(b) - sl_log_gamma(a + b);
}

static double away_from_zero(double x)
{
    const double tiny = 1e-300;

    return fabs(x) < tiny ? tiny : x;
}

/* The continued fraction of I_x(a,b) for x < (a+1)/(a+b+2), where it converges in about
 * sqrt(max(a,b)) steps. */
static double beta_fraction(double x, double a, double b)
{
    double c = 1.0, d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0)), h = d;

    for (int m = 1; m < 100000; m++) {
        const double even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m));
        const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0));
        double step;

        d = 1.0 / away_from_zero(1.0 + even * d);
        c = away_from_zero(1.0 + even / c);
        h *= d * c;
        d = 1.0 / away_from_zero(1.0 + odd * d);
        c = away_from_zero(1.0 + odd / c);
        step = d * c;
        h *= step;
        if (fabs(step - 1.0) < DBL_EPSILON)
            break;
    }
    return h;
}

double sl_log_beta_inc(double x, double a, double b)
{
    double front;

    if (!(a > 0.0 && b > 0.0 && x >= 0.0 && x <= 1.0))
        return NAN;
    if (x == 0.0)
        return -INFINITY;
    if (x == 1.0)
        return 0.0;
    front = a * log(x) + b * log1p(-x) - sl_log_beta(a, b);
    if (x < (a + 1.0) / (a + b + 2.0))
        return front + log(beta_fraction(x, a, b) / a);
    return log1p(-exp(front) * beta_fraction(1.0 - x, b, a) / b);
}

double sl_beta_cdf(double x, double a, double b)
{
    return exp(sl_log_beta_inc(x, a, b));
}

/* The x in [low, high] where a rising function of x reaches p. */
static double bisect(double (*law)(double x, double a, double b), double p, double low, double high,
                     double a, double b)
{
    double middle = 0.5 * (low + high);

    for (int i = 0; i < 1100 && middle != low && middle != high; i++) {
        if (law(middle, a, b) < p)
            low = middle;
        else
            high = middle;
        middle = 0.5 * (low + high);
    }
    return middle;
}

static double normal_law(double x, double a, double b)
{
    (void)a;
    (void)b;
    return 0.5 * erfc(-x * M_SQRT1_2);
}

double sl_normal_quantile(double p)
{
    if (!(p >= 0.0 && p <= 1.0))
        return NAN;
    if (p == 0.0 || p == 1.0)
        return p == 0.0 ? -INFINITY : INFINITY;
    if (p == 0.5)
        return 0.0;
    if (p > 0.5) /* the lower tail has the better relative accuracy */
        return -sl_normal_quantile(1.0 - p);
    return bisect(normal_law, p, -40.0, 0.0, 0.0, 0.0);
}

double sl_beta_quantile(double p, double a, double b)
{
    if (!(p >= 0.0 && p <= 1.0 && a > 0.0 && b > 0.0))
        return NAN;
    if (p == 0.0 || p == 1.0)
        return p;
    return bisect(sl_beta_cdf, p, 0.0, 1.0, a, b);
}

double sl_student_quantile(double p, double df)
{
    double y; /* t^2/(df + t^2), which is Beta(1/2, df/2) */

    if (!(p >= 0.0 && p <= 1.0 && df > 0.0))
        return NAN;
    if (p < 0.5)
        return -sl_student_quantile(1.0 - p, df);
    y = sl_beta_quantile(2.0 * p - 1.0, 0.5, 0.5 * df);
    return sqrt(df * y / (1.0 - y));
}

double sl_f_quantile(double p, double df1, double df2)
{
    const double y = sl_beta_quantile(p, 0.5 * df1, 0.5 * df2);

    return df2 * y / (df1 * (1.0 - y));
}
