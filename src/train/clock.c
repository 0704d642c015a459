#include "train/clock.h"
#include <time.h>

static double read_clock(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double sl_clock_now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

double sl_clock_cpu(void)
{
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

double sl_clock_utc(void)
{
    return read_clock(CLOCK_REALTIME);
}

void sl_clock_lap(double *sum, double *at)
{
    const double now = sl_clock_now();

    *sum += now - *at;
    *at = now;
}
