/* Vocabulary: texts in one pool, ids by text in an open-addressing table. */
#include "base/alloc.h"
#include "text/tokenizer_int.h"
#include <string.h>

static size_t slot_of(const sl_vocab *vocab, const char *text, size_t bytes)
{
    /* CRC is linear: the product spreads it over the low bits of the mask */
    const uint64_t hash = sl_crc32c(0, text, bytes) * UINT64_C(0x9E3779B97F4A7C15);

    return (size_t)(hash >> 32) & vocab->mask;
}

/* The slot that holds text, or the free one where it belongs. */
static uint32_t *seek(const sl_vocab *vocab, const char *text, size_t bytes)
{
    size_t i = slot_of(vocab, text, bytes);

    for (;; i = (i + 1) & vocab->mask) {
        const sl_token *t;

        if (!vocab->slot[i])
            return &vocab->slot[i];
        t = &vocab->token[vocab->slot[i] - 1];
        if (t->bytes == bytes && !memcmp(vocab->pool.at + t->at, text, bytes))
            return &vocab->slot[i];
    }
}

sl_status sl_vocab_open(sl_vocab *vocab, size_t size, size_t count)
{
    size_t slots = 16;

    while (slots < 2 * count)
        slots *= 2;
    vocab->size = size;
    vocab->mask = slots - 1;
    SL_TRY(sl_take(&vocab->token, size + 1, sizeof *vocab->token));
    SL_TRY(sl_take(&vocab->slot, slots, sizeof *vocab->slot));
    return sl_bytes_add(&vocab->pool, "", 0);
}

void sl_vocab_close(sl_vocab *vocab)
{
    sl_bytes_close(&vocab->pool);
    sl_free(vocab->token);
    sl_free(vocab->slot);
    *vocab = (sl_vocab){ 0 };
}

sl_status sl_vocab_add(sl_vocab *vocab, const char *text, size_t bytes, int32_t id, uint32_t kind)
{
    uint32_t *slot = seek(vocab, text, bytes);
    sl_token *token = &vocab->token[id];

    if (*slot && *slot - 1 != (uint32_t)id)
        return SL_FAIL(SL_EFORMAT, "want one id for \"%.64s\", found %u and %d", text, *slot - 1,
                       id);
    if (!*slot && token->kind)
        return SL_FAIL(SL_EFORMAT, "want one text for id %d, found \"%.64s\" and \"%.64s\"", id,
                       vocab->pool.at + token->at, text);
    if (!*slot) {
        token->at = (uint32_t)vocab->pool.count;
        token->bytes = (uint32_t)bytes;
        /* the zero byte ends it in messages */
        SL_TRY(sl_bytes_add(&vocab->pool, text, bytes + 1));
        *slot = (uint32_t)id + 1;
    }
    token->kind |= kind;
    if ((kind & SL_TOKEN_MODEL) && bytes > vocab->longest)
        vocab->longest = bytes;
    return SL_OK;
}

int32_t sl_vocab_find(const sl_vocab *vocab, const char *text, size_t bytes, uint32_t kind)
{
    const uint32_t slot = *seek(vocab, text, bytes);

    return slot && (vocab->token[slot - 1].kind & kind) ? (int32_t)(slot - 1) : -1;
}
