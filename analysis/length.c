#include "analysis/length.h"
#include "analysis/interval.h"
#include "analysis/special.h"
#include "base/alloc.h"
#include <math.h>
#include <string.h>

enum { WIDTH = 3, NEWTON_STEPS = 100, SWEEPS = 4000 };

/* The design: x (n, 3) = tanh(D/sd), difficulty, 1; y (n). */
typedef struct design {
    double *x, *y;
    size_t n;
} design;

static void design_close(design *d)
{
    sl_free(d->x);
    sl_free(d->y);
}

static sl_status design_open(design *d, sl_length_fit *fit, const double *y, const double *on,
                             const double *off, const double *difficulty, size_t n)
{
    *d = (design){ 0 };
    SL_TRY(sl_take(&d->x, n * WIDTH + 1, sizeof *d->x));
    SL_TRY(sl_take(&d->y, n + 1, sizeof *d->y));
    for (size_t i = 0; i < n; i++) {
        const double gamma = difficulty ? difficulty[i] : 0.0, D = on[i] - off[i];

        if (!isfinite(y[i]) || !isfinite(D) || !isfinite(gamma))
            continue;
        d->y[d->n] = y[i];
        d->x[d->n] = D; /* packed for the moment */
        d->n++;
    }
    fit->sd = sl_mean_of(d->x, d->n).sd;
    fit->raw = sl_mean_of(d->y, d->n).value;
    fit->used = d->n;
    fit->dropped = n - d->n;
    for (size_t i = d->n; i-- > 0;) {
        d->x[i * WIDTH] = fit->sd > 0.0 ? tanh(d->x[i] / fit->sd) : 0.0;
        d->x[i * WIDTH + 2] = 1.0;
    }
    for (size_t i = 0, at = 0; i < n; i++)
        if (isfinite(y[i]) && isfinite(on[i] - off[i]) && (!difficulty || isfinite(difficulty[i])))
            d->x[at++ * WIDTH + 1] = difficulty ? difficulty[i] : 0.0;
    return SL_OK;
}

static double logit_of(const design *d, size_t i, const double *b)
{
    const double *x = d->x + i * WIDTH;

    return b[0] * x[0] + b[1] * x[1] + b[2] * x[2];
}

static double loss_of(const design *d, const double *b)
{
    double sum = 0.0;

    for (size_t i = 0; i < d->n; i++) {
        const double z = logit_of(d, i, b);

        sum += sl_softplus(z) - d->y[i] * z;
    }
    return sum;
}

static double ridge_loss(const design *d, const double *b, double ridge)
{
    return loss_of(d, b) + 0.5 * ridge * (b[0] * b[0] + b[1] * b[1]);
}

/* Solves the symmetric positive definite 3x3 system h s = g by elimination. */
static void solve3(double *s, const double h[WIDTH][WIDTH], const double *g)
{
    double a[WIDTH][WIDTH + 1];

    for (size_t r = 0; r < WIDTH; r++) {
        memcpy(a[r], h[r], sizeof h[r]);
        a[r][WIDTH] = g[r];
    }
    for (size_t k = 0; k < WIDTH; k++)
        for (size_t r = k + 1; r < WIDTH; r++) {
            const double f = a[r][k] / a[k][k];

            for (size_t c = k; c <= WIDTH; c++)
                a[r][c] -= f * a[k][c];
        }
    for (size_t r = WIDTH; r-- > 0;) {
        s[r] = a[r][WIDTH];
        for (size_t c = r + 1; c < WIDTH; c++)
            s[r] -= a[r][c] * s[c];
        s[r] /= a[r][r];
    }
}

/* Gradient g and Hessian h of the ridge objective; meat = sum of outer products of item gradients.
 */
static void derivatives(double *g, double h[WIDTH][WIDTH], double meat[WIDTH][WIDTH],
                        const design *d, const double *b, double ridge)
{
    const double penalty[WIDTH] = { ridge, ridge, 0.0 };

    for (size_t r = 0; r < WIDTH; r++) {
        g[r] = penalty[r] * b[r];
        for (size_t c = 0; c < WIDTH; c++)
            h[r][c] = meat[r][c] = 0.0;
        h[r][r] = penalty[r] > 0.0 ? penalty[r] : 0.0;
    }
    for (size_t i = 0; i < d->n; i++) {
        const double *x = d->x + i * WIDTH;
        const double p = sl_sigmoid(logit_of(d, i, b)), e = p - d->y[i];

        for (size_t r = 0; r < WIDTH; r++) {
            g[r] += e * x[r];
            for (size_t c = 0; c < WIDTH; c++) {
                h[r][c] += p * (1.0 - p) * x[r] * x[c];
                meat[r][c] += e * e * x[r] * x[c];
            }
        }
    }
    h[2][2] += 1e-300; /* all votes equal: the intercept runs away, slowly */
}

static void newton(double *b, const design *d, double ridge)
{
    double g[WIDTH], h[WIDTH][WIDTH], meat[WIDTH][WIDTH], step[WIDTH],
        now = ridge_loss(d, b, ridge);

    for (int k = 0; k < NEWTON_STEPS; k++) {
        const double slack = 1e-13 * (1.0 + fabs(now)); /* rounding of the loss */
        double share = 1.0, next = now, to[WIDTH];

        derivatives(g, h, meat, d, b, ridge);
        solve3(step, (const double(*)[WIDTH])h, g);
        for (int halvings = 0; halvings < 60; halvings++, share *= 0.5) {
            for (size_t r = 0; r < WIDTH; r++)
                to[r] = b[r] - share * step[r];
            next = ridge_loss(d, to, ridge);
            if (next <= now + slack)
                break;
        }
        if (!(next <= now + slack) || fabs(to[2]) > 30.0)
            return;
        memcpy(b, to, sizeof to);
        if (fabs(step[0]) + fabs(step[1]) + fabs(step[2]) < 1e-13)
            return;
        now = next;
    }
}

double sl_length_at_zero(const double coef[3], double difficulty)
{
    return sl_sigmoid(coef[1] * difficulty + coef[2]);
}

/* lc, its two standard errors, from the coefficients. */
static sl_status read_off(sl_length_fit *fit, const design *d, double ridge)
{
    double g[WIDTH], h[WIDTH][WIDTH], meat[WIDTH][WIDTH], at[WIDTH] = { 0.0 }, s[WIDTH];
    double *item = NULL, variance = 0.0;
    sl_mean mean;

    SL_TRY(sl_take(&item, d->n + 1, sizeof *item));
    for (size_t i = 0; i < d->n; i++) {
        const double gamma = d->x[i * WIDTH + 1];
        const double p = sl_length_at_zero(fit->coef, gamma);

        item[i] = p;
        at[1] += p * (1.0 - p) * gamma / (double)d->n;
        at[2] += p * (1.0 - p) / (double)d->n;
    }
    mean = sl_mean_of(item, d->n);
    sl_free(item);
    fit->lc = mean.value;
    fit->lc_se_items = mean.se;
    derivatives(g, h, meat, d, fit->coef, ridge);
    solve3(s, (const double(*)[WIDTH])h, at);
    for (size_t r = 0; r < WIDTH; r++)
        for (size_t c = 0; c < WIDTH; c++)
            variance += s[r] * meat[r][c] * s[c];
    fit->lc_se_fit = sqrt(variance + mean.se * mean.se);
    return SL_OK;
}

static void undefined(sl_length_fit *fit)
{
    fit->coef[0] = fit->coef[1] = fit->coef[2] = NAN;
    fit->lc = fit->lc_se_items = fit->lc_se_fit = NAN;
}

sl_status sl_length_controlled(sl_length_fit *out, const double *y, const double *chars_on,
                               const double *chars_off, const double *difficulty, size_t n,
                               double ridge)
{
    design d;
    sl_status st = SL_OK;

    *out = (sl_length_fit){ 0 };
    SL_TRY_OUT(design_open(&d, out, y, chars_on, chars_off, difficulty, n));
    if (d.n < 2) {
        undefined(out);
        goto out;
    }
    newton(out->coef, &d, ridge);
    st = read_off(out, &d, ridge);
out:
    design_close(&d);
    return st;
}

/* --- L1 --------------------------------------------------------------------------------------- */

/* d/db_k of C sum(loss) at b_k = v. */
static double slope_at(const design *d, double *b, size_t k, double v, double C)
{
    double sum = 0.0;

    b[k] = v;
    for (size_t i = 0; i < d->n; i++)
        sum += (sl_sigmoid(logit_of(d, i, b)) - d->y[i]) * d->x[i * WIDTH + k];
    return C * sum;
}

/* The minimum along one coordinate: 0 where |slope(0)| <= 1, else the root of slope + sign. */
static void minimise_along(const design *d, double *b, size_t k, double C)
{
    const double at_zero = slope_at(d, b, k, 0.0, C);
    const double sign = at_zero < -1.0 ? 1.0 : -1.0;
    double near = 0.0, far = sign * 50.0;

    if (fabs(at_zero) <= 1.0) {
        b[k] = 0.0;
        return;
    }
    for (int i = 0; i < 60; i++) {
        const double middle = 0.5 * (near + far);

        if (sign * (slope_at(d, b, k, middle, C) + sign) < 0.0)
            near = middle;
        else
            far = middle;
    }
    b[k] = 0.5 * (near + far);
}

sl_status sl_length_controlled_l1(sl_length_fit *out, const double *y, const double *chars_on,
                                  const double *chars_off, const double *difficulty, size_t n,
                                  double C)
{
    design d;
    sl_status st = SL_OK;

    *out = (sl_length_fit){ 0 };
    SL_TRY_OUT(design_open(&d, out, y, chars_on, chars_off, difficulty, n));
    if (d.n < 2) {
        undefined(out);
        goto out;
    }
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
        double before[WIDTH], moved = 0.0;

        memcpy(before, out->coef, sizeof before);
        for (size_t k = 0; k < WIDTH; k++)
            minimise_along(&d, out->coef, k, C);
        for (size_t k = 0; k < WIDTH; k++)
            moved = fmax(moved, fabs(out->coef[k] - before[k]));
        if (moved < 1e-10)
            break;
    }
    st = read_off(out, &d, 0.0);
out:
    design_close(&d);
    return st;
}
