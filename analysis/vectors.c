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

enum { BLOCK = 32, SMALL = 64 };

/* eigen (n) of a symmetric matrix (n, n), ascending; gram is used up. Room for blocks lets the
 * reduction to tridiagonal form run at the speed of products. */
static sl_status eigenvalues(double *eigen, double *gram, size_t n)
{
    const size_t room = n > SMALL ? (BLOCK + 2) * n : 2 * n + 1;
    const lapack_int side = (lapack_int)n;
    lapack_int integers[1];
    double few[2 * SMALL + 1], *work = few;
    int code;

    if (n > SMALL)
        SL_TRY(sl_take(&work, room, sizeof *work));
    code = LAPACKE_dsyevd_work(LAPACK_COL_MAJOR, 'N', 'L', side, gram, side, eigen, work,
                               (lapack_int)room, integers, 1);
    if (n > SMALL)
        sl_free(work);
    return code ? SL_FAIL(SL_ENUMERIC, "want eigenvalues of a kernel, found no convergence")
                : SL_OK;
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
    SL_TRY_OUT(eigenvalues(eigen, gram, side));
    tidy(eigen, side, kept);
    *count = side;
out:
    sl_free(unit);
    sl_free(gram);
    return st;
}

/* --- Gram matrices ----------------------------------------------------------------------------
 */

/* Cosines; rows of 0 are taken out. square (n): scratch. Returns the rows kept. */
static size_t cosines(double *gram, double *square, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++)
        square[i] = gram[i * n + i];
    for (size_t i = 0; i < n; i++) {
        size_t at = 0;

        if (!(square[i] > 0.0))
            continue;
        for (size_t j = 0; j < n; j++)
            if (square[j] > 0.0)
                gram[kept * n + at++] = gram[i * n + j];
        kept++;
    }
    for (size_t i = 0; kept < n && i < kept; i++)
        memmove(gram + i * kept, gram + i * n, kept * sizeof *gram);
    for (size_t i = 0; i < kept; i++)
        for (size_t j = i + 1; j < kept; j++) {
            const double both = sqrt(gram[i * kept + i] * gram[j * kept + j]);

            gram[i * kept + j] = gram[j * kept + i] = gram[i * kept + j] / both;
        }
    for (size_t i = 0; i < kept; i++)
        gram[i * kept + i] = 1.0;
    return kept;
}

sl_status sl_vendi_of_gram(double *eigen, size_t *kept, double *gram, size_t n)
{
    *kept = cosines(gram, eigen, n);
    if (!*kept)
        return SL_OK;
    for (size_t k = 0; k < *kept * *kept; k++)
        gram[k] /= (double)*kept;
    SL_TRY(eigenvalues(eigen, gram, *kept));
    tidy(eigen, *kept, *kept);
    return SL_OK;
}

double sl_vendi_2_of_gram(const double *gram, size_t n)
{
    double sum = 0.0, kept = 0.0;

    for (size_t i = 0; i < n; i++) {
        const double square = gram[i * n + i];

        if (!(square > 0.0))
            continue;
        kept += 1.0;
        for (size_t j = 0; j < i; j++)
            if (gram[j * n + j] > 0.0)
                sum += 2.0 * gram[i * n + j] * (gram[i * n + j] / square / gram[j * n + j]);
    }
    return kept > 0.0 ? kept * kept / (kept + sum) : NAN;
}

void sl_gram_of_ngrams(double *gram, const sl_ngrams *g, size_t n)
{
    for (size_t k = 0; k < g->distinct; k++)
        for (uint32_t i = g->gram[k].last + 1; i; i = g->posting[i - 1].next) {
            const sl_posting *a = &g->posting[i - 1];

            for (uint32_t j = i; j; j = g->posting[j - 1].next) {
                const sl_posting *b = &g->posting[j - 1];

                gram[a->text * n + b->text] += (double)a->times * b->times;
            }
        }
    for (size_t i = 0; i < n; i++) /* postings go back in the texts */
        for (size_t j = 0; j < i; j++)
            gram[j * n + i] = gram[i * n + j];
}

void sl_gram_of_rows(double *gram, const double *x, size_t n, size_t d)
{
    cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, (int)n, (int)d, 1.0, x, (int)d, 0.0, gram,
                (int)n);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            gram[j * n + i] = gram[i * n + j];
}

void sl_pairwise_of_gram(sl_pairwise *out, double *gram, double *scratch, size_t n)
{
    sl_pairwise p = { .least = INFINITY, .most = -INFINITY };
    double sum = 0.0, k;

    p.used = cosines(gram, scratch, n);
    p.dropped = n - p.used;
    k = (double)p.used;
    for (size_t i = 0; i < p.used; i++) {
        double nearest = INFINITY;

        for (size_t j = 0; j < p.used; j++) {
            const double distance = 1.0 - gram[i * p.used + j];

            if (i == j)
                continue;
            nearest = fmin(nearest, distance);
            p.least = fmin(p.least, distance);
            p.most = fmax(p.most, distance);
            sum += distance;
        }
        p.mean_nearest += nearest / k;
    }
    p.mean = p.direct_mean = sum / (k * (k - 1.0));
    p.internal = sum / (k * k);
    if (p.used < 2)
        p.mean = p.direct_mean = p.least = p.most = p.mean_nearest = NAN;
    if (!p.used)
        p.internal = NAN;
    *out = p;
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

/* gram = H gram H with H = 1 - 1/n: the Gram matrix of rows whose mean is taken off. */
static void center_gram(double *gram, double *mean, size_t n)
{
    double all = 0.0;

    for (size_t i = 0; i < n; i++) {
        mean[i] = 0.0;
        for (size_t j = 0; j < n; j++)
            mean[i] += gram[i * n + j] / (double)n;
        all += mean[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            gram[i * n + j] += all - mean[i] - mean[j];
}

sl_status sl_effective_rank_of_gram(sl_effective_rank *out, double *eigen, double *gram, size_t n,
                                    int is_centered)
{
    double trace = 0.0;

    *out = (sl_effective_rank){ NAN, NAN, NAN, NAN };
    if (!n)
        return SL_OK;
    for (size_t i = 0; i < n; i++)
        trace += gram[i * n + i];
    if (is_centered)
        center_gram(gram, eigen, n);
    SL_TRY(eigenvalues(eigen, gram, n));
    for (size_t i = 0; i < n; i++) /* squares of the singular values; rounding is no rank */
        eigen[i] = eigen[i] > (double)n * 2.2e-15 * trace ? sqrt(eigen[i]) : 0.0;
    for (size_t i = 0; i < n / 2; i++) {
        const double kept = eigen[i];

        eigen[i] = eigen[n - 1 - i];
        eigen[n - 1 - i] = kept;
    }
    from_spectrum(out, eigen, n);
    return SL_OK;
}
