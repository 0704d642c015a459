#include "analysis/splitter.h"
#include "base/alloc.h"
#include "base/text.h"
#include "text/tokenizer.h"
#include "text/words.h"
#include <math.h>
#include <string.h>

struct sl_splitter {
    char *name;
    sl_status (*add)(sl_texts *t, const sl_splitter *s, const char *text, size_t bytes);
    double vocabulary;
    sl_words *words;
    sl_tokenizer *tokenizer;
};

static sl_status add_spaced(sl_texts *t, const sl_splitter *s, const char *text, size_t bytes)
{
    (void)s;
    return sl_texts_add_words(t, text, bytes);
}

/* Tokens of the text that is being read. */
typedef struct tokens {
    uint64_t *at;
    size_t count, capacity;
} tokens;

static sl_status push(void *state, const char *word, size_t bytes)
{
    tokens *list = state;

    SL_TRY(sl_grow(&list->at, &list->capacity, list->count + 1, sizeof *list->at));
    list->at[list->count++] = sl_word_hash(word, bytes);
    return SL_OK;
}

static sl_status add_words(sl_texts *t, const sl_splitter *s, const char *text, size_t bytes)
{
    tokens list = { 0 };
    sl_status st = sl_words_each(s->words, text, bytes, push, &list);

    if (st == SL_OK)
        st = sl_texts_add_tokens(t, list.at, list.count);
    sl_free(list.at);
    return st;
}

static sl_status add_bytes(sl_texts *t, const sl_splitter *s, const char *text, size_t bytes)
{
    tokens list = { 0 };
    sl_status st;

    (void)s;
    SL_TRY(sl_take(&list.at, bytes + 1, sizeof *list.at));
    for (size_t i = 0; i < bytes; i++)
        list.at[i] = (unsigned char)text[i];
    st = sl_texts_add_tokens(t, list.at, bytes);
    sl_free(list.at);
    return st;
}

/* Code points, each by the bytes that it is written with. */
static sl_status add_characters(sl_texts *t, const sl_splitter *s, const char *text, size_t bytes)
{
    tokens list = { 0 };
    sl_status st;

    (void)s;
    SL_TRY(sl_take(&list.at, bytes + 1, sizeof *list.at));
    for (size_t i = 0; i < bytes; i++) {
        const unsigned char byte = (unsigned char)text[i];

        if (!list.count || (byte & 0xc0) != 0x80)
            list.at[list.count++] = byte;
        else
            list.at[list.count - 1] = list.at[list.count - 1] << 8 | byte;
    }
    st = sl_texts_add_tokens(t, list.at, list.count);
    sl_free(list.at);
    return st;
}

static sl_status add_ids(sl_texts *t, const sl_splitter *s, const char *text, size_t bytes)
{
    sl_ids ids = { 0 };
    sl_status st = sl_tokenizer_encode(&ids, s->tokenizer, text, bytes, 0);

    if (st == SL_OK)
        st = sl_texts_add_ids(t, ids.id, ids.count);
    sl_ids_close(&ids);
    return st;
}

static sl_status open_ways(sl_splitter *s, const char *how)
{
    static const char prefix[] = "tokenizer=";

    s->vocabulary = NAN;
    if (!strcmp(how, "space")) {
        s->add = add_spaced;
    } else if (!strcmp(how, "bytes")) {
        s->add = add_bytes;
        s->vocabulary = 256.0;
    } else if (!strcmp(how, "characters")) {
        s->add = add_characters;
    } else if (!strcmp(how, "unicode-words")) {
        s->add = add_words;
        return sl_words_open(&s->words);
    } else if (!strncmp(how, prefix, sizeof prefix - 1)) {
        s->add = add_ids;
        SL_TRY(sl_tokenizer_open(&s->tokenizer, how + sizeof prefix - 1));
        s->vocabulary = (double)sl_tokenizer_vocab(s->tokenizer);
    } else {
        static const char *const known[] = { "space", "unicode-words",  "characters",
                                             "bytes", "tokenizer=PATH", NULL };
        const char *near = sl_text_nearest(how, known);
        const sl_status st = SL_FAIL(
            SL_EUSAGE,
            "want space, unicode-words, characters, bytes or tokenizer=PATH, found \"%.64s\"", how);

        return near ? sl_err_hint(st, "did you mean \"%s\"?", near) : st;
    }
    return SL_OK;
}

sl_status sl_splitter_open(sl_splitter **out, const char *how)
{
    sl_status st;

    SL_TRY(sl_take(out, 1, sizeof **out));
    st = sl_strdup(&(*out)->name, how);
    if (st == SL_OK)
        st = open_ways(*out, how);
    if (st != SL_OK)
        sl_splitter_close(out);
    return st;
}

void sl_splitter_close(sl_splitter **splitter)
{
    sl_splitter *s = *splitter;

    if (!s)
        return;
    sl_words_close(&s->words);
    sl_tokenizer_close(&s->tokenizer);
    sl_free(s->name);
    sl_free(s);
    *splitter = NULL;
}

double sl_splitter_vocabulary(const sl_splitter *s)
{
    return s->vocabulary;
}

const char *sl_splitter_name(const sl_splitter *s)
{
    return s->name;
}

const char *sl_splitter_hash(const sl_splitter *s)
{
    return s->tokenizer ? sl_tokenizer_hash(s->tokenizer) : NULL;
}

sl_status sl_splitter_add(sl_texts *t, const sl_splitter *s, const char *text, size_t bytes)
{
    return s->add(t, s, text, bytes);
}
