/* The monotonic clock, for the timing table only: no result depends on it. */
#ifndef SL_TRAIN_CLOCK_H
#define SL_TRAIN_CLOCK_H

double sl_clock_now(void); /* seconds */
double sl_clock_cpu(void); /* seconds of all processors that this process had */
double sl_clock_utc(void); /* seconds since 1970 */
/* Adds the time since *at to *sum and moves *at to now. */
void sl_clock_lap(double *sum, double *at);

#endif
