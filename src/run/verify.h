/* `stageline verify`: every checksum and count of a run, and what is lost where one is wrong. */
#ifndef SL_RUN_VERIFY_H
#define SL_RUN_VERIFY_H

#include "run/recover.h"
#include "run/schema.h"

typedef enum sl_verify_mode {
    SL_VERIFY_LOOK,    /* reads only */
    SL_VERIFY_DRY_RUN, /* says what repair would do */
    SL_VERIFY_REPAIR   /* recovers (section 8) under the lock, then looks */
} sl_verify_mode;

typedef struct sl_verify_result {
    uint32_t segments, journals, attempts;
    uint64_t rows[SL_TABLE_COUNT]; /* stored, live or not */
    uint64_t texts, decisions;
    uint32_t damaged;  /* files with damage; each was reported */
    int64_t last_step; /* of the last whole unit; -1: none */
    int is_running;
    sl_ended ended;
    char digest[65]; /* "" where rows are damaged */
} sl_verify_result;

/* report: one call per finding, path and a whole sentence; may be NULL.
 * Errors: SL_EFORMAT "want a whole record, found N damaged files" after all was looked at; others
 * where nothing could be looked at. */
sl_status sl_verify(sl_verify_result *out, const char *run_path, sl_verify_mode mode,
                    sl_run_report report, void *with) SL_MUSTUSE;

#endif
