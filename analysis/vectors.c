#include "analysis/vectors.h"
#include "analysis/metric.h"
#include "base/alloc.h"
#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

/* unit (n, d): rows of x of length 1, weighted by sqrt(p / sum p) when p is given; zero rows left
 * out. Returns the rows kept. */
static size_t unit_rows(double *unit, const double *x, const double *p, size_t n, size_t d)
{
    size_t kept = 0;
    double sum = 0.0;

    for (size_t i = 0; i < n; i++) {
        const double norm = sl_vector_norm(x + i * d, d), weight = p ? p[i] : 1.0;

        if (!(norm > 0.0) || !(weight > 0.0))
            continue;
        for (size_t c = 0; c < d; c++)
            unit[kept * d + c] = x[i * d + c] / norm * (p ? sqrt(weight) : 1.0);
        sum += weight;
        kept++;
    }
    for (size_t k = 0; p && k < kept * d; k++)
        unit[k] /= sqrt(sum);
    return kept;
}

static double dot(const double *x, const double *y, size_t n)
{
    double sum = 0.0;

    for (size_t i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

static double squared_sum(const double *unit, size_t n, size_t d)
{
    double squares = 0.0;

    for (size_t c = 0; c < d; c++) {
        double sum = 0.0;

        for (size_t i = 0; i < n; i++)
            sum += unit[i * d + c];
        squares += sum * sum;
    }
    return squares;
}

sl_status sl_pairwise_cosine(sl_pairwise *out, const double *x, size_t n, size_t d)
{
    double *unit = NULL, whole, k, sum = 0.0, nearest_sum = 0.0;
    sl_pairwise p = { .least = INFINITY, .most = -INFINITY };

    SL_TRY(sl_take(&unit, n * d + 1, sizeof *unit));
    p.used = unit_rows(unit, x, NULL, n, d);
    p.dropped = n - p.used;
    k = (double)p.used;
    whole = squared_sum(unit, p.used, d);
    for (size_t i = 0; i < p.used; i++) {
        double nearest = INFINITY;

        for (size_t j = 0; j < p.used; j++) {
            const double distance = 1.0 - dot(unit + i * d, unit + j * d, d);

            if (i == j)
                continue;
            nearest = fmin(nearest, distance);
            p.least = fmin(p.least, distance);
            p.most = fmax(p.most, distance);
            sum += distance;
        }
        nearest_sum += nearest;
    }
    p.mean = 1.0 - (whole - k) / (k * (k - 1.0));
    p.direct_mean = sum / (k * (k - 1.0));
    p.mean_nearest = nearest_sum / k;
    p.internal = 1.0 - whole / (k * k);
    if (p.used < 2)
        p.mean = p.direct_mean = p.least = p.most = p.mean_nearest = NAN;
    sl_free(unit);
    *out = p;
    return SL_OK;
}

/* --- Vendi -------------------------------------------------------------------------------------
 */

/* Eigenvalues below the rounding of the largest are 0; the rest sum to 1, descending. */
static void tidy(double *eigen, size_t count, size_t n)
{
    const double limit = (double)n * 2.2e-15 * eigen[count - 1];
    double sum = 0.0;

    for (size_t i = 0; i < count; i++) {
        eigen[i] = eigen[i] < limit ? 0.0 : eigen[i];
        sum += eigen[i];
    }
    for (size_t i = 0; i < count; i++)
        eigen[i] /= sum;
    for (size_t i = 0; i < count / 2; i++) {
        const double kept = eigen[i];

        eigen[i] = eigen[count - 1 - i];
        eigen[count - 1 - i] = kept;
    }
}

sl_status sl_vendi_spectrum(double *eigen, size_t *count, const double *x, const double *p,
                            size_t n, size_t d)
{
    double *unit = NULL, *gram = NULL;
    size_t kept, side;
    sl_status st = SL_OK;

    *count = 0;
    SL_TRY_OUT(sl_take(&unit, n * d + 1, sizeof *unit));
    kept = unit_rows(unit, x, p, n, d);
    side = kept < d ? kept : d;
    if (!side)
        goto out;
    SL_TRY_OUT(sl_take(&gram, side * side, sizeof *gram));
    cblas_dsyrk(CblasRowMajor, CblasUpper, kept < d ? CblasNoTrans : CblasTrans, (int)side,
                (int)(kept < d ? d : kept), p ? 1.0 : 1.0 / (double)kept, unit, (int)d, 0.0, gram,
                (int)side);
    if (LAPACKE_dsyevd(LAPACK_ROW_MAJOR, 'N', 'U', (int)side, gram, (int)side, eigen) != 0) {
        st = SL_FAIL(SL_ENUMERIC, "want eigenvalues of a kernel, found no convergence");
        goto out;
    }
    tidy(eigen, side, kept);
    *count = side;
out:
    sl_free(unit);
    sl_free(gram);
    return st;
}

double sl_vendi_score(const double *eigen, size_t n, double q)
{
    double sum = 0.0;

    if (!n)
        return NAN;
    if (isinf(q))
        return 1.0 / eigen[0];
    for (size_t i = 0; i < n; i++)
        if (eigen[i] > 0.0)
            sum += q == 1.0 ? -eigen[i] * log(eigen[i]) : pow(eigen[i], q);
    return q == 1.0 ? exp(sum) : pow(sum, 1.0 / (1.0 - q));
}

/* --- effective rank ----------------------------------------------------------------------------
 */

static void center(double *x, size_t n, size_t d)
{
    for (size_t c = 0; c < d; c++) {
        double mean = 0.0;

        for (size_t i = 0; i < n; i++)
            mean += x[i * d + c] / (double)n;
        for (size_t i = 0; i < n; i++)
            x[i * d + c] -= mean;
    }
}

static void from_spectrum(sl_effective_rank *out, const double *s, size_t count)
{
    double sum = 0.0, squares = 0.0, fourth = 0.0, h1 = 0.0, h2 = 0.0;

    for (size_t i = 0; i < count; i++) {
        sum += s[i];
        squares += s[i] * s[i];
        fourth += s[i] * s[i] * s[i] * s[i];
    }
    for (size_t i = 0; i < count; i++) {
        const double p = s[i] / sum, p2 = s[i] * s[i] / squares;

        h1 -= p > 0.0 ? p * log(p) : 0.0;
        h2 -= p2 > 0.0 ? p2 * log(p2) : 0.0;
    }
    *out = (sl_effective_rank){ exp(h1), exp(h2), squares * squares / fourth,
                                squares / (s[0] * s[0]) };
    if (!(sum > 0.0))
        *out = (sl_effective_rank){ NAN, NAN, NAN, NAN };
}

sl_status sl_effective_rank_of(sl_effective_rank *out, const double *x, size_t n, size_t d,
                               int is_centered)
{
    const size_t count = n < d ? n : d;
    double *copy = NULL, *s = NULL;
    sl_status st = SL_OK;

    *out = (sl_effective_rank){ NAN, NAN, NAN, NAN };
    if (!count)
        return SL_OK;
    SL_TRY_OUT(sl_take(&copy, n * d, sizeof *copy));
    SL_TRY_OUT(sl_take(&s, count, sizeof *s));
    memcpy(copy, x, n * d * sizeof *copy);
    if (is_centered)
        center(copy, n, d);
    if (LAPACKE_dgesdd(LAPACK_ROW_MAJOR, 'N', (int)n, (int)d, copy, (int)d, s, NULL, (int)n, NULL,
                       (int)d) != 0) {
        st = SL_FAIL(SL_ENUMERIC, "want singular values, found no convergence");
        goto out;
    }
    from_spectrum(out, s, count);
out:
    sl_free(copy);
    sl_free(s);
    return st;
}
