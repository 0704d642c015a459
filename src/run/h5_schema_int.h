/* The schema in HDF5: types, fill values, names of datasets, attributes. Callers stand between
 * sl_h5_begin and sl_h5_end. */
#ifndef SL_RUN_H5_SCHEMA_INT_H
#define SL_RUN_H5_SCHEMA_INT_H

#include "run/h5_int.h"
#include "run/schema.h"

enum { SL_H5_NAME_BYTES = 64 };

/* A dataset of the record: a table's compound (wide = NULL) or one of its wide columns. */
typedef struct sl_h5_set {
    sl_table table;
    const sl_column *wide;
    size_t item_bytes; /* one row */
    size_t width;      /* elements of a row; 1 for a compound */
    char name[SL_H5_NAME_BYTES];
} sl_h5_set;

enum { SL_TABLE_SETS_MAX = 6 };
/* The datasets of a table: its compound, then its wide columns with a width over 0. out
 * (SL_TABLE_SETS_MAX); returns their number. */
size_t sl_h5_sets(sl_h5_set *out, sl_table table, const sl_layout *layout);

/* Type of one element of a column; of a set's elements: the compound or the wide column's type. */
sl_status sl_h5_column_type(hid_t *out, const sl_column *column) SL_MUSTUSE;
sl_status sl_h5_set_type(hid_t *out, const sl_h5_set *set) SL_MUSTUSE;
/* Fill value of missing rows: step -1, numbers NaN, all else 0. Into a creation list. */
/* The same as a packed row of the set (item_bytes). */
void sl_h5_set_blank(unsigned char *row, const sl_h5_set *set);
sl_status sl_h5_set_fill(hid_t creation, const sl_h5_set *set, hid_t type) SL_MUSTUSE;
/* Attributes units and description, from the schema. */
sl_status sl_h5_set_describe(hid_t dataset, const sl_h5_set *set) SL_MUSTUSE;

/* Creation list of a dataset with `rows` rows that is written in whole chunks: no times, shuffle,
 * deflate 1 (not for half floats over a vocabulary, where it saves little and costs .3 s a probe)
 * and fletcher32, all mandatory. *chunk_rows = min(rows, 256 KiB worth), at least 1. */
sl_status sl_h5_set_creation(hid_t *out, size_t *chunk_rows, const sl_h5_set *set,
                             size_t rows) SL_MUSTUSE;

#endif
