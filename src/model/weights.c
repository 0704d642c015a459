/* Files are mapped, checked, widened to float row by row of the tensor table. A pickle is never
 * read. */
#include "model/weights.h"
#include "base/alloc.h"
#include "base/file.h"
#include "model/family.h"
#include "model/foreign.h"
#include "model/safetensors.h"
#include <limits.h>
#include <string.h>

enum { INDEX_MAX_BYTES = 1 << 28, SHARDS_MAX = 4096 };

/* One file, or the shards of an index in the order in which it names them. */
typedef struct checkpoint {
    sl_tensor_file *file; /* (count), owned */
    size_t count, capacity;
    sl_json *index;     /* NULL: one file */
    sl_json *shard_of;  /* file name -> position in file */
    const sl_json *map; /* tensor -> file name; of the index */
} checkpoint;

static void checkpoint_close(checkpoint *c)
{
    for (size_t i = 0; i < c->count; i++)
        sl_tensor_file_close(&c->file[i]);
    sl_free(c->file);
    if (c->index)
        sl_json_close(&c->index);
    if (c->shard_of)
        sl_json_close(&c->shard_of);
}

static sl_status add_file(checkpoint *c, const char *folder, const char *name)
{
    char path[PATH_MAX];

    if (c->count == SHARDS_MAX)
        return SL_FAIL(SL_EFORMAT, "want at most %d shards", SHARDS_MAX);
    SL_TRY(sl_file_join(path, sizeof path, folder, name));
    SL_TRY(sl_grow(&c->file, &c->capacity, c->count + 1, sizeof *c->file));
    SL_TRY(sl_tensor_file_open(&c->file[c->count], path));
    c->count++;
    return SL_OK;
}

/* Opens the shard of one tensor unless it is open, and looks that the tensor is in it. */
static sl_status add_mapped(checkpoint *c, const char *folder, const char *tensor,
                            const sl_json *value)
{
    const char *name = json_string_value(value);
    const sl_json *known = NULL;
    size_t shard = c->count;

    if (!name || !*name || strchr(name, '/') || strchr(name, '\\') || name[0] == '.')
        return SL_FAIL(SL_EFORMAT, "want a plain file name, found \"%.128s\"",
                       name ? name : "(not text)");
    known = json_object_get(c->shard_of, name);
    if (known) {
        shard = (size_t)json_integer_value(known);
    } else {
        SL_TRY(add_file(c, folder, name));
        if (json_object_set_new(c->shard_of, name, json_integer((json_int_t)shard)) != 0)
            return SL_FAIL(SL_ENOMEM, "no memory for the index");
    }
    if (!sl_tensor_file_find(&c->file[shard], tensor))
        return SL_FAIL(SL_EFORMAT, "want this tensor in %.128s, found none", name);
    return SL_OK;
}

static sl_status open_shards(checkpoint *c, const char *folder, const char *path)
{
    SL_TRY(sl_json_load(&c->index, path, INDEX_MAX_BYTES));
    c->map = json_object_get(c->index, "weight_map");
    c->shard_of = json_object();
    if (!json_is_object(c->map) || !c->shard_of)
        return SL_FAIL(SL_EFORMAT, "%s: want weight_map (object), found none", path);
    for (void *at = json_object_iter((json_t *)c->map); at;
         at = json_object_iter_next((json_t *)c->map, at)) {
        const char *tensor = json_object_iter_key(at);

        SL_TRY(sl_err_where(add_mapped(c, folder, tensor, json_object_iter_value(at)),
                            "%s tensor \"%.128s\"", path, tensor));
    }
    return SL_OK;
}

static sl_status checkpoint_open(checkpoint *c, const char *folder)
{
    char path[PATH_MAX];
    const char *hint;

    SL_TRY(sl_file_join(path, sizeof path, folder, "model.safetensors"));
    if (sl_file_exists(path))
        return add_file(c, folder, "model.safetensors");
    SL_TRY(sl_file_join(path, sizeof path, folder, "model.safetensors.index.json"));
    if (sl_file_exists(path))
        return open_shards(c, folder, path);
    hint = sl_foreign_files(folder);
    return sl_err_hint(
        SL_FAIL(SL_EIO, "want %s/model.safetensors or its index, found neither", folder), "%s",
        hint ? hint : "only safetensors are read");
}

static const sl_tensor_entry *checkpoint_find(const checkpoint *c, const char *tensor)
{
    const char *name = NULL;

    if (!c->index)
        return sl_tensor_file_find(&c->file[0], tensor);
    name = json_string_value(json_object_get(c->map, tensor));
    if (!name)
        return NULL;
    return sl_tensor_file_find(&c->file[json_integer_value(json_object_get(c->shard_of, name))],
                               tensor);
}

static sl_status load_one(float *out, sl_tensor *t, const checkpoint *c, int notes_storage)
{
    const sl_tensor_entry *e = checkpoint_find(c, t->name);

    if (!e)
        return SL_FAIL(SL_EFORMAT, "want this tensor, found none");
    if (!e->dtype->is_weight)
        return SL_FAIL(SL_EUNSUPPORTED, "want dtype F32, BF16 or F16, found %s", e->dtype->name);
    if (e->rank != t->rank)
        return SL_FAIL(SL_ESHAPE, "want %d dimensions, found %zu", t->rank, e->rank);
    if (e->shape[0] != (t->rank == 1 ? t->cols : t->rows) ||
        (t->rank == 2 && e->shape[1] != t->cols))
        return SL_FAIL(SL_ESHAPE, "want (%zu,%zu), found (%zu,%zu)", t->rows, t->cols,
                       t->rank == 1 ? 1 : e->shape[0], e->shape[t->rank - 1]);
    if (notes_storage)
        t->storage = (uint8_t)e->dtype->storage;
    sl_dtype_widen(out, e->data, e->count, e->dtype->storage);
    return SL_OK;
}

static int has_suffix(const char *text, const char *suffix)
{
    const size_t n = strlen(text), m = strlen(suffix);

    return n >= m && strcmp(text + n - m, suffix) == 0;
}

/* Buffers of old checkpoints; the copy of a tied head. */
static int is_ignored(const char *name, const sl_config *config)
{
    static const char *const buffers[] = { ".rotary_emb.inv_freq", ".attention.bias",
                                           ".attention.masked_bias" };
    char head[160];

    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; i++) {
        if (has_suffix(name, buffers[i]))
            return 1;
    }
    sl_family_tensor_name(head, sizeof head, config->family, SL_TENSOR_HEAD, 0, 0);
    return config->is_tied && strcmp(name, head) == 0;
}

static sl_status refuse_unexpected(const checkpoint *c, const sl_tensors *table,
                                   const sl_config *config)
{
    for (size_t f = 0; f < c->count; f++) {
        for (size_t i = 0; i < c->file[f].count; i++) {
            const char *name = c->file[f].entry[i].name;
            size_t row = 0;

            while (row < table->count && strcmp(table->row[row].name, name) != 0)
                row++;
            if (row == table->count && !is_ignored(name, config))
                return SL_FAIL(SL_EFORMAT,
                               "want no tensor that the model does not have, found "
                               "\"%.128s\"",
                               name);
        }
    }
    return SL_OK;
}

sl_status sl_weights_load(float *flat, sl_tensors *table, const sl_config *config,
                          const char *folder, int notes_storage)
{
    sl_status st = SL_OK;
    checkpoint c = { 0 };

    SL_TRY_OUT(checkpoint_open(&c, folder));
    for (size_t i = 0; i < table->count; i++) {
        sl_tensor *t = &table->row[i];

        SL_TRY_OUT(sl_err_where(load_one(flat + t->offset, t, &c, notes_storage),
                                "%s tensor \"%s\"", folder, t->name));
    }
    SL_TRY_OUT(sl_err_where(refuse_unexpected(&c, table, config), "%s", folder));
out:
    checkpoint_close(&c);
    return st;
}

static sl_status save_tree(const sl_json *tree, const char *folder, const char *name)
{
    char path[PATH_MAX], *text = NULL;
    sl_status st = SL_OK;

    SL_TRY(sl_file_join(path, sizeof path, folder, name));
    SL_TRY(sl_json_dump(&text, tree, 1));
    st = sl_file_write_atomic(path, text, strlen(text));
    sl_free(text);
    return st;
}

/* The trees as read; as_f32 changes only the storage type, under the key that the dialect has. */
static sl_status save_config(const sl_config *config, const char *folder, int as_f32)
{
    const char *key = sl_json_has(config->tree, "dtype") ? "dtype" : "torch_dtype";
    sl_status st = SL_OK;
    sl_config copy;

    SL_TRY(sl_config_copy(&copy, config));
    if (as_f32 && json_object_set_new(copy.tree, key, json_string("float32")) != 0)
        SL_TRY_OUT(SL_FAIL(SL_ENOMEM, "no memory for the config"));
    SL_TRY_OUT(save_tree(copy.tree, folder, "config.json"));
    if (copy.generation)
        SL_TRY_OUT(save_tree(copy.generation, folder, "generation_config.json"));
out:
    sl_config_close(&copy);
    return st;
}

static sl_status save_tensors(const float *flat, const sl_tensors *table, const char *folder,
                              int as_f32)
{
    sl_status st = SL_OK;
    char path[PATH_MAX];
    sl_tensor_source *source = NULL;

    SL_TRY(sl_file_join(path, sizeof path, folder, "model.safetensors"));
    SL_TRY(sl_take(&source, table->count, sizeof *source));
    for (size_t i = 0; i < table->count; i++) {
        const sl_tensor *t = &table->row[i];

        source[i] = (sl_tensor_source){ t->name, flat + t->offset,
                                        t->rows, t->cols,
                                        t->rank, as_f32 ? SL_STORE_F32 : (sl_storage)t->storage };
    }
    st = sl_tensor_file_write(path, source, table->count);
    sl_free(source);
    return st;
}

sl_status sl_weights_save(const float *flat, const sl_tensors *table, const sl_config *config,
                          const char *folder, int as_f32)
{
    SL_TRY(save_tensors(flat, table, folder, as_f32));
    SL_TRY(save_config(config, folder, as_f32));
    return sl_file_sync_folder(folder);
}
