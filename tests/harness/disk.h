/* A disk that obeys the test. Who links disk.c has its calls that change files (write, pwrite,
 * fsync, fdatasync, rename, unlink, open of a new file, mkdir, ftruncate), also those of libraries,
 * go through here: below one folder they are counted, logged, killed at or made to fail. The
 * product knows nothing of it. */
#ifndef SL_TESTS_DISK_H
#define SL_TESTS_DISK_H

#include "base/rng.h"
#include <stddef.h>
#include <stdint.h>

typedef enum t_disk_fault {
    T_DISK_NONE,
    T_DISK_KILL,      /* SIGKILL before the call */
    T_DISK_KILL_HALF, /* SIGKILL when half of it is done: a part of a write, else after the call */
    T_DISK_FAIL,      /* the call fails with `error`, once; a write of a full disk takes a part */
    T_DISK_FAIL_ON,   /* it and all after it */
    T_DISK_SLOW,      /* every write is short or gives EINTR first, every sync gives EINTR first */
} t_disk_fault;

typedef enum t_disk_call {
    T_DISK_WRITE,
    T_DISK_SYNC,
    T_DISK_RENAME,
    T_DISK_UNLINK,
    T_DISK_NEW, /* file or folder */
    T_DISK_CUT,
    T_DISK_CALLS
} t_disk_call;

/* Ways to spoil the writer, which the harness must notice. */
typedef enum t_disk_spoil {
    T_DISK_SOUND,
    T_DISK_NO_SYNC,        /* fdatasync does nothing */
    T_DISK_NO_FOLDER_SYNC, /* fsync of a folder does nothing */
    T_DISK_NO_FILE_SYNC,   /* fsync of a file does nothing */
    T_DISK_LATE,           /* what is written reaches the file only after the sync that follows */
    T_DISK_NO_TEXT_SYNC,   /* fdatasync of files named texts-* does nothing */
    T_DISK_SPOILS
} t_disk_spoil;

typedef struct t_disk_plan {
    const char *root; /* absolute, without links; calls elsewhere are left alone */
    t_disk_fault fault;
    size_t at; /* the call that it hits, from 0 */
    int error;
    int is_logged;
    t_disk_spoil spoil;
} t_disk_plan;

void t_disk_begin(const t_disk_plan *plan);
/* Calls below root since then; by kind when `calls` is not NULL (T_DISK_CALLS). */
size_t t_disk_end(size_t *calls);
/* 1: the fault has hit. */
int t_disk_hit(void);

/* A point of the log, with a number that the test understands: the step promised from here on. */
void t_disk_mark(int64_t value);

/* The log played up to some event, and what a power cut there leaves. */
typedef struct t_disk_replay t_disk_replay;
size_t t_disk_events(void);
t_disk_replay *t_disk_replay_open(void);
/* Plays on to before event `at`; never back. */
void t_disk_replay_to(t_disk_replay *replay, size_t at);
int64_t t_disk_replay_mark(const t_disk_replay *replay); /* the last; -1: none */
/* Writes to the new folder `to` what is there after a cut: all that was synced, of the rest any
 * blocks of `block` bytes and any changes of names; is_ordered: of those the first few, as a file
 * system with a journal leaves them. */
void t_disk_replay_cut(const t_disk_replay *replay, const char *to, size_t block, int is_ordered,
                       sl_rng *rng);
void t_disk_replay_close(t_disk_replay **replay);
void t_disk_forget(void); /* the log */

#endif
