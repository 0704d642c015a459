/* Recovery (section 8): what a crash left becomes sealed segments. First everything is looked at,
 * then acted upon; every action is a rename, an unlink or a seal, so a crash inside is harmless.
 * When synced bytes are damaged nothing is changed. */
#ifndef SL_RUN_RECOVER_H
#define SL_RUN_RECOVER_H

#include "run/attempts.h"
#include "run/identity.h"
#include "run/segment_int.h"

/* One finding or action, a whole sentence; path: the file it is about. */
typedef void (*sl_run_report)(void *with, const char *path, const char *sentence);

typedef struct sl_recovery {
    sl_attempts attempts;
    uint32_t last_number; /* newest segment; 0: none */
    uint64_t last_seq;
    int64_t last_step; /* of the newest attempt: last unit, or where it resumed; -1 */
    sl_ended ended;    /* how the newest attempt ended */
    uint64_t sealed_bytes;
    sl_segment_info previous; /* the newest segment, when last_number > 0 */
} sl_recovery;

/* Looks only: what stands in RUN, journals included. Fills `out` as recovery would leave it, except
 * previous and sealed_bytes of what is not sealed yet. report may be NULL.
 * Errors: SL_EFORMAT "synced rows are damaged" with file and steps; SL_EIO. */
sl_status sl_recover_look(sl_recovery *out, const char *run_path, const sl_run_identity *identity,
                          uint32_t rank, sl_run_report report, void *with) SL_MUSTUSE;
/* Looks, then acts. The caller holds the lock. */
sl_status sl_recover(sl_recovery *out, const char *run_path, const sl_run_identity *identity,
                     uint32_t rank, sl_run_report report, void *with) SL_MUSTUSE;
void sl_recovery_close(sl_recovery *recovery);

#endif
