/* Costs of segments. Prefix sums make l2, normal (d = 1), rbf and binomial O(1) a segment. */
#include "analysis/changepoint.h"
#include "analysis/interval.h"
#include "analysis/special.h"
#include "base/alloc.h"
#include <math.h>
#include <string.h>

static const double jitter = 1e-6; /* keeps the logarithm of a variance finite */

sl_cost_kind sl_cost_find(const char *name)
{
    static const char *const names[SL_COST_KINDS] = { "l2", "normal", "rbf", "binomial" };
    int k = 0;

    while (k < SL_COST_KINDS && strcmp(names[k], name))
        k++;
    return (sl_cost_kind)k;
}

/* prefix (T+1, d+1): running sums of the columns, about their means, and of the squares. */
static sl_status sums(sl_cost *c, int is_centered)
{
    const size_t width = c->d + 1;

    SL_TRY(sl_take(&c->prefix, (c->T + 1) * width, sizeof *c->prefix));
    for (size_t k = 0; k < c->d; k++) {
        double mean = 0.0;

        for (size_t t = 0; t < c->T && is_centered; t++)
            mean += c->x[t * c->d + k] / (double)c->T;
        for (size_t t = 0; t < c->T; t++) {
            const double v = c->x[t * c->d + k] - mean;

            c->prefix[(t + 1) * width + k] = c->prefix[t * width + k] + v;
            c->prefix[(t + 1) * width + c->d] += v * v;
        }
    }
    for (size_t t = 0; t < c->T; t++)
        c->prefix[(t + 1) * width + c->d] += c->prefix[t * width + c->d];
    return SL_OK;
}

/* distance (i) of row i to the rows before it, squared. */
static void distances_before(double *distance, const sl_cost *c, size_t i)
{
    for (size_t j = 0; j < i; j++) {
        const double v = c->x[i * c->d] - c->x[j * c->d];

        distance[j] = v * v;
    }
    for (size_t k = 1; k < c->d; k++)
        for (size_t j = 0; j < i; j++) {
            const double v = c->x[i * c->d + k] - c->x[j * c->d + k];

            distance[j] += v * v;
        }
}

static sl_status median_gamma(sl_cost *c)
{
    const size_t pairs = c->T * (c->T - 1) / 2;
    double *distance = NULL, median;

    c->gamma = 1.0;
    if (!pairs)
        return SL_OK;
    SL_TRY(sl_take(&distance, pairs, sizeof *distance));
    for (size_t i = 1; i < c->T; i++)
        distances_before(distance + i * (i - 1) / 2, c, i);
    median = sl_median_of(distance, pairs);
    if (median > 0.0)
        c->gamma = 1.0 / median;
    sl_free(distance);
    return SL_OK;
}

/* prefix (T+1, T+1): below and on the diagonal sums of the Gram matrix over rectangles from the
 * corner, which is symmetric; nothing above. */
static sl_status gram_sums(sl_cost *c)
{
    const size_t side = c->T + 1;
    double *row = NULL; /* (T) of the Gram matrix, left of the diagonal */

    SL_TRY(median_gamma(c));
    SL_TRY(sl_take(&c->prefix, side * side, sizeof *c->prefix));
    SL_TRY(sl_take(&row, c->T, sizeof *row));
    for (size_t i = 0; i < c->T; i++) {
        const double *above = c->prefix + i * side;
        double *below = c->prefix + (i + 1) * side, sum = 0.0;

        distances_before(row, c, i);
        sl_exp_of_minus(row, i, c->gamma, 1e-2, 1e2);
        for (size_t j = 0; j < i; j++) {
            sum += row[j];
            below[j + 1] = above[j + 1] + sum;
        }
        below[i + 1] = above[i] + 2.0 * sum + 1.0; /* the row, the column, the corner */
    }
    sl_free(row);
    return SL_OK;
}

sl_status sl_cost_open(sl_cost *out, sl_cost_kind kind, const double *x, size_t T, size_t d)
{
    sl_status st = SL_OK;

    *out = (sl_cost){ .kind = kind, .T = T, .d = d, .x = x, .gamma = NAN };
    if (!T || !d || kind >= SL_COST_KINDS || (kind == SL_COST_BINOMIAL && d != 2))
        return SL_FAIL(SL_EARG, "want observations for a known cost, found %zu of width %zu", T, d);
    st = kind == SL_COST_RBF ? gram_sums(out) : sums(out, kind != SL_COST_BINOMIAL);
    if (st != SL_OK)
        sl_cost_close(out);
    return st;
}

void sl_cost_close(sl_cost *c)
{
    sl_free(c->prefix);
    c->prefix = NULL;
}

static double l2(const sl_cost *c, size_t a, size_t b)
{
    const size_t width = c->d + 1;
    const double *low = c->prefix + a * width, *high = c->prefix + b * width;
    double sum = high[c->d] - low[c->d];

    for (size_t k = 0; k < c->d; k++)
        sum -= (high[k] - low[k]) * (high[k] - low[k]) / (double)(b - a);
    return fmax(sum, 0.0);
}

enum { COVARIANCE_MOST = 64 };

/* ln det of the covariance of rows [a, b) plus jitter on the diagonal, by Cholesky. */
static double log_det(const sl_cost *c, size_t a, size_t b)
{
    double l[COVARIANCE_MOST][COVARIANCE_MOST], sum = 0.0;
    const size_t width = c->d + 1;
    const double n = (double)(b - a);

    for (size_t i = 0; i < c->d; i++)
        for (size_t j = 0; j <= i; j++) {
            const double mi = (c->prefix[b * width + i] - c->prefix[a * width + i]) / n;
            const double mj = (c->prefix[b * width + j] - c->prefix[a * width + j]) / n;
            double v = 0.0;

            for (size_t t = a; t < b; t++) { /* the prefix holds centred columns */
                const double xi = c->prefix[(t + 1) * width + i] - c->prefix[t * width + i];
                const double xj = c->prefix[(t + 1) * width + j] - c->prefix[t * width + j];

                v += (xi - mi) * (xj - mj);
            }
            v = v / (n - 1.0) + (i == j ? jitter : 0.0);
            for (size_t k = 0; k < j; k++)
                v -= l[i][k] * l[j][k];
            l[i][j] = i == j ? sqrt(v) : v / l[j][j];
        }
    for (size_t i = 0; i < c->d; i++)
        sum += 2.0 * log(l[i][i]);
    return sum;
}

static double normal(const sl_cost *c, size_t a, size_t b)
{
    const double n = (double)(b - a);

    if (c->d == 1)
        return n * log(l2(c, a, b) / n + jitter);
    return c->d <= COVARIANCE_MOST ? n * log_det(c, a, b) : NAN;
}

static double rbf(const sl_cost *c, size_t a, size_t b)
{
    const size_t side = c->T + 1;
    const double all =
        c->prefix[b * side + b] - 2.0 * c->prefix[b * side + a] + c->prefix[a * side + a];

    return (double)(b - a) - all / (double)(b - a); /* the diagonal is 1 */
}

static double binomial(const sl_cost *c, size_t a, size_t b)
{
    const double K = c->prefix[b * 3] - c->prefix[a * 3];
    const double N = c->prefix[b * 3 + 1] - c->prefix[a * 3 + 1], p = K / N;
    double sum = 0.0;

    if (K > 0.0)
        sum += K * log(p);
    if (N > K)
        sum += (N - K) * log1p(-p);
    return -2.0 * sum;
}

double sl_cost_of(const sl_cost *c, size_t a, size_t b)
{
    static double (*const by_kind[SL_COST_KINDS])(const sl_cost *, size_t,
                                                  size_t) = { l2, normal, rbf, binomial };

    return by_kind[c->kind](c, a, b);
}
