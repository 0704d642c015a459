/* What stands in a checkpoint, from the headers of its files alone: no tensor is read. */
#include "base/file.h"
#include "cli/inspect.h"
#include "model/safetensors.h"
#include <limits.h>
#include <string.h>

enum { INDEX_MAX_BYTES = 1 << 28 };

typedef struct weights {
    size_t files, tensors, parameters;
    double bytes;
    sl_json *types; /* element type -> parameters */
} weights;

static sl_status count_type(weights *w, const sl_tensor_entry *e)
{
    const json_int_t before = json_integer_value(json_object_get(w->types, e->dtype->name));

    if (json_object_set_new(w->types, e->dtype->name,
                            json_integer(before + (json_int_t)e->count)) != 0)
        return SL_FAIL(SL_ENOMEM, "want memory for a list of types, found none");
    return SL_OK;
}

static sl_status count_file(weights *w, const char *folder, const char *name)
{
    sl_tensor_file file;
    char path[PATH_MAX];
    sl_status st = SL_OK;

    SL_TRY(sl_file_join(path, sizeof path, folder, name));
    SL_TRY(sl_tensor_file_open(&file, path));
    w->files++;
    w->bytes += (double)file.map.bytes;
    w->tensors += file.count;
    for (size_t i = 0; i < file.count && st == SL_OK; i++) {
        w->parameters += file.entry[i].count;
        st = count_type(w, &file.entry[i]);
    }
    sl_tensor_file_close(&file);
    return st;
}

/* Every file that the index names, once. */
static sl_status count_shards(weights *w, const char *folder, const char *index_path)
{
    sl_json *index = NULL, *seen = json_object();
    const char *tensor;
    json_t *value;
    sl_status st = SL_OK;

    SL_TRY_OUT(sl_json_load(&index, index_path, INDEX_MAX_BYTES));
    json_object_foreach(json_object_get(index, "weight_map"), tensor, value)
    {
        const char *name = json_string_value(value);

        if (!name || !*name || *name == '.' || strchr(name, '/')) {
            st = sl_err_where(SL_FAIL(SL_EFORMAT, "want a plain file name, found another value"),
                              "%s tensor \"%.128s\"", index_path, tensor);
            goto out;
        }
        if (json_object_get(seen, name))
            continue;
        if (json_object_set_new(seen, name, json_true()) != 0) {
            st = SL_FAIL(SL_ENOMEM, "want memory for a list of files, found none");
            goto out;
        }
        SL_TRY_OUT(count_file(w, folder, name));
    }
out:
    sl_json_close(&index);
    sl_json_close(&seen);
    return st;
}

static sl_status count_folder(weights *w, const char *folder)
{
    char one[PATH_MAX], index[PATH_MAX];

    SL_TRY(sl_file_join(one, sizeof one, folder, "model.safetensors"));
    SL_TRY(sl_file_join(index, sizeof index, folder, "model.safetensors.index.json"));
    if (sl_file_exists(one))
        return count_file(w, folder, "model.safetensors");
    if (sl_file_exists(index))
        return count_shards(w, folder, index);
    return SL_OK;
}

sl_status sl_inspect_weights(sl_json **out, const char *folder)
{
    weights w = { .types = json_object() };
    sl_status st;

    *out = NULL;
    if (!w.types)
        return SL_FAIL(SL_ENOMEM, "want memory for a list of types, found none");
    st = count_folder(&w, folder);
    if (st == SL_OK && w.files) {
        *out = json_pack("{s:I, s:I, s:I, s:f, s:O}", "files", (json_int_t)w.files, "tensors",
                         (json_int_t)w.tensors, "parameters", (json_int_t)w.parameters, "bytes",
                         w.bytes, "types", w.types);
        if (!*out)
            st = SL_FAIL(SL_ENOMEM, "want memory for what was found, found none");
    }
    sl_json_close(&w.types);
    return st;
}
