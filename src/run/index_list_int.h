/* The sealed segments of a run and what of them is live: what run.h5 is made from. */
#ifndef SL_RUN_INDEX_LIST_INT_H
#define SL_RUN_INDEX_LIST_INT_H

#include "run/attempts.h"
#include "run/files.h"
#include "run/segment_int.h"

enum { SL_SOURCE_NAME = 64 };

typedef struct sl_index_source {
    sl_segment_info info;
    char name[SL_SOURCE_NAME]; /* relative to the run: "rank000/seg-000041.h5" */
    uint64_t live[SL_TABLE_COUNT];
} sl_index_source;

typedef struct sl_index_list {
    sl_run_identity identity;
    sl_index_source *source; /* (count), by (rank, number), owned */
    size_t count, capacity;
    uint64_t live[SL_TABLE_COUNT];
    char sha256[65]; /* of ranks, numbers, sums and attempts: names this state of the run */
} sl_index_list;

/* Reads identity, user blocks and START frames; with_live: counts live rows too. */
sl_status sl_index_list_open(sl_index_list *out, const char *run_path, int is_own,
                             int with_live) SL_MUSTUSE;
void sl_index_list_close(sl_index_list *list);

#endif
