/* The writing door, inside. */
#ifndef SL_RUN_RUN_INT_H
#define SL_RUN_RUN_INT_H

#include "run/files.h"
#include "run/recover.h"
#include "run/run.h"
#include "run/writer_int.h"

/* Names of one kind; the index of a name is its position + 1. */
typedef struct sl_name_list {
    char (*name)[64]; /* (count) */
    size_t count, capacity;
} sl_name_list;

/* Hashes of the texts written in this attempt: open addressing, 0 is free. */
typedef struct sl_hash_set {
    uint64_t *slot; /* (size), a power of two */
    size_t size, count;
} sl_hash_set;
/* *is_new = 1 when hash was not there and is now. */
sl_status sl_hash_set_add(sl_hash_set *set, uint64_t hash, int *is_new) SL_MUSTUSE;
void sl_hash_set_close(sl_hash_set *set);

struct sl_run {
    char path[SL_RUN_PATH], rank_folder[SL_RUN_PATH];
    int lock_fd;
    sl_run_identity identity;
    sl_run_settings settings;
    uint32_t attempt;
    sl_sealer *sealer;
    sl_writer *writer;

    unsigned char *packed;               /* the largest row */
    size_t packed_bytes[SL_TABLE_COUNT]; /* of a row with its wide columns */
    int64_t step;                        /* of the last commit, or where the attempt began */
    int64_t table_step[SL_TABLE_COUNT], unit_step; /* of the last row; largest in the open unit */
    int is_open_unit;                              /* rows or texts wait for a commit */
    sl_name_list names[SL_NAME_KINDS];
    sl_hash_set texts;
    uint64_t made[SL_TABLE_COUNT]; /* rows of the run so far, as an unbroken run counts them */
    uint64_t live[SL_TABLE_COUNT]; /* of earlier attempts, counted at resume */
    uint64_t skip[SL_TABLE_COUNT]; /* rows still to be made again that the record has already */
    double stall_s, told_stall_s;
    uint32_t stalls, dropped, told_seals, told_stalls;
};

/* Whether a trainer holds the lock. */
sl_status sl_run_is_locked(int *answer, const char *run_path) SL_MUSTUSE;
/* A name from an earlier attempt, without writing a row. Errors: SL_EFORMAT out of order. */
sl_status sl_run_name_known(sl_run *run, const unsigned char *packed_names_row) SL_MUSTUSE;

/* Fills run->live from the segments: rows up to the step of resumption. */
sl_status sl_run_count_live(sl_run *run, const sl_recovery *recovered,
                            int64_t checkpoint_step) SL_MUSTUSE;

#endif
