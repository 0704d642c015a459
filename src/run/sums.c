#include "run/sums.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "run/files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { DEPTH_MOST = 4, SUMS_BYTES = 1 << 20 };
static const char sums_name[] = "sums.json", schema[] = "stageline.sums/1";

/* --- one file --------------------------------------------------------------------------------- */

static sl_status sum_file(size_t *bytes, char crc[9], const char *path)
{
    sl_map map;

    SL_TRY(sl_map_open(&map, path));
    *bytes = map.bytes;
    (void)snprintf(crc, 9, "%08x", (unsigned)sl_crc32c(0, map.data, map.bytes));
    sl_map_close(&map);
    return SL_OK;
}

static sl_status no_memory(void)
{
    return SL_FAIL(SL_ENOMEM, "want memory for sums, found none");
}

static sl_status put_file(sl_json *files, const char *path, const char *name)
{
    size_t bytes;
    char crc[9];
    sl_json *entry;

    SL_TRY(sum_file(&bytes, crc, path));
    entry = json_pack("{s:I, s:s}", "bytes", (json_int_t)bytes, "crc32c", crc);
    return json_object_set_new(files, name, entry) ? no_memory() : SL_OK;
}

/* --- a folder --------------------------------------------------------------------------------- */

static sl_status put_folder(sl_json *files, const char *folder, const char *prefix, int depth);

static sl_status put_entry(sl_json *files, const char *folder, const char *prefix,
                           const char *entry, int depth)
{
    char path[SL_RUN_PATH], name[SL_RUN_PATH], below[SL_RUN_PATH];
    struct stat s;

    if (!strcmp(entry, ".") || !strcmp(entry, "..") || !strcmp(entry, sums_name))
        return SL_OK;
    SL_TRY(sl_file_join(path, sizeof path, folder, entry));
    if ((size_t)snprintf(name, sizeof name, "%s%s", prefix, entry) >= sizeof name)
        return SL_FAIL(SL_EARG, "want a path below %d bytes, found more", SL_RUN_PATH);
    if (lstat(path, &s))
        return sl_err_where(SL_FAIL(SL_EIO, "want to look at it, found: %s", strerror(errno)), "%s",
                            path);
    if (S_ISREG(s.st_mode))
        return put_file(files, path, name);
    if (!S_ISDIR(s.st_mode) || depth == DEPTH_MOST)
        return SL_OK;
    SL_TRY(sl_file_join(below, sizeof below, name, ""));
    return put_folder(files, path, below, depth + 1);
}

/* In the order of names, so that equal folders have equal sums. */
static sl_status put_folder(sl_json *files, const char *folder, const char *prefix, int depth)
{
    struct dirent **entry = NULL;
    const int count = scandir(folder, &entry, NULL, alphasort);
    sl_status st = SL_OK;

    if (count < 0)
        return sl_err_where(SL_FAIL(SL_EIO, "want this folder, found: %s", strerror(errno)), "%s",
                            folder);
    for (int i = 0; i < count; i++) {
        if (st == SL_OK)
            st = put_entry(files, folder, prefix, entry[i]->d_name, depth);
        free(entry[i]);
    }
    free(entry);
    return st;
}

sl_status sl_sums_write(const char *folder)
{
    char path[SL_RUN_PATH], *text = NULL;
    sl_json *files = json_object(),
            *tree = json_pack("{s:s, s:O}", "schema", schema, "files", files);
    sl_status st = SL_OK;

    if (!tree)
        SL_TRY_OUT(no_memory());
    SL_TRY_OUT(put_folder(files, folder, "", 0));
    SL_TRY_OUT(sl_json_dump(&text, tree, 0));
    SL_TRY_OUT(sl_file_join(path, sizeof path, folder, sums_name));
    SL_TRY_OUT(sl_file_write_atomic(path, text, strlen(text)));
out:
    sl_free(text);
    sl_json_close(&files);
    sl_json_close(&tree);
    return st;
}

/* --- the check -------------------------------------------------------------------------------- */

static sl_status check_file(const char *folder, const char *name, const sl_json *entry)
{
    char path[SL_RUN_PATH], crc[9];
    const char *want;
    int64_t want_bytes;
    size_t bytes;

    if (name[0] == '/' || strstr(name, ".."))
        return SL_FAIL(SL_EFORMAT, "want files of the checkpoint, found \"%.64s\"", name);
    SL_TRY(sl_json_i64(&want_bytes, entry, "bytes"));
    SL_TRY(sl_json_text(&want, entry, "crc32c"));
    SL_TRY(sl_file_join(path, sizeof path, folder, name));
    if (!sl_file_exists(path))
        return sl_err_where(SL_FAIL(SL_EFORMAT, "want this file of the checkpoint, found none"),
                            "%s", path);
    SL_TRY(sum_file(&bytes, crc, path));
    if ((int64_t)bytes != want_bytes || strcmp(crc, want))
        return sl_err_where(SL_FAIL(SL_EFORMAT,
                                    "want %lld bytes with CRC32C %.16s, found %zu with %s",
                                    (long long)want_bytes, want, bytes, crc),
                            "%s", path);
    return SL_OK;
}

static sl_status check_tree(const char *folder, const sl_json *tree)
{
    const sl_json *files = json_object_get(tree, "files"), *entry;
    const char *found, *name;

    SL_TRY(sl_json_text(&found, tree, "schema"));
    if (strcmp(found, schema) || !json_is_object(files))
        return SL_FAIL(SL_EFORMAT, "want \"%s\" with \"files\", found \"%.32s\"", schema, found);
    json_object_foreach((sl_json *)(size_t)files, name, entry)
    {
        SL_TRY(check_file(folder, name, entry));
    }
    return SL_OK;
}

sl_status sl_sums_check(int *is_there, const char *folder)
{
    char path[SL_RUN_PATH], *text = NULL;
    size_t bytes;
    sl_json *tree = NULL;
    sl_status st = SL_OK;

    SL_TRY(sl_file_join(path, sizeof path, folder, sums_name));
    *is_there = sl_file_exists(path);
    if (!*is_there)
        return SL_OK;
    SL_TRY_OUT(sl_file_read_regular(&text, &bytes, path, SUMS_BYTES));
    SL_TRY_OUT(sl_json_parse(&tree, text, bytes, path));
    SL_TRY_OUT(sl_err_where(check_tree(folder, tree), "%s", path));
out:
    sl_free(text);
    sl_json_close(&tree);
    return st;
}
