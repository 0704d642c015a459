/* Event files of TensorBoard: records of TFRecord framing (length, masked CRC32C of the length,
 * data, masked CRC32C of the data), each a protocol buffer `Event` of which wall time, step and the
 * scalars of its summary are read. Bounded: nothing outside the bytes given is looked at, nested
 * messages are read where they stand. */
#ifndef SL_IMPORT_TFEVENTS_H
#define SL_IMPORT_TFEVENTS_H

#include "base/status.h"
#include <stddef.h>
#include <stdint.h>

typedef struct sl_tfrecord {
    const unsigned char *data; /* borrowed */
    size_t bytes;
    size_t at; /* byte of the file where the record begins */
} sl_tfrecord;

/* Whether reading can go on behind a record. */
typedef enum sl_tfnext {
    SL_TF_NEXT,    /* it can */
    SL_TF_CUT,     /* the file ends within the record: its writer lives or was killed */
    SL_TF_DAMAGED, /* its length is damaged: nobody knows where the next one begins */
} sl_tfnext;
/* The record at *at; *at moves behind it. *is_there 0: the end. Errors: SL_EFORMAT with what was
 * found, of a record or, with *next, of all that follows. */
sl_status sl_tfrecord_next(sl_tfrecord *out, size_t *at, int *is_there, sl_tfnext *next,
                           const unsigned char *file, size_t bytes) SL_MUSTUSE;

typedef struct sl_tfvalue {
    int64_t step;
    double wall_time; /* s since 1970; NaN: none */
    const char *tag;  /* not ended by zero */
    size_t tag_bytes;
    int is_scalar; /* else an image, a histogram, a text, ... */
    double value;
} sl_tfvalue;

/* Gives every value of an event's summary. Errors: SL_EFORMAT; the visitor's. */
sl_status sl_tfevent_values(const sl_tfrecord *record,
                            sl_status (*visit)(void *with, const sl_tfvalue *value),
                            void *with) SL_MUSTUSE;

#endif
