/* Which chat format a folder has: its own chat_format.json, or a template that is known. */
#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "text/chat.h"
#include <string.h>

enum { FILE_BYTES = 16 << 20, PATH_BYTES = 4096, INTEGER_DIGITS = 19 };

struct sl_chat {
    sl_chat_format format;
    sl_json *tree; /* holds the strings of a format of the folder's own; NULL: the table's */
};

static const char hint[] =
    "say chat: {format: chatml} in the recipe, with the name of a known format, or chat: {prefix: "
    "\"<|{role}|>\\n\", suffix: \"</s>\\n\", prompt: \"<|assistant|>\\n\"} with the text before "
    "and "
    "after each message and before the answer; or write the same keys into chat_format.json beside "
    "tokenizer.json, {\"format\": \"chatml\"}";

void sl_chat_close(sl_chat **chat)
{
    if (!*chat)
        return;
    sl_json_close(&(*chat)->tree);
    sl_free(*chat);
    *chat = NULL;
}

const sl_chat_format *sl_chat_format_of(const sl_chat *chat)
{
    return &chat->format;
}

static sl_status check_keys(const sl_json *tree)
{
    static const char *const known[] = { "prefix", "suffix",         "prompt",       "last",
                                         "begin",  "default_system", "system_start", "trim",
                                         "system", "user",           "assistant",    NULL };
    const char *key;
    sl_json *value;

    json_object_foreach((sl_json *)tree, key, value)
    {
        const char *near = sl_text_nearest(key, known);
        size_t i = 0;

        while (known[i] && strcmp(known[i], key))
            i++;
        if (!known[i])
            return SL_FAIL(SL_EFORMAT, "want a known key%s%s, found \"%.64s\"",
                           near ? ", perhaps " : "", near ? near : "", key);
    }
    return SL_OK;
}

/* No prompt would begin a dialogue otherwise. */
sl_status sl_chat_check(const sl_chat_format *format)
{
    const sl_message answer = { "assistant", "" };
    sl_chat_format bare = *format;
    char *text;
    int begins;

    bare.begin = bare.last = bare.default_system = NULL;
    bare.suffix = ""; /* a content stands before it */
    SL_TRY(sl_chat_render(&text, &bare, &answer, 1, 0));
    begins = !strncmp(text, format->prompt, strlen(format->prompt));
    sl_free(text);
    if (!begins)
        return SL_FAIL(SL_EFORMAT, "want \"prompt\" to begin an assistant's message, found another "
                                   "text");
    return SL_OK;
}

static sl_status read_own(sl_chat_format *out, const sl_json *tree)
{
    static const char *const roles[SL_ROLES] = { "system", "user", "assistant" };
    const char *name;

    *out = (sl_chat_format){ .name = "of the folder" };
    SL_TRY(sl_json_text_or(&name, tree, "format", NULL));
    if (name) {
        const sl_chat_format *row;

        SL_TRY(sl_chat_named(&row, name));
        if (json_object_size(tree) != 1)
            return SL_FAIL(SL_EFORMAT, "want \"format\" alone, found other keys beside it");
        *out = *row;
        return SL_OK;
    }
    SL_TRY(check_keys(tree));
    SL_TRY(sl_json_text(&out->prefix, tree, "prefix"));
    SL_TRY(sl_json_text(&out->suffix, tree, "suffix"));
    SL_TRY(sl_json_text(&out->prompt, tree, "prompt"));
    SL_TRY(sl_json_text_or(&out->last, tree, "last", NULL));
    SL_TRY(sl_json_text_or(&out->begin, tree, "begin", NULL));
    SL_TRY(sl_json_text_or(&out->default_system, tree, "default_system", NULL));
    SL_TRY(sl_json_text_or(&out->system_start, tree, "system_start", NULL));
    SL_TRY(sl_json_bool_or(&out->trims, tree, "trim", 0));
    for (size_t i = 0; i < SL_ROLES; i++)
        SL_TRY(sl_json_text_or(&out->role[i], tree, roles[i], roles[i]));
    return sl_chat_check(out);
}

static sl_status recognise(sl_chat_format *out, const char *text, size_t bytes)
{
    const sl_chat_format *row = sl_chat_recognise(text, bytes);

    if (!row)
        return sl_err_hint(SL_FAIL(SL_EUNSUPPORTED, "want a known chat template, found another"),
                           "%s", hint);
    *out = *row;
    return SL_OK;
}

/* The template's text in tokenizer_config.json: text, or a list of {"name", "template"} where
 * "default" counts. */
static sl_status find_template(const char **out, const sl_json *tree)
{
    const sl_json *value = json_object_get(tree, "chat_template");

    *out = NULL;
    if (!json_is_array(value))
        return sl_json_text_or(out, tree, "chat_template", NULL);
    for (size_t i = 0; i < json_array_size(value); i++) {
        const char *name;

        SL_TRY(sl_json_text(&name, json_array_get(value, i), "name"));
        if (!strcmp(name, "default"))
            return sl_json_text(out, json_array_get(value, i), "template");
    }
    return SL_OK;
}

static sl_status nothing(void)
{
    return sl_err_hint(SL_FAIL(SL_EUNSUPPORTED, "want a chat template, found none"), "%s", hint);
}

static sl_status read_config(sl_chat_format *out, const sl_json *tree)
{
    const char *text;

    SL_TRY(find_template(&text, tree));
    return text ? recognise(out, text, strlen(text)) : nothing();
}

/* tokenizer_config.json says "no longest length" as an integer beyond 64 bits, which the parser
 * refuses: outside of strings such a number becomes a real of about the same size, in place. */
static void soften_integers(char *text)
{
    int in_string = 0;

    for (char *c = text; *c; c++) {
        size_t digits;

        if (in_string && *c == '\\' && c[1])
            c++;
        else if (*c == '"')
            in_string = !in_string;
        digits = in_string ? 0 : strspn(c, "0123456789");
        if (digits >= INTEGER_DIGITS && !strchr(".eE", c[digits]))
            memcpy(c + digits - 2, ".0", 2);
        c += digits ? digits - 1 : 0;
    }
}

/* --- the three files ------------------------------------------------------------------------- */

static sl_status from_own(sl_chat *chat, char *text, size_t bytes, const char *where)
{
    SL_TRY(sl_json_parse(&chat->tree, text, bytes, where));
    return sl_err_where(read_own(&chat->format, chat->tree), "%s", where);
}

static sl_status from_jinja(sl_chat *chat, char *text, size_t bytes, const char *where)
{
    return sl_err_where(recognise(&chat->format, text, bytes), "%s", where);
}

static sl_status from_config(sl_chat *chat, char *text, size_t bytes, const char *where)
{
    sl_json *tree = NULL;
    sl_status st;

    soften_integers(text);
    SL_TRY(sl_json_parse(&tree, text, bytes, where));
    st = sl_err_where(read_config(&chat->format, tree), "%s", where);
    sl_json_close(&tree);
    return st;
}

/* In the order in which they are looked for. text: bytes and a zero byte, may be written over. */
static const struct {
    const char *name;
    sl_status (*read)(sl_chat *chat, char *text, size_t bytes, const char *where);
} files[] = {
    { "chat_format.json", from_own },
    { "chat_template.jinja", from_jinja },
    { "tokenizer_config.json", from_config },
};
enum { FILES = sizeof files / sizeof files[0] };

static sl_status read_file(sl_chat *chat, size_t file, const char *path)
{
    char *text = NULL;
    size_t bytes = 0;
    sl_status st;

    SL_TRY(sl_file_read(&text, &bytes, path, FILE_BYTES));
    st = files[file].read(chat, text, bytes, path);
    sl_free(text);
    return st;
}

static sl_status open_any(sl_chat *chat, const char *folder)
{
    char path[PATH_BYTES];

    for (size_t i = 0; i < FILES; i++) {
        SL_TRY(sl_file_join(path, sizeof path, folder, files[i].name));
        if (sl_file_exists(path))
            return read_file(chat, i, path);
    }
    return sl_err_where(nothing(), "%s", folder);
}

sl_status sl_chat_open(sl_chat **out, const char *folder)
{
    sl_chat *chat;
    sl_status st;

    *out = NULL;
    SL_TRY(sl_take(&chat, 1, sizeof *chat));
    st = open_any(chat, folder);
    if (st != SL_OK)
        sl_chat_close(&chat);
    *out = chat;
    return st;
}

static sl_status parse_copy(sl_chat *chat, size_t file, const char *text, size_t bytes,
                            const char *where)
{
    char *copy;
    sl_status st;

    SL_TRY(sl_take(&copy, bytes + 1, 1));
    if (bytes)
        memcpy(copy, text, bytes);
    st = files[file].read(chat, copy, bytes, where);
    sl_free(copy);
    return st;
}

sl_status sl_chat_parse(sl_chat **out, const char *text, size_t bytes, const char *name)
{
    sl_chat *chat;
    size_t file = 0;
    sl_status st;

    *out = NULL;
    while (file < FILES && strcmp(files[file].name, name) != 0)
        file++;
    SL_CHECK(file < FILES);
    SL_TRY(sl_take(&chat, 1, sizeof *chat));
    st = parse_copy(chat, file, text, bytes, name);
    if (st != SL_OK)
        sl_chat_close(&chat);
    *out = chat;
    return st;
}
