/* One safetensors file of any bytes: refused, or every entry that is handed out lies inside the map
 * and has the bytes that its shape and type say. */
#include "harness/fuzz.h"
#include "model/safetensors.h"
#include <stdio.h>
#include <string.h>

const t_fuzz_target t_fuzz = { .name = "fuzz safetensors",
                               .spice = "{}[]\",:0123456789eE.-+ \\utfnFBI\xff",
                               .changes = 4000 };

static void check_entry(const sl_tensor_file *file, const sl_tensor_entry *e)
{
    size_t count = 1, sum = 0;

    t_expect(e->rank <= SL_TENSOR_RANK_MAX, "a rank in its bounds");
    for (size_t i = 0; i < e->rank; i++)
        t_expect(!__builtin_mul_overflow(count, e->shape[i], &count), "a shape that multiplies");
    t_expect(count == e->count, "the product of the shape");
    t_expect(e->begin <= e->end && e->data >= file->map.data &&
                 (size_t)(e->data - file->map.data) + (e->end - e->begin) <= file->map.bytes,
             "data inside the file");
    t_expect(e->count * e->dtype->bits == 8 * (e->end - e->begin), "the bytes of the shape");
    for (size_t i = 0; i < e->end - e->begin; i++)
        sum += e->data[i]; /* a sanitizer watches the map's end */
    t_expect(sum <= 255 * (e->end - e->begin), "bytes");
    t_expect(sl_tensor_file_find(file, e->name) == e, "the entry under its name");
}

static void check_entries(const sl_tensor_file *file)
{
    size_t end = 0;

    for (size_t i = 0; i < file->count; i++) {
        check_entry(file, &file->entry[i]);
        t_expect(file->entry[i].begin == end, "no overlap and no hole");
        end = file->entry[i].end;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sl_tensor_file file;
    char path[4200];

    t_fuzz_write("x.safetensors", data, size);
    (void)snprintf(path, sizeof path, "%s/x.safetensors", t_fuzz_folder());
    if (sl_tensor_file_open(&file, path) == SL_OK) {
        check_entries(&file);
        sl_tensor_file_close(&file);
        t_fuzz_count(1);
    } else {
        t_fuzz_count(0);
    }
    return 0;
}
