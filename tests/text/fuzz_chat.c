/* Chat formats against any bytes. An input is parts with the byte 0x1E between them: which file
 * (chat_format.json, chat_template.jinja, tokenizer_config.json by the first letter of c, t, k),
 * then that file, then messages: a letter for the role (s, u, a, or another) and the content. A
 * file is refused with its place, or messages render within the promises of chat.h and encoder.h.
 */
#include "base/alloc.h"
#include "harness/fuzz.h"
#include "text/encoder.h"
#include <string.h>

enum { MESSAGES = 16, SPECIAL_LEAST = 20 };

const t_fuzz_target t_fuzz = { .name = "fuzz chat",
                               .spice = "{}[]\",:<s>|suatck\x1E\\ \n\xfe\xff\xc3",
                               .changes = 3000 };

/* Every special token begins with "<", so that a content without it can hold none. */
static const char tokenizer_json[] =
    "{\"added_tokens\":[{\"id\":20,\"content\":\"<s>\",\"special\":true},{\"id\":21,\"content\":"
    "\"</s>\",\"special\":true},{\"id\":22,\"content\":\"<|im_end|>\",\"special\":true},"
    "{\"id\":23,\"content\":\"<|im_start|>\",\"special\":true,\"lstrip\":true,\"rstrip\":true},"
    "{\"id\":24,\"content\":\"<s><s>\",\"special\":true,\"normalized\":true}],"
    "\"normalizer\":{\"type\":\"NFC\"},\"pre_tokenizer\":{\"type\":\"ByteLevel\","
    "\"add_prefix_space\":false},\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"<\":1,\"s\":2,"
    "\">\":3,\"aa\":4,\"\\u010a\":5},\"merges\":[\"a a\"]}}";

/* The next part of the input as text of its own, NULL: none left. A zero byte ends a text. */
static char *take_part(sl_span *rest, size_t *bytes)
{
    const char *end;
    char *part;

    if (!rest->at)
        return NULL;
    end = rest->bytes ? memchr(rest->at, 0x1E, rest->bytes) : NULL;
    *bytes = end ? (size_t)(end - rest->at) : rest->bytes;
    t_expect(sl_take(&part, *bytes + 1, 1) == SL_OK, "memory");
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

    t_expect(begins == count_byte(marked, SL_CONTENT_END) && begins >= least && begins <= most,
             "a mark before and behind each content");
    for (; *marked; marked++) {
        const unsigned char c = (unsigned char)*marked;

        if (c != SL_CONTENT_BEGIN && c != SL_CONTENT_END)
            t_expect(*plain++ == *marked, "the plain text between the marks");
    }
    t_expect(!*plain, "all of the plain text");
}

/* How many special tokens the rendered messages have; -1: the text is no UTF-8. */
static long count_special(sl_text_encoder *e, const sl_message *message, size_t count)
{
    char *text;
    int32_t *ids;
    size_t n = 0;
    long special = 0;

    t_expect(sl_text_render(e, &text, message, count, 1) == SL_OK, "a text again");
    if (sl_text_encode(e, &ids, &n, text, 1) != SL_OK) {
        t_expect(sl_err_code() == SL_EFORMAT, "a refusal of the text");
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

    t_expect(sl_text_encoder_parse(&e, tokenizer_json, sizeof tokenizer_json - 1, "fuzzer",
                                   &settings) == SL_OK,
             "an encoder");
    found = count_special(e, message, count);
    for (size_t i = 0; i < count; i++)
        for (char *c = (char *)message[i].content; (c = strchr(c, '<'));)
            *c = 'a';
    want = count_special(e, message, count);
    t_expect(found == want, "the special tokens of the format and no others");
    sl_text_encoder_close(&e);
}

static void check_render(const sl_chat_format *format, sl_message *message, size_t count)
{
    char *plain[2] = { NULL, NULL }, *marked = NULL;
    const sl_status st = sl_chat_render(&plain[0], format, message, count, 0);

    if (st != SL_OK) {
        t_expect(st == SL_EFORMAT && !plain[0], "a refusal of a role");
        sl_err_clear();
        return;
    }
    t_expect(sl_chat_render(&plain[1], format, message, count, 1) == SL_OK, "a prompt");
    if (count && !strcmp(message[count - 1].role, "assistant")) {
        sl_free(plain[1]);
        t_expect(sl_chat_render(&plain[1], format, message, count - 1, 1) == SL_OK, "a prompt");
        t_expect(count == 1 || !strncmp(plain[0], plain[1], strlen(plain[1])),
                 "the prompt to begin the dialogue");
    }
    if (sl_chat_render_marked(&marked, format, message, count, 0) == SL_OK) {
        check_marks(plain[0], marked, count, count + 1);
        check_guards(format, message, count);
    } else {
        t_expect(sl_err_code() == SL_EFORMAT && !marked, "a refusal of a content");
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
        run_messages(sl_chat_format_of(chat), rest);
        t_fuzz_count(1);
    } else {
        t_expect(!chat && strstr(sl_err_place(), name) != NULL, "the file in the place");
        t_fuzz_count(0);
    }
    sl_chat_close(&chat);
    sl_free(which);
    sl_free(file);
    return 0;
}
