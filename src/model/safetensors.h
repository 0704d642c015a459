/* safetensors: an 8-byte length, a JSON header, contiguous tensor data. The reader trusts nothing:
 * all that it hands out lies inside the map. Format and checks: docs/formats.md, "safetensors". */
#ifndef SL_MODEL_SAFETENSORS_H
#define SL_MODEL_SAFETENSORS_H

#include "base/file.h"
#include "model/dtype.h"

enum { SL_TENSOR_RANK_MAX = 8 };

typedef struct sl_tensor_entry {
    const char *name; /* borrowed from the file's header */
    const sl_dtype *dtype;
    size_t shape[SL_TENSOR_RANK_MAX];
    size_t rank;
    size_t count;              /* elements */
    size_t begin, end;         /* bytes from the start of the data */
    const unsigned char *data; /* borrowed from the map, any alignment */
} sl_tensor_entry;

typedef struct sl_tensor_file {
    sl_map map;
    sl_json *header;
    sl_tensor_entry *entry; /* (count), ascending by begin */
    size_t count;
} sl_tensor_file;

/* Errors: SL_EIO, SL_EFORMAT with the first check that failed, SL_EUNSUPPORTED for a rank over 8.
 */
sl_status sl_tensor_file_open(sl_tensor_file *out, const char *path) SL_MUSTUSE;
void sl_tensor_file_close(sl_tensor_file *file);
/* The entry of this name, or NULL. */
const sl_tensor_entry *sl_tensor_file_find(const sl_tensor_file *file, const char *name);

/* A tensor to be written: count elements from data, narrowed to storage on the way. */
typedef struct sl_tensor_source {
    const char *name;
    const float *data; /* (rows, cols), or (cols) with rank 1 */
    size_t rows, cols, rank;
    sl_storage storage;
} sl_tensor_source;

/* Sorts source (count) into the order of the file and writes it: temporary file in the same folder,
 * fsync, rename. The caller syncs the folder. */
sl_status sl_tensor_file_write(const char *path, sl_tensor_source *source, size_t count) SL_MUSTUSE;

#endif
