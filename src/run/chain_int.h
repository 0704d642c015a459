/* What ties a segment to its run, to its texts and to the segment before. */
#ifndef SL_RUN_CHAIN_INT_H
#define SL_RUN_CHAIN_INT_H

#include "run/segment_int.h"

/* info is segment `number` of rank 0 of this run, made under this run.json, and follows `before`
 * (whose number is 0 when it is not known). Errors: SL_EFORMAT. */
sl_status sl_segment_follows(const sl_segment_info *info, const sl_segment_info *before,
                             const sl_run_identity *identity, uint32_t rank,
                             uint32_t number) SL_MUSTUSE;
/* The segment's .jsonl.gz has the SHA-256 of the user block. path (SL_RUN_PATH): of that file; ""
 * when the segment has none. Errors: SL_EFORMAT, SL_EIO. */
sl_status sl_segment_texts_prove(char *path, const sl_segment_info *info,
                                 const char *rank_folder) SL_MUSTUSE;

#endif
