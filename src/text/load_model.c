/* The section "model": byte-pair encoding with vocabulary and merges, and the texts of the added
 * tokens, whose ids come from the file. */
#include "base/alloc.h"
#include "text/tokenizer_int.h"
#include <stdio.h>
#include <string.h>

static sl_status check_id(const sl_json *value)
{
    const json_int_t id = json_integer_value(value);

    if (!json_is_integer(value) || id < 0 || id >= SL_TOKENIZER_IDS)
        return SL_FAIL(SL_EFORMAT, "want an id from 0 to %d, found %s", SL_TOKENIZER_IDS - 1,
                       json_is_integer(value) ? "one outside" : "another value");
    return SL_OK;
}

static sl_status check_added(int64_t *id, const sl_json *node)
{
    const char *text;

    SL_TRY(sl_json_text(&text, node, "content"));
    SL_TRY(sl_json_i64(id, node, "id"));
    if (!*text)
        return SL_FAIL(SL_EFORMAT, "want content of at least one character, found none");
    return check_id(json_object_get(node, "id"));
}

/* *size = largest id + 1; every id and text is checked. */
static sl_status measure(size_t *size, const sl_json *vocab, const sl_json *added)
{
    const char *text;
    sl_json *value;
    size_t i;

    *size = 0;
    if (!json_is_object(vocab))
        return SL_FAIL(SL_EFORMAT, "want \"vocab\" (an object), found %s",
                       vocab ? "another value" : "none");
    json_object_foreach((sl_json *)vocab, text, value)
    {
        SL_TRY(sl_err_where(check_id(value), "token \"%.64s\"", text));
        if ((size_t)json_integer_value(value) >= *size)
            *size = (size_t)json_integer_value(value) + 1;
    }
    json_array_foreach(added, i, value)
    {
        int64_t id;

        SL_TRY(sl_err_where(check_added(&id, value), "added_tokens %zu", i));
        if ((size_t)id >= *size)
            *size = (size_t)id + 1;
    }
    return SL_OK;
}

static sl_status fill_added(sl_vocab *vocab, const sl_json *node)
{
    const char *text = json_string_value(json_object_get(node, "content"));
    const int32_t id = (int32_t)json_integer_value(json_object_get(node, "id"));
    int is_special;

    SL_TRY(sl_json_bool_or(&is_special, node, "special", 0));
    if (sl_vocab_find(vocab, text, strlen(text), SL_TOKEN_ADDED) >= 0)
        return SL_FAIL(SL_EFORMAT, "want \"%.64s\" added once, found it twice", text);
    return sl_vocab_add(vocab, text, strlen(text), id,
                        SL_TOKEN_ADDED | (is_special ? SL_TOKEN_SPECIAL : 0u));
}

static sl_status fill_vocab(sl_vocab *out, const sl_json *vocab, const sl_json *added)
{
    const char *text;
    sl_json *value;
    size_t i, size;

    SL_TRY(measure(&size, vocab, added));
    SL_TRY(sl_vocab_open(out, size, json_object_size(vocab) + json_array_size(added)));
    json_object_foreach((sl_json *)vocab, text, value)
    {
        SL_TRY(sl_vocab_add(out, text, strlen(text), (int32_t)json_integer_value(value),
                            SL_TOKEN_MODEL));
    }
    json_array_foreach(added, i, value)
    {
        SL_TRY(sl_err_where(fill_added(out, value), "added_tokens %zu", i));
    }
    return SL_OK;
}

/* Ids of single bytes: as characters of the byte alphabet, and as "<0xHH>". */
static void fill_bytes(sl_bpe *bpe, const sl_vocab *vocab)
{
    for (int b = 0; b < 256; b++) {
        char letter[2], hex[8];
        const size_t bytes = sl_alphabet_text(letter, (unsigned char)b);
        const int hex_bytes = snprintf(hex, sizeof hex, "<0x%02X>", (unsigned)b);

        bpe->byte_id[b] = sl_vocab_find(vocab, letter, bytes, SL_TOKEN_MODEL);
        bpe->hex_id[b] = sl_vocab_find(vocab, hex, (size_t)hex_bytes, SL_TOKEN_MODEL);
    }
}

/* What would change the ids and is not known. */
static sl_status refuse_unknown(const sl_json *model)
{
    static const char *const affixes[] = { "continuing_subword_prefix", "end_of_word_suffix" };
    const char *type;
    double dropout;

    SL_TRY(sl_json_text_or(&type, model, "type", "BPE"));
    if (strcmp(type, "BPE"))
        return SL_FAIL(SL_EUNSUPPORTED, "want type BPE, found \"%.64s\"", type);
    SL_TRY(sl_json_f64_or(&dropout, model, "dropout", 0.0));
    if (sl_json_has(model, "dropout"))
        return SL_FAIL(SL_EUNSUPPORTED, "want dropout null, found %g", dropout);
    for (size_t i = 0; i < 2; i++) {
        const char *text;

        SL_TRY(sl_json_text_or(&text, model, affixes[i], ""));
        if (*text)
            return SL_FAIL(SL_EUNSUPPORTED, "want %s null or empty, found \"%.64s\"", affixes[i],
                           text);
    }
    return SL_OK;
}

static sl_status read_unk(int32_t *out, const sl_vocab *vocab, const sl_json *model)
{
    const char *text;

    *out = -1;
    SL_TRY(sl_json_text_or(&text, model, "unk_token", NULL));
    if (!text)
        return SL_OK;
    *out = sl_vocab_find(vocab, text, strlen(text), SL_TOKEN_MODEL);
    if (*out < 0)
        return SL_FAIL(SL_EFORMAT, "want unk_token in the vocabulary, found \"%.64s\"", text);
    return SL_OK;
}

sl_status sl_load_model(sl_tokenizer *tokenizer, const sl_json *model, const sl_json *added)
{
    sl_bpe *bpe = &tokenizer->bpe;

    if (added && !json_is_array(added) && !json_is_null(added))
        return SL_FAIL(SL_EFORMAT, "want \"added_tokens\" (a list), found another value");
    SL_TRY(refuse_unknown(model));
    SL_TRY(sl_json_bool_or(&bpe->ignores_merges, model, "ignore_merges", 0));
    SL_TRY(sl_json_bool_or(&bpe->falls_back, model, "byte_fallback", 0));
    SL_TRY(sl_json_bool_or(&bpe->fuses_unk, model, "fuse_unk", 0));
    SL_TRY(fill_vocab(&tokenizer->vocab, json_object_get(model, "vocab"), added));
    SL_TRY(read_unk(&bpe->unk, &tokenizer->vocab, model));
    fill_bytes(bpe, &tokenizer->vocab);
    return sl_merges_open(&bpe->merges, &tokenizer->vocab, json_object_get(model, "merges"));
}
