/* Votes from files: JSON lines of our own form, AlpacaEval's annotations.json (an array) and its
 * rows; plain or gzip'ed, "-" is stdin. Lines are streamed (rows.h); what stays is one small row
 * per vote.
 *
 * The formats are a table: a row of a file is read by the first format that recognises it. Votes
 * without a value (null) are dropped and counted. Bad are rows with a value that cannot be a vote,
 * without a key that they need, of a prompt whose id and text contradict an earlier row, and rows
 * that name a judge where the first row names none, or the other way round. The model of an
 * AlpacaEval file counts as on-policy, the baseline as off-policy; preference 0 is the old code of
 * a draw. */
#ifndef SL_ANALYSIS_VOTES_H
#define SL_ANALYSIS_VOTES_H

#include "analysis/id_map.h"
#include "analysis/rows.h"
#include "base/json.h"
#include "run/reader.h"
#include <stddef.h>
#include <stdint.h>

typedef enum sl_shown { SL_SHOWN_UNKNOWN, SL_SHOWN_ON_FIRST, SL_SHOWN_OFF_FIRST } sl_shown;

typedef struct sl_vote_row {
    uint64_t prompt, pair;      /* hashes of ids; pair 0: the file names no answers */
    double p;                   /* for the on-policy side, in [0,1] */
    double chars_on, chars_off; /* characters; NaN: unknown */
    sl_shown shown;
    uint8_t cut;     /* what the judge saw cut off: bits 1 the on-policy answer, 2 the other one */
    uint8_t has_cut; /* 0: the file does not say */
} sl_vote_row;

/* One checkpoint of one run under one judge. */
typedef struct sl_vote_point {
    char *name, *judge;      /* judge NULL: the file names none */
    char *family, *baseline; /* of the model; whom it met; NULL: the file names none */
    int64_t step;
    int has_step;
    sl_vote_row *row; /* (count) in the order of the file */
    size_t count, capacity, dropped;
    double all_chars_on; /* sum over all rows, also those without a vote */
    size_t all_rows;
} sl_vote_point;

typedef struct sl_vote_input {
    char *path;
    size_t rows, dropped;
    sl_rows read; /* of a file: bad rows and what reading took; of a run: zeros */
} sl_vote_input;

typedef struct sl_vote_set {
    sl_vote_point *point; /* (points) in order of appearance */
    size_t points, point_capacity;
    sl_vote_input *input;
    size_t inputs, input_capacity;
    int is_soft; /* scores become votes by sigmoid of their difference instead of its sign */
    const sl_rows_limit *limit; /* of bad rows a file; NULL: the default */
    sl_prompt_names names;
} sl_vote_set;

/* Bytes that the votes take, without what the analysis of them needs. */
size_t sl_votes_bytes(const sl_vote_set *set);

/* Adds the votes of a file. Errors: SL_EIO; SL_EFORMAT "FILE:LINE: want ..., found ..." when more
 * rows are bad than allowed. */
sl_status sl_votes_read(sl_vote_set *set, const char *path) SL_MUSTUSE;
/* Lengths of the baselines' answers, from rows with `prompt_id` (or `prompt`, `instruction`),
 * `baseline` (or `generator`) and `output`, for the votes of the set that met that baseline and
 * whose row does not know its length. *filled: how many. Errors: as sl_votes_read. */
sl_status sl_votes_baselines(size_t *filled, sl_vote_set *set, const char *path) SL_MUSTUSE;
/* Adds the boundary votes of a run, a point per measurement, under this name. */
sl_status sl_votes_read_run(sl_vote_set *set, sl_reader *reader, const char *name) SL_MUSTUSE;
void sl_votes_close(sl_vote_set *set);

#endif
