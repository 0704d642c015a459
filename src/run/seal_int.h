/* The seal thread: turns finished journals into segments, one at a time, then rebuilds run.h5 and
 * removes the journal. The only caller of HDF5 while a run is open. */
#ifndef SL_RUN_SEAL_INT_H
#define SL_RUN_SEAL_INT_H

#include "run/identity.h"
#include "run/segment_int.h"

typedef struct sl_sealer sl_sealer;

/* previous: the newest segment, NULL: none. identity: borrowed until close. */
sl_status sl_sealer_open(sl_sealer **out, const char *run_path, const char *rank_folder,
                         uint32_t rank, const sl_run_identity *identity,
                         const sl_segment_info *previous, uint64_t sealed_bytes,
                         uint64_t pack_bytes) SL_MUSTUSE;
/* Waits for the job in hand, ends the thread. */
void sl_sealer_close(sl_sealer **sealer);

int sl_sealer_is_idle(sl_sealer *sealer);
/* Seals journal `number` in the background; only when idle. is_final: the run ended cleanly. */
void sl_sealer_put(sl_sealer *sealer, uint32_t number, int is_final);
/* Waits until idle and passes on the error of the last job. */
sl_status sl_sealer_wait(sl_sealer *sealer) SL_MUSTUSE;
/* The error of a finished job, without waiting. */
sl_status sl_sealer_check(sl_sealer *sealer) SL_MUSTUSE;
uint64_t sl_sealer_bytes(sl_sealer *sealer); /* sealed so far, in all segments */
uint32_t sl_sealer_count(sl_sealer *sealer); /* seals since open */

/* One seal on the calling thread, also used by recovery: build, then journal and texts are removed.
 * Does not touch run.h5. */
sl_status sl_seal_journal(sl_segment_info *out, const char *rank_folder, uint32_t number,
                          uint32_t rank, const sl_run_identity *identity,
                          const sl_segment_info *previous) SL_MUSTUSE;
/* Removes journal and open text file of a sealed number. */
sl_status sl_seal_remove_sources(const char *rank_folder, uint32_t number) SL_MUSTUSE;

#endif
