/* Votes from files: JSON lines of our own form, AlpacaEval's annotations.json (an array) and its
 * rows; plain or gzip'ed, "-" is stdin. A file is held in memory while it is read, at most
 * SL_VOTES_FILE_MOST bytes after inflation; what stays is one small row per vote.
 *
 * The formats are a table: a row of a file is read by the first format that recognises it. Votes
 * without a value (null) are dropped and counted; a value that cannot be a vote is an error with
 * the line. The model of an AlpacaEval file counts as on-policy, the baseline as off-policy;
 * preference 0 is the old code of a draw. */
#ifndef SL_ANALYSIS_VOTES_H
#define SL_ANALYSIS_VOTES_H

#include "base/json.h"
#include "run/reader.h"
#include <stddef.h>
#include <stdint.h>

#define SL_VOTES_FILE_MOST ((size_t)1 << 30)

typedef enum sl_shown { SL_SHOWN_UNKNOWN, SL_SHOWN_ON_FIRST, SL_SHOWN_OFF_FIRST } sl_shown;

typedef struct sl_vote_row {
    uint64_t prompt, pair;      /* hashes of ids; pair 0: the file names no answers */
    double p;                   /* for the on-policy side, in [0,1] */
    double chars_on, chars_off; /* characters; NaN: unknown */
    sl_shown shown;
} sl_vote_row;

/* One checkpoint of one run under one judge. */
typedef struct sl_vote_point {
    char *name, *judge; /* judge NULL: the file names none */
    int64_t step;
    int has_step;
    sl_vote_row *row; /* (count) in the order of the file */
    size_t count, capacity, dropped;
} sl_vote_point;

typedef struct sl_vote_input {
    char *path;
    char sha256[65]; /* of the file as it lies there; of the contents for stdin */
    size_t rows, dropped;
} sl_vote_input;

typedef struct sl_vote_set {
    sl_vote_point *point; /* (points) in order of appearance */
    size_t points, point_capacity;
    sl_vote_input *input;
    size_t inputs, input_capacity;
    int is_soft; /* scores become votes by sigmoid of their difference instead of its sign */
} sl_vote_set;

/* Adds the votes of a file. Errors: SL_EIO; SL_EFORMAT "FILE:LINE: want ..., found ...". */
sl_status sl_votes_read(sl_vote_set *set, const char *path) SL_MUSTUSE;
/* Adds the boundary votes of a run, a point per measurement, under this name. */
sl_status sl_votes_read_run(sl_vote_set *set, sl_reader *reader, const char *name) SL_MUSTUSE;
void sl_votes_close(sl_vote_set *set);

#endif
