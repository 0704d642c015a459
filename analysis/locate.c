#include "analysis/locate.h"
#include "analysis/special.h"
#include "base/alloc.h"
#include <math.h>

sl_bracket sl_bracket_of(const double *t, const sl_interval *interval, size_t T, double level)
{
    size_t low = T, high = T;

    for (size_t i = 0; i < T; i++) {
        if (interval[i].lower > level && high == T)
            high = i;
        if (interval[i].upper < level && high == T)
            low = i;
    }
    if (low < T && high < T)
        return (sl_bracket){ SL_PATH_CROSSED, t[low], t[high] };
    if (high < T)
        return (sl_bracket){ SL_PATH_FINE_TUNING, -INFINITY, t[high] };
    if (low < T)
        return (sl_bracket){ SL_PATH_INJECTION, t[low], INFINITY };
    return (sl_bracket){ SL_PATH_UNDECIDED, NAN, NAN };
}

/* --- isotonic --------------------------------------------------------------------------------- */

typedef struct block {
    double sum, weight;
    size_t count;
} block;

sl_status sl_isotonic(double *fit, const double *y, const double *weight, size_t T)
{
    block *b = NULL;
    size_t blocks = 0, at = 0;

    SL_TRY(sl_take(&b, T + 1, sizeof *b));
    for (size_t i = 0; i < T; i++) {
        b[blocks++] = (block){ weight[i] * y[i], weight[i], 1 };
        while (blocks > 1 && b[blocks - 2].sum * b[blocks - 1].weight >=
                                 b[blocks - 1].sum * b[blocks - 2].weight) {
            b[blocks - 2].sum += b[blocks - 1].sum;
            b[blocks - 2].weight += b[blocks - 1].weight;
            b[blocks - 2].count += b[blocks - 1].count;
            blocks--;
        }
    }
    for (size_t k = 0; k < blocks; k++)
        for (size_t i = 0; i < b[k].count; i++)
            fit[at++] = b[k].sum / b[k].weight;
    sl_free(b);
    return SL_OK;
}

double sl_isotonic_crossing(size_t *index, const double *t, const double *fit, size_t T,
                            double level)
{
    size_t i = 0;

    while (i < T && fit[i] < level)
        i++;
    *index = i;
    if (i == T)
        return INFINITY;
    if (i == 0)
        return -INFINITY;
    return t[i - 1] + (t[i] - t[i - 1]) * (level - fit[i - 1]) / (fit[i] - fit[i - 1]);
}

/* --- logistic --------------------------------------------------------------------------------- */

typedef struct scaled {
    double mean, sd; /* of t, ddof 0 */
} scaled;

static scaled scale_of(const double *t, size_t T)
{
    scaled s = { 0.0, 0.0 };

    for (size_t i = 0; i < T; i++)
        s.mean += t[i] / (double)T;
    for (size_t i = 0; i < T; i++)
        s.sd += (t[i] - s.mean) * (t[i] - s.mean) / (double)T;
    s.sd = sqrt(s.sd);
    return s;
}

/* Score and information of the binomial log-likelihood at (a, b). */
static void information(double score[2], double info[3], const sl_logistic *l, const double *t,
                        const double *y, const double *n, size_t T, scaled s)
{
    score[0] = score[1] = info[0] = info[1] = info[2] = 0.0;
    for (size_t i = 0; i < T; i++) {
        const double u = (t[i] - s.mean) / s.sd, p = sl_sigmoid(l->a + l->b * u);
        const double e = n[i] * (y[i] - p), w = n[i] * p * (1.0 - p);

        score[0] += e;
        score[1] += e * u;
        info[0] += w;
        info[1] += w * u;
        info[2] += w * u * u;
    }
}

enum { IRLS_STEPS = 100 };

/* Newton steps; 0 when they do not settle: separable. */
static int settle(sl_logistic *l, const double *t, const double *y, const double *n, size_t T,
                  scaled s)
{
    for (int k = 0; k < IRLS_STEPS; k++) {
        double score[2], info[3], det, da, db;

        information(score, info, l, t, y, n, T, s);
        det = info[0] * info[2] - info[1] * info[1];
        if (!(det > 1e-12 * info[0] * info[2]))
            return 0;
        l->cov[0][0] = info[2] / det;
        l->cov[1][1] = info[0] / det;
        l->cov[0][1] = l->cov[1][0] = -info[1] / det;
        da = l->cov[0][0] * score[0] + l->cov[0][1] * score[1];
        db = l->cov[1][0] * score[0] + l->cov[1][1] * score[1];
        l->a += da;
        l->b += db;
        if (!(fabs(l->a) + fabs(l->b) < 100.0))
            return 0;
        if (fabs(da) + fabs(db) < 1e-13)
            return 1;
    }
    return 0;
}

/* Roots of (b^2 - z^2 C_bb) u^2 + 2 (ab - z^2 C_ab) u + (a^2 - z^2 C_aa). */
static sl_interval fieller(const sl_logistic *l, double z, scaled s)
{
    const double A = l->b * l->b - z * z * l->cov[1][1];
    const double B = l->a * l->b - z * z * l->cov[0][1];
    const double C = l->a * l->a - z * z * l->cov[0][0];
    const double root = sqrt(B * B - A * C);

    if (!(A > 0.0) || isnan(root))
        return (sl_interval){ -INFINITY, INFINITY };
    return (sl_interval){ s.mean + s.sd * (-B - root) / A, s.mean + s.sd * (-B + root) / A };
}

static double dispersion_of(const sl_logistic *l, const double *t, const double *y, const double *n,
                            size_t T, scaled s)
{
    double chi2 = 0.0;

    for (size_t i = 0; i < T; i++) {
        const double p = sl_sigmoid(l->a + l->b * (t[i] - s.mean) / s.sd);

        chi2 += n[i] * (y[i] - p) * (y[i] - p) / (p * (1.0 - p));
    }
    return chi2 / ((double)T - 2.0);
}

sl_status sl_logistic_fit(sl_logistic *out, const double *t, const double *y, const double *n,
                          size_t T, double alpha)
{
    const scaled s = scale_of(t, T);
    const double z = sl_normal_quantile(1.0 - alpha / 2.0);
    const sl_interval none = { NAN, NAN };
    sl_logistic l = { 0 };
    double grad[2], u;

    *out = (sl_logistic){ NAN, NAN, { { NAN, NAN }, { NAN, NAN } }, NAN, NAN, none, none, NAN };
    if (T < 3 || !(s.sd > 0.0) || !settle(&l, t, y, n, T, s))
        return SL_OK;
    u = -l.a / l.b;
    grad[0] = -1.0 / l.b;
    grad[1] = l.a / (l.b * l.b);
    l.crossing = s.mean + s.sd * u;
    l.crossing_se =
        s.sd * sqrt(grad[0] * grad[0] * l.cov[0][0] + 2.0 * grad[0] * grad[1] * l.cov[0][1] +
                    grad[1] * grad[1] * l.cov[1][1]);
    l.delta.lower = l.crossing - z * l.crossing_se;
    l.delta.upper = l.crossing + z * l.crossing_se;
    l.fieller = fieller(&l, z, s);
    l.dispersion = dispersion_of(&l, t, y, n, T, s);
    *out = l;
    return SL_OK;
}

/* --- segmented -------------------------------------------------------------------------------- */

/* Least squares of y on (1, t, (t - knee)_+), columns orthogonalised one after another (modified
 * Gram-Schmidt); without a knee for knee = +inf. Returns the SSE. */
static double fit_line(double coef[3], double *q, const double *t, const double *y, size_t T,
                       double knee)
{
    const size_t width = isinf(knee) ? 2 : 3;
    double r[3][3] = { { 0 } }, z[3] = { 0 }, sse = 0.0;
    double *rest = q + 3 * T;

    for (size_t i = 0; i < T; i++) {
        q[i] = 1.0;
        q[T + i] = t[i];
        q[2 * T + i] = width == 3 ? fmax(t[i] - knee, 0.0) : 0.0;
        rest[i] = y[i];
    }
    for (size_t k = 0; k < width; k++) {
        for (size_t j = 0; j < k; j++) {
            for (size_t i = 0; i < T; i++)
                r[j][k] += q[j * T + i] * q[k * T + i];
            for (size_t i = 0; i < T; i++)
                q[k * T + i] -= r[j][k] * q[j * T + i];
        }
        for (size_t i = 0; i < T; i++)
            r[k][k] += q[k * T + i] * q[k * T + i];
        r[k][k] = sqrt(r[k][k]);
        for (size_t i = 0; i < T; i++) {
            q[k * T + i] /= r[k][k];
            z[k] += q[k * T + i] * rest[i];
        }
        for (size_t i = 0; i < T; i++)
            rest[i] -= z[k] * q[k * T + i];
    }
    coef[2] = width == 3 ? z[2] / r[2][2] : 0.0;
    coef[1] = (z[1] - r[1][2] * coef[2]) / r[1][1];
    coef[0] = (z[0] - r[0][1] * coef[1] - r[0][2] * coef[2]) / r[0][0];
    for (size_t i = 0; i < T; i++)
        sse += rest[i] * rest[i];
    return sse;
}

sl_status sl_segmented_fit(sl_segmented *out, const double *t, const double *y, size_t T,
                           double alpha)
{
    double *q = NULL, *sse = NULL, coef[3], limit;
    sl_status st = SL_OK;

    if (T < 4)
        return SL_FAIL(SL_EARG, "want 4 checkpoints for a knee, found %zu", T);
    SL_TRY_OUT(sl_take(&q, 4 * T, sizeof *q));
    SL_TRY_OUT(sl_take(&sse, T, sizeof *sse));
    *out = (sl_segmented){ .sse = INFINITY, .interval = { INFINITY, -INFINITY } };
    for (size_t k = 1; k + 1 < T; k++) {
        sse[k] = fit_line(coef, q, t, y, T, t[k]);
        if (sse[k] >= out->sse)
            continue;
        out->sse = sse[k];
        out->tau = k;
        for (size_t c = 0; c < 3; c++)
            out->coef[c] = coef[c];
    }
    out->sse_line = fit_line(coef, q, t, y, T, INFINITY);
    limit = T > 4 ? out->sse *
                        (1.0 + sl_f_quantile(1.0 - alpha, 1.0, (double)T - 4.0) / ((double)T - 4.0))
                  : INFINITY;
    for (size_t k = 1; k + 1 < T; k++)
        if (sse[k] <= limit) {
            out->interval.lower = fmin(out->interval.lower, t[k]);
            out->interval.upper = fmax(out->interval.upper, t[k]);
        }
    out->is_better = (double)T * log(out->sse / (double)T) + 4.0 * log((double)T) <
                     (double)T * log(out->sse_line / (double)T) + 2.0 * log((double)T);
out:
    sl_free(q);
    sl_free(sse);
    return st;
}
