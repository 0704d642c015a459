/* Rows as plain numbers and plain text, column by column as the schema says: for export, tables and
 * tests. Wide columns are not part of a line; read them with sl_reader_wide. */
#ifndef SL_RUN_EXPORT_H
#define SL_RUN_EXPORT_H

#include "run/reader.h"
#include "run/schema.h"
#include <stdio.h>

enum { SL_CELL_BYTES = 160 };

/* The value of a column as a number: an enumeration as its position, an id rounded to 53 bits, a
 * name as NaN. row: the table's struct. column: not wide. */
double sl_cell_f64(const sl_column *column, const void *row);
/* out (SL_CELL_BYTES) = the shortest decimals that give x (is_float: the nearest float) back; ""
 * for NaN, "inf", "-inf". */
void sl_real_text(char *out, double x, int is_float);
/* Writes text as a JSON string. */
void sl_json_text_put(FILE *to, const char *text);
/* out (SL_CELL_BYTES) = the value as text: shortest decimals that give the same number back, ids as
 * 16 hex digits, enumerations by name, "" for NaN. A name is quoted where separator or quotes stand
 * in it, quotes doubled (RFC 4180). */
void sl_cell_text(char *out, const sl_column *column, const void *row, char separator);

/* *line = names of the columns, or the values of a row, with a line break; freed with sl_free.
 * Errors: SL_ENOMEM. */
sl_status sl_row_header(char **line, sl_table table, char separator) SL_MUSTUSE;
sl_status sl_row_line(char **line, sl_table table, const void *row, char separator) SL_MUSTUSE;

/* Whole tables: the rows that the reader shows, all columns, wide ones under the name of their
 * dataset (TABLE_COLUMN) behind the others. Same rows, same bytes. */
typedef enum sl_export_form { SL_EXPORT_CSV, SL_EXPORT_JSONL } sl_export_form;
/* csv: RFC 4180 with a header, undefined empty, a wide cell is its elements with spaces between.
 * jsonl: an object a row; undefined null, infinities "inf" and "-inf", ids as 16 hex digits.
 * Errors: the reader's; SL_EIO when `to` fails. */
sl_status sl_export_rows(FILE *to, sl_reader *reader, sl_table table,
                         sl_export_form form) SL_MUSTUSE;
/* One self-contained HDF5 file, its datasets in the form of run.h5: all tables that the run
 * records, or `only` (SL_TABLE_COUNT: all). Whole or not there. Errors: SL_EARG when something
 * stands at path. */
sl_status sl_export_h5(const char *path, sl_reader *reader, sl_table only) SL_MUSTUSE;

#endif
