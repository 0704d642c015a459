/* Reader. Order of the checks: length of the file, length of the header, its JSON, each tensor
 * alone, then all together sorted by offset: no hole, no overlap, nothing behind. */
#include "base/sort.h"
#include "model/safetensors.h"
#include "base/alloc.h"
#include <stdlib.h>
#include <string.h>

enum {
    PREFIX_BYTES = 8,
    HEADER_MAX_BYTES = 100000000,
    TENSORS_MAX = 1000000,
    NAME_MAX_BYTES = 512
};

static uint64_t read_u64(const unsigned char *bytes)
{
    uint64_t value = 0;

    for (int i = 7; i >= 0; i--)
        value = value << 8 | bytes[i];
    return value;
}

/* A JSON integer in [0, 2^63). */
static sl_status read_natural(size_t *out, const sl_json *value, const char *what)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return SL_FAIL(SL_EFORMAT, "want %s (whole number >= 0), found another value", what);
    *out = (size_t)json_integer_value(value);
    return SL_OK;
}

static sl_status read_shape(sl_tensor_entry *e, const sl_json *shape)
{
    if (!json_is_array(shape))
        return SL_FAIL(SL_EFORMAT, "want shape (list), found none");
    e->rank = json_array_size(shape);
    if (e->rank > SL_TENSOR_RANK_MAX)
        return SL_FAIL(SL_EUNSUPPORTED, "want at most %d dimensions, found %zu", SL_TENSOR_RANK_MAX,
                       e->rank);
    e->count = 1;
    for (size_t i = 0; i < e->rank; i++) {
        SL_TRY(read_natural(&e->shape[i], json_array_get(shape, i), "shape"));
        if (e->shape[i] && e->count > SIZE_MAX / 64 / e->shape[i])
            return SL_FAIL(SL_EFORMAT, "want a shape whose bits fit 64 bits, found more");
        e->count *= e->shape[i];
    }
    return SL_OK;
}

static sl_status read_offsets(sl_tensor_entry *e, const sl_json *offsets)
{
    const size_t bits = e->count * e->dtype->bits;

    if (!json_is_array(offsets) || json_array_size(offsets) != 2)
        return SL_FAIL(SL_EFORMAT, "want data_offsets [begin, end], found another value");
    SL_TRY(read_natural(&e->begin, json_array_get(offsets, 0), "data_offsets"));
    SL_TRY(read_natural(&e->end, json_array_get(offsets, 1), "data_offsets"));
    if (bits % 8)
        return SL_FAIL(SL_EFORMAT, "want whole bytes, found %zu bits", bits);
    if (e->end < e->begin || e->end - e->begin != bits / 8)
        return SL_FAIL(SL_EFORMAT, "want %zu bytes, found data_offsets [%zu, %zu]", bits / 8,
                       e->begin, e->end);
    return SL_OK;
}

static sl_status read_entry(sl_tensor_entry *e, const char *name, const sl_json *value)
{
    const char *dtype = NULL;

    if (strlen(name) > NAME_MAX_BYTES)
        return SL_FAIL(SL_EFORMAT, "want a name of at most %d bytes, found %zu", NAME_MAX_BYTES,
                       strlen(name));
    if (!json_is_object(value) || json_object_size(value) != 3)
        return SL_FAIL(SL_EFORMAT, "want {dtype, shape, data_offsets}, found another value");
    SL_TRY(sl_json_text(&dtype, value, "dtype"));
    e->name = name;
    e->dtype = sl_dtype_find(dtype);
    if (!e->dtype)
        return SL_FAIL(SL_EFORMAT, "want a known dtype, found \"%.32s\"", dtype);
    SL_TRY(read_shape(e, json_object_get(value, "shape")));
    return read_offsets(e, json_object_get(value, "data_offsets"));
}

static sl_status check_metadata(const sl_json *value)
{
    void *at = NULL;

    if (!json_is_object(value))
        return SL_FAIL(SL_EFORMAT, "want __metadata__ (object of texts), found another type");
    for (at = json_object_iter((json_t *)value); at;
         at = json_object_iter_next((json_t *)value, at))
        if (!json_is_string(json_object_iter_value(at)))
            return SL_FAIL(SL_EFORMAT, "want texts in __metadata__, found another type");
    return SL_OK;
}

static sl_status read_entries(sl_tensor_file *file)
{
    size_t count = json_object_size(file->header);
    void *at = NULL;

    if (count > TENSORS_MAX)
        return SL_FAIL(SL_EFORMAT, "want at most %d tensors, found %zu", TENSORS_MAX, count);
    SL_TRY(sl_take(&file->entry, count + 1, sizeof *file->entry));
    for (at = json_object_iter(file->header); at; at = json_object_iter_next(file->header, at)) {
        const char *name = json_object_iter_key(at);
        const sl_json *value = json_object_iter_value(at);

        if (strcmp(name, "__metadata__") == 0) {
            SL_TRY(check_metadata(value));
            continue;
        }
        SL_TRY(sl_err_where(read_entry(&file->entry[file->count], name, value), "tensor \"%.128s\"",
                            name));
        file->count++;
    }
    return SL_OK;
}

static int by_offset(const void *a, const void *b)
{
    const sl_tensor_entry *x = a, *y = b;

    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return x->end < y->end ? -1 : x->end > y->end;
}

/* No holes, no overlap, nothing behind: this alone bounds every tensor by the file. */
static sl_status place_entries(sl_tensor_file *file, size_t data_bytes)
{
    const unsigned char *data = file->map.data + (file->map.bytes - data_bytes);
    size_t end = 0;

    sl_sort(file->entry, file->count, sizeof *file->entry, by_offset);
    for (size_t i = 0; i < file->count; i++) {
        sl_tensor_entry *e = &file->entry[i];

        if (e->begin != end)
            return SL_FAIL(SL_EFORMAT, "want tensor \"%.128s\" at byte %zu of the data, found %zu",
                           e->name, end, e->begin);
        end = e->end;
        e->data = data + e->begin;
    }
    if (end != data_bytes)
        return SL_FAIL(SL_EFORMAT, "want %zu bytes of data, found %zu", end, data_bytes);
    return SL_OK;
}

static sl_status parse(sl_tensor_file *file)
{
    const unsigned char *bytes = file->map.data;
    uint64_t header_bytes = 0;

    if (file->map.bytes < PREFIX_BYTES)
        return SL_FAIL(SL_EFORMAT, "want a safetensors file, found %zu bytes", file->map.bytes);
    header_bytes = read_u64(bytes);
    if (header_bytes > HEADER_MAX_BYTES)
        return SL_FAIL(SL_EFORMAT, "want a header of at most %d bytes, found %llu",
                       HEADER_MAX_BYTES, (unsigned long long)header_bytes);
    if (header_bytes > file->map.bytes - PREFIX_BYTES)
        return SL_FAIL(SL_EFORMAT, "want a header of %llu bytes, found %zu: the file is cut off",
                       (unsigned long long)header_bytes, file->map.bytes - PREFIX_BYTES);
    if (header_bytes == 0 || bytes[PREFIX_BYTES] != '{')
        return SL_FAIL(SL_EFORMAT, "want a header that begins with {, found another byte");
    SL_TRY(sl_json_parse(&file->header, (const char *)bytes + PREFIX_BYTES, (size_t)header_bytes,
                         "header"));
    if (!json_is_object(file->header))
        return SL_FAIL(SL_EFORMAT, "want a header (object), found another type");
    SL_TRY(read_entries(file));
    return place_entries(file, file->map.bytes - PREFIX_BYTES - (size_t)header_bytes);
}

sl_status sl_tensor_file_open(sl_tensor_file *out, const char *path)
{
    sl_status st = SL_OK;

    memset(out, 0, sizeof *out);
    SL_TRY(sl_map_open(&out->map, path));
    st = sl_err_where(parse(out), "%s", path);
    if (st != SL_OK)
        sl_tensor_file_close(out);
    return st;
}

void sl_tensor_file_close(sl_tensor_file *file)
{
    sl_free(file->entry);
    if (file->header)
        sl_json_close(&file->header);
    sl_map_close(&file->map);
    memset(file, 0, sizeof *file);
}

const sl_tensor_entry *sl_tensor_file_find(const sl_tensor_file *file, const char *name)
{
    for (size_t i = 0; i < file->count; i++) {
        if (strcmp(file->entry[i].name, name) == 0)
            return &file->entry[i];
    }
    return NULL;
}
