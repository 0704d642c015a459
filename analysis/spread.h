/* Entropy of the policy along the answers of pairs: exactly, and as the record's k likeliest tokens
 * bound it (docs/math.md A9), by iteration, source, side and place in the answer. An item is an
 * answer: the mean over its tokens at these places. */
#ifndef SL_ANALYSIS_SPREAD_H
#define SL_ANALYSIS_SPREAD_H

#include "analysis/answers.h"
#include "run/reader.h"

typedef struct sl_spread_row {
    int64_t iteration;
    int source, side; /* SL_ORIGIN_*; 0: chosen, 1: rejected */
    size_t place;     /* below SL_BUCKETS */
    size_t tokens;
    sl_value entropy, low, high; /* nats a token; entropy undefined where tokens has no row */
    sl_value rest;               /* mass outside the k */
} sl_spread_row;
extern const char *const sl_spread_sides[2];

typedef struct sl_spread {
    sl_spread_row *row; /* (count) ascending */
    size_t count;
} sl_spread;
/* Tokens with a row in `topk`, of visits that `pairs` has. Runs without: count 0. */
sl_status sl_spread_run(sl_spread *out, sl_reader *reader) SL_MUSTUSE;
void sl_spread_close(sl_spread *spread);

#endif
