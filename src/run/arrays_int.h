#ifndef SL_RUN_ARRAYS_INT_H
#define SL_RUN_ARRAYS_INT_H

#include "run/arrays.h"
#include "run/h5_int.h"
#include <limits.h>

struct sl_arrays {
    hid_t file;
    char path[PATH_MAX]; /* of the file that is being written: the final one */
    char part[PATH_MAX]; /* where it stands meanwhile; empty: reading */
};

/* Memory type and bytes of an element. */
hid_t sl_array_native(sl_array_type type);
size_t sl_array_bytes(sl_array_type type);

#endif
