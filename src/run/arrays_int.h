/* Inside the arrays: what the door asks the child that holds the file, and what it answers. */
#ifndef SL_RUN_ARRAYS_INT_H
#define SL_RUN_ARRAYS_INT_H

#include "run/arrays.h"
#include "run/cage_int.h"
#include "run/h5_int.h"
#include <limits.h>

enum { SL_ARRAY_TEXT = 4096 };           /* bytes of a text attribute with its end */
#define SL_ARRAY_BYTES ((size_t)1 << 30) /* most of an array */

/* The parent's end of the child. */
typedef struct sl_arrays_child {
    sl_cage cage;
    sl_err_record lost; /* of a call without a status; code SL_OK: none */
} sl_arrays_child;

/* In the child: numbers that are read a window of whole rows at a time. */
typedef struct sl_array_rows {
    hid_t set, space;
    sl_array_type type;
    int rank;
    hsize_t start[SL_ARRAY_RANK], count[SL_ARRAY_RANK]; /* of the next window */
    hsize_t rows, step;                                 /* of the set, of a window */
    size_t row_items;
    int64_t *wide; /* a window of integers that are narrowed */
} sl_array_rows;

struct sl_arrays {
    hid_t file;
    int fd;                 /* reading */
    sl_arrays_child *child; /* reading, in the parent */
    void *data;             /* reading, in the child: of the last answer */
    uint64_t bytes;         /* of the last answer */
    sl_array_rows rows;     /* of the last answer, where it comes by windows; step 0: it does not */
    char path[PATH_MAX];    /* of the file: the final one */
    char part[PATH_MAX];    /* where it stands meanwhile; empty: reading */
};

typedef enum sl_array_ask {
    SL_ASK_OPEN,
    SL_ASK_HAS,
    SL_ASK_IS_GROUP,
    SL_ASK_NUMBERS,
    SL_ASK_STRINGS,
    SL_ASK_ATTRIBUTE,
    SL_ASK_TEXT,
    SL_ASK_LIST
} sl_array_ask;

typedef struct sl_array_question {
    uint32_t kind, type; /* sl_array_ask, sl_array_type */
    char name[SL_ARRAY_NAME], attribute[SL_ARRAY_NAME];
} sl_array_question;

typedef struct sl_array_head {
    uint64_t count, dims[SL_ARRAY_RANK];
    double value;
} sl_array_head;
_Static_assert(sizeof(sl_array_head) <= SL_CAGE_HEAD, "want room for the head of an answer");

/* Memory type and bytes of an element. */
hid_t sl_array_native(sl_array_type type);
size_t sl_array_bytes(sl_array_type type);
/* sl_cage_work.answer; state: sl_arrays. */
sl_status sl_arrays_answer(sl_cage_answer *out, void *state, const void *asked, size_t bytes);

#endif
