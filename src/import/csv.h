/* Comma-separated records (RFC 4180) in memory. Strict: what is not a record is refused with its
 * line, and reading can go on behind it. */
#ifndef SL_IMPORT_CSV_H
#define SL_IMPORT_CSV_H

#include "base/status.h"
#include <stddef.h>

enum { SL_CSV_COLUMNS = 8192 };
#define SL_CSV_RECORD_BYTES ((size_t)8 << 20)

typedef struct sl_csv {
    char *at, *end;     /* text that is not read yet; *end is zero */
    size_t line;        /* of the record at `at`, from 1 */
    size_t record_line; /* of the record that was read last */
} sl_csv;

/* text (bytes, and a zero behind them) is changed by reading. */
void sl_csv_open(sl_csv *csv, char *text, size_t bytes);
/* The cells of the next record, ended by zero, borrowed from the text; *count 0: there is none
 * left. Empty lines are skipped. cell (SL_CSV_COLUMNS). Errors: SL_EFORMAT; the next call goes on
 * with the next line. */
sl_status sl_csv_next(sl_csv *csv, char **cell, size_t *count) SL_MUSTUSE;

#endif
