/* The table of chat formats, and rendering by a row of it. Sources of the rows: the published
 * templates whose hash they carry; phi-2's model card; the HH dialogues of Bai et al. 2022; the
 * summaries of Stiennon et al. 2020. */
#include "text/chat.h"
#include "base/alloc.h"
#include "text/tokenizer_int.h"
#include <stdio.h>
#include <string.h>
#include <utf8proc.h>

/* clang-format off */
#define PLAIN_ROLES { "system", "user", "assistant" }
/* clang-format on */
#define CHATML                                                                                     \
    .prefix = "<|im_start|>{role}\n", .suffix = "<|im_end|>\n",                                    \
    .prompt = "<|im_start|>assistant\n", .role = PLAIN_ROLES

static const sl_chat_format formats[] = {
    {
        .name = "llama-3",
        .hash = "3bd333456aee200b3233d70b79d767c87101c2457bf69a6023e5903dfcbf2b6b",
        .begin = "<|begin_of_text|>",
        .prefix = "<|start_header_id|>{role}<|end_header_id|>\n\n",
        .suffix = "<|eot_id|>",
        .prompt = "<|start_header_id|>assistant<|end_header_id|>\n\n",
        .role = PLAIN_ROLES,
        .trims = 1,
    },
    {
        /* without tools; its template writes this date where none is given. That of 3.2 writes the
         * day on which it runs, which no recipe can repeat: say "llama-3.1" for it */
        .name = "llama-3.1",
        .hash = "ea1f9d8a898a0ce5c37d64d87ec10cfde63b10355b6c315d60fbd1c7068d429d",
        .begin = "<|begin_of_text|>",
        .prefix = "<|start_header_id|>{role}<|end_header_id|>\n\n",
        .suffix = "<|eot_id|>",
        .prompt = "<|start_header_id|>assistant<|end_header_id|>\n\n",
        .default_system = "",
        .system_start = "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n",
        .role = PLAIN_ROLES,
        .trims = 1,
    },
    {
        .name = "zephyr",
        .hash = "1b4810f042f7e987cb810ceddadfe5e38bbdc3dcddcac931ea08e7083ca04224",
        .prefix = "<|{role}|>\n",
        .suffix = "</s>\n",
        .prompt = "<|assistant|>\n",
        .role = PLAIN_ROLES,
    },
    {
        .name = "chatml",
        .hash = "2e7c58464a1c5792298a99422f45e85cfcf02d637ceb38315d53150aa5bebbc2",
        CHATML,
    },
    {
        .name = "qwen1.5",
        .hash = "bce94d5dd17510b01c40eaeee06f7ea78bca2c56970ebf5a5a2f23eb8b08116f",
        .default_system = "You are a helpful assistant",
        CHATML,
    },
    {
        .name = "qwen2",
        .hash = "9178daecd2ef900962d10437d8dab82041a172be2b4c59ba1d64e14ba1e47b7a",
        .default_system = "You are a helpful assistant.",
        CHATML,
    },
    {
        .name = "qwen2.5",
        .hash = "705d5782da398f5ce4bb10e19b2358aba0bd78710233d5f1811d7068cba1b58a",
        .default_system = "You are Qwen, created by Alibaba Cloud. You are a helpful assistant.",
        CHATML,
    },
    {
        .name = "smollm2",
        .hash = "6e76f0d0a1bfb2ef34f110bc376575127fca30189268db50eb63b9b7c352ac45",
        .default_system = "You are a helpful AI assistant named SmolLM, trained by Hugging Face",
        CHATML,
    },
    {
        .name = "phi-2",
        .prefix = "{role}: ",
        .suffix = "\n",
        .prompt = "Output:",
        .last = "<|endoftext|>",
        .role = { NULL, "Instruct", "Output" },
    },
    {
        .name = "phi-2-sft",
        .prefix = "### {role}: ",
        .suffix = "\n\n",
        .prompt = "### Assistant:",
        .last = "<|endoftext|>",
        .role = { NULL, "Human", "Assistant" },
    },
    {
        .name = "hh",
        .prefix = "\n\n{role}: ",
        .suffix = "",
        .prompt = "\n\nAssistant:",
        .last = "<|endoftext|>",
        .role = { NULL, "Human", "Assistant" },
    },
    {
        .name = "tldr",
        .prefix = "{role}",
        .suffix = "\n\n",
        .prompt = "TL;DR:",
        .last = "<|endoftext|>",
        .role = { NULL, "", "TL;DR: " },
    },
    {
        .name = "oasst",
        .prefix = "<|{role}|>",
        .suffix = "<|endoftext|>",
        .prompt = "<|assistant|>",
        .role = { "system", "prompter", "assistant" },
    },
    {
        .name = "plain",
        .prefix = "",
        .suffix = "",
        .prompt = "",
        .role = { "", "", "" },
    },
};

enum { FORMATS = sizeof formats / sizeof formats[0] };

static const char *const role_names[SL_ROLES] = PLAIN_ROLES;

const sl_chat_format *sl_chat_find(const char *name)
{
    for (size_t i = 0; i < FORMATS; i++)
        if (!strcmp(formats[i].name, name))
            return &formats[i];
    return NULL;
}

/* names (FORMATS + 1), with NULL behind the last one. */
static void list_names(const char **names)
{
    for (size_t i = 0; i < FORMATS; i++)
        names[i] = formats[i].name;
    names[FORMATS] = NULL;
}

sl_status sl_chat_named(const sl_chat_format **out, const char *name)
{
    const char *names[FORMATS + 1], *near;
    char all[512] = "";
    sl_status st;

    *out = sl_chat_find(name);
    if (*out)
        return SL_OK;
    list_names(names);
    near = sl_text_nearest(name, names);
    st = SL_FAIL(SL_EFORMAT, "want the name of a chat format, found \"%.64s\"", name);
    if (near)
        return sl_err_hint(st, "did you mean \"%s\"?", near);
    for (size_t i = 0, used = 0; i < FORMATS && used < sizeof all; i++)
        used += (size_t)snprintf(all + used, sizeof all - used, i ? ", %s" : "%s", names[i]);
    return sl_err_hint(st, "known are %s", all);
}

static int is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* SHA-256 of text without white space at its ends, every run inside one space. */
static void hash_words(char out[65], const char *text, size_t bytes)
{
    unsigned char digest[32];
    sl_sha256 sha;
    int has_word = 0;

    sl_sha256_open(&sha);
    for (size_t at = 0, end; at < bytes; at = end) {
        while (at < bytes && is_blank(text[at]))
            at++;
        for (end = at; end < bytes && !is_blank(text[end]);)
            end++;
        if (end > at && has_word)
            sl_sha256_add(&sha, " ", 1);
        sl_sha256_add(&sha, text + at, end - at);
        has_word |= end > at;
    }
    sl_sha256_close(&sha, digest);
    sl_sha256_hex(out, digest);
}

const sl_chat_format *sl_chat_recognise(const char *template_text, size_t bytes)
{
    char hash[65];

    hash_words(hash, template_text, bytes);
    for (size_t i = 0; i < FORMATS; i++)
        if (formats[i].hash && !strcmp(formats[i].hash, hash))
            return &formats[i];
    return NULL;
}

/* White space of Python's str.strip: Unicode's and the four separators. */
static int is_trimmed(int32_t point)
{
    return sl_is_space(point) || (point >= 0x1C && point <= 0x1F);
}

static sl_span trim(const char *text)
{
    sl_span all = { text, strlen(text) };
    size_t begin = all.bytes, end = 0; /* of what stays */

    for (size_t at = 0; at < all.bytes;) {
        int32_t point = 0;
        const utf8proc_ssize_t step = utf8proc_iterate((const utf8proc_uint8_t *)text + at,
                                                       (utf8proc_ssize_t)(all.bytes - at), &point);
        const size_t bytes = step > 0 ? (size_t)step : 1; /* a wrong byte is no white space */

        if (step <= 0 || !is_trimmed(point)) {
            begin = at < begin ? at : begin;
            end = at + bytes;
        }
        at += bytes;
    }
    return begin < end ? (sl_span){ text + begin, end - begin } : (sl_span){ text, 0 };
}

static sl_status add_text(sl_bytes *out, const char *text)
{
    return text ? sl_bytes_add(out, text, strlen(text)) : SL_OK;
}

/* The prefix with its {role}s. */
static sl_status add_prefix(sl_bytes *out, const char *prefix, const char *role)
{
    static const char mark[] = "{role}";

    for (const char *hit; (hit = strstr(prefix, mark)); prefix = hit + sizeof mark - 1) {
        SL_TRY(sl_bytes_add(out, prefix, (size_t)(hit - prefix)));
        SL_TRY(add_text(out, role));
    }
    return add_text(out, prefix);
}

/* How a role is written, NULL: the format does not have it. */
static const char *find_role(const sl_chat_format *format, const char *role)
{
    for (size_t i = 0; i < SL_ROLES; i++)
        if (!strcmp(role, role_names[i]))
            return format->role[i];
    return NULL;
}

static sl_status add_content(sl_bytes *out, sl_span content, int is_marked)
{
    static const char begin = (char)SL_CONTENT_BEGIN, end = (char)SL_CONTENT_END;

    if (!is_marked)
        return sl_bytes_add(out, content.at, content.bytes);
    if (memchr(content.at, (unsigned char)begin, content.bytes) ||
        memchr(content.at, (unsigned char)end, content.bytes))
        return SL_FAIL(SL_EFORMAT, "want content in UTF-8, found another byte");
    SL_TRY(sl_bytes_add(out, &begin, 1));
    SL_TRY(sl_bytes_add(out, content.at, content.bytes));
    return sl_bytes_add(out, &end, 1);
}

/* How rendering goes. */
typedef struct rendering {
    const sl_chat_format *format;
    int is_prompt, is_marked;
} rendering;

enum { IS_FIRST = 1, IS_LAST = 2 }; /* message */

static sl_status add_message(sl_bytes *out, const rendering *how, const sl_message *message,
                             int place)
{
    const int is_answer = !strcmp(message->role, role_names[SL_ROLE_ASSISTANT]);
    const int is_system = !strcmp(message->role, role_names[SL_ROLE_SYSTEM]);
    const sl_chat_format *format = how->format;
    const char *role = find_role(format, message->role);
    sl_span content = { message->content, strlen(message->content) };

    if (!role)
        return SL_FAIL(SL_EFORMAT,
                       "want role %suser or assistant (chat format %s), found \"%.64s\"",
                       format->role[SL_ROLE_SYSTEM] ? "system, " : "", format->name, message->role);
    if (format->trims)
        content = trim(message->content);
    SL_TRY(add_prefix(out, format->prefix, role));
    if (is_system && (place & IS_FIRST))
        SL_TRY(add_text(out, format->system_start));
    SL_TRY(add_content(out, content, how->is_marked));
    if (is_answer && format->last && (place & IS_LAST) && !how->is_prompt)
        return add_text(out, format->last);
    return add_text(out, format->suffix);
}

static sl_status render(sl_bytes *out, const rendering *how, const sl_message *message,
                        size_t count)
{
    const sl_chat_format *format = how->format;
    const sl_message system = { role_names[SL_ROLE_SYSTEM], format->default_system };

    SL_TRY(sl_bytes_add(out, "", 0));
    SL_TRY(add_text(out, format->begin));
    if (format->default_system && count && strcmp(message[0].role, system.role) != 0)
        SL_TRY(add_message(out, how, &system, IS_FIRST));
    for (size_t i = 0; i < count; i++) {
        const int place = (i ? 0 : IS_FIRST) | (i + 1 < count ? 0 : IS_LAST);

        SL_TRY(sl_err_where(add_message(out, how, &message[i], place), "message %zu", i));
    }
    return how->is_prompt ? add_text(out, format->prompt) : SL_OK;
}

static sl_status render_to(char **text, const rendering *how, const sl_message *message,
                           size_t count)
{
    sl_bytes out = { 0 };
    const sl_status st = render(&out, how, message, count);

    if (st != SL_OK)
        sl_bytes_close(&out);
    *text = out.at;
    return st;
}

sl_status sl_chat_render(char **text, const sl_chat_format *format, const sl_message *message,
                         size_t count, int is_prompt)
{
    const rendering how = { format, is_prompt, 0 };

    return render_to(text, &how, message, count);
}

sl_status sl_chat_render_marked(char **text, const sl_chat_format *format,
                                const sl_message *message, size_t count, int is_prompt)
{
    const rendering how = { format, is_prompt, 1 };

    return render_to(text, &how, message, count);
}
