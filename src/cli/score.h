/* What the files of `score` share. */
#ifndef SL_CLI_SCORE_H
#define SL_CLI_SCORE_H

#include "base/json.h"
#include "model/model.h"

typedef struct sl_score_opts {
    const char *model; /* folder */
    const char *data, *reference, *tokenizer, *device, *out, *golden, *ids_file, *logits;
    int64_t threads, batch_tok, max_prompt, max_answer;
    int is_json, is_ids, is_quiet;
} sl_score_opts;

/* Log-probabilities of both answers of every pair of a file. */
sl_status sl_score_pairs(const sl_score_opts *o, const sl_backend *backend) SL_MUSTUSE;
/* Logits and log-sum-exp of every position of sequences of ids, into an HDF5 file. */
sl_status sl_score_logits(const sl_score_opts *o, const sl_backend *backend) SL_MUSTUSE;
/* A checkpoint against reference values; prints the document, fails unless all pass. */
sl_status sl_score_golden(const sl_score_opts *o, const sl_backend *backend) SL_MUSTUSE;

#endif
