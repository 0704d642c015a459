/* Rows of JSON from a file, one at a time: JSON lines, or an array of objects; plain or gzip'ed,
 * "-" is stdin. Lines are streamed, so a file may be larger than memory; an array is held while it
 * is read, at most SL_ROWS_ARRAY_MOST bytes after inflation.
 *
 * A row that is wrong (not JSON, not UTF-8, too long, refused by who takes it) is bad: it is
 * counted, the first ones are kept with line and reason, and reading goes on. The caller is told at
 * the end: more bad rows than allowed are an error that names the first one. */
#ifndef SL_ANALYSIS_ROWS_H
#define SL_ANALYSIS_ROWS_H

#include "base/json.h"

#define SL_ROWS_ARRAY_MOST ((size_t)1 << 30)
#define SL_ROW_BYTES_MOST ((size_t)8 << 20) /* of one line */
#define SL_BAD_SHARE 0.01                   /* of rows, allowed by default */
enum { SL_BAD_KEPT = 8 };

typedef struct sl_bad_row {
    size_t line; /* from 1; of an array: element, from 0 */
    char reason[200];
} sl_bad_row;

typedef struct sl_rows {
    size_t rows, bad;  /* taken, bad */
    size_t bytes;      /* after inflation */
    size_t held_bytes; /* most that reading held at once */
    int is_array;
    int is_cut; /* the gzip stream ends too early: what is missing nobody can count */
    sl_bad_row first[SL_BAD_KEPT];
    char sha256[65]; /* of the file as it lies there; of the contents for stdin */
} sl_rows;

typedef struct sl_rows_limit {
    double share;  /* of bad rows, in [0,1] */
    int is_given;  /* asked for by a person: then a stream that is cut off is read as far as it goes
                    */
    int is_python; /* NaN, Infinity, -Infinity are read as sl_json_parse_python says */
} sl_rows_limit;
sl_rows_limit sl_rows_limit_defaults(void);

/* take(state, row): SL_EFORMAT makes the row bad, any other failure ends the reading. row is
 * borrowed. *out is filled also on failure. Errors: SL_EIO; SL_EFORMAT "FILE:LINE: ..." of the
 * first bad row when there are more than the limit allows, or when the file holds no row at all. */
sl_status sl_rows_read(sl_rows *out, const char *path, const sl_rows_limit *limit,
                       sl_status (*take)(void *state, const sl_json *row), void *state) SL_MUSTUSE;
/* The same of bytes that are in memory, with a zero behind them; text is the same again after
 * reading. shown: for messages. out->sha256 stays empty. */
sl_status sl_rows_read_bytes(sl_rows *out, char *text, size_t bytes, const char *shown,
                             const sl_rows_limit *limit,
                             sl_status (*take)(void *state, const sl_json *row),
                             void *state) SL_MUSTUSE;

#endif
