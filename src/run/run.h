/* The writing door of the run record. One trainer thread calls it; a writer thread owns the journal
 * and a seal thread owns HDF5. Rows belong to the open unit until sl_run_commit closes it; after
 * sl_run_sync has returned, everything committed before is durable.
 *
 * What it refuses: to write over an existing run, to run twice in one folder, to start without room
 * on the disk, to go on after a failed write. Errors of the other threads come back from the next
 * commit, sync or close, with the last durable step in the message. */
#ifndef SL_RUN_RUN_H
#define SL_RUN_RUN_H

#include "base/json.h"
#include "run/journal.h"
#include "run/schema.h"

typedef enum sl_on_full { SL_ON_FULL_WAIT, SL_ON_FULL_DROP_TOKENS } sl_on_full;
enum { SL_TABLE_AUTO = -1 }; /* recorded when record.level reaches the table's level */

typedef struct sl_run_settings {
    int level;                         /* record.level, 0-3; default 1 */
    int tables[SL_TABLE_COUNT];        /* record.tables.NAME: SL_TABLE_AUTO, 0 or 1 */
    uint32_t k, vocab, groups, sketch; /* widths of wide columns; 0: none */
    sl_on_full on_full;
    double fsync_every_s;       /* default 1 */
    uint64_t fsync_every_bytes; /* default 16 MiB */
    double seal_every_s;        /* record.seal_every; 0: the rule of age alone */
    uint64_t seal_bytes;        /* journal bytes that ask for a seal; default 64 MiB */
    uint64_t ring_bytes;        /* between the threads; default 64 MiB */
    uint64_t min_free_bytes;    /* record.min_free_bytes; default 2 GiB */
    uint64_t plan_bytes;        /* expected size of the record; 0: not known */
    uint64_t pack_bytes;        /* record.pack; default 2 GiB */
    int allow_network;          /* record.allow_network */
} sl_run_settings;
sl_run_settings sl_run_settings_defaults(void);

typedef struct sl_run sl_run;

/* Makes the folder `path` and begins attempt 1. run_json: what section 2 of docs/run-file.md asks
 * for, without what the record adds (uuid, schema, widths); start_json: environment of this
 * attempt. Both borrowed during the call.
 * Errors: SL_EARG when path exists; SL_EIO, also for a network file system or too little room. */
sl_status sl_run_create(sl_run **out, const char *path, const sl_json *run_json,
                        const sl_json *start_json, const sl_run_settings *settings) SL_MUSTUSE;
/* Takes the lock, recovers (section 8) and begins the next attempt after checkpoint_step; newer
 * checkpoints go to quarantine/. Widths and tables are those of the run, not of settings.
 * Errors: SL_EARG when another trainer holds the lock or checkpoint_step is not durable;
 * SL_EFORMAT when synced rows are damaged: nothing is changed then. */
sl_status sl_run_resume(sl_run **out, const char *path, const sl_json *start_json,
                        int64_t checkpoint_step, const sl_run_settings *settings) SL_MUSTUSE;

/* Whether rows of a table are recorded: skip the work otherwise. */
int sl_run_wants(const sl_run *run, sl_table table);
const sl_layout *sl_run_layout(const sl_run *run);

/* Copies a row (the table's struct, its wide columns) into the open unit. Ignored when the table is
 * not recorded. Errors: SL_EINTERNAL when its step is below that of the row before. */
sl_status sl_run_row(sl_run *run, sl_table table, const void *row,
                     const void *const *wide) SL_MUSTUSE;
/* Adds a text to the open unit, once per attempt. kind: "prompt", "answer", "reply", "rule", ...;
 * id (of the data) and name may be NULL. *hash (may be NULL) = the text's id. */
sl_status sl_run_text(sl_run *run, uint64_t *hash, const char *kind, const char *id,
                      const char *name, const char *text) SL_MUSTUSE;
/* rows (SL_TABLE_COUNT) = rows of each table so far, as an unbroken run counts them. A trainer
 * keeps them in its checkpoint. */
void sl_run_rows(const sl_run *run, uint64_t rows[SL_TABLE_COUNT]);
/* After sl_run_resume: the checkpoint was taken when the run had these rows. Rows that an earlier
 * attempt recorded after the checkpoint, at its step, are live; when they are made again they are
 * skipped, so that a resumed run records what an unbroken one would have. */
void sl_run_expect(sl_run *run, const uint64_t rows[SL_TABLE_COUNT]);
/* The index of a name (SL_NAME_JUDGE, ...), from 1 in the order of first use; its names row is
 * written once, at the current step. At most 63 bytes. */
sl_status sl_run_name(sl_run *run, uint16_t *index, int kind, const char *name) SL_MUSTUSE;
/* An events row at the current step. text may be NULL. */
sl_status sl_run_event(sl_run *run, int kind, double value, const char *text) SL_MUSTUSE;

/* Closes the unit. step: never below an earlier commit, nor below a row of the unit. */
sl_status sl_run_commit(sl_run *run, sl_unit_kind kind, int64_t step) SL_MUSTUSE;
/* Returns when everything committed so far is durable. */
sl_status sl_run_sync(sl_run *run) SL_MUSTUSE;

/* folder (SL_RUN_PATH bytes) = a new temporary folder for the checkpoint of a step. */
sl_status sl_run_checkpoint_begin(sl_run *run, char *folder, int64_t step) SL_MUSTUSE;
/* Syncs the record, then the folder with its files, and renames it to checkpoints/step-N. Errors:
 * SL_EARG when `step` has not been committed. */
sl_status sl_run_checkpoint_publish(sl_run *run, const char *folder, int64_t step) SL_MUSTUSE;

/* Removes the oldest published checkpoints until `keep` (at least 1) are left, the newest among
 * them, so that a resume always has one. Each loses its name before its files, and recovery removes
 * what a crash leaves; an event says which went. */
sl_status sl_run_checkpoint_keep(sl_run *run, size_t keep) SL_MUSTUSE;

typedef struct sl_run_stats {
    uint32_t attempt;
    int64_t committed_step, durable_step; /* -1: none in this attempt */
    uint64_t queue_bytes;                 /* in the ring */
    uint32_t stalls;                      /* waits for the ring so far */
    double stall_s;                       /* their sum */
    uint32_t dropped;                     /* rows dropped so far */
    uint32_t seals;
    uint64_t written_bytes; /* to journals and texts */
} sl_run_stats;
void sl_run_stats_get(sl_run_stats *out, sl_run *run);
/* The folder, borrowed until close. */
const char *sl_run_path(const sl_run *run);

/* Commits what is open, writes END, seals, builds run.h5, gives the lock back. *run = NULL in any
 * case. ended: SL_ENDED_COMPLETE, _INTERRUPTED or _ERROR, which throws away what is open. */
sl_status sl_run_close(sl_run **run, sl_ended ended) SL_MUSTUSE;

/* What is durable in a run that may be running or dead. Reads only. */
typedef struct sl_run_scan_result {
    uint32_t attempt;
    int64_t last_step;         /* of the last whole unit; -1: none */
    int64_t newest_checkpoint; /* -1: none */
    int is_running;            /* a trainer holds the lock */
    sl_ended ended;            /* SL_ENDED_KILLED when nothing says how */
} sl_run_scan_result;
sl_status sl_run_scan(sl_run_scan_result *out, const char *path) SL_MUSTUSE;

#endif
