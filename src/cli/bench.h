/* Benchmarks: what the machine reaches at most, measured in the same run, and what parts of the
 * program reach of it. Ratios are the result; absolute numbers are the machine's. */
#ifndef SL_CLI_BENCH_H
#define SL_CLI_BENCH_H

#include "base/json.h"
#include "model/model.h"

/* A shape of model. */
typedef struct sl_bench_size {
    const char *name;
    size_t L, D, F, H, K, V, positions;
    int is_tied;
    uint32_t pairs;    /* of a step */
    uint32_t most_tok; /* prompt + answer are cut to this */
} sl_bench_size;

typedef struct sl_bench {
    const sl_backend *backend;
    int64_t repeat;                   /* runs of which the median is taken */
    int64_t runs;                     /* of a simulation */
    double flops_peak, bytes_peak;    /* per second: sgemm, triad */
    const sl_bench_size *const *size; /* NULL-terminated */
    const char *folder;               /* a checkpoint, for load; NULL: none given */
    sl_json *rows;                    /* array */
    const char *item;                 /* the one of analysis; NULL: all */
    int is_json, is_small;
    double (*clock)(void); /* seconds; NULL: wall clock */
} sl_bench;

/* One result. flops, bytes, tokens: of one run, 0 where they say nothing. */
typedef struct sl_bench_row {
    const char *bench, *name;
    double seconds; /* median */
    double flops, bytes, tokens;
} sl_bench_row;

/* Keeps the row, and prints its line unless a JSON document is wanted. */
sl_status sl_bench_add(sl_bench *bench, const sl_bench_row *row) SL_MUSTUSE;
/* Median seconds of `repeat` calls after one that does not count. */
sl_status sl_bench_time(double *seconds, const sl_bench *bench, sl_status (*run)(void *state),
                        void *state) SL_MUSTUSE;
/* The descriptor of that shape, owned by the caller. */
sl_status sl_bench_config(sl_config *out, const sl_bench_size *size) SL_MUSTUSE;
/* A model of that shape with random parameters. */
sl_status sl_bench_model(sl_model **out, const sl_bench *bench, const sl_bench_size *size,
                         int is_trainable) SL_MUSTUSE;
/* Matrix parameters: all block matrices and the head, once. */
double sl_bench_matrices(const sl_config *config);

typedef struct sl_bench_part {
    const char *name, *help;
    sl_status (*run)(sl_bench *bench);
    int is_alone; /* not a speed: runs only when it is named, without peaks */
} sl_bench_part;
sl_status sl_bench_peak(sl_bench *bench) SL_MUSTUSE; /* fills the peaks */
/* flops per second of processor time of a large matrix product on one thread: what other programs
 * take of the machine meanwhile does not count. */
sl_status sl_bench_peak_of_one(double *flops_per_s, const char *device) SL_MUSTUSE;
sl_status sl_bench_kernels(sl_bench *bench) SL_MUSTUSE;
sl_status sl_bench_step(sl_bench *bench) SL_MUSTUSE;
sl_status sl_bench_generate(sl_bench *bench) SL_MUSTUSE;
sl_status sl_bench_load(sl_bench *bench) SL_MUSTUSE;
sl_status sl_bench_analysis(sl_bench *bench) SL_MUSTUSE; /* the analyzer beside Python */
sl_status sl_bench_coverage(sl_bench *bench) SL_MUSTUSE; /* error, cost and coverage, simulated */

#endif
