#include "base/text.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_BYTES = 64 }; /* longer words have no near neighbour worth naming */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Edits (insert, delete, replace, swap of neighbours; optimal string alignment) from a (n bytes) to
 * b (m bytes), n and m at most WORD_BYTES. Rows of the dynamic programme: i-2, i-1, i. */
static size_t distance(const char *a, size_t n, const char *b, size_t m)
{
    size_t rows[3][WORD_BYTES + 1], *before = rows[0], *last = rows[1], *row = rows[2];

    for (size_t j = 0; j <= m; j++)
        last[j] = before[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *oldest = before;

        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            const size_t replaced = last[j - 1] + (a[i - 1] != b[j - 1]);

            row[j] = least(replaced, least(last[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
        before = last;
        last = row;
        row = oldest;
    }
    return last[m];
}

const char *sl_text_nearest(const char *word, const char *const *list)
{
    const size_t n = strlen(word);
    const size_t limit = n / 3 > 2 ? n / 3 : 2;
    const char *nearest = NULL;
    size_t best = limit + 1;

    if (n > WORD_BYTES)
        return NULL;
    for (; *list; list++) {
        const size_t m = strlen(*list);
        size_t edits;

        if (m > WORD_BYTES)
            continue;
        edits = distance(word, n, *list, m);
        if (edits < best && edits < (n > m ? n : m)) { /* else no letter is in common */
            best = edits;
            nearest = *list;
        }
    }
    return nearest;
}

sl_status sl_text_i64(int64_t *out, const char *text)
{
    const size_t sign = text[0] == '-';
    const size_t digits = strspn(text + sign, "0123456789");
    long long value;

    if (!digits || text[sign + digits])
        return SL_FAIL(SL_EARG, "want an integer, found \"%.64s\"", text);
    errno = 0;
    value = strtoll(text, NULL, 10);
    if (errno)
        return SL_FAIL(SL_EARG, "want an integer of 64 bits, found \"%.64s\"", text);
    *out = value;
    return SL_OK;
}

/* [-]digits[.digits][e[+-]digits] with a digit before the exponent: no hexadecimal, nan or inf. */
static int is_decimal(const char *text)
{
    static const char digits[] = "0123456789";
    size_t whole, part = 0;

    text += *text == '-';
    whole = strspn(text, digits);
    text += whole;
    if (*text == '.') {
        part = strspn(++text, digits);
        text += part;
    }
    if (whole + part == 0)
        return 0;
    if (*text == 'e' || *text == 'E') {
        text++;
        text += *text == '-' || *text == '+';
        if (!strspn(text, digits))
            return 0;
        text += strspn(text, digits);
    }
    return *text == 0;
}

sl_status sl_text_f64(double *out, const char *text)
{
    double value;

    if (!is_decimal(text))
        return SL_FAIL(SL_EARG, "want a number, found \"%.64s\"", text);
    value = strtod(text, NULL);
    if (!isfinite(value))
        return SL_FAIL(SL_EARG, "want a number below 1.8e308, found \"%.64s\"", text);
    *out = value;
    return SL_OK;
}

int sl_text_line(sl_span *line, sl_span *rest)
{
    const char *end;
    size_t whole;

    if (!rest->bytes)
        return 0;
    end = memchr(rest->at, '\n', rest->bytes);
    whole = end ? (size_t)(end - rest->at) + 1 : rest->bytes;
    *line = (sl_span){ rest->at, end ? whole - 1 : whole };
    if (end && line->bytes && line->at[line->bytes - 1] == '\r')
        line->bytes--;
    rest->at += whole;
    rest->bytes -= whole;
    return 1;
}

/* Well-formed sequences: The Unicode Standard, table 3-7. The second byte has its own range, which
 * keeps out overlong forms, surrogates and what is above U+10FFFF. */
static const struct {
    unsigned char first_min, first_max, second_min, second_max;
    size_t bytes;
} sequences[] = {
    { 0x00, 0x7f, 0x00, 0x00, 1 }, { 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
    { 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
    { 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

/* Bytes of the well-formed sequence at s (room bytes are left), 0 when there is none. */
static size_t sequence_bytes(const unsigned char *s, size_t room)
{
    size_t k = 0;

    while (k < sizeof sequences / sizeof sequences[0] && s[0] > sequences[k].first_max)
        k++;
    if (k == sizeof sequences / sizeof sequences[0] || s[0] < sequences[k].first_min ||
        sequences[k].bytes > room)
        return 0;
    if (sequences[k].bytes > 1 &&
        (s[1] < sequences[k].second_min || s[1] > sequences[k].second_max))
        return 0;
    for (size_t i = 2; i < sequences[k].bytes; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    return sequences[k].bytes;
}

int sl_text_is_utf8(const char *text, size_t bytes)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t i = 0, step;

    for (; i < bytes; i += step) {
        step = sequence_bytes(s + i, bytes - i);
        if (!step)
            return 0;
    }
    return 1;
}

uint32_t sl_text_chars(const char *text)
{
    uint32_t n = 0;

    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}
