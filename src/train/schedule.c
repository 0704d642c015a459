#include "train/schedule.h"
#include <math.h>

const char *const sl_schedule_names[] = { "constant", "linear", "cosine", 0 };

static double shape_constant(double x)
{
    (void)x;
    return 1.0;
}

static double shape_linear(double x)
{
    return 1.0 - x;
}

static double shape_cosine(double x)
{
    return 0.5 * (1.0 + cos(3.14159265358979323846 * x));
}

static double (*const shapes[])(double) = { shape_constant, shape_linear, shape_cosine };

double sl_schedule_rate(const sl_schedule *schedule, int64_t update)
{
    const int64_t rest = schedule->total - schedule->warmup;

    if (update <= schedule->warmup)
        return schedule->peak * (double)(update - (schedule->starts_at_zero ? 1 : 0)) /
               (double)schedule->warmup;
    return schedule->peak *
           shapes[schedule->shape]((double)(update - 1 - schedule->warmup) / (double)rest);
}
