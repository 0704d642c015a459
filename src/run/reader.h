/* The reading door of the run record: sealed segments and the journals' tail as one. It reads only;
 * the run may be written meanwhile. What it shows is a snapshot, whole units only, taken by
 * sl_reader_open and sl_reader_refresh. Rows of a table come as an array of its C struct; one table
 * at a time is the cost in memory. A segment is proved (user block, SHA-256) when its rows are
 * first read. One thread at a time per reader.
 *
 * It refuses to show part of something as whole: damage is SL_EFORMAT with file, dataset and row.
 */
#ifndef SL_RUN_READER_H
#define SL_RUN_READER_H

#include "base/json.h"
#include "run/attempts.h"
#include "run/journal.h"
#include "run/schema.h"

typedef struct sl_reader sl_reader;

typedef struct sl_reader_state {
    size_t attempts;    /* so far; 0 before the first unit could be written */
    int64_t first_step; /* of the units shown; -1: none */
    int64_t last_step;
    int is_running; /* a trainer holds the lock */
    sl_ended ended; /* when it is not running; SL_ENDED_KILLED when nothing says how */
} sl_reader_state;

/* Opens the folder of a run. Errors: SL_EIO; SL_EFORMAT; SL_EVERSION for a later major version;
 * SL_EUNSUPPORTED for more than one rank. */
sl_status sl_reader_open(sl_reader **out, const char *run_path) SL_MUSTUSE;
void sl_reader_close(sl_reader **reader);
/* Takes a new snapshot. *is_changed (may be NULL): something was added; then every array and text
 * given before is gone. */
sl_status sl_reader_refresh(sl_reader *reader, int *is_changed) SL_MUSTUSE;
/* 1: rows of abandoned attempts too, in the order they were written; 0 (as opened): live rows,
 * which ascend by step. Lets go of all tables. */
void sl_reader_set_all_attempts(sl_reader *reader, int is_all);

/* run.json as a tree, borrowed until close. */
const sl_json *sl_reader_json(const sl_reader *reader);
const sl_layout *sl_reader_layout(const sl_reader *reader);
/* Whether the run records a table. */
int sl_reader_has(const sl_reader *reader, sl_table table);
sl_status sl_reader_state_get(const sl_reader *reader, sl_reader_state *out) SL_MUSTUSE;
/* Attempts so far, ascending; borrowed until refresh or close. */
const sl_attempts *sl_reader_attempts(const sl_reader *reader);

/* Address of a pointer to the table's struct (const sl_row_steps **rows, ...): *rows (*count)
 * borrowed until release, refresh or close; NULL without rows. */
sl_status sl_reader_rows(sl_reader *reader, sl_table table, void *rows, size_t *count) SL_MUSTUSE;
/* Rows of the table without reading it. */
sl_status sl_reader_count(sl_reader *reader, sl_table table, size_t *count) SL_MUSTUSE;
/* buffer (count, width) = wide column number `wide` (from 0) of rows [first, first + count): float
 * for f16 and f32, uint32_t for u32. Errors: SL_EARG outside the table. */
sl_status sl_reader_wide(sl_reader *reader, sl_table table, size_t wide, size_t first, size_t count,
                         void *buffer) SL_MUSTUSE;
/* Lets go of a table's rows. */
void sl_reader_release(sl_reader *reader, sl_table table);

/* The text of a hash, borrowed until refresh or close; NULL when the record does not hold it
 * (static answers stay in the user's data). Reads all texts at the first call. */
sl_status sl_reader_text(sl_reader *reader, uint64_t hash, const char **text) SL_MUSTUSE;
/* The name behind an index (kind: SL_NAME_JUDGE, ...), borrowed like the rows of `names`; NULL when
 * there is none. */
sl_status sl_reader_name(sl_reader *reader, int kind, uint16_t index, const char **name) SL_MUSTUSE;

#endif
