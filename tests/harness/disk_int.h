/* The log of disk.c, read by disk_replay.c. */
#ifndef SL_TESTS_DISK_INT_H
#define SL_TESTS_DISK_INT_H

#include "harness/disk.h"
#include <sys/types.h>

enum { T_DISK_NAME = 64 };

typedef enum t_disk_event_kind {
    T_EVENT_WRITE,
    T_EVENT_SIZE,
    T_EVENT_SYNC,
    T_EVENT_ENTRY,
    T_EVENT_MARK
} t_disk_event_kind;

/* Of a name in a folder: file it stands for from now on; 0: none. */
typedef struct t_disk_entry {
    int folder, file;
    char name[T_DISK_NAME];
} t_disk_entry;

typedef struct t_disk_event {
    t_disk_event_kind kind;
    int file; /* numbered from 1 (the root) in the order of appearance */
    int is_folder;
    uint64_t at;           /* WRITE: offset; SIZE: new size; MARK: value */
    size_t bytes;          /* WRITE */
    unsigned char *data;   /* WRITE */
    t_disk_entry entry[2]; /* ENTRY: a rename has two; at = how many */
} t_disk_event;

extern t_disk_event *t_disk_log;
extern size_t t_disk_log_count;

#endif
