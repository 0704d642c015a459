/* Seam inside the room: readers give values, points.c keeps them, write.c makes rows of them. */
#ifndef SL_IMPORT_IMPORT_INT_H
#define SL_IMPORT_IMPORT_INT_H

#include "analysis/id_map.h"
#include "import/import.h"
#include "run/run.h"

/* Where a known name goes. */
typedef enum sl_import_target {
    SL_TO_EVALS,
    SL_TO_STEP,
    SL_TO_EPOCH,
    SL_TO_TOKENS,
    SL_TO_CLOCK
} sl_import_target;
typedef struct sl_mapping {
    const char *name;   /* as logged, without "train/" */
    const char *format; /* NULL: any */
    sl_import_target target;
    size_t offset; /* SL_TO_STEP: a double of sl_row_steps */
    const char *column;
} sl_mapping;
/* The row of a name, NULL: it goes to evals under its own name. */
const sl_mapping *sl_mapping_find(const char *name, const char *format);

typedef struct sl_point {
    int64_t step;
    double value;
    uint64_t order; /* of reading */
    uint32_t name, attempt;
} sl_point;

typedef struct sl_point_name {
    char *text; /* owned */
    const sl_mapping *map;
    int64_t last; /* step of its last value in `attempt`; -1: none */
    double last_value;
    uint32_t attempt;
    uint16_t eval;   /* index in the record; 0: not yet */
    int64_t written; /* step of the last row, for replicates */
    uint16_t replicate;
} sl_point_name;

enum { SL_IMPORT_ATTEMPTS = 256 };
typedef struct sl_points {
    sl_point *row; /* (count) */
    size_t count, capacity;
    sl_point_name *name; /* (names) */
    size_t names, name_capacity;
    sl_id_map of_name;
    int64_t from[SL_IMPORT_ATTEMPTS]; /* resumed_from of each attempt; [0] is -1 */
    uint32_t attempts;                /* at least 1 */
    const char *format;
    sl_import_report *report;
} sl_points;

void sl_points_open(sl_points *points, const char *format, sl_import_report *report);
void sl_points_close(sl_points *points);
/* One number. A name whose step goes back, or a column of an update that comes again with another
 * value, begins an attempt: the log goes on after a resume. Errors: SL_EFORMAT, the row is bad. */
sl_status sl_points_add(sl_points *points, int64_t step, const char *name, double value) SL_MUSTUSE;
/* Something that is no number. */
void sl_points_other(sl_points *points, const char *name);
/* By attempt and step, in the order of reading within a step. */
void sl_points_sort(sl_points *points);

/* Bytes of one file, for readers that want them whole. */
typedef struct sl_import_bytes {
    char *text; /* with a zero behind; owned */
    size_t bytes;
    const char *shown; /* path for messages */
} sl_import_bytes;
sl_status sl_import_bytes_read(sl_import_bytes *out, sl_rows *rows, const char *path) SL_MUSTUSE;
/* Notes the held error as a bad row at `line`, clears it. Anything but SL_EFORMAT is passed on. */
sl_status sl_import_bad(sl_rows *rows, sl_err_record *first, sl_status st, size_t line) SL_MUSTUSE;
/* More bad rows than the limit allows, or none at all. */
sl_status sl_import_judge(const sl_rows *rows, const sl_err_record *first,
                          const sl_rows_limit *limit, const char *shown) SL_MUSTUSE;

typedef struct sl_import_reader {
    /* Values of a file into points; rows counts them. */
    sl_status (*points)(sl_points *points, sl_rows *rows, const char *path,
                        const sl_rows_limit *limit);
    /* Or a whole run from files that hold more than values. */
    sl_status (*run)(sl_import_report *report, const sl_import_format *format,
                     const char *const *path, size_t count, const char *out,
                     const sl_rows_limit *limit);
} sl_import_reader;
extern const sl_import_reader sl_import_trainer_state, sl_import_llamafactory, sl_import_wandb,
    sl_import_tensorboard, sl_import_trl;

/* Adds the members of a row of JSON, but for those of `skip` (NULL-terminated). */
sl_status sl_import_members(sl_points *points, int64_t step, const sl_json *row,
                            const char *const *skip) SL_MUSTUSE;
/* A step: a whole number >= 0, perhaps written as a real. Errors: SL_EFORMAT. */
sl_status sl_import_step(int64_t *out, const sl_json *row, const char *key) SL_MUSTUSE;

/* Settings of a record made here, and its run.json without what a format adds. */
sl_run_settings sl_import_settings(void);
sl_status sl_import_json(sl_json **out, const sl_import_format *format,
                         const sl_import_report *report) SL_MUSTUSE;
/* Writes points into a new run folder `path`. */
sl_status sl_points_write(sl_points *points, const char *path,
                          const sl_import_format *format) SL_MUSTUSE;
/* The next attempt of a run that is being written: closed as interrupted and opened again. */
sl_status sl_import_resume(sl_run **run, const char *path, int64_t from) SL_MUSTUSE;
/* A name for the record: at most 63 bytes; a longer one is cut and marked by its hash, its whole
 * text goes into the text file. */
sl_status sl_import_name(sl_run *run, uint16_t *index, const char *name) SL_MUSTUSE;

#endif
