#include "run/identity.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

/* Widths beyond these are refused: 2 bytes of 16 Mi tokens stay below a frame's payload. */
static const int64_t width_max[] = {
    [SL_WIDTH_K] = 4096,
    [SL_WIDTH_VOCAB] = 16 << 20,
    [SL_WIDTH_GROUPS] = 65535,
    [SL_WIDTH_SKETCH] = 1 << 20,
};

static void uuid_text(char out[37], const unsigned char uuid[16])
{
    char *to = out;

    for (int i = 0; i < 16; i++)
        to += sprintf(to, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", uuid[i]);
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? (int)(at - digits) : -1;
}

static sl_status uuid_read(sl_run_identity *out, const char *text)
{
    char again[37];
    size_t i = 0;

    for (const char *at = text; *at && i < 16; i++) {
        int high, low = -1;

        at += *at == '-';
        high = hex_digit(at[0]);
        if (high >= 0)
            low = hex_digit(at[1]);
        if (low < 0)
            break;
        out->uuid[i] = (unsigned char)(high * 16 + low);
        at += 2;
    }
    uuid_text(again, out->uuid);
    if (i < 16 || strcmp(again, text))
        return SL_FAIL(SL_EFORMAT, "want run_uuid (8-4-4-4-12 hex digits), found \"%.40s\"", text);
    memcpy(out->uuid_text, again, sizeof again);
    return SL_OK;
}

static sl_status i64_between(int64_t *out, const sl_json *object, const char *key, int64_t low,
                             int64_t high)
{
    SL_TRY(sl_json_i64(out, object, key));
    if (*out < low || *out > high)
        return SL_FAIL(SL_EFORMAT, "want %s from %lld to %lld, found %lld", key, (long long)low,
                       (long long)high, (long long)*out);
    return SL_OK;
}

static sl_status version_read(sl_run_identity *out, const sl_json *run)
{
    const sl_json *schema = json_object_get(run, "schema");
    const char *name;
    int64_t major, minor;

    if (!json_is_object(schema))
        return SL_FAIL(SL_EFORMAT, "want \"schema\" (object), found none");
    SL_TRY(sl_json_text(&name, schema, "name"));
    if (strcmp(name, SL_SCHEMA_NAME))
        return SL_FAIL(SL_EFORMAT, "want schema \"%s\", found \"%.40s\"", SL_SCHEMA_NAME, name);
    SL_TRY(i64_between(&major, schema, "major", 0, 65535));
    SL_TRY(i64_between(&minor, schema, "minor", 0, 65535));
    if (major != SL_SCHEMA_MAJOR)
        return SL_FAIL(SL_EVERSION, "want schema version %d, found %lld", SL_SCHEMA_MAJOR,
                       (long long)major);
    out->major = (unsigned)major;
    out->minor = (unsigned)minor;
    return SL_OK;
}

static sl_status widths_read(sl_run_identity *out, const sl_json *run)
{
    const sl_json *widths = json_object_get(run, "widths");

    if (!json_is_object(widths))
        return SL_FAIL(SL_EFORMAT, "want \"widths\" (object), found none");
    out->layout = sl_layout_defaults();
    for (int w = SL_WIDTH_K; w <= SL_WIDTH_SKETCH; w++) {
        int64_t value;

        SL_TRY(i64_between(&value, widths, sl_width_name((sl_width)w), 0, width_max[w]));
        out->layout.width[w] = (uint32_t)value;
    }
    return SL_OK;
}

static sl_status tables_read(sl_run_identity *out, const sl_json *run)
{
    const sl_json *names = json_object_get(run, "tables");
    size_t i;
    sl_json *name;

    if (!json_is_array(names))
        return SL_FAIL(SL_EFORMAT, "want \"tables\" (array), found none");
    json_array_foreach(names, i, name)
    {
        const sl_table t =
            json_is_string(name) ? sl_table_find(json_string_value(name)) : SL_TABLE_COUNT;

        if (t < SL_TABLE_COUNT) /* else a table of a later minor version */
            out->has_table[t] = 1;
    }
    return SL_OK;
}

static sl_status identity_read(sl_run_identity *out, const sl_json *run)
{
    const char *uuid;
    int64_t value;

    SL_TRY(version_read(out, run));
    SL_TRY(sl_json_text(&uuid, run, "run_uuid"));
    SL_TRY(uuid_read(out, uuid));
    SL_TRY(i64_between(&value, run, "world_size", 1, 999));
    out->world_size = (uint32_t)value;
    SL_TRY(i64_between(&value, run, "level", 0, 3));
    out->level = (int)value;
    SL_TRY(widths_read(out, run));
    return tables_read(out, run);
}

static void hash_json(sl_run_identity *out, size_t bytes)
{
    unsigned char digest[32];
    sl_sha256 sha;

    sl_sha256_open(&sha);
    sl_sha256_add(&sha, out->json, bytes);
    sl_sha256_close(&sha, digest);
    sl_sha256_hex(out->sha256, digest);
}

sl_status sl_run_identity_load(sl_run_identity *out, const char *run_path)
{
    char path[4096];
    sl_json *run = NULL;
    size_t bytes;
    sl_status st = SL_OK;

    *out = (sl_run_identity){ 0 };
    SL_TRY(sl_file_join(path, sizeof path, run_path, "run.json"));
    SL_TRY_OUT(sl_file_read_regular(&out->json, &bytes, path, SL_RUN_JSON_MAX));
    hash_json(out, bytes);
    SL_TRY_OUT(sl_json_parse(&run, out->json, bytes, path));
    SL_TRY_OUT(sl_err_where(identity_read(out, run), "%s", path));
out:
    sl_json_close(&run);
    if (st != SL_OK)
        sl_run_identity_close(out);
    return st;
}

/* Keys of the record in front, so that a person sees first which run it is. */
static sl_json *identity_json(const sl_run_identity *identity)
{
    sl_json *widths = json_object(), *tables = json_array();

    for (int w = SL_WIDTH_K; w <= SL_WIDTH_SKETCH; w++)
        json_object_set_new(widths, sl_width_name((sl_width)w),
                            json_integer(identity->layout.width[w]));
    for (int t = 0; t < SL_TABLE_COUNT; t++)
        if (identity->has_table[t])
            json_array_append_new(tables, json_string(sl_table_get((sl_table)t)->name));
    return json_pack("{s:{s:s, s:i, s:i}, s:s, s:i, s:i, s:o, s:o}", "schema", "name",
                     SL_SCHEMA_NAME, "major", SL_SCHEMA_MAJOR, "minor", SL_SCHEMA_MINOR, "run_uuid",
                     identity->uuid_text, "world_size", (int)identity->world_size, "level",
                     identity->level, "widths", widths, "tables", tables);
}

sl_status sl_run_identity_save(const sl_run_identity *identity, const sl_json *run_json,
                               const char *run_path)
{
    char path[4096], *text = NULL;
    sl_json *run = identity_json(identity);
    sl_status st = SL_OK;

    if (!run || (run_json && json_object_update_missing(run, (sl_json *)(uintptr_t)run_json)))
        SL_TRY_OUT(SL_FAIL(SL_ENOMEM, "want memory for run.json, found none"));
    SL_TRY_OUT(sl_file_join(path, sizeof path, run_path, "run.json"));
    SL_TRY_OUT(sl_json_dump(&text, run, 1));
    SL_TRY_OUT(sl_file_write_atomic(path, text, strlen(text)));
out:
    sl_json_close(&run);
    sl_free(text);
    return st;
}

sl_status sl_run_uuid_new(sl_run_identity *out)
{
    ssize_t got;

    do
        got = getrandom(out->uuid, sizeof out->uuid, 0);
    while (got < 0 && errno == EINTR);
    if (got != (ssize_t)sizeof out->uuid)
        return SL_FAIL(SL_EIO, "want 16 random bytes, found: %s", strerror(errno));
    out->uuid[6] = (unsigned char)((out->uuid[6] & 0x0f) | 0x40); /* version 4 */
    out->uuid[8] = (unsigned char)((out->uuid[8] & 0x3f) | 0x80); /* variant of RFC 4122 */
    uuid_text(out->uuid_text, out->uuid);
    return SL_OK;
}

void sl_run_identity_close(sl_run_identity *identity)
{
    sl_free(identity->json);
    *identity = (sl_run_identity){ 0 };
}
