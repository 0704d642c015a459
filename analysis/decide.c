#include "analysis/decide.h"
#include <math.h>

int sl_hysteresis_step(sl_hysteresis *h, sl_stage side)
{
    if (side == SL_STAGE_UNDECIDED || side == h->state) {
        h->count = 0;
        return 0;
    }
    h->count++;
    if (h->state != SL_STAGE_UNDECIDED && h->count < h->consecutive)
        return 0;
    h->state = side;
    h->count = 0;
    return 1;
}

sl_stage sl_interval_side(double lower, double upper, double centre, double margin)
{
    if (lower > centre + margin)
        return SL_STAGE_FINE_TUNING;
    if (upper < centre - margin)
        return SL_STAGE_INJECTION;
    return SL_STAGE_UNDECIDED;
}

double sl_mix_linear(double bs, double low, double high)
{
    return fmin(1.0, fmax(0.0, (bs - low) / (high - low)));
}

double sl_mix_smoothstep(double bs, double low, double high)
{
    const double x = sl_mix_linear(bs, low, high);

    return x * x * (3.0 - 2.0 * x);
}

double sl_mix_logistic(double bs, double centre, double width)
{
    return 1.0 / (1.0 + exp(-(bs - centre) / width));
}
