/* What `export` does with the tables that the analyzer makes. */
#ifndef SL_CLI_EXPORT_H
#define SL_CLI_EXPORT_H

#include "base/status.h"
#include "run/arrays.h"
#include <stdio.h>

/* path: a table as analysis/table.h writes it. A column is whole numbers or numbers when all of its
 * cells are; else text. */
sl_status sl_export_table_csv(FILE *to, const char *path) SL_MUSTUSE;
sl_status sl_export_table_jsonl(FILE *to, const char *path) SL_MUSTUSE;
/* Adds the table to a file that is being written, under `name`. */
sl_status sl_export_table_h5(sl_arrays *to, const char *path, const char *name) SL_MUSTUSE;

#endif
