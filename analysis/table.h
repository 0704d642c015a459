/* Tables for figures and people: tab separated, one header line, numbers with 17 digits, undefined
 * as nan. Written to a temporary file and renamed, so a table is whole or not there. */
#ifndef SL_ANALYSIS_TABLE_H
#define SL_ANALYSIS_TABLE_H

#include "base/status.h"
#include <stdint.h>
#include <stdio.h>

typedef struct sl_table_out {
    FILE *file;
    char path[4096], temporary[4104];
    int is_inside; /* a row has begun */
} sl_table_out;

/* header: column names separated by tabs. */
sl_status sl_table_open(sl_table_out *t, const char *folder, const char *name,
                        const char *header) SL_MUSTUSE;
void sl_table_f64(sl_table_out *t, double value);
void sl_table_i64(sl_table_out *t, int64_t value);
void sl_table_text(sl_table_out *t, const char *text); /* tabs and line breaks become spaces */
void sl_table_end_row(sl_table_out *t);
/* Errors: SL_EIO when anything could not be written; then no table is left. */
sl_status sl_table_close(sl_table_out *t) SL_MUSTUSE;
/* Gives up: nothing is left. */
void sl_table_drop(sl_table_out *t);

#endif
