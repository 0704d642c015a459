/* Candidates of prompts, for judges: a row a prompt, with a list of answers and where they come
 * from, or with the texts "on" and "off". Every on-policy answer meets every static one. */
#ifndef SL_CLI_JUDGE_CANDIDATES_H
#define SL_CLI_JUDGE_CANDIDATES_H

#include "base/json.h"
#include "datasets/data.h"

/* A pair to judge; everything is borrowed from the file's rows. */
typedef struct sl_candidate_pair {
    sl_prompt_text prompt;
    sl_answer on, off;
    const sl_json *row;         /* the prompt's */
    char on_id[64], off_id[64]; /* of the row, else made of the words */
    size_t line;
} sl_candidate_pair;

typedef struct sl_candidates {
    sl_json **row; /* (rows) */
    size_t rows, row_capacity;
    sl_candidate_pair *pair; /* (pairs), in the file's order */
    size_t pairs, pair_capacity;
    int32_t **ids; /* (lists) token ids of prompts and answers without words */
    size_t lists, list_capacity;
} sl_candidates;

/* Keys of a row that tell votes on the same answers apart; NULL at the end. They go into votes. */
extern const char *const sl_candidate_keys[];

/* Reads a whole file (plain or gzip'ed, "-" is stdin). Errors: SL_EFORMAT with file and line. */
sl_status sl_candidates_read(sl_candidates *out, const char *path) SL_MUSTUSE;
void sl_candidates_close(sl_candidates *candidates);

#endif
