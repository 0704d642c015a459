/* A run: its recipe, how far it came and how it ended, rows of each table, room on the disk. Rows
 * are counted, not read. */
#include "cli/inspect.h"
#include "run/files.h"
#include "run/reader.h"
#include "train/recipe.h"
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MAX = 8 }; /* of folders below a run */

static sl_status no_memory(void)
{
    return SL_FAIL(SL_ENOMEM, "want memory for what was found, found none");
}

/* Bytes of the files below an open folder, without following links; what vanishes meanwhile counts
 * nothing. Closes fd. */
static double folder_bytes(int fd, int depth)
{
    DIR *folder = fdopendir(fd);
    const struct dirent *entry;
    double bytes = 0.0;

    if (!folder) {
        close(fd);
        return 0.0;
    }
    while ((entry = readdir(folder))) {
        struct stat s;
        int below;

        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") ||
            fstatat(fd, entry->d_name, &s, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        if (S_ISREG(s.st_mode))
            bytes += (double)s.st_size;
        if (!S_ISDIR(s.st_mode) || depth == DEPTH_MAX)
            continue;
        below = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (below >= 0)
            bytes += folder_bytes(below, depth + 1);
    }
    closedir(folder);
    return bytes;
}

static double disk_bytes(const char *path)
{
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return fd < 0 ? 0.0 : folder_bytes(fd, 0);
}

static sl_status rows_json(sl_json *rows, sl_reader *reader)
{
    for (int t = 0; t < SL_TABLE_COUNT; t++) {
        size_t count;

        if (!sl_reader_has(reader, (sl_table)t))
            continue;
        SL_TRY(sl_reader_count(reader, (sl_table)t, &count));
        if (json_object_set_new(rows, sl_table_get((sl_table)t)->name,
                                json_integer((json_int_t)count)) != 0)
            return no_memory();
    }
    return SL_OK;
}

static sl_status attempts_json(sl_json *list, const sl_reader *reader)
{
    const sl_attempts *attempts = sl_reader_attempts(reader);

    for (size_t i = 0; i < attempts->count; i++) {
        const sl_attempt *a = &attempts->row[i];
        sl_json *from = a->resumed_from < 0 ? json_null() : json_integer(a->resumed_from);

        if (json_array_append_new(list, json_pack("{s:I, s:o}", "attempt", (json_int_t)a->attempt,
                                                  "resumed_from", from)) != 0)
            return no_memory();
    }
    return SL_OK;
}

/* The keys of a recipe that are not at their defaults, as "section.key": value. A recipe of another
 * version that this program does not understand shows all of its keys. */
static sl_status changed_keys(sl_json *out, const sl_json *recipe)
{
    sl_recipe plain;
    sl_json *defaults = NULL, *value, *inner;
    const char *section, *key;
    char name[160];
    int bad = 0;

    SL_TRY(sl_yaml_defaults(&plain, sl_recipe_keys, sl_recipe_key_count));
    SL_TRY(sl_yaml_dump(&defaults, &plain, sl_recipe_keys, sl_recipe_key_count));
    json_object_foreach((json_t *)recipe, section, value)
    {
        const sl_json *plain_section = json_object_get(defaults, section);

        if (!json_is_object(value)) {
            if (!json_equal(value, (json_t *)plain_section))
                bad |= json_object_set(out, section, value);
            continue;
        }
        json_object_foreach(value, key, inner)
        {
            if (json_equal(inner, json_object_get(plain_section, key)))
                continue;
            snprintf(name, sizeof name, "%s.%s", section, key);
            bad |= json_object_set(out, name, inner);
        }
    }
    sl_json_close(&defaults);
    return bad ? no_memory() : SL_OK;
}

static sl_status fill(sl_json *tree, sl_reader *reader, const char *path)
{
    const sl_json *run = sl_reader_json(reader);
    sl_json *recipe = json_object_get(run, "recipe"), *imported = json_object_get(run, "imported");
    sl_reader_state state;
    int64_t checkpoint;

    SL_TRY(sl_reader_state_get(reader, &state));
    SL_TRY(sl_checkpoint_newest(&checkpoint, path));
    if (json_object_set_new(
            tree, "state",
            json_string(state.is_running ? "running" : sl_ended_name(state.ended))) ||
        json_object_set(tree, "uuid", json_object_get(run, "run_uuid")) ||
        json_object_set(tree, "stored", json_object_get(run, "schema")) ||
        json_object_set_new(tree, "first_step", json_integer(state.first_step)) ||
        json_object_set_new(tree, "last_step", json_integer(state.last_step)) ||
        json_object_set_new(tree, "newest_checkpoint",
                            checkpoint < 0 ? json_null() : json_integer(checkpoint)) ||
        json_object_set_new(tree, "bytes", json_real(disk_bytes(path))) ||
        json_object_set_new(tree, "attempts", json_array()) ||
        json_object_set_new(tree, "rows", json_object()) ||
        json_object_set_new(tree, "changed", json_object()) ||
        (imported && json_object_set(tree, "imported", imported)) ||
        json_object_set(tree, "recipe", recipe ? recipe : json_null()))
        return no_memory();
    SL_TRY(attempts_json(json_object_get(tree, "attempts"), reader));
    SL_TRY(rows_json(json_object_get(tree, "rows"), reader));
    return changed_keys(json_object_get(tree, "changed"), recipe);
}

sl_status sl_inspect_run(sl_json **out, const char *path, const sl_inspect_opts *o)
{
    sl_reader *reader = NULL;
    sl_json *tree = NULL;
    sl_status st = SL_OK;

    (void)o;
    SL_TRY(sl_reader_open(&reader, path));
    tree =
        json_pack("{s:s, s:s, s:s}", "schema", "stageline.inspect/1", "kind", "run", "path", path);
    SL_TRY_OUT(tree ? fill(tree, reader, path) : no_memory());
out:
    sl_reader_close(&reader);
    if (st != SL_OK)
        sl_json_close(&tree);
    *out = tree;
    return st;
}
