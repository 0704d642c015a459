/* Logs of other trainers become run records. What they logged is kept as it was logged: nothing is
 * sampled, rescaled or filled in; run.json says what the record was made from.
 *
 * The record is built beside its final path and renamed: an import that fails leaves nothing, one
 * that is killed leaves a folder under another name. */
#ifndef SL_IMPORT_IMPORT_H
#define SL_IMPORT_IMPORT_H

#include "analysis/rows.h"
#include "run/schema.h"

enum { SL_IMPORT_FILES = 64, SL_IMPORT_NAMED = 16, SL_IMPORT_NAME = 64 };

/* One file that was read. */
typedef struct sl_import_file {
    const char *path; /* borrowed */
    sl_rows read;     /* its rows, bad ones by line (byte offset in event files), sha256 */
} sl_import_file;

/* Values that are no numbers (texts, images, histograms), by name; the first names. */
typedef struct sl_import_other {
    char name[SL_IMPORT_NAME];
    uint64_t count;
} sl_import_other;

typedef struct sl_import_report {
    sl_import_file file[SL_IMPORT_FILES];
    size_t files;
    uint64_t values;     /* numbers taken */
    uint64_t superseded; /* of these, left out: a restart from nothing logged step 0 again */
    uint64_t rows[SL_TABLE_COUNT];
    uint32_t attempts;
    int64_t first_step, last_step; /* -1: none */
    uint64_t held_bytes;           /* most that was held to bring rows into order */
    sl_import_other other[SL_IMPORT_NAMED];
    size_t others;         /* names kept above */
    uint64_t other_values; /* all of them */
} sl_import_report;

typedef struct sl_import_format {
    const char *name, *what;
    const char *provenance; /* how its numbers came about: a sentence for run.json */
    const struct sl_import_reader *reader;
} sl_import_format;
extern const sl_import_format sl_import_formats[]; /* ends with a NULL name */

/* Reads path (count) in order, as one log, and makes the run at `out`. limit: share of bad rows.
 * report is filled also on failure, as far as it came. Errors: SL_EARG when something stands at
 * out; SL_EFORMAT "FILE:LINE: ..."; SL_EIO. */
sl_status sl_import(sl_import_report *report, const sl_import_format *format,
                    const char *const *path, size_t count, const char *out,
                    const sl_rows_limit *limit) SL_MUSTUSE;

#endif
