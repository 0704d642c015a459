/* The user block of a segment: a struct, a table of its fields, and JSON. */
#include "run/userblock_int.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef enum field_kind { TEXT, U32, U64, I64 } field_kind;

typedef struct field {
    const char *key;
    field_kind kind;
    size_t offset, size; /* in sl_segment_info */
} field;

#define FIELD(key_, kind_, member)                                                                 \
    {                                                                                              \
        .key = key_, .kind = kind_, .offset = offsetof(sl_segment_info, member),                   \
        .size = sizeof(((sl_segment_info *)0)->member)                                             \
    }

static const field fields[] = {
    FIELD("minor", U32, minor),
    FIELD("run_uuid", TEXT, uuid_text),
    FIELD("run_sha256", TEXT, run_sha256),
    FIELD("rank", U32, rank),
    FIELD("segment", U32, number),
    FIELD("attempt", U32, attempt),
    FIELD("resumed_from", I64, resumed_from),
    FIELD("first_step", I64, first_step),
    FIELD("last_step", I64, last_step),
    FIELD("last_seq", U64, last_seq),
    FIELD("texts_bytes", U64, text_bytes),
    FIELD("texts_sha256", TEXT, text_sha256),
    FIELD("previous_bytes", U64, previous_bytes),
    FIELD("previous_sha256", TEXT, previous_sha256),
    FIELD("bytes", U64, bytes),
    FIELD("sha256", TEXT, sha256),
};
enum { FIELD_COUNT = sizeof fields / sizeof fields[0] };

static sl_json *field_to_json(const field *f, const void *at)
{
    uint32_t u32;
    int64_t i64;

    if (f->kind == TEXT)
        return json_string(at);
    memcpy(&u32, at, sizeof u32);
    if (f->kind == U32)
        return json_integer(u32);
    memcpy(&i64, at, sizeof i64);
    return json_integer(i64);
}

static sl_status put_all(sl_json *object, const sl_segment_info *info)
{
    sl_json *rows = json_object();

    SL_TRY(sl_json_put(object, "schema", json_string(SL_SCHEMA_NAME)));
    SL_TRY(sl_json_put(object, "major", json_integer(SL_SCHEMA_MAJOR)));
    for (size_t i = 0; i < FIELD_COUNT; i++)
        SL_TRY(sl_json_put(object, fields[i].key,
                           field_to_json(&fields[i], (const char *)info + fields[i].offset)));
    SL_TRY(sl_json_put(object, "ended", json_string(sl_ended_name(info->ended))));
    SL_TRY(sl_json_put(object, "rows", rows));
    for (int t = 0; t < SL_TABLE_COUNT; t++)
        if (info->rows[t])
            SL_TRY(sl_json_put(rows, sl_table_get((sl_table)t)->name,
                               json_integer((json_int_t)info->rows[t])));
    return SL_OK;
}

sl_status sl_segment_info_to_json(sl_json **out, const sl_segment_info *info)
{
    sl_status st;

    *out = json_object();
    st = *out ? put_all(*out, info) : SL_FAIL(SL_ENOMEM, "want memory, found none");
    if (st != SL_OK)
        sl_json_close(out);
    return st;
}

static sl_status take_field(void *at, const field *f, const sl_json *object)
{
    int64_t value = 0;
    const char *text = NULL;

    if (f->kind == TEXT) {
        SL_TRY(sl_json_text(&text, object, f->key));
        if (strlen(text) >= f->size)
            return SL_FAIL(SL_EFORMAT, "\"%s\": want at most %zu bytes, found %zu", f->key,
                           f->size - 1, strlen(text));
        memcpy(at, text, strlen(text) + 1);
        return SL_OK;
    }
    SL_TRY(sl_json_i64(&value, object, f->key));
    if ((f->kind != I64 && value < 0) || (f->kind == U32 && value > UINT32_MAX))
        return SL_FAIL(SL_EFORMAT, "\"%s\": want a number in range, found %lld", f->key,
                       (long long)value);
    memcpy(at, &value, f->kind == U32 ? sizeof(uint32_t) : sizeof value); /* little-endian */
    return SL_OK;
}

/* Tables of a later minor version are passed over. */
static sl_status take_rows(sl_segment_info *out, const sl_json *object)
{
    const sl_json *rows = json_object_get(object, "rows");

    if (!json_is_object(rows))
        return SL_FAIL(SL_EFORMAT, "want \"rows\" (object), found none");
    for (int t = 0; t < SL_TABLE_COUNT; t++) {
        int64_t n = 0;

        SL_TRY(sl_json_i64_or(&n, rows, sl_table_get((sl_table)t)->name, 0));
        if (n < 0 || n > UINT32_MAX)
            return SL_FAIL(SL_EFORMAT, "rows of \"%s\": want 0 to 2^32-1, found %lld",
                           sl_table_get((sl_table)t)->name, (long long)n);
        out->rows[t] = (uint64_t)n;
    }
    return SL_OK;
}

static sl_status take_ended(sl_segment_info *out, const sl_json *object)
{
    const char *text = NULL;
    int e = 0;

    SL_TRY(sl_json_text(&text, object, "ended"));
    while (e < SL_ENDED_COUNT && strcmp(text, sl_ended_name((sl_ended)e)))
        e++;
    if (e == SL_ENDED_COUNT)
        return SL_FAIL(SL_EFORMAT, "\"ended\": want a known word, found \"%.32s\"", text);
    out->ended = (sl_ended)e;
    return SL_OK;
}

sl_status sl_segment_info_from_json(sl_segment_info *out, const sl_json *object)
{
    const char *schema = NULL;
    int64_t major = 0;

    *out = (sl_segment_info){ 0 };
    SL_TRY(sl_json_text(&schema, object, "schema"));
    if (strcmp(schema, SL_SCHEMA_NAME))
        return SL_FAIL(SL_EFORMAT, "\"schema\": want \"%s\", found \"%.32s\"", SL_SCHEMA_NAME,
                       schema);
    SL_TRY(sl_json_i64(&major, object, "major"));
    if (major != SL_SCHEMA_MAJOR)
        return SL_FAIL(SL_EVERSION, "want version %d of the run record, found %lld",
                       SL_SCHEMA_MAJOR, (long long)major);
    for (size_t i = 0; i < FIELD_COUNT; i++)
        SL_TRY(take_field((char *)out + fields[i].offset, &fields[i], object));
    SL_TRY(take_ended(out, object));
    return take_rows(out, object);
}

/* The user block of path; with is_proof also size and SHA-256 of the rest. */
static sl_status read_info(sl_segment_info *out, const char *path, int is_proof)
{
    sl_status st = SL_OK;
    sl_json *object = NULL;
    uint64_t bytes = 0;
    int fd = -1;

    SL_TRY_OUT(sl_userblock_open(&fd, &bytes, path));
    SL_TRY_OUT(sl_userblock_read(&object, fd));
    SL_TRY_OUT(sl_err_where(sl_segment_info_from_json(out, object), "user block"));
    if (is_proof)
        SL_TRY_OUT(sl_userblock_prove(fd, object));
out:
    if (fd >= 0)
        (void)close(fd);
    sl_json_close(&object);
    return sl_err_where(st, "%s", path);
}

sl_status sl_segment_info_read(sl_segment_info *out, const char *path)
{
    return read_info(out, path, 0);
}

sl_status sl_segment_prove(sl_segment_info *out, const char *path)
{
    return read_info(out, path, 1);
}
