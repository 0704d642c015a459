/* Seam inside the room: sealed segments and the index, as the writer, recovery and verify use them.
 * segment.c and index.c stand behind it; they alone call HDF5, on one thread at a time. */
#ifndef SL_RUN_SEGMENT_INT_H
#define SL_RUN_SEGMENT_INT_H

#include "run/identity.h"
#include "run/journal.h"
#include "run/schema.h"

/* The user block of a segment, checked by its CRC32C. */
typedef struct sl_segment_info {
    char uuid_text[37];
    char run_sha256[65]; /* of run.json */
    uint32_t rank, number, attempt;
    uint32_t minor;                /* of the schema that wrote it */
    int64_t resumed_from;          /* -1: first attempt */
    int64_t first_step, last_step; /* of its units (first: and rows); -1, -1 when it has none */
    uint64_t last_seq;             /* sl_tail.last_seq of its journal */
    uint64_t rows[SL_TABLE_COUNT]; /* stored, units included */
    uint64_t bytes;                /* of the rest, after the user block */
    char sha256[65];               /* of the rest */
    uint64_t text_bytes;           /* of texts-N.jsonl.gz; 0: none */
    char text_sha256[65];          /* of texts-N.jsonl.gz; "" when there is none */
    uint64_t previous_bytes;       /* `bytes` and `sha256` of the segment before; 0, "" for the */
    char previous_sha256[65];      /* first */
    sl_ended ended;
} sl_segment_info;

/* Builds RANK/seg-N.h5 from RANK/journal-N.log and texts-N.jsonl: whole units only, so an unsynced
 * torn tail is left out. Section 7.3 from "build seg-N.h5.tmp" to "fsync directory": writes .tmp,
 * closes, opens again, compares the CRC of every unit, has the texts made .gz (sl_texts_seal),
 * fsync, user block, fsync, rename, fsync of the folder. Leaves the journal alone. An existing
 * seg-N.h5 is replaced. identity: of the run; previous: the segment before, NULL for the first.
 * Same rows, same library: same bytes. A journal with zero units makes a segment without tables.
 * Errors: SL_EIO; SL_EFORMAT when the journal is corrupt. */
sl_status sl_segment_build(sl_segment_info *out, const char *rank_folder, uint32_t number,
                           uint32_t rank, const sl_run_identity *identity,
                           const sl_segment_info *previous) SL_MUSTUSE;

/* Reads and checks the user block only. */
sl_status sl_segment_info_read(sl_segment_info *out, const char *path) SL_MUSTUSE;
/* User block, file size and SHA-256 of the rest; no HDF5. */
sl_status sl_segment_prove(sl_segment_info *out, const char *path) SL_MUSTUSE;

/* Visits count rows from `first` of one table, packed with wide columns, in pieces, in order. Reads
 * in a child process unless identity->is_own, with all its checks; SL_EFORMAT names file, dataset
 * and row. A table that the segment does not hold has no rows. */
sl_status sl_segment_rows(const char *path, const sl_run_identity *identity, sl_table table,
                          uint64_t first, uint64_t count, sl_rows_visit visit,
                          void *with) SL_MUSTUSE;
/* Everything of section 11 on one segment, the CRC of every unit included. */
sl_status sl_segment_check(const char *path, const sl_run_identity *identity) SL_MUSTUSE;

/* RUN/run.h5 from the segments that are there: built as run.h5.tmp, fsync, rename. is_own: this
 * process wrote them (sl_run_identity.is_own). is_final: packed
 * into one self-contained file when its rows are below pack_bytes (section 6). */
sl_status sl_index_build(const char *run_path, int is_own, int is_final,
                         uint64_t pack_bytes) SL_MUSTUSE;
/* User block, size and SHA-256 of run.h5, and whether it shows exactly the sealed segments that are
 * there: *is_stale = 1 when it is sound but of an earlier state. */
sl_status sl_index_check(const char *run_path, int *is_stale) SL_MUSTUSE;

#endif
