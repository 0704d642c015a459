#include "analysis/length_line.h"
#include <math.h>

void sl_length_sums_add(sl_length_sums *s, double length, double value)
{
    double dl, dv;

    if (!isfinite(length) || !isfinite(value))
        return;
    dl = length - s->length;
    dv = value - s->value;
    s->n++;
    s->length += dl / (double)s->n;
    s->value += dv / (double)s->n;
    s->ll += dl * (length - s->length);
    s->lv += dl * (value - s->value);
    s->vv += dv * (value - s->value);
}

/* Least squares with an intercept a set is least squares of deviations from the sets' means: the
 * normal equation has one unknown. */
sl_length_line sl_length_line_of(const sl_length_sums *sums, size_t count, size_t stride)
{
    sl_length_line f = { .slope = NAN, .slope_se = NAN, .r2 = NAN, .sigma = NAN };
    double lv = 0.0, vv = 0.0, left;
    size_t sets = 0;

    for (size_t i = 0; i < count; i++) {
        const sl_length_sums *s = (const void *)((const char *)sums + i * stride);

        f.prompts += s->n;
        sets += s->n > 0;
        f.length += s->length * (double)s->n;
        f.value += s->value * (double)s->n;
        f.ll += s->ll;
        lv += s->lv;
        vv += s->vv;
    }
    f.length = f.prompts ? f.length / (double)f.prompts : NAN;
    f.value = f.prompts ? f.value / (double)f.prompts : NAN;
    if (!(f.ll > 0.0))
        return f;
    f.slope = lv / f.ll;
    left = fmax(vv - f.slope * lv, 0.0);
    f.r2 = vv > 0.0 ? 1.0 - left / vv : NAN;
    if (f.prompts > sets + 1)
        f.sigma = sqrt(left / (double)(f.prompts - sets - 1));
    f.slope_se = f.sigma / sqrt(f.ll);
    return f;
}

sl_length_adjusted sl_length_adjust(const sl_length_line *f, const sl_length_sums *set)
{
    const double apart = set->length - f->length;
    sl_length_adjusted a = { NAN, NAN, NAN };

    if (!set->n)
        return a;
    a.value = set->value - f->slope * apart;
    a.residual = a.value - f->value;
    a.se = f->sigma * sqrt(1.0 / (double)set->n + apart * apart / f->ll);
    return a;
}
