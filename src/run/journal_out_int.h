/* The writing side of the journal format: units into frames, frames into an open journal and its
 * text file. The writer thread and the writer of decisions stand on it.
 *
 * Invariants. 1. Texts are written before the frames that need them, and synced before them.
 * 2. A unit's frames go out in one write. 3. A synced batch ends on a 4096-byte edge in both, so
 * that no block with synced bytes is written again: by PAD, and by a text line of spaces that the
 * next unit counts as its own. 4. After a failed write or sync the files are not
 * touched again: that is the caller's part. */
#ifndef SL_RUN_JOURNAL_OUT_INT_H
#define SL_RUN_JOURNAL_OUT_INT_H

#include "run/files.h"
#include "run/journal.h"

/* One unit in the making. */
typedef struct sl_unit_table {
    unsigned char *data; /* packed rows, owned */
    size_t bytes, capacity;
    uint32_t rows;
} sl_unit_table;
typedef struct sl_unit_out {
    sl_unit_table table[SL_TABLE_UNITS];
    unsigned char *text; /* whole lines, owned */
    size_t text_bytes, text_capacity;
    unsigned char *frames; /* the unit's frames, owned */
    size_t frame_bytes, frame_capacity;
} sl_unit_out;
void sl_unit_out_close(sl_unit_out *unit);
void sl_unit_out_clear(sl_unit_out *unit);
/* Bytes for one more row of a table, or for more text; NULL when out of memory (recorded). */
unsigned char *sl_unit_out_row(sl_unit_out *unit, sl_table table, size_t bytes);
unsigned char *sl_unit_out_text(sl_unit_out *unit, size_t bytes);
/* Appends one frame to unit->frames with seq, step and synced_seq of head; *seq counts on. */
sl_status sl_unit_out_frame(sl_unit_out *unit, const sl_frame *head, uint64_t *seq,
                            uint32_t seed) SL_MUSTUSE;
/* Fills unit->frames with ROWS frames and COMMIT. commit: kind, step; so_far, text_bytes before
 * this unit's own text, text_crc32c up to there; updated to after it. */
sl_status sl_unit_out_frames(sl_unit_out *unit, sl_commit *commit, uint64_t *seq,
                             uint64_t synced_seq, uint32_t seed,
                             const sl_layout *layout) SL_MUSTUSE;

/* Where an attempt begins. */
typedef struct sl_journal_begin {
    const char *rank_folder;
    const sl_run_identity *identity; /* borrowed until close */
    const sl_json *start_json;       /* a reference is taken */
    uint32_t rank, number, attempt;  /* number: of the first journal */
    int64_t resumed_from;
    uint64_t last_seq; /* of the journal before; 0: none */
} sl_journal_begin;

/* An open journal. */
typedef struct sl_journal_out {
    sl_journal_begin begin; /* number and last_seq: of the journal that is open */
    char rank_folder[SL_RUN_PATH];
    int fd, text_fd; /* -1: closed */
    uint32_t seed;
    uint64_t next_seq, synced_seq, journal_bytes, unsynced_bytes;
    uint64_t written_bytes; /* in all journals and texts */
    int units;              /* in this journal */
    int text_is_dirty;
    uint64_t text_size;   /* of the text file, filling included */
    uint32_t text_crc32c; /* of the filling that the next unit must count */
    sl_commit commit;     /* running counts of this journal */
    int64_t committed_step, durable_step;
    sl_unit_out unit;
} sl_journal_out;

/* Creates journal begin->number with START, durable with its name. */
sl_status sl_journal_out_open(sl_journal_out *out, const sl_journal_begin *begin) SL_MUSTUSE;
/* Goes on in a file that is there (decisions.log): appends a START. fd: consumed; bytes: its size;
 * commit: the counts so far. No text file. */
sl_status sl_journal_out_adopt(sl_journal_out *out, const sl_journal_begin *begin, int fd,
                               uint64_t bytes, const sl_commit *commit) SL_MUSTUSE;
/* Writes what out->unit holds and a COMMIT. */
sl_status sl_journal_out_commit(sl_journal_out *out, sl_unit_kind kind, int64_t step) SL_MUSTUSE;
/* Nothing when all is durable already. */
sl_status sl_journal_out_sync(sl_journal_out *out) SL_MUSTUSE;
/* Everything durable, END, closed. */
sl_status sl_journal_out_end(sl_journal_out *out, sl_ended ended) SL_MUSTUSE;
/* Begins the next journal after an end. */
sl_status sl_journal_out_next(sl_journal_out *out) SL_MUSTUSE;
void sl_journal_out_close(sl_journal_out *out);

#endif
