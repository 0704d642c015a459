/* Texts as tokens, one after another. */
#include "analysis/metric.h"
#include "base/alloc.h"
#include "base/rng.h"
#include <string.h>

/* The white space of Unicode that begins at text: its bytes, 0 when there is none. */
static size_t space_bytes(const char *text, size_t left)
{
    const unsigned char *c = (const unsigned char *)text;

    if (*c == ' ' || (*c >= '\t' && *c <= '\r'))
        return 1;
    if (left >= 2 && c[0] == 0xc2 && (c[1] == 0x85 || c[1] == 0xa0))
        return 2;
    if (left < 3)
        return 0;
    if (c[0] == 0xe2 && c[1] == 0x80 && /* U+2000 to 200A, 2028, 2029, 202F */
        ((c[2] >= 0x80 && c[2] <= 0x8a) || c[2] == 0xa8 || c[2] == 0xa9 || c[2] == 0xaf))
        return 3;
    return !memcmp(c, "\xe1\x9a\x80", 3) || !memcmp(c, "\xe2\x81\x9f", 3) ||
                   !memcmp(c, "\xe3\x80\x80", 3)
               ? 3
               : 0; /* U+1680, 205F, 3000 */
}

uint64_t sl_word_hash(const char *word, size_t bytes)
{
    uint64_t hash = bytes, piece;

    for (; bytes >= sizeof piece; word += sizeof piece, bytes -= sizeof piece) {
        memcpy(&piece, word, sizeof piece);
        hash = sl_rng_substream(hash, piece);
    }
    piece = 0;
    if (bytes) /* an empty text may be no text at all */
        memcpy(&piece, word, bytes);
    return sl_rng_substream(hash, piece);
}

static sl_status push_token(sl_texts *t, size_t at, uint64_t token)
{
    SL_TRY(sl_grow(&t->token, &t->token_capacity, at + 1, sizeof *t->token));
    t->token[at] = token;
    return SL_OK;
}

static void end_text(sl_texts *t, size_t end)
{
    t->first[++t->count] = end;
}

/* Room for the offsets of one text more; *at = where its tokens begin. */
static sl_status begin_text(size_t *at, sl_texts *t)
{
    SL_TRY(sl_grow(&t->first, &t->first_capacity, t->count + 2, sizeof *t->first));
    if (!t->count)
        t->first[0] = 0;
    *at = t->first[t->count];
    return SL_OK;
}

sl_status sl_texts_add_words(sl_texts *t, const char *text, size_t bytes)
{
    size_t at, word = 0, i = 0;

    SL_TRY(begin_text(&at, t));
    while (i < bytes) {
        const size_t space = space_bytes(text + i, bytes - i);

        if (space && i > word)
            SL_TRY(push_token(t, at++, sl_word_hash(text + word, i - word)));
        i += space ? space : 1;
        word = space ? i : word;
    }
    if (bytes > word)
        SL_TRY(push_token(t, at++, sl_word_hash(text + word, bytes - word)));
    end_text(t, at);
    return SL_OK;
}

sl_status sl_texts_add_tokens(sl_texts *t, const uint64_t *token, size_t count)
{
    size_t at;

    SL_TRY(begin_text(&at, t));
    SL_TRY(sl_grow(&t->token, &t->token_capacity, at + count, sizeof *t->token));
    if (count)
        memcpy(t->token + at, token, count * sizeof *token);
    end_text(t, at + count);
    return SL_OK;
}

sl_status sl_texts_add_ids(sl_texts *t, const int32_t *id, size_t count)
{
    size_t at;

    SL_TRY(begin_text(&at, t));
    SL_TRY(sl_grow(&t->token, &t->token_capacity, at + count, sizeof *t->token));
    for (size_t i = 0; i < count; i++)
        t->token[at + i] = (uint64_t)(uint32_t)id[i];
    end_text(t, at + count);
    return SL_OK;
}

void sl_texts_cut(sl_texts *t, size_t most)
{
    size_t at = 0;

    for (size_t i = 0, from = 0; i < t->count; i++) {
        const size_t end = t->first[i + 1], length = end - from;
        const size_t kept = length < most ? length : most;

        memmove(t->token + at, t->token + from, kept * sizeof *t->token);
        from = end;
        at += kept;
        t->first[i + 1] = at;
    }
}

void sl_texts_clear(sl_texts *t)
{
    t->count = 0;
}

void sl_texts_close(sl_texts *t)
{
    sl_free(t->token);
    sl_free(t->first);
    *t = (sl_texts){ 0 };
}
