/* Regular expressions of tokenizer.json are Oniguruma's; PCRE2 runs them. A pattern passes only
 * when everything in it is known to mean the same in both; \s is written out, because the two do
 * not agree on U+180E. */
#include "base/alloc.h"
#include "text/tokenizer_int.h"
#include <ctype.h>
#include <string.h>

enum { PATTERN_BYTES = 8192, MATCH_STEPS = 20000000, MATCH_KIB = 65536, NAME_BYTES = 160 };

#define SPACES                                                                                     \
    "\\t-\\r \\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}"       \
    "\\x{3000}"

static void *regex_take(size_t bytes, void *data)
{
    void *p = NULL;

    (void)data;
    return sl_take(&p, bytes, 1) == SL_OK ? p : NULL;
}

static void regex_give(void *p, void *data)
{
    (void)data;
    sl_free(p);
}

pcre2_general_context *sl_regex_memory(void)
{
    return pcre2_general_context_create(regex_take, regex_give, NULL);
}

static sl_status add_text(sl_bytes *out, const char *text)
{
    return sl_bytes_add(out, text, strlen(text));
}

static sl_status refuse(const char *at, size_t bytes)
{
    const size_t there = strnlen(at, bytes);

    return sl_err_hint(SL_FAIL(SL_EUNSUPPORTED,
                               "want a regex that means the same in PCRE2 and Oniguruma, found "
                               "\"%.*s\"",
                               (int)there, at),
                       "known are \\s \\S \\d \\D \\p \\P \\n \\r \\t \\f, classes without "
                       "classes in them, groups (?: (?i: (?= (?! (?> (?<= (?<!");
}

/* After a backslash at *at; moves *at past what it copied. */
static sl_status rewrite_escape(sl_bytes *out, const char **at, int in_class)
{
    const char *from = *at, *end;
    const char c = from[1];

    if (c == 's' || (c == 'S' && !in_class)) {
        *at += 2;
        if (in_class)
            return add_text(out, SPACES);
        return add_text(out, c == 's' ? "[" SPACES "]" : "[^" SPACES "]");
    }
    if (c == 'p' || c == 'P' || c == 'x') {
        end = from[2] == '{' ? strchr(from, '}') : NULL;
        if (!end)
            return refuse(from, 3);
        *at = end + 1;
        return sl_bytes_add(out, from, (size_t)(*at - from));
    }
    if (!c || (!strchr("dDnrtf", c) && !ispunct((unsigned char)c)))
        return refuse(from, 2);
    *at += 2;
    return sl_bytes_add(out, from, 2);
}

/* Bytes of {3} {3,} {3,5} at text, 0: another thing. A + after it is possessive in one of the two.
 */
static size_t repeat_bytes(const char *text)
{
    size_t n = 1, digits = strspn(text + 1, "0123456789");

    if (!digits)
        return 0;
    n += digits;
    if (text[n] == ',')
        n += 1 + strspn(text + n + 1, "0123456789");
    return text[n] == '}' && text[n + 1] != '+' ? n + 1 : 0;
}

static sl_status rewrite_group(sl_bytes *out, const char **at)
{
    static const char *const known[] = { "(?:", "(?i:", "(?=", "(?!", "(?>", "(?<=", "(?<!" };

    if ((*at)[1] != '?' && (*at)[1] != '*')
        return sl_bytes_add(out, (*at)++, 1);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        const size_t bytes = strlen(known[i]);

        if (!strncmp(*at, known[i], bytes)) {
            *at += bytes;
            return sl_bytes_add(out, known[i], bytes);
        }
    }
    return refuse(*at, 4);
}

static sl_status rewrite_class(sl_bytes *out, const char **at)
{
    SL_TRY(sl_bytes_add(out, (*at)++, 1));
    if (**at == '^')
        SL_TRY(sl_bytes_add(out, (*at)++, 1));
    if (**at == ']')
        return refuse(*at - 1, 2);
    while (**at && **at != ']') {
        if (**at == '[' || !strncmp(*at, "&&", 2))
            return refuse(*at, 2);
        if (**at == '\\')
            SL_TRY(rewrite_escape(out, at, 1));
        else
            SL_TRY(sl_bytes_add(out, (*at)++, 1));
    }
    return **at ? sl_bytes_add(out, (*at)++, 1) : refuse("[", 1);
}

static sl_status rewrite(sl_bytes *out, const char *pattern)
{
    for (const char *at = pattern; *at;) {
        size_t bytes = 1;

        if (*at == '\\') {
            SL_TRY(rewrite_escape(out, &at, 0));
            continue;
        }
        if (*at == '[') {
            SL_TRY(rewrite_class(out, &at));
            continue;
        }
        if (*at == '(') {
            SL_TRY(rewrite_group(out, &at));
            continue;
        }
        if (*at == '{')
            bytes = repeat_bytes(at);
        if (!bytes || *at == '^' || *at == '$')
            return refuse(at, bytes ? bytes : 8);
        SL_TRY(sl_bytes_add(out, at, bytes));
        at += bytes;
    }
    return SL_OK;
}

static sl_status wrong_pattern(int code, size_t at)
{
    PCRE2_UCHAR text[NAME_BYTES];

    if (code == PCRE2_ERROR_NOMEMORY || sl_err_code() == SL_ENOMEM)
        return SL_FAIL(SL_ENOMEM, "want memory for a regex, found none");
    if (pcre2_get_error_message(code, text, sizeof text) < 0)
        text[0] = 0;
    return SL_FAIL(SL_EFORMAT, "want a regex, found at byte %zu: %s", at, (const char *)text);
}

static sl_status compile(pcre2_code **out, const sl_bytes *pattern)
{
    pcre2_general_context *memory = sl_regex_memory();
    pcre2_compile_context *context = memory ? pcre2_compile_context_create(memory) : NULL;
    int code = PCRE2_ERROR_NOMEMORY;
    uint32_t matches_nothing = 0;
    size_t at = 0;

    if (context)
        *out = pcre2_compile((PCRE2_SPTR)pattern->at, pattern->count, PCRE2_UTF | PCRE2_UCP, &code,
                             &at, context);
    pcre2_compile_context_free(context);
    pcre2_general_context_free(memory);
    if (!*out)
        return wrong_pattern(code, at);
    if (pcre2_pattern_info(*out, PCRE2_INFO_MATCHEMPTY, &matches_nothing) || matches_nothing)
        return SL_FAIL(SL_EUNSUPPORTED, "want a regex that matches at least one character, found "
                                        "one that can match none");
    /* without just-in-time code the same pattern is interpreted */
    if (pcre2_jit_compile(*out, PCRE2_JIT_COMPLETE) && sl_err_code() == SL_ENOMEM)
        return SL_ENOMEM;
    return SL_OK;
}

sl_status sl_regex_open(pcre2_code **out, const char *pattern)
{
    sl_bytes text = { 0 };
    sl_status st = SL_OK;

    *out = NULL;
    if (strnlen(pattern, PATTERN_BYTES + 1) > PATTERN_BYTES)
        return SL_FAIL(SL_EUNSUPPORTED, "want a regex of at most %d bytes, found more",
                       PATTERN_BYTES);
    SL_TRY_OUT(sl_bytes_add(&text, "", 0));
    SL_TRY_OUT(rewrite(&text, pattern));
    SL_TRY_OUT(compile(out, &text));
out:
    if (st != SL_OK) {
        pcre2_code_free(*out);
        *out = NULL;
    }
    sl_bytes_close(&text);
    return st;
}

/* Memory of matching, at the first match of a work. */
static sl_status open_match(sl_text_work *work)
{
    pcre2_general_context *memory;

    if (work->match)
        return SL_OK;
    memory = sl_regex_memory();
    if (memory) {
        work->limits = pcre2_match_context_create(memory);
        work->match = pcre2_match_data_create(1, memory);
    }
    pcre2_general_context_free(memory);
    if (!work->limits || !work->match)
        return SL_FAIL(SL_ENOMEM, "want memory for matching, found none");
    pcre2_set_match_limit(work->limits, MATCH_STEPS);
    pcre2_set_heap_limit(work->limits, MATCH_KIB);
    return SL_OK;
}

sl_status sl_regex_next(int *found, size_t *at, size_t *end, const pcre2_code *regex,
                        sl_text_work *work, sl_span text)
{
    int rc;

    SL_TRY(open_match(work));
    rc = pcre2_match(regex, (PCRE2_SPTR)text.at, text.bytes, *at, PCRE2_NO_UTF_CHECK, work->match,
                     work->limits);
    if (rc == PCRE2_ERROR_JIT_STACKLIMIT)
        rc = pcre2_match(regex, (PCRE2_SPTR)text.at, text.bytes, *at,
                         PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, work->match, work->limits);
    *found = rc >= 0;
    if (rc >= 0) {
        const PCRE2_SIZE *range = pcre2_get_ovector_pointer(work->match);

        *at = range[0];
        *end = range[1];
        return SL_OK;
    }
    if (rc == PCRE2_ERROR_NOMATCH)
        return SL_OK;
    if (rc == PCRE2_ERROR_NOMEMORY)
        return SL_FAIL(SL_ENOMEM, "want memory for matching, found none");
    return SL_FAIL(SL_EFORMAT, "want the regex to match in %d steps, found code %d", MATCH_STEPS,
                   rc);
}
