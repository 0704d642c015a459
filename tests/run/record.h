/* Runs made by hand for the tests of the run record: random rows, frames, texts. Deterministic: row
 * i of a table in a step is always the same. Steps have the same rows in the same tables. */
#ifndef SL_TESTS_RUN_RECORD_H
#define SL_TESTS_RUN_RECORD_H

#include "harness/harness.h"
#include "run/files.h"
#include "run/identity.h"
#include "run/journal.h"
#include "run/schema.h"

enum { REC_ROWS_MAX = 64, REC_WIDE_MAX = 512, REC_WIDES = 5 };

/* Row i of a table at a step: the struct, and its wide columns (float or uint32_t, REC_WIDE_MAX).
 */
typedef struct rec_row {
    sl_row_any row;
    union {
        float f32[REC_WIDE_MAX];
        uint32_t u32[REC_WIDE_MAX];
    } wide[REC_WIDES];
} rec_row;
void rec_make_row(rec_row *out, sl_table table, int64_t step, size_t i, const sl_layout *layout);
/* The row's wide columns, as sl_row_pack and sl_run_row take them. */
void rec_wide_of(const void *wide[REC_WIDES], const rec_row *row);
/* Rows of a table in each step: > 0 for every table but units. */
size_t rec_rows_per_step(sl_table table);
/* Text of a step, and its hash. */
uint64_t rec_text(char *out, size_t size, int64_t step);

typedef struct rec_run {
    const char *path; /* of the run */
    char folder[SL_RUN_PATH];
    sl_run_identity identity;
    uint64_t seq; /* of the last frame */
} rec_run;

/* A run folder with run.json and rank000; widths k 8, vocab 300, groups 5, sketch 16. */
void rec_run_open(rec_run *run, const char *path);
void rec_run_close(rec_run *run);

/* How a journal made by hand looks. */
typedef struct rec_journal {
    uint32_t number, attempt;
    int64_t resumed_from;
    int64_t first_step, last_step; /* a unit for each */
    int has_end;
    sl_ended ended;
    size_t torn_bytes; /* of one more unit, cut off */
} rec_journal;
/* Writes journal and texts of these steps. */
void rec_write(rec_run *run, const rec_journal *what);

#endif
