#include "text_test.h"
#include "base/alloc.h"
#include <stdio.h>
#include <string.h>

enum { JSON_BYTES = 8192, TEXT_BYTES = 4096 };

static const char *or_null(const char *json)
{
    return json ? json : "null";
}

size_t t_parts_json(char *out, size_t size, const t_parts *parts)
{
    const int bytes = snprintf(
        out, size,
        "{\"added_tokens\":%s,\"normalizer\":%s,\"pre_tokenizer\":%s,\"post_processor\":%s,"
        "\"decoder\":%s,\"model\":{\"type\":\"BPE\",\"vocab\":%s,\"merges\":%s%s}}",
        or_null(parts->added), or_null(parts->normalizer), or_null(parts->pre),
        or_null(parts->post), or_null(parts->decoder), parts->vocab ? parts->vocab : VOCAB,
        parts->merges ? parts->merges : "[]", parts->more ? parts->more : "");

    assert_true(bytes > 0 && (size_t)bytes < size);
    return (size_t)bytes;
}

sl_status t_parts_open(sl_tokenizer **out, const t_parts *parts)
{
    char json[JSON_BYTES];
    const size_t bytes = t_parts_json(json, sizeof json, parts);

    return sl_tokenizer_parse(out, json, bytes, "test.json");
}

const char *t_encode(const sl_tokenizer *tokenizer, const char *text, unsigned flags)
{
    static char out[TEXT_BYTES];
    sl_ids ids = { 0 };
    size_t used = 0;

    out[0] = 0;
    T_OK(sl_tokenizer_encode(&ids, tokenizer, text, strlen(text), flags));
    for (size_t i = 0; i < ids.count && used < sizeof out - 16; i++)
        used += (size_t)snprintf(out + used, sizeof out - used, i ? " %d" : "%d", ids.id[i]);
    sl_ids_close(&ids);
    return out;
}

const char *t_ids(const t_parts *parts, const char *text)
{
    sl_tokenizer *tokenizer;
    const char *out;

    T_OK(t_parts_open(&tokenizer, parts));
    out = t_encode(tokenizer, text, SL_ENCODE_SPECIAL_IN_TEXT);
    sl_tokenizer_close(&tokenizer);
    return out;
}

const char *t_decode(const t_parts *parts, const int32_t *id, size_t count, int skip_special)
{
    static char out[TEXT_BYTES];
    sl_tokenizer *tokenizer;
    char *text;
    size_t bytes;

    T_OK(t_parts_open(&tokenizer, parts));
    T_OK(sl_tokenizer_decode(&text, &bytes, tokenizer, id, count, skip_special));
    assert_true(bytes < sizeof out);
    memcpy(out, text, bytes + 1);
    sl_free(text);
    sl_tokenizer_close(&tokenizer);
    return out;
}
