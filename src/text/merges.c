/* Merges: rank and result of a pair of ids, in an open-addressing table. */
#include "base/alloc.h"
#include "text/tokenizer_int.h"
#include <string.h>

static const uint64_t free_pair = UINT64_MAX; /* ids are below 2^31 */

static uint64_t pair_of(int32_t left, int32_t right)
{
    return (uint64_t)left << 32 | (uint64_t)right;
}

static sl_merge *seek(const sl_merges *merges, uint64_t pair)
{
    const uint64_t hash = (pair ^ pair >> 29) * UINT64_C(0x9E3779B97F4A7C15);
    size_t i = (size_t)(hash >> 32) & merges->mask;

    while (merges->slot[i].pair != pair && merges->slot[i].pair != free_pair)
        i = (i + 1) & merges->mask;
    return &merges->slot[i];
}

const sl_merge *sl_merges_find(const sl_merges *merges, int32_t left, int32_t right)
{
    const sl_merge *merge = seek(merges, pair_of(left, right));

    return merge->pair == free_pair ? NULL : merge;
}

/* The two parts of "a b" or ["a", "b"], borrowed. */
static sl_status read_parts(sl_span part[2], const sl_json *merge)
{
    if (json_is_string(merge)) {
        const char *text = json_string_value(merge);
        const char *space = strchr(text, ' ');

        if (!space || strchr(space + 1, ' '))
            return SL_FAIL(SL_EFORMAT, "want two parts and one space between, found \"%.64s\"",
                           text);
        part[0] = (sl_span){ text, (size_t)(space - text) };
        part[1] = (sl_span){ space + 1, strlen(space + 1) };
        return SL_OK;
    }
    if (json_array_size(merge) != 2)
        return SL_FAIL(SL_EFORMAT, "want \"a b\" or [\"a\", \"b\"], found another value");
    for (size_t i = 0; i < 2; i++) {
        const sl_json *text = json_array_get(merge, i);

        if (!json_is_string(text))
            return SL_FAIL(SL_EFORMAT, "want [\"a\", \"b\"], found another value in it");
        part[i] = (sl_span){ json_string_value(text), json_string_length(text) };
    }
    return SL_OK;
}

static sl_status find_id(int32_t *out, const sl_vocab *vocab, sl_span text)
{
    *out = sl_vocab_find(vocab, text.at, text.bytes, SL_TOKEN_MODEL);
    if (*out < 0)
        return SL_FAIL(SL_EFORMAT, "want a token \"%.*s\" in the vocabulary, found none",
                       (int)(text.bytes < 64 ? text.bytes : 64), text.at);
    return SL_OK;
}

static sl_status add_merge(sl_merges *merges, sl_bytes *joined, const sl_vocab *vocab,
                           const sl_json *node, size_t rank)
{
    sl_span part[2];
    int32_t left, right, id;
    sl_merge *slot;

    SL_TRY(read_parts(part, node));
    joined->count = 0;
    SL_TRY(sl_bytes_add(joined, part[0].at, part[0].bytes));
    SL_TRY(sl_bytes_add(joined, part[1].at, part[1].bytes));
    SL_TRY(find_id(&left, vocab, part[0]));
    SL_TRY(find_id(&right, vocab, part[1]));
    SL_TRY(find_id(&id, vocab, (sl_span){ joined->at, joined->count }));
    slot = seek(merges, pair_of(left, right));
    *slot = (sl_merge){ pair_of(left, right), (uint32_t)rank, id }; /* a later one replaces */
    return SL_OK;
}

sl_status sl_merges_open(sl_merges *merges, const sl_vocab *vocab, const sl_json *list)
{
    const size_t count = json_array_size(list);
    sl_bytes joined = { 0 };
    size_t slots = 16;
    sl_status st = SL_OK;

    if (!json_is_array(list))
        return SL_FAIL(SL_EFORMAT, "want \"merges\" (a list), found %s",
                       list ? "another value" : "none");
    while (slots < count + count / 2)
        slots *= 2;
    merges->mask = slots - 1;
    SL_TRY(sl_take(&merges->slot, slots, sizeof *merges->slot));
    for (size_t i = 0; i < slots; i++)
        merges->slot[i].pair = free_pair;
    for (size_t i = 0; i < count; i++)
        SL_TRY_OUT(sl_err_where(add_merge(merges, &joined, vocab, json_array_get(list, i), i),
                                "merge %zu", i));
out:
    sl_bytes_close(&joined);
    return st;
}

void sl_merges_close(sl_merges *merges)
{
    sl_free(merges->slot);
    *merges = (sl_merges){ 0 };
}
