/* The journal: append-only frames with CRC32C, the truth of the tail. Frames in and out of bytes,
 * and a parser that gives whole units only. A unit is what stands between two COMMITs.
 *
 * Every CRC begins from the seed, the CRC32C of (run UUID, rank, journal number), so bytes of an
 * older run or journal in a reused file never match. decisions.log has the same framing with number
 * 0; journals begin at 1. The parser trusts nothing: sizes are bounded, offsets stay inside. */
#ifndef SL_RUN_JOURNAL_H
#define SL_RUN_JOURNAL_H

#include "base/json.h"
#include "run/identity.h"
#include "run/schema.h"

enum {
    SL_FRAME_HEADER = 48, /* bytes */
    SL_FRAME_ALIGN = 8,
    SL_FRAME_BLOCK = 4096,           /* a synced batch is filled to this by PAD */
    SL_FRAME_PAYLOAD_MAX = 64 << 20, /* bytes */
    SL_FRAME_MAGIC = 0x314a4c53,     /* "SLJ1" */
    SL_START_MAX = 1 << 20,          /* bytes of a START payload */
    SL_DECISIONS_NUMBER = 0,
};

typedef enum sl_frame_type {
    SL_FRAME_START = 1, /* JSON: schema, attempt, resumed_from, last seq before, environment */
    SL_FRAME_ROWS,      /* rows of one table, packed with their wide columns */
    SL_FRAME_COMMIT,    /* ends a unit */
    SL_FRAME_PAD,       /* zeros */
    SL_FRAME_END        /* u32 how; closes the journal */
} sl_frame_type;

/* How a journal ended (END payload; "ended" in a segment's user block). */
typedef enum sl_ended {
    SL_ENDED_ROTATED, /* the next journal follows */
    SL_ENDED_COMPLETE,
    SL_ENDED_INTERRUPTED, /* on request */
    SL_ENDED_ERROR,
    SL_ENDED_KILLED, /* no END frame: found by recovery */
    SL_ENDED_COUNT
} sl_ended;
const char *sl_ended_name(sl_ended ended); /* "rotated", "complete", ... */

typedef struct sl_frame {
    uint16_t type, table;
    uint32_t payload_bytes, rows;
    uint64_t seq;
    int64_t step;
    uint64_t synced_seq;          /* last seq known durable when this was written */
    const unsigned char *payload; /* (payload_bytes), borrowed */
} sl_frame;

uint32_t sl_journal_seed(const unsigned char uuid[16], uint32_t rank, uint32_t number);
/* Bytes of a whole frame: header, payload, zeros to a multiple of 8. */
size_t sl_frame_bytes(size_t payload_bytes);
/* to (sl_frame_bytes(payload_bytes)) = the frame. payload may already stand at to + 48. */
void sl_frame_encode(unsigned char *to, const sl_frame *frame, uint32_t seed);
/* The frame that begins at offset of data (bytes): 1, or 0 when there is none whole and sound. */
int sl_frame_decode(sl_frame *out, const unsigned char *data, size_t bytes, size_t offset,
                    uint32_t seed);
/* Whether a sound frame at or after `from` says that frame `seq` was durable: then damage of that
 * frame is corruption; else it was torn while it was written. */
int sl_frame_was_synced(const unsigned char *data, size_t bytes, size_t from, uint64_t seq,
                        uint32_t seed);
/* sl_frame_decode without checksums, for a frame that was found sound before. */
int sl_frame_peek(sl_frame *out, const unsigned char *data, size_t bytes, size_t offset);

/* Payload of a COMMIT: u16 kind, u16 tables, u32 crc32c, u32 rows, u32 text_crc32c, u64 text_bytes,
 * then u64 rows so far of each table. */
typedef struct sl_commit {
    sl_unit_kind kind;
    int64_t step;
    uint64_t seq;
    uint32_t rows;        /* of this unit */
    uint32_t crc32c;      /* of its packed rows with wide columns, tables in schema order, from 0 */
    uint64_t text_bytes;  /* of the text file after this unit */
    uint32_t text_crc32c; /* of what the unit added to it, from the seed */
    uint64_t so_far[SL_TABLE_UNITS]; /* rows of each table in this journal, this unit included */
} sl_commit;
enum { SL_COMMIT_BYTES = 24 + 8 * SL_TABLE_UNITS };
void sl_commit_encode(unsigned char payload[SL_COMMIT_BYTES], const sl_commit *commit);
int sl_commit_decode(sl_commit *out, const sl_frame *frame); /* 0: not a sound COMMIT */

/* What START says. */
typedef struct sl_start {
    uint32_t attempt, rank, number;
    int64_t resumed_from; /* -1: first attempt */
    uint64_t last_seq;    /* of the journal before; 0: none */
    char run_sha256[65];  /* of run.json as it was; "": not known */
    char *json;           /* the environment (start_json) as text, owned */
} sl_start;
/* The payload of a START frame; freed with sl_free. */
sl_status sl_start_encode(char **payload, const sl_start *start,
                          const sl_json *environment) SL_MUSTUSE;
sl_status sl_start_decode(sl_start *out, const sl_frame *frame) SL_MUSTUSE;
void sl_start_close(sl_start *start);

/* A whole unit: its frames are data[first .. end). */
typedef struct sl_unit {
    sl_commit commit;
    uint32_t table_rows[SL_TABLE_UNITS]; /* rows of this unit in each table */
    size_t first, end;                   /* offsets in the journal, bytes */
    uint64_t text_first;                 /* offset of its text in the text file; the end is
                                          * commit.text_bytes */
} sl_unit;

typedef enum sl_tail_kind {
    SL_TAIL_OPEN,   /* nothing bad so far: more may come */
    SL_TAIL_END,    /* END was read: the next journal follows, or the run ended */
    SL_TAIL_TORN,   /* bytes after the last whole unit that were never synced */
    SL_TAIL_CORRUPT /* a bad frame that was synced: bytes changed since */
} sl_tail_kind;

typedef struct sl_tail {
    sl_tail_kind kind;
    sl_ended ended;     /* SL_ENDED_KILLED unless END was read */
    size_t whole_bytes; /* end of the last whole unit (or of START) */
    size_t bad_offset;  /* first bad byte offset; = file size when none */
    uint64_t last_seq;  /* of the last good frame that belongs to whole units, START, PAD, END */
    int64_t last_step;  /* of the last whole unit; resumed_from (or -1) when there is none */
    const char *reason; /* why reading stopped there, "" when nothing is bad */
} sl_tail;

/* A journal as bytes: from a file, or from memory (tests, fuzzing). */
typedef struct sl_journal sl_journal;

/* Maps RANK/journal-N.log and its text file and reads START. identity: borrowed until close.
 * Errors: SL_EIO; SL_EFORMAT when there is no whole START (place: the file). */
sl_status sl_journal_open(sl_journal **out, const char *rank_folder, uint32_t number, uint32_t rank,
                          const sl_run_identity *identity) SL_MUSTUSE;
/* Of the newest journal of a run: *out = NULL and SL_OK when it is unborn, that is, its START is
 * being written or was torn. START is synced before a row follows it, so with a sound frame behind
 * it, padding apart, it is damaged: SL_EFORMAT as before. */
sl_status sl_journal_open_newest(sl_journal **out, const char *rank_folder, uint32_t number,
                                 uint32_t rank, const sl_run_identity *identity) SL_MUSTUSE;
/* The same over memory, borrowed until close. text may be NULL when text_bytes is 0. */
sl_status sl_journal_open_memory(sl_journal **out, const unsigned char *data, size_t bytes,
                                 const unsigned char *text, size_t text_bytes, uint32_t seed,
                                 const sl_layout *layout) SL_MUSTUSE;
void sl_journal_close(sl_journal **journal);
const sl_start *sl_journal_start(const sl_journal *journal);

/* The next whole unit: *found = 1; 0: none (yet), see sl_journal_tail. Each unit's counts, CRCs and
 * text are checked before it is given. Errors: SL_ENOMEM only; damage is not an error here. */
sl_status sl_journal_next(sl_journal *journal, sl_unit *unit, int *found) SL_MUSTUSE;
/* Looks at the file again for what was appended since; sl_journal_next then goes on. */
sl_status sl_journal_refresh(sl_journal *journal) SL_MUSTUSE;
/* Begins again after START. */
void sl_journal_rewind(sl_journal *journal);

/* Rows as they stand on disk: count rows, each row_bytes. */
typedef sl_status (*sl_rows_visit)(void *with, sl_table table, const unsigned char *rows,
                                   size_t count, size_t row_bytes);
/* Visits the rows of one table of a unit, in order, in one or more pieces. The units table gives
 * its one row, made from the COMMIT. */
sl_status sl_unit_rows(const sl_journal *journal, const sl_unit *unit, sl_table table,
                       sl_rows_visit visit, void *with) SL_MUSTUSE;
/* The units row of a unit, packed with table_rows. packed: sl_table_packed_bytes(SL_TABLE_UNITS).
 */
void sl_unit_row_pack(unsigned char *packed, const sl_unit *unit);
/* The text that a unit added: whole lines. Borrowed until close or refresh. */
const char *sl_unit_text(const sl_journal *journal, const sl_unit *unit, size_t *bytes);
/* What stopped the reading, valid once sl_journal_next found none. */
void sl_journal_tail(const sl_journal *journal, sl_tail *out);

#endif
