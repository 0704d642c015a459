/* Added tokens: found in text leftmost-longest, all at once, by narrowing a sorted list byte by
 * byte. Tokens that are "normalized" are looked for in normalised text, in normalised form. */
#include "base/alloc.h"
#include "text/tokenizer_int.h"
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/* Letters, marks, decimal digits, connectors and joiners: \w of the library. */
static int is_word(int32_t point)
{
    static const int32_t circled[][2] = { /* symbols that are Alphabetic */
                                          { 0x24B6, 0x24E9 },
                                          { 0x1F130, 0x1F149 },
                                          { 0x1F150, 0x1F169 },
                                          { 0x1F170, 0x1F189 },
                                          { 0x200C, 0x200D }
    };
    const utf8proc_category_t category = utf8proc_category(point);

    for (size_t i = 0; i < sizeof circled / sizeof circled[0]; i++)
        if (point >= circled[i][0] && point <= circled[i][1])
            return 1;
    return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NL) ||
           category == UTF8PROC_CATEGORY_PC;
}

/* The character that begins at at, and where it ends; the text is valid. */
static int32_t next_point(sl_span text, size_t at, size_t *end)
{
    int32_t point = 0;

    *end = at + (size_t)utf8proc_iterate((const utf8proc_uint8_t *)text.at + at,
                                         (utf8proc_ssize_t)(text.bytes - at), &point);
    return point;
}

/* The character that ends at end, and where it begins. */
static int32_t previous_point(sl_span text, size_t end, size_t *at)
{
    size_t stop;

    *at = end - 1;
    while (*at && ((unsigned char)text.at[*at] & 0xC0) == 0x80)
        --*at;
    return next_point(text, *at, &stop);
}

static int stands_alone(sl_span text, size_t at, size_t end)
{
    size_t unused;

    if (at && is_word(previous_point(text, at, &unused)))
        return 0;
    return end == text.bytes || !is_word(next_point(text, end, &unused));
}

static size_t swallow_left(sl_span text, size_t at, size_t least)
{
    size_t before = at;

    while (at > least && sl_is_space(previous_point(text, at, &before)))
        at = before;
    return at > least ? at : least;
}

static size_t swallow_right(sl_span text, size_t end)
{
    size_t after = end;

    while (end < text.bytes && sl_is_space(next_point(text, end, &after)))
        end = after;
    return end;
}

/* First of needles lo..hi-1, equal before depth, whose byte at depth is at least byte. */
static size_t lower(const sl_needles *needles, size_t lo, size_t hi, size_t depth, int byte)
{
    while (lo < hi) {
        const size_t mid = lo + (hi - lo) / 2;
        const sl_needle *n = &needles->at[mid];

        if (n->bytes <= depth || (unsigned char)needles->pool.at[n->at + depth] < byte)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* The longest needle that the text has at at, or NULL. */
static const sl_needle *longest_at(const sl_needles *needles, sl_span text, size_t at)
{
    const unsigned char first = (unsigned char)text.at[at];
    size_t lo = needles->first[first], hi = needles->first[first + 1];
    const sl_needle *best = NULL;

    for (size_t depth = 1; lo < hi; depth++) {
        int byte;

        if (needles->at[lo].bytes == depth)
            best = &needles->at[lo];
        if (at + depth == text.bytes)
            break;
        byte = (unsigned char)text.at[at + depth];
        lo = lower(needles, lo, hi, depth, byte);
        hi = lower(needles, lo, hi, depth, byte + 1);
    }
    return best;
}

/* The same, but special tokens stay clear of the guard (NULL: none): a shorter needle may stand
 * before it or in it. *is_literal: the needle is special and in the guard, so its text is text. */
static const sl_needle *allowed_at(int *is_literal, const sl_needles *needles, sl_span text,
                                   size_t at, const sl_guard *guard)
{
    const sl_needle *n = longest_at(needles, text, at);
    const int is_inside = guard && at >= guard->at;
    size_t border;

    *is_literal = 0;
    if (!n || !guard || !(n->flags & SL_ADDED_SPECIAL) || guard->at >= at + n->bytes)
        return n;
    border = is_inside ? guard->end : guard->at;
    n = longest_at(needles, (sl_span){ text.at, border < text.bytes ? border : text.bytes }, at);
    *is_literal = n && is_inside && (n->flags & SL_ADDED_SPECIAL);
    return n;
}

static sl_status add_section(sl_sections *out, size_t at, size_t end, int32_t id)
{
    SL_TRY(sl_grow(&out->at, &out->capacity, out->count + 1, sizeof *out->at));
    out->at[out->count++] = (sl_section){ at, end - at, id };
    return SL_OK;
}

sl_status sl_needles_split(sl_sections *out, const sl_needles *needles, sl_span text,
                           const sl_guard *guard, size_t count)
{
    size_t done = 0, g = 0; /* written to out; the guard at hand */

    out->count = 0;
    for (size_t at = 0, next; needles->count && at < text.bytes; at = next) {
        const sl_needle *n;
        size_t begin = at, end;
        int is_literal;

        while (g < count && guard[g].end <= at)
            g++;
        n = allowed_at(&is_literal, needles, text, at, g < count ? &guard[g] : NULL);
        next = at + (n ? n->bytes : 1);
        if (!n || at < done || is_literal)
            continue;
        end = next;
        if ((n->flags & SL_ADDED_SINGLE_WORD) && !stands_alone(text, at, end))
            continue;
        if (n->flags & SL_ADDED_LSTRIP)
            begin = swallow_left(text, at, done);
        if (n->flags & SL_ADDED_RSTRIP)
            end = swallow_right(text, end);
        if (done < begin)
            SL_TRY(add_section(out, done, begin, -1));
        SL_TRY(add_section(out, begin, end, n->id));
        done = end;
    }
    return done < text.bytes ? add_section(out, done, text.bytes, -1) : SL_OK;
}

void sl_needles_close(sl_needles *needles)
{
    sl_bytes_close(&needles->pool);
    sl_free(needles->at);
    *needles = (sl_needles){ 0 };
}

static sl_status add_needle(sl_needles *needles, sl_span text, int32_t id, unsigned flags)
{
    SL_TRY(sl_grow(&needles->at, &needles->capacity, needles->count + 1, sizeof *needles->at));
    SL_TRY(sl_bytes_add(&needles->pool, text.at, text.bytes));
    needles->has_special |= (flags & SL_ADDED_SPECIAL) != 0;
    needles->at[needles->count++] =
        (sl_needle){ needles->pool.count - text.bytes, text.bytes, id, flags };
    return SL_OK;
}

static int compare(const void *a, const void *b, void *pool)
{
    const sl_needle *x = a, *y = b;
    const char *text = pool;
    const int order = memcmp(text + x->at, text + y->at, x->bytes < y->bytes ? x->bytes : y->bytes);

    if (order || x->bytes != y->bytes)
        return order ? order : x->bytes < y->bytes ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at; /* the order of the file */
}

static void sort(sl_needles *needles)
{
    if (needles->count)
        qsort_r(needles->at, needles->count, sizeof *needles->at, compare, needles->pool.at);
    for (size_t i = 0; i < needles->count; i++)
        needles->first[(unsigned char)needles->pool.at[needles->at[i].at] + 1]++;
    for (size_t b = 1; b < 257; b++)
        needles->first[b] += needles->first[b - 1];
}

static sl_status read_flags(unsigned *out, int *is_normalized, const sl_json *node)
{
    static const struct {
        const char *key;
        unsigned flag;
    } keys[] = {
        { "single_word", SL_ADDED_SINGLE_WORD },
        { "lstrip", SL_ADDED_LSTRIP },
        { "rstrip", SL_ADDED_RSTRIP },
        { "special", SL_ADDED_SPECIAL },
    };
    int is_set;

    *out = 0;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        SL_TRY(sl_json_bool_or(&is_set, node, keys[i].key, 0));
        *out |= is_set ? keys[i].flag : 0;
    }
    return sl_json_bool_or(is_normalized, node, "normalized", !(*out & SL_ADDED_SPECIAL));
}

static sl_status load_one(sl_tokenizer *t, sl_text_work *work, const sl_json *node)
{
    const char *text;
    int64_t id;
    unsigned flags;
    int is_normalized;

    SL_TRY(sl_json_text(&text, node, "content"));
    SL_TRY(sl_json_i64(&id, node, "id"));
    SL_TRY(read_flags(&flags, &is_normalized, node));
    if (!is_normalized)
        return add_needle(&t->raw, (sl_span){ text, strlen(text) }, (int32_t)id, flags);
    work->limit_bytes = 4096 + SL_TOKENIZER_GROWTH * strlen(text);
    SL_TRY(sl_steps_run(&t->normalizer, work, (sl_span){ text, strlen(text) }));
    if (!work->text.count)
        return SL_FAIL(SL_EUNSUPPORTED, "want text left after normalization, found none");
    return add_needle(&t->normalized, (sl_span){ work->text.at, work->text.count }, (int32_t)id,
                      flags);
}

sl_status sl_load_added(sl_tokenizer *tokenizer, const sl_json *added)
{
    sl_text_work work;
    sl_status st = sl_text_work_open(&work, 0);

    for (size_t i = 0; st == SL_OK && i < json_array_size(added); i++)
        st = sl_err_where(load_one(tokenizer, &work, json_array_get(added, i)), "%zu", i);
    sort(&tokenizer->raw);
    sort(&tokenizer->normalized);
    sl_text_work_close(&work);
    return st;
}
