/* What `bench analysis` measures: inputs, one run of the analyzer's own function, its numbers. */
#ifndef SL_CLI_BENCH_ITEMS_H
#define SL_CLI_BENCH_ITEMS_H

#include "base/status.h"
#include "kernels/backend.h"
#include <limits.h>

enum { SL_BENCH_SIZES = 4 };

/* Inputs and numbers of an item; which arrays there are depends on it. All owned. */
typedef struct sl_bench_work {
    size_t size[SL_BENCH_SIZES];
    const sl_ops *ops;     /* borrowed */
    char folder[PATH_MAX]; /* inputs for the other side */
    double *x, *scratch, *result;
    float *z;
    uint32_t *index;
    int32_t *token;
    void *more; /* of the operation */
    size_t results;
} sl_bench_work;

typedef struct sl_bench_item {
    const char *name, *what;
    double target;               /* times faster than the other side; 1: not slower */
    double tolerance;            /* of each number, relative above 1 */
    size_t size[SL_BENCH_SIZES]; /* 0: none; what they mean: tools/bench_analysis.py */
    size_t small[SL_BENCH_SIZES];
    sl_status (*open)(sl_bench_work *work); /* takes the arrays and writes the inputs */
    sl_status (*run)(void *work);
} sl_bench_item;
extern const sl_bench_item sl_bench_items[];
extern const size_t sl_bench_item_count;

/* work->size, ops and folder are set; closed also after a failure. */
void sl_bench_work_close(sl_bench_work *work);

#endif
