/* Scored pairs, and the ways to give them out. */
#ifndef SL_CLI_SCORE_ROWS_H
#define SL_CLI_SCORE_ROWS_H

#include "cli/score.h"
#include "datasets/data.h"

enum { SL_SCORE_SIDES = 2 }; /* [0] chosen, [1] rejected */

typedef struct sl_score_row {
    uint64_t line;
    double value[SL_SCORE_SIDES]; /* log-probability, nats, sums; of a reward model the reward */
    double ref[SL_SCORE_SIDES];   /* the reference's; NaN: none */
    uint32_t tok[SL_SCORE_SIDES];
    uint32_t chars[SL_SCORE_SIDES]; /* of words; of token ids their count */
    uint64_t prompt;                /* id */
} sl_score_row;

typedef struct sl_scores {
    const sl_score_opts *opts;
    const sl_score_row *rows; /* (count) */
    size_t count;
    const sl_data_report *report;
    int are_rewards;
} sl_scores;

/* JSONL into opts->out, one document with opts->is_json, else a table. */
sl_status sl_score_give(const sl_scores *scores) SL_MUSTUSE;

#endif
