/* Chat formats against any bytes: libFuzzer's entry, and a driver of our own that replays files and
 * pseudo-random changes of them. An input is parts with the byte 0x1E between them: which file
 * (chat_format.json, chat_template.jinja, tokenizer_config.json by the first letter of c, t, k),
 * then that file, then messages: a letter for the role (s, u, a, or another) and the content. A
 * file is refused with its place, or messages render within the promises of chat.h and encoder.h.
 * usage: fuzz_chat [-n CHANGES] FILE... */
#include "base/alloc.h"
#include "base/file.h"
#include "base/rng.h"
#include "text/encoder.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHANGES = 3000, FILE_BYTES = 16384, FILES = 32, MESSAGES = 16, SPECIAL_LEAST = 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t opened, refused;

/* Every special token begins with "<", so that a content without it can hold none. */
static const char tokenizer_json[] =
    "{\"added_tokens\":[{\"id\":20,\"content\":\"<s>\",\"special\":true},{\"id\":21,\"content\":"
    "\"</s>\",\"special\":true},{\"id\":22,\"content\":\"<|im_end|>\",\"special\":true},"
    "{\"id\":23,\"content\":\"<|im_start|>\",\"special\":true,\"lstrip\":true,\"rstrip\":true},"
    "{\"id\":24,\"content\":\"<s><s>\",\"special\":true,\"normalized\":true}],"
    "\"normalizer\":{\"type\":\"NFC\"},\"pre_tokenizer\":{\"type\":\"ByteLevel\","
    "\"add_prefix_space\":false},\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"<\":1,\"s\":2,"
    "\">\":3,\"aa\":4,\"\\u010a\":5},\"merges\":[\"a a\"]}}";

static void expect(int is_true, const char *what)
{
    if (is_true)
        return;
    fprintf(stderr, "want %s: %s %s\n", what, sl_err_place(), sl_err_message());
    abort();
}

/* The next part of the input as text of its own, NULL: none left. A zero byte ends a text. */
static char *take_part(sl_span *rest, size_t *bytes)
{
    const char *end;
    char *part;

    if (!rest->at)
        return NULL;
    end = rest->bytes ? memchr(rest->at, 0x1E, rest->bytes) : NULL;
    *bytes = end ? (size_t)(end - rest->at) : rest->bytes;
    expect(sl_take(&part, *bytes + 1, 1) == SL_OK, "memory");
    if (*bytes)
        memcpy(part, rest->at, *bytes);
    *rest = end ? (sl_span){ end + 1, rest->bytes - *bytes - 1 } : (sl_span){ NULL, 0 };
    return part;
}

static const char *role_of(char letter)
{
    static const char *const roles[] = { "system", "user", "assistant" };

    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
        if (roles[i][0] == letter)
            return roles[i];
    return "tool";
}

static size_t count_byte(const char *text, int byte)
{
    size_t n = 0;

    for (; *text; text++)
        n += (unsigned char)*text == byte;
    return n;
}

/* A marked text is the plain one and the marks. */
static void check_marks(const char *plain, const char *marked, size_t least, size_t most)
{
    const size_t begins = count_byte(marked, SL_CONTENT_BEGIN);

    expect(begins == count_byte(marked, SL_CONTENT_END) && begins >= least && begins <= most,
           "a mark before and behind each content");
    for (; *marked; marked++) {
        const unsigned char c = (unsigned char)*marked;

        if (c != SL_CONTENT_BEGIN && c != SL_CONTENT_END)
            expect(*plain++ == *marked, "the plain text between the marks");
    }
    expect(!*plain, "all of the plain text");
}

/* How many special tokens the rendered messages have; -1: the text is no UTF-8. */
static long count_special(sl_text_encoder *e, const sl_message *message, size_t count)
{
    char *text;
    int32_t *ids;
    size_t n = 0;
    long special = 0;

    expect(sl_text_render(e, &text, message, count, 1) == SL_OK, "a text again");
    if (sl_text_encode(e, &ids, &n, text, 1) != SL_OK) {
        expect(sl_err_code() == SL_EFORMAT, "a refusal of the text");
        sl_err_clear();
        special = -1;
    }
    for (size_t i = 0; i < n; i++)
        special += ids[i] >= SPECIAL_LEAST;
    sl_free(ids);
    sl_free(text);
    return special;
}

/* What stands in contents makes no special token. */
static void check_guards(const sl_chat_format *format, sl_message *message, size_t count)
{
    const sl_text_settings settings = { .chat = format };
    sl_text_encoder *e = NULL;
    long want, found;

    expect(sl_text_encoder_parse(&e, tokenizer_json, sizeof tokenizer_json - 1, "fuzzer",
                                 &settings) == SL_OK,
           "an encoder");
    found = count_special(e, message, count);
    for (size_t i = 0; i < count; i++)
        for (char *c = (char *)message[i].content; (c = strchr(c, '<'));)
            *c = 'a';
    want = count_special(e, message, count);
    expect(found == want, "the special tokens of the format and no others");
    sl_text_encoder_close(&e);
}

static void check_render(const sl_chat_format *format, sl_message *message, size_t count)
{
    char *plain[2] = { NULL, NULL }, *marked = NULL;
    const sl_status st = sl_chat_render(&plain[0], format, message, count, 0);

    if (st != SL_OK) {
        expect(st == SL_EFORMAT && !plain[0], "a refusal of a role");
        sl_err_clear();
        return;
    }
    expect(sl_chat_render(&plain[1], format, message, count, 1) == SL_OK, "a prompt");
    if (count && !strcmp(message[count - 1].role, "assistant")) {
        sl_free(plain[1]);
        expect(sl_chat_render(&plain[1], format, message, count - 1, 1) == SL_OK, "a prompt");
        expect(count == 1 || !strncmp(plain[0], plain[1], strlen(plain[1])),
               "the prompt to begin the dialogue");
    }
    if (sl_chat_render_marked(&marked, format, message, count, 0) == SL_OK) {
        check_marks(plain[0], marked, count, count + 1);
        check_guards(format, message, count);
    } else {
        expect(sl_err_code() == SL_EFORMAT && !marked, "a refusal of a content");
        sl_err_clear();
    }
    sl_free(plain[0]);
    sl_free(plain[1]);
    sl_free(marked);
}

static void run_messages(const sl_chat_format *format, sl_span rest)
{
    sl_message message[MESSAGES];
    char *part[MESSAGES];
    size_t count = 0, bytes;

    for (; count < MESSAGES && (part[count] = take_part(&rest, &bytes)); count++)
        message[count] = (sl_message){ role_of(part[count][0]), part[count] + (bytes > 0) };
    check_render(format, message, count);
    while (count > 0)
        sl_free(part[--count]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = { "chat_format.json", "chat_template.jinja",
                                         "tokenizer_config.json" };
    sl_span rest = { (const char *)data, size };
    sl_chat *chat = NULL;
    size_t which_bytes = 0, bytes = 0;
    char *which = size ? take_part(&rest, &which_bytes) : NULL, *file = take_part(&rest, &bytes);
    const char *letter = which && *which ? strchr("ctk", *which) : NULL;
    const char *name = names[letter ? letter - "ctk" : 0];

    if (!file) {
        sl_free(which);
        return 0;
    }
    if (sl_chat_parse(&chat, file, bytes, name) == SL_OK) {
        opened++;
        run_messages(sl_chat_format_of(chat), rest);
    } else {
        refused++;
        expect(!chat && (sl_err_code() == SL_EFORMAT || sl_err_code() == SL_EUNSUPPORTED),
               "a refusal");
        expect(strstr(sl_err_place(), name) != NULL, "the file in the place");
        sl_err_clear();
    }
    sl_chat_close(&chat);
    sl_free(which);
    sl_free(file);
    return 0;
}

#ifndef SL_LIBFUZZER
/* Bytes changed, cut off or put in. */
static size_t damage(char *text, size_t n, sl_rng *rng)
{
    static const char spice[] = "{}[]\",:<s>|suatck\x1E\\ \n\xfe\xff\xc3";

    for (uint32_t changes = 1 + sl_rng_below(rng, 4); changes > 0 && n > 1; changes--) {
        const size_t at = sl_rng_below(rng, (uint32_t)n);

        switch (sl_rng_below(rng, 6)) {
        case 0:
            text[at] = (char)sl_rng_u32(rng);
            break;
        case 1:
            n = at + 1;
            break;
        case 2:
            if (n == FILE_BYTES)
                break;
            memmove(text + at + 1, text + at, n - at);
            n++;
            text[at] = spice[sl_rng_below(rng, sizeof spice - 1)];
            break;
        default:
            text[at] = spice[sl_rng_below(rng, sizeof spice - 1)];
        }
    }
    return n;
}

int main(int argc, char **argv)
{
    sl_rng rng = sl_rng_at(1, sl_rng_stream("fuzz chat"), 0);
    char *seed[FILES], text[FILE_BYTES];
    size_t bytes[FILES], seeds = 0;
    long count = CHANGES;
    int first = 1;

    if (argc > 2 && !strcmp(argv[1], "-n")) {
        count = strtol(argv[2], NULL, 10);
        first = 3;
    }
    expect(first < argc, "files to begin with");
    for (int i = first; i < argc && seeds < FILES; i++, seeds++) {
        expect(sl_file_read(&seed[seeds], &bytes[seeds], argv[i], FILE_BYTES) == SL_OK, "a file");
        LLVMFuzzerTestOneInput((const uint8_t *)seed[seeds], bytes[seeds]);
    }
    for (long i = 0; i < count; i++) {
        const size_t s = sl_rng_below(&rng, (uint32_t)seeds);

        memcpy(text, seed[s], bytes[s]);
        LLVMFuzzerTestOneInput((const uint8_t *)text, damage(text, bytes[s], &rng));
    }
    expect(!count || (opened > 0 && refused > 0), "some of each");
    printf("%zu opened, %zu refused\n", opened, refused);
    while (seeds > 0)
        sl_free(seed[--seeds]);
    return 0;
}
#endif
