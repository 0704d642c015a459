/* The writer thread: takes messages from the ring, makes units of them (journal_out_int.h), syncs
 * and rotates when it is time. At most two journals: one open, one being sealed. After a failed
 * write or sync the files are not touched again; messages are still taken, so that the step thread
 * never waits for ever. */
#ifndef SL_RUN_WRITER_INT_H
#define SL_RUN_WRITER_INT_H

#include "run/journal_out_int.h"
#include "run/ring.h"
#include "run/run.h"
#include "run/seal_int.h"

typedef struct sl_writer sl_writer;

/* Creates the first journal and starts the thread. sealer: borrowed until close. */
sl_status sl_writer_open(sl_writer **out, const sl_journal_begin *begin,
                         const sl_run_settings *settings, sl_sealer *sealer) SL_MUSTUSE;
/* Ends the thread and closes the files; without sl_writer_end the journal stays without END. */
void sl_writer_close(sl_writer **writer);

/* Messages of the step thread. Row: packed bytes with wide columns; waits for room, or returns 0 at
 * once when may_drop and there is none. waited_s: adds the seconds spent waiting. */
int sl_writer_row(sl_writer *writer, sl_table table, const void *packed, size_t bytes, int may_drop,
                  double *waited_s);
void sl_writer_text(sl_writer *writer, const char *line, size_t bytes, double *waited_s);
void sl_writer_commit(sl_writer *writer, sl_unit_kind kind, int64_t step, double *waited_s);
/* Throws the open unit away. */
void sl_writer_drop(sl_writer *writer);
/* Waits until everything before is durable. */
sl_status sl_writer_sync(sl_writer *writer) SL_MUSTUSE;
/* Writes END, syncs, seals; waits for all of it. */
sl_status sl_writer_end(sl_writer *writer, sl_ended ended) SL_MUSTUSE;

/* The error that stopped the writer or the sealer; SL_OK: none. Costs one load when there is none.
 */
sl_status sl_writer_check(sl_writer *writer) SL_MUSTUSE;
int64_t sl_writer_durable_step(sl_writer *writer); /* -1: none in this attempt */
uint64_t sl_writer_queue_bytes(sl_writer *writer);
uint64_t sl_writer_written_bytes(sl_writer *writer);
size_t sl_writer_ring_bytes(const sl_writer *writer);

#endif
