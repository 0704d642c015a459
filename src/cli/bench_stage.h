/* `bench stage`: the boundary measurement against exact truth on the built-in world. */
#ifndef SL_CLI_BENCH_STAGE_H
#define SL_CLI_BENCH_STAGE_H

#include "base/status.h"
#include <stdint.h>

typedef struct sl_stage_opts {
    const char *out;    /* folder; NULL: by world */
    const char *seeds;  /* "31,32" */
    const char *starts; /* strengths; NULL: those of the world */
    const char *rows;   /* "plain", "shown", "all" or the name of a row */
    const char *device;
    int64_t processes; /* 0: all processors */
    int64_t branch;    /* replicates of a branch test in every cell; 0: none */
    int is_full, is_json;
} sl_stage_opts;

sl_status sl_bench_stage(const sl_stage_opts *opts) SL_MUSTUSE;

#endif
