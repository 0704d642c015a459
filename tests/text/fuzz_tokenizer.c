/* tokenizer.json against any bytes. Half of the changes are to values inside of a sound file, so
 * that the checks behind the JSON parser are reached. A file is refused with its place, or it
 * encodes and decodes within its promises. */
#include "base/alloc.h"
#include "base/json.h"
#include "harness/fuzz.h"
#include "text/tokenizer.h"
#include <string.h>

static size_t change(char *text, size_t n, sl_rng *rng);
const t_fuzz_target t_fuzz = { .name = "fuzz tokenizer",
                               .spice = "{}[]\",:0123456789eE.-+ \\utfn()?*|\n\xff",
                               .changes = 3000,
                               .change = change };

static const char *const texts[] = {
    "",
    "ab abc  12\n\n'S <s>a<x> b",
    "\xC3\xA9 e\xCC\x81\xE2\x96\x81 \xF0\x9F\x98\x81 a\xE1\xA0\x8E-",
    "<s></s><s> a  <x>  \t   ab<e>",
};

static const char *const junk[] = { "null",
                                    "true",
                                    "0",
                                    "-1",
                                    "3",
                                    "2097151",
                                    "2097152",
                                    "1e308",
                                    "4294967296",
                                    "9223372036854775807",
                                    "\"\"",
                                    "\" \"",
                                    "\"a\"",
                                    "\"\\u2581\"",
                                    "\"(a|b)+\"",
                                    "\"[^a]\"",
                                    "\"\\\\p{L}\"",
                                    "\"Sequence\"",
                                    "\"Fuse\"",
                                    "\"ByteLevel\"",
                                    "\"NFC\"",
                                    "[]",
                                    "[[]]",
                                    "[\"a b\"]",
                                    "{}",
                                    "[{}]",
                                    "[\"a\",\"b\"]" };
enum { JUNK = sizeof junk / sizeof junk[0] };

/* Whole and in a stream: the same text. */
static void check_decode(const sl_tokenizer *t, const int32_t *id, size_t count, int skips)
{
    sl_decoder *d = NULL;
    sl_span piece;
    char *text = NULL;
    size_t bytes, seen = 0;

    t_expect(sl_tokenizer_decode(&text, &bytes, t, id, count, skips) == SL_OK, "text");
    t_expect(text[bytes] == 0 && sl_text_is_utf8(text, bytes), "valid UTF-8");
    t_expect(sl_decoder_open(&d, t, skips) == SL_OK, "a decoder");
    for (size_t i = 0; i <= count; i++) {
        t_expect((i < count ? sl_decoder_push(&piece, d, id[i]) : sl_decoder_finish(&piece, d)) ==
                     SL_OK,
                 "a piece");
        t_expect(piece.bytes <= bytes - seen && !memcmp(text + seen, piece.at, piece.bytes),
                 "the piece of the whole");
        seen += piece.bytes;
    }
    t_expect(seen == bytes, "all of the text");
    sl_decoder_close(&d);
    sl_free(text);
}

/* A guard over all of the text is as good as not looking for special tokens; one over its middle
 * still gives ids of the vocabulary. */
static void check_guards(const sl_tokenizer *t, const char *text, const sl_ids *plain)
{
    const sl_span span = { text, strlen(text) };
    const sl_guard guard[] = { { 0, span.bytes }, { span.bytes / 3, 2 * span.bytes / 3 } };

    for (size_t g = 0; g < 2 && guard[g].at < guard[g].end; g++) {
        sl_ids ids = { 0 };

        if (sl_tokenizer_encode_guarded(&ids, t, span, &guard[g], 1, SL_ENCODE_SPECIAL_IN_TEXT) !=
            SL_OK) {
            t_expect(sl_err_code() == SL_EFORMAT, "a refusal of the text");
            sl_err_clear();
        } else if (!g) {
            t_expect(ids.count == plain->count &&
                         (!ids.count || !memcmp(ids.id, plain->id, ids.count * sizeof *ids.id)),
                     "the ids without special tokens");
        }
        for (size_t i = 0; i < ids.count; i++)
            t_expect(ids.id[i] >= 0 && (size_t)ids.id[i] < sl_tokenizer_vocab(t),
                     "ids below vocab");
        sl_ids_close(&ids);
    }
}

static void check_text(const sl_tokenizer *t, const char *text)
{
    for (unsigned flags = 0; flags < 4; flags++) {
        sl_ids ids = { 0 };

        if (sl_tokenizer_encode(&ids, t, text, strlen(text), flags) != SL_OK) {
            t_expect(sl_err_code() == SL_EFORMAT,
                     "text that is too long, or a regex that gives up");
            sl_err_clear();
        } else if (!flags) {
            check_guards(t, text, &ids);
        }
        for (size_t i = 0; i < ids.count; i++)
            t_expect(ids.id[i] >= 0 && (size_t)ids.id[i] < sl_tokenizer_vocab(t),
                     "ids below vocab");
        check_decode(t, ids.id, ids.count, flags & 1);
        sl_ids_close(&ids);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sl_tokenizer *t = NULL;

    if (sl_tokenizer_parse(&t, (const char *)data, size, "fuzzed file") == SL_OK) {
        static const int32_t any[] = { 0, 5, 1, 99, 4, 3, 3, 4, 2, 0, 1 };

        for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
            check_text(t, texts[i]);
        check_decode(t, any, sizeof any / sizeof any[0], 0);
        sl_tokenizer_close(&t);
        t_fuzz_count(1);
    } else {
        t_expect(!t && strstr(sl_err_place(), "fuzzed file") != NULL, "the file in the place");
        t_fuzz_count(0);
    }
    return 0;
}

/* A value somewhere in the tree becomes another, or goes. */
static void change_value(sl_json *tree, sl_rng *rng)
{
    for (;;) {
        const size_t size = json_is_array(tree) ? json_array_size(tree) : json_object_size(tree);
        const size_t at = size ? sl_rng_below(rng, (uint32_t)size) : 0;
        void *member = json_object_iter(tree);
        sl_json *child;

        if (!size)
            return;
        for (size_t i = 0; member && i < at; i++)
            member = json_object_iter_next(tree, member);
        child = member ? json_object_iter_value(member) : json_array_get(tree, at);
        if ((json_is_array(child) || json_is_object(child)) && sl_rng_below(rng, 5)) {
            tree = child;
            continue;
        }
        child = json_loads(junk[sl_rng_below(rng, JUNK)], JSON_DECODE_ANY, NULL);
        t_expect(child != NULL, "a value");
        if (member)
            json_object_iter_set_new(tree, member, child);
        else
            json_array_set_new(tree, at, child);
        return;
    }
}

static size_t change(char *text, size_t n, sl_rng *rng)
{
    sl_json *tree = NULL;
    char *changed = NULL;

    if (sl_json_parse(&tree, text, n, "seed") != SL_OK) { /* one of libFuzzer's */
        sl_err_clear();
        return n;
    }
    for (uint32_t k = 1 + sl_rng_below(rng, 2); k > 0; k--)
        change_value(tree, rng);
    t_expect(sl_json_dump(&changed, tree, 0) == SL_OK && strlen(changed) < (size_t)2 * T_FUZZ_BYTES,
             "its text");
    n = strlen(strcpy(text, changed));
    sl_free(changed);
    sl_json_close(&tree);
    return n;
}
