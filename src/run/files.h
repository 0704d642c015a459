/* Names of files inside a run, and what is there. RANK is a folder "RUN/rank000". */
#ifndef SL_RUN_FILES_H
#define SL_RUN_FILES_H

#include "base/status.h"
#include <stddef.h>
#include <stdint.h>

enum { SL_RUN_PATH = 4096 }; /* bytes of a path buffer */

typedef enum sl_rank_file {
    SL_FILE_JOURNAL,  /* journal-000042.log */
    SL_FILE_SEGMENT,  /* seg-000042.h5 */
    SL_FILE_TEXTS,    /* texts-000042.jsonl */
    SL_FILE_TEXTS_GZ, /* texts-000042.jsonl.gz */
    SL_FILE_COUNT
} sl_rank_file;

/* out (SL_RUN_PATH) = "RUN/rank000". */
sl_status sl_rank_folder(char *out, const char *run_path, uint32_t rank) SL_MUSTUSE;
/* out (SL_RUN_PATH) = "RANK/seg-000042.h5". */
sl_status sl_rank_path(char *out, const char *rank_folder, sl_rank_file kind,
                       uint32_t number) SL_MUSTUSE;
/* out (SL_RUN_PATH) = "RUN/checkpoints/step-000000000400". */
sl_status sl_checkpoint_path(char *out, const char *run_path, int64_t step) SL_MUSTUSE;
/* A folder of a run: made when it is not there; a link in its place is refused, so that nothing is
 * written elsewhere. Errors: SL_EARG, SL_EIO. */
sl_status sl_run_folder(const char *path) SL_MUSTUSE;
/* sl_sha256_file of a regular file; no link to one, and nothing that would wait. */
sl_status sl_run_file_sha256(char out[65], const char *path) SL_MUSTUSE;
/* Takes the lock of a folder, "RUN/lock". *fd: holds it until closed; -1 when another does. */
sl_status sl_run_lock(int *fd, const char *run_path) SL_MUSTUSE;

typedef struct sl_rank_entry {
    uint32_t number;
    uint8_t has[SL_FILE_COUNT];
} sl_rank_entry;

/* What a rank folder holds, ascending by number. */
typedef struct sl_rank_list {
    sl_rank_entry *row; /* (count), owned */
    size_t count;
} sl_rank_list;
sl_status sl_rank_list_open(sl_rank_list *out, const char *rank_folder) SL_MUSTUSE;
void sl_rank_list_close(sl_rank_list *list);

/* The published checkpoints of RUN. */
typedef struct sl_checkpoint_span {
    int64_t oldest, newest; /* -1: none */
    size_t count;
} sl_checkpoint_span;
sl_status sl_checkpoint_span_of(sl_checkpoint_span *out, const char *run_path) SL_MUSTUSE;
/* Oldest published checkpoint of RUN after a step; -1: none. */
sl_status sl_checkpoint_after(int64_t *step, const char *run_path, int64_t after) SL_MUSTUSE;
/* Newest published checkpoint of RUN; -1: none. */
sl_status sl_checkpoint_newest(int64_t *step, const char *run_path) SL_MUSTUSE;

#endif
