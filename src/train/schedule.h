/* Learning-rate schedules as rows of one table: linear warm-up, then the row's shape. */
#ifndef SL_TRAIN_SCHEDULE_H
#define SL_TRAIN_SCHEDULE_H

#include <stdint.h>

typedef enum sl_schedule_shape {
    SL_SCHEDULE_CONSTANT,
    SL_SCHEDULE_LINEAR,
    SL_SCHEDULE_COSINE
} sl_schedule_shape;

typedef struct sl_schedule {
    sl_schedule_shape shape;
    double peak;
    int64_t warmup, total; /* updates */
    int starts_at_zero;    /* the first update of a warm-up has rate 0 */
} sl_schedule;

extern const char *const sl_schedule_names[]; /* by shape, NULL-terminated */

/* Learning rate of update 1..total: warm-up u/warmup, then with x = share of the rest done before
 * this update: constant 1, linear 1 - x, cosine (1 + cos(pi x))/2. As transformers computes it with
 * its step counter shifted by one: the first update has rate peak/warmup, not 0; with
 * starts_at_zero as transformers has it: warm-up (u - 1)/warmup. */
double sl_schedule_rate(const sl_schedule *schedule, int64_t update);

#endif
