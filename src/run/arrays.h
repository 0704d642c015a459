/* Named arrays of a plain HDF5 file: reference values in, logits out. Not the run record, which has
 * its own reader. A file may come from a stranger: it is read in a child process with limits, links
 * must be hard, data must lie in the file behind known filters, numbers must be what is asked for,
 * and an array is at most 1 GiB. */
#ifndef SL_RUN_ARRAYS_H
#define SL_RUN_ARRAYS_H

#include "base/status.h"
#include <stddef.h>
#include <stdint.h>

typedef struct sl_arrays sl_arrays;
typedef enum sl_array_type { SL_ARRAY_F32, SL_ARRAY_F64, SL_ARRAY_I32, SL_ARRAY_I64 } sl_array_type;
enum { SL_ARRAY_RANK = 4, SL_ARRAY_NAME = 256 };

sl_status sl_arrays_open(sl_arrays **out, const char *path) SL_MUSTUSE;
void sl_arrays_close(sl_arrays **arrays);
/* Whether `name` ("pairs/dpo/loss") is a dataset or a group. A failure to find out says 0 here and
 * is the error of the next call that has one. */
int sl_arrays_has(const sl_arrays *arrays, const char *name);
int sl_arrays_is_group(const sl_arrays *arrays, const char *name);
/* *out = all elements in C order, converted to `type` (integers and floats only; a number that does
 * not fit an integer type is an error of the file); owned by the caller (sl_free). dims
 * (SL_ARRAY_RANK) or NULL: extents, 1 beyond the rank. A scalar has one element. Errors: SL_EFORMAT
 * naming the dataset, SL_EIO, SL_ENOMEM. */
sl_status sl_arrays_read(void *out, size_t *count, size_t *dims, const sl_arrays *arrays,
                         const char *name, sl_array_type type) SL_MUSTUSE;
/* The same without room for all of it: visit sees whole rows of the first dimension, `count` of
 * them from row `first` on, one piece after another; x (count, extents of the other dimensions) is
 * borrowed until it returns. A failure of visit ends it. */
typedef sl_status (*sl_arrays_visitor)(void *with, const void *x, size_t first, size_t count);
sl_status sl_arrays_visit(size_t *dims, const sl_arrays *arrays, const char *name,
                          sl_array_type type, sl_arrays_visitor visit, void *with) SL_MUSTUSE;
sl_status sl_arrays_scalar(double *out, const sl_arrays *arrays, const char *name) SL_MUSTUSE;
/* An array of fixed strings; each (SL_ARRAY_NAME) with its end, one after another; sl_free. */
sl_status sl_arrays_strings(char **out, size_t *count, const sl_arrays *arrays,
                            const char *name) SL_MUSTUSE;
/* A number beside a dataset or group, or of the file ("/"). */
sl_status sl_arrays_attribute(double *out, const sl_arrays *arrays, const char *name,
                              const char *attribute) SL_MUSTUSE;
/* A text attribute, fixed or variable. */
sl_status sl_arrays_text(char *out, size_t size, const sl_arrays *arrays, const char *name,
                         const char *attribute) SL_MUSTUSE;
/* Names of what stands directly in a group, ascending; as sl_arrays_strings. */
sl_status sl_arrays_list(char **out, size_t *count, const sl_arrays *arrays,
                         const char *name) SL_MUSTUSE;

/* A new file beside the final path; it stands under the final path only after
 * sl_arrays_finish, which closes it. sl_arrays_close without it removes what was written. Errors:
 * SL_EIO when something stands at path already. */
sl_status sl_arrays_create(sl_arrays **out, const char *path) SL_MUSTUSE;
/* x: dims[0] * ... * dims[rank-1] elements. Groups in the name are made. */
sl_status sl_arrays_write(sl_arrays *arrays, const char *name, sl_array_type type, const void *x,
                          const size_t *dims, size_t rank) SL_MUSTUSE;
/* Rows of named fields as one compound dataset. A text has `bytes` bytes, filled with zeros. */
typedef enum sl_field_type { SL_FIELD_I64, SL_FIELD_F64, SL_FIELD_TEXT } sl_field_type;
typedef struct sl_array_field {
    const char *name;
    sl_field_type type;
    size_t offset, bytes; /* in a row */
} sl_array_field;
sl_status sl_arrays_write_rows(sl_arrays *arrays, const char *name, const sl_array_field *field,
                               size_t fields, const void *rows, size_t count,
                               size_t row_bytes) SL_MUSTUSE;
sl_status sl_arrays_finish(sl_arrays **arrays) SL_MUSTUSE;

#endif
