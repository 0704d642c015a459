#include "text/words.h"
#include "base/alloc.h"
#include "base/text.h"
#include "text/tokenizer_int.h"

struct sl_words {
    pcre2_code *code;
    pcre2_general_context *memory;
};

static const char pattern[] =
    "\\p{Han}|\\p{Hiragana}"
    "|(?:(?!\\p{Han}|\\p{Hiragana})[\\p{L}\\p{M}\\p{N}])+"
    "(?:['.\\x{2019}](?:(?!\\p{Han}|\\p{Hiragana})[\\p{L}\\p{M}\\p{N}])+)*"
    "|[^\\p{Z}\\p{C}]";

sl_status sl_words_open(sl_words **out)
{
    int code;
    PCRE2_SIZE at;
    pcre2_compile_context *compile;
    sl_words *w;

    SL_TRY(sl_take(out, 1, sizeof **out));
    w = *out;
    w->memory = sl_regex_memory();
    compile = w->memory ? pcre2_compile_context_create(w->memory) : NULL;
    if (compile)
        w->code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                                PCRE2_UTF | PCRE2_UCP | PCRE2_NO_UTF_CHECK, &code, &at, compile);
    pcre2_compile_context_free(compile);
    if (w->code) {
        (void)pcre2_jit_compile(w->code, PCRE2_JIT_COMPLETE); /* without it: slower, the same */
        return SL_OK;
    }
    sl_words_close(out);
    return SL_FAIL(SL_ENOMEM, "want memory for the pattern of words, found none");
}

void sl_words_close(sl_words **words)
{
    sl_words *w = *words;

    if (!w)
        return;
    pcre2_code_free(w->code);
    pcre2_general_context_free(w->memory);
    sl_free(w);
    *words = NULL;
}

static sl_status walk(const sl_words *w, pcre2_match_data *match, const char *text, size_t bytes,
                      sl_status (*take)(void *state, const char *word, size_t bytes), void *state)
{
    size_t at = 0;

    while (at < bytes) {
        const PCRE2_SIZE *found;
        const int got =
            pcre2_match(w->code, (PCRE2_SPTR)text, bytes, at, PCRE2_NO_UTF_CHECK, match, NULL);

        if (got == PCRE2_ERROR_NOMATCH)
            return SL_OK;
        if (got < 0)
            return SL_FAIL(SL_EFORMAT, "want a text that splits into words, found one that takes "
                                       "too long");
        found = pcre2_get_ovector_pointer(match);
        SL_TRY(take(state, text + found[0], found[1] - found[0]));
        at = found[1];
    }
    return SL_OK;
}

sl_status sl_words_each(const sl_words *w, const char *text, size_t bytes,
                        sl_status (*take)(void *state, const char *word, size_t bytes), void *state)
{
    int32_t *wide = NULL;
    size_t capacity = 0;
    pcre2_match_data *match = NULL;
    sl_span nfc;
    sl_status st;

    if (!sl_text_is_utf8(text, bytes))
        return SL_FAIL(SL_EFORMAT, "want UTF-8, found other bytes");
    st = sl_nfc(&nfc, (sl_span){ text, bytes }, &wide, &capacity);
    if (st == SL_OK) {
        match = pcre2_match_data_create_from_pattern(w->code, w->memory);
        st = match ? walk(w, match, nfc.at, nfc.bytes, take, state)
                   : SL_FAIL(SL_ENOMEM, "want memory for words, found none");
    }
    pcre2_match_data_free(match);
    sl_free(wide);
    return st;
}
