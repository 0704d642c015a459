#include "run/texts.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "base/json.h"
#include "run/files.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEX = 17 }; /* 16 digits and zero */

static void hash_hex(char out[HEX], uint64_t hash)
{
    snprintf(out, HEX, "%016" PRIx64, hash);
}

static sl_json *maybe(const char *text)
{
    return text ? json_string(text) : json_null();
}

sl_status sl_text_line_make(char **line, size_t *bytes, uint64_t hash, const char *kind,
                            const char *id, const char *name, const char *text)
{
    char hex[HEX], *dump = NULL;
    sl_json *object;
    sl_status st;

    hash_hex(hex, hash);
    object = json_pack("{s:s, s:s, s:o, s:o, s:s}", "hash", hex, "kind", kind, "id", maybe(id),
                       "name", maybe(name), "text", text);
    if (!object)
        return SL_FAIL(SL_EARG, "want a text of UTF-8, found other bytes");
    st = sl_json_dump(&dump, object, 0);
    sl_json_close(&object);
    SL_TRY(st);
    *bytes = strlen(dump);
    st = sl_take(line, *bytes + 2, 1);
    if (st == SL_OK) {
        memcpy(*line, dump, *bytes);
        (*line)[(*bytes)++] = '\n';
    }
    sl_free(dump);
    return st;
}

static sl_status text_fields(sl_text *out, const sl_json *object)
{
    const char *hex, *field;
    char want[HEX];

    SL_TRY(sl_json_text(&field, object, "kind"));
    SL_TRY(sl_strdup(&out->kind, field));
    SL_TRY(sl_json_text_or(&field, object, "id", ""));
    SL_TRY(sl_strdup(&out->id, field));
    SL_TRY(sl_json_text_or(&field, object, "name", ""));
    SL_TRY(sl_strdup(&out->name, field));
    SL_TRY(sl_json_text(&field, object, "text"));
    SL_TRY(sl_strdup(&out->text, field));
    SL_TRY(sl_json_text(&hex, object, "hash"));
    out->hash = sl_hash_id(field, strlen(field));
    hash_hex(want, out->hash);
    if (strcmp(want, hex))
        return SL_FAIL(SL_EFORMAT, "want hash %s of the text, found \"%.32s\"", want, hex);
    return SL_OK;
}

sl_status sl_text_line_read(sl_text *out, const char *line, size_t bytes)
{
    sl_json *object = NULL;
    sl_status st;

    *out = (sl_text){ 0 };
    SL_TRY(sl_json_parse(&object, line, bytes, "text line"));
    st = text_fields(out, object);
    sl_json_close(&object);
    if (st != SL_OK)
        sl_text_close(out);
    return st;
}

void sl_text_close(sl_text *text)
{
    sl_free(text->kind);
    sl_free(text->id);
    sl_free(text->name);
    sl_free(text->text);
    *text = (sl_text){ 0 };
}
