/* Rows as plain numbers and plain text, column by column as the schema says: for export, tables and
 * tests. Wide columns are not part of a line; read them with sl_reader_wide. */
#ifndef SL_RUN_EXPORT_H
#define SL_RUN_EXPORT_H

#include "run/schema.h"

enum { SL_CELL_BYTES = 160 };

/* The value of a column as a number: an enumeration as its position, an id rounded to 53 bits, a
 * name as NaN. row: the table's struct. column: not wide. */
double sl_cell_f64(const sl_column *column, const void *row);
/* out (SL_CELL_BYTES) = the value as text: shortest decimals that give the same number back, ids as
 * 16 hex digits, enumerations by name, "" for NaN. A name is quoted where separator or quotes stand
 * in it, quotes doubled (RFC 4180). */
void sl_cell_text(char *out, const sl_column *column, const void *row, char separator);

/* *line = names of the columns, or the values of a row, with a line break; freed with sl_free.
 * Errors: SL_ENOMEM. */
sl_status sl_row_header(char **line, sl_table table, char separator) SL_MUSTUSE;
sl_status sl_row_line(char **line, sl_table table, const void *row, char separator) SL_MUSTUSE;

#endif
