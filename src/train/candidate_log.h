/* RUN/candidates.jsonl: the answers drawn for pairs, a line a prompt, in the form of on-policy sets
 * (docs/formats.md, "Answers drawn"). Lines are only appended; a resumed run cuts the file to where
 * its checkpoint stood and writes what follows again, so no line is torn and none stands twice. */
#ifndef SL_TRAIN_CANDIDATE_LOG_H
#define SL_TRAIN_CANDIDATE_LOG_H

#include "base/json.h"
#include "run/files.h"

typedef struct sl_candidate_log {
    int fd;        /* -1: closed */
    int64_t bytes; /* whole lines */
    char path[SL_RUN_PATH];
} sl_candidate_log;

void sl_candidate_log_init(sl_candidate_log *log); /* closed */
/* Opens or makes the file of a run and cuts it to `bytes`. Errors: SL_EFORMAT where it is shorter
 * (somebody took lines that a checkpoint counts on); SL_EIO. */
sl_status sl_candidate_log_open(sl_candidate_log *log, const char *run_path,
                                int64_t bytes) SL_MUSTUSE;
/* Appends the row as a line. Errors: SL_ENOMEM, SL_EIO. */
sl_status sl_candidate_log_add(sl_candidate_log *log, const sl_json *row) SL_MUSTUSE;
/* Returns when all lines are durable; nothing to do when closed. */
sl_status sl_candidate_log_sync(sl_candidate_log *log) SL_MUSTUSE;
void sl_candidate_log_close(sl_candidate_log *log);

#endif
