/* Ids to text, one id at a time. What is pushed becomes certain text or held bytes: of a byte-level
 * tokenizer an incomplete character, of byte tokens their whole run, because one wrong byte makes
 * every byte of a run a U+FFFD. Whole texts are decoded by the same pushes. */
#include "base/alloc.h"
#include "text/tokenizer_int.h"
#include <string.h>
#include <utf8proc.h>

struct sl_decoder {
    const sl_tokenizer *tokenizer;
    int skips_special;
    sl_bytes held, out;
    sl_bytes token, edited; /* of one push */
    size_t tokens;          /* pushed and not skipped */
    int64_t strip_left;     /* characters that may still be cut at the start */
};

static const char broken[] = "\xEF\xBF\xBD"; /* U+FFFD */

typedef enum utf8 { UTF8_GOOD, UTF8_BAD, UTF8_SHORT } utf8;

/* Reads one character: *bytes of a good one, of the longest beginning of one, or 1. Source: Unicode
 * 15 table 3-7, D93b (maximal subparts). */
static utf8 read_utf8(size_t *bytes, const unsigned char *s, size_t n)
{
    const unsigned char lead = s[0];
    const size_t want = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    unsigned char low = 0x80, high = 0xBF; /* of the second byte */

    *bytes = 1;
    if (want == 1)
        return UTF8_GOOD;
    if (lead < 0xC2 || lead > 0xF4)
        return UTF8_BAD;
    low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : low;
    high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : high;
    for (; *bytes < want; ++*bytes) {
        if (*bytes == n)
            return UTF8_SHORT;
        if (s[*bytes] < low || s[*bytes] > high)
            return UTF8_BAD;
        low = 0x80;
        high = 0xBF;
    }
    return UTF8_GOOD;
}

/* Held bytes to out, broken ones as U+FFFD; an incomplete character stays unless is_last. */
static sl_status emit_lossy(sl_decoder *d, int is_last)
{
    sl_bytes *held = &d->held;
    size_t at = 0, bytes;

    for (; at < held->count; at += bytes) {
        const utf8 is = read_utf8(&bytes, (unsigned char *)held->at + at, held->count - at);

        if (is == UTF8_SHORT && !is_last)
            break;
        SL_TRY(is == UTF8_GOOD ? sl_bytes_add(&d->out, held->at + at, bytes)
                               : sl_bytes_add(&d->out, broken, sizeof broken - 1));
    }
    if (at)
        memmove(held->at, held->at + at, held->count - at);
    held->count -= at;
    return SL_OK;
}

/* A run of byte tokens ends. */
static sl_status emit_run(sl_decoder *d)
{
    const size_t bytes = d->held.count;

    d->held.count = 0;
    if (sl_text_is_utf8(d->held.at, bytes))
        return sl_bytes_add(&d->out, d->held.at, bytes);
    for (size_t i = 0; i < bytes; i++)
        SL_TRY(sl_bytes_add(&d->out, broken, sizeof broken - 1));
    return SL_OK;
}

/* Bytes of a token in the byte alphabet; a token with any other character stands for itself. */
static sl_status hold_bytes(sl_decoder *d, sl_span token)
{
    const size_t before = d->held.count;

    for (size_t i = 0; i < token.bytes;) {
        int32_t point = 0;
        int byte;
        char c;

        i += (size_t)utf8proc_iterate((const utf8proc_uint8_t *)token.at + i,
                                      (utf8proc_ssize_t)(token.bytes - i), &point);
        byte = sl_alphabet_byte(point);
        if (byte < 0) {
            d->held.count = before;
            return sl_bytes_add(&d->held, token.at, token.bytes);
        }
        c = (char)byte;
        SL_TRY(sl_bytes_add(&d->held, &c, 1));
    }
    return SL_OK;
}

/* d->token with every from replaced. */
static sl_status replace(sl_decoder *d, const char *from, const char *to)
{
    const size_t from_bytes = strlen(from), to_bytes = strlen(to);
    const sl_bytes old = d->token;
    size_t at = 0;

    d->edited.count = 0;
    for (;;) {
        const char *hit = memmem(old.at + at, old.count - at, from, from_bytes);
        const size_t end = hit ? (size_t)(hit - old.at) : old.count;

        SL_TRY(sl_bytes_add(&d->edited, old.at + at, end - at));
        if (!hit)
            break;
        SL_TRY(sl_bytes_add(&d->edited, to, to_bytes));
        at = end + from_bytes;
    }
    d->token = d->edited;
    d->edited = old;
    return SL_OK;
}

static sl_status edit_token(sl_decoder *d, sl_span text)
{
    const sl_decoding *how = &d->tokenizer->decoding;

    d->token.count = 0;
    if (how->is_joined && d->tokens)
        SL_TRY(sl_bytes_add(&d->token, " ", 1));
    SL_TRY(sl_bytes_add(&d->token, text.at, text.bytes));
    for (size_t i = 0; i < how->edit_count; i++)
        SL_TRY(replace(d, how->edit[i].from, how->edit[i].to));
    if (how->metaspace)
        SL_TRY(replace(d, how->metaspace, how->drops_first && !d->tokens ? "" : " "));
    return SL_OK;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Value of "<0xHH>", -1: another text. */
static int byte_token(const sl_bytes *text)
{
    int high, low;

    if (text->count != 6 || memcmp(text->at, "<0x", 3) != 0 || text->at[5] != '>')
        return -1;
    high = hex_digit(text->at[3]);
    low = hex_digit(text->at[4]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* New text from position from on loses what the start of the whole text must lose. */
static void strip_start(sl_decoder *d, size_t from)
{
    const char *strip = d->tokenizer->decoding.strip;
    const size_t bytes = strip ? strlen(strip) : 0;
    size_t cut = from;

    while (bytes && d->strip_left && d->out.count - cut >= bytes &&
           !memcmp(d->out.at + cut, strip, bytes)) {
        cut += bytes;
        d->strip_left--;
    }
    if (cut < d->out.count)
        d->strip_left = 0;
    if (cut > from)
        memmove(d->out.at + from, d->out.at + cut, d->out.count - cut);
    d->out.count -= cut - from;
}

static sl_status push(sl_decoder *d, int32_t id)
{
    const sl_decoding *how = &d->tokenizer->decoding;
    const size_t from = d->out.count;
    const sl_span text = sl_tokenizer_text(d->tokenizer, id);
    int byte;
    char c;

    if (how->is_bytes) {
        SL_TRY(hold_bytes(d, text));
        return emit_lossy(d, 0);
    }
    SL_TRY(edit_token(d, text));
    d->tokens++;
    byte = how->falls_back ? byte_token(&d->token) : -1;
    if (byte >= 0) {
        c = (char)byte;
        return sl_bytes_add(&d->held, &c, 1);
    }
    SL_TRY(emit_run(d));
    SL_TRY(sl_bytes_add(&d->out, d->token.at, d->token.count));
    strip_start(d, from);
    return SL_OK;
}

static sl_status push_one(sl_decoder *d, int32_t id)
{
    const sl_vocab *vocab = &d->tokenizer->vocab;
    uint32_t kind;

    if (id < 0)
        return SL_FAIL(SL_EARG, "want a token id of at least 0, found %d", id);
    kind = (size_t)id < vocab->size ? vocab->token[id].kind : 0;
    if (!kind || (d->skips_special && (kind & SL_TOKEN_SPECIAL)))
        return SL_OK;
    return push(d, id);
}

static sl_status finish(sl_decoder *d)
{
    const size_t from = d->out.count;

    SL_TRY(d->tokenizer->decoding.is_bytes ? emit_lossy(d, 1) : emit_run(d));
    strip_start(d, from);
    d->held.count = d->tokens = 0;
    d->strip_left = d->tokenizer->decoding.strip_count;
    return SL_OK;
}

sl_status sl_decoder_open(sl_decoder **out, const sl_tokenizer *tokenizer, int skip_special)
{
    sl_decoder *d;
    sl_status st = SL_OK;

    *out = NULL;
    SL_TRY(sl_take(&d, 1, sizeof *d));
    d->tokenizer = tokenizer;
    d->skips_special = skip_special;
    d->strip_left = tokenizer->decoding.strip_count;
    SL_TRY_OUT(sl_bytes_add(&d->held, "", 0));
    SL_TRY_OUT(sl_bytes_add(&d->out, "", 0));
    *out = d;
    return SL_OK;
out:
    sl_decoder_close(&d);
    return st;
}

void sl_decoder_close(sl_decoder **decoder)
{
    sl_decoder *d = *decoder;

    if (!d)
        return;
    sl_bytes_close(&d->held);
    sl_bytes_close(&d->out);
    sl_bytes_close(&d->token);
    sl_bytes_close(&d->edited);
    sl_free(d);
    *decoder = NULL;
}

sl_status sl_decoder_push(sl_span *piece, sl_decoder *decoder, int32_t id)
{
    decoder->out.count = 0;
    SL_TRY(push_one(decoder, id));
    *piece = (sl_span){ decoder->out.at, decoder->out.count };
    return SL_OK;
}

sl_status sl_decoder_finish(sl_span *piece, sl_decoder *decoder)
{
    decoder->out.count = 0;
    SL_TRY(finish(decoder));
    *piece = (sl_span){ decoder->out.at, decoder->out.count };
    return SL_OK;
}

sl_status sl_tokenizer_decode(char **out, size_t *bytes, const sl_tokenizer *tokenizer,
                              const int32_t *id, size_t count, int skip_special)
{
    sl_decoder *d;
    sl_status st = SL_OK;

    *out = NULL;
    SL_TRY(sl_decoder_open(&d, tokenizer, skip_special));
    for (size_t i = 0; i < count; i++)
        SL_TRY_OUT(sl_err_where(push_one(d, id[i]), "token %zu", i));
    SL_TRY_OUT(finish(d));
    SL_TRY_OUT(sl_bytes_add(&d->out, "", 0)); /* the zero byte after what was cut */
    *out = d->out.at;
    *bytes = d->out.count;
    d->out = (sl_bytes){ 0 };
out:
    sl_decoder_close(&d);
    return st;
}
