/* The results of the stage benchmark: OUT/cells.jsonl, one finished cell a line, replaced as a
 * whole whenever cells are added, so that it is whole at any moment. */
#ifndef SL_CLI_STAGE_FILE_H
#define SL_CLI_STAGE_FILE_H

#include "analysis/stages.h"
#include "base/json.h"

typedef struct sl_stage_row {
    sl_stage_cell cell;
    char settings[17]; /* sl_stage_settings */
} sl_stage_row;

typedef struct sl_stage_file {
    char path[4096];
    int lock_fd; /* held by every process that works on it */
    sl_stage_row *row;
    size_t count, capacity;
} sl_stage_file;

/* Opens OUT, a new folder or one of an earlier attempt, for this program alone. Errors: SL_EARG for
 * a folder of something else, or while others work on it; SL_EFORMAT with file and line. */
sl_status sl_stage_file_open(sl_stage_file *file, const char *out) SL_MUSTUSE;
void sl_stage_file_close(sl_stage_file *file);
/* The row of a cell; NULL: not there. */
const sl_stage_row *sl_stage_file_find(const sl_stage_file *file, const sl_stage_cell *cell);
/* Adds rows, each in the place of the same cell where it is there, and replaces the file. */
sl_status sl_stage_file_put(sl_stage_file *file, const sl_stage_row *row, size_t count) SL_MUSTUSE;

/* A cell as an object: names, then a number for every field, null where there is none; without a
 * branch test no group "branch". */
sl_status sl_stage_row_json(sl_json **out, const sl_stage_row *row) SL_MUSTUSE;
sl_status sl_stage_row_read(sl_stage_row *out, const sl_json *tree) SL_MUSTUSE;
/* Lines of rows, each with a line break; owned by the caller. */
sl_status sl_stage_rows_text(char **out, const sl_stage_row *row, size_t count) SL_MUSTUSE;
/* Reads such lines; row (most). */
sl_status sl_stage_rows_read(sl_stage_row *row, size_t *count, size_t most, const char *text,
                             size_t bytes, const char *where) SL_MUSTUSE;

#endif
