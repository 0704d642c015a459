/* Packed rows into datasets of fixed extent: whole chunks, gathered in memory, one chunk a dataset.
 */
#ifndef SL_RUN_H5_SINK_INT_H
#define SL_RUN_H5_SINK_INT_H

#include "run/h5_schema_int.h"

typedef struct sl_h5_sink {
    sl_h5_set set;
    hid_t dataset, type;
    unsigned char *chunk; /* (chunk_rows, set.item_bytes) */
    size_t chunk_rows, have;
    hsize_t written;
    size_t offset; /* of this dataset's part in a packed row */
} sl_h5_sink;

typedef struct sl_h5_sinks {
    sl_h5_sink *sink; /* (count) */
    size_t count, capacity;
} sl_h5_sinks;

/* Makes the datasets of a table with `rows` rows in file, with their attributes. */
sl_status sl_h5_sinks_open(sl_h5_sinks *sinks, hid_t file, sl_table table, uint64_t rows,
                           const sl_layout *layout) SL_MUSTUSE;
/* Adds packed rows of a table. */
sl_status sl_h5_sinks_add(sl_h5_sinks *sinks, sl_table table, const unsigned char *rows,
                          size_t count, size_t row_bytes) SL_MUSTUSE;
/* Writes what is left of every dataset. */
sl_status sl_h5_sinks_flush(sl_h5_sinks *sinks) SL_MUSTUSE;
void sl_h5_sinks_close(sl_h5_sinks *sinks);

#endif
