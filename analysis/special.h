/* Special functions and quantiles in double, and the stable forms of sums of exponentials. Relative
 * accuracy about 1e-13 where the condition of the problem allows. Arguments outside the domain give
 * NaN. */
#ifndef SL_ANALYSIS_SPECIAL_H
#define SL_ANALYSIS_SPECIAL_H

#include <stddef.h>

double sl_sigmoid(double x);
double sl_softplus(double x);                     /* ln(1 + e^x) without overflow */
double sl_log_sum_exp(const double *x, size_t n); /* ln sum e^x; x (n); -inf for n = 0 */

double sl_log_gamma(double x); /* x > 0; safe in threads */
double sl_log_beta(double a, double b);
/* ln I_x(a, b), the regularised incomplete beta function, a, b > 0, 0 <= x <= 1. Continued fraction
 * by the modified Lentz method (Numerical Recipes 6.4; DLMF 8.17.22). */
double sl_log_beta_inc(double x, double a, double b);
double sl_beta_cdf(double x, double a, double b);

/* Quantiles by bisection of the distribution function down to neighbouring doubles. 0 <= p <= 1. */
double sl_normal_quantile(double p);
double sl_beta_quantile(double p, double a, double b);
double sl_student_quantile(double p, double df);
double sl_f_quantile(double p, double df1, double df2);
/* x (n) = exp(-t), t = factor x cut to [least, most], 0 <= least <= most <= 700: within 2 ulp. */
void sl_exp_of_minus(double *x, size_t n, double factor, double least, double most);

#endif
