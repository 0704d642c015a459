/* `text`: what a tokenizer and a chat format make of text, line by line. */
#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/print.h"
#include "datasets/dialogue.h"
#include "text/encoder.h"
#include <stdio.h>
#include <string.h>

enum { FILE_BYTES = 1 << 30, LINE_BYTES = 64 << 20, PLACE_BYTES = 4200 };

typedef struct text_opts {
    int is_json, never_special, always_special, has_prompt, has_no_prompt;
    const char *format; /* NULL: that of the folder */
} text_opts;

static const sl_opt opts[] = {
    { "json", SL_OPT_FLAG, offsetof(text_opts, is_json), NULL, "one JSON object a line" },
    { "no-special-in-text", SL_OPT_FLAG, offsetof(text_opts, never_special), NULL,
      "encode: special tokens written in a text are ordinary text" },
    { "special-in-text", SL_OPT_FLAG, offsetof(text_opts, always_special), NULL,
      "chat: those in messages count as special (else they do not)" },
    { "format", SL_OPT_TEXT, offsetof(text_opts, format), "NAME",
      "chat: a known format, as chatml, in place of the model's" },
    { "prompt", SL_OPT_FLAG, offsetof(text_opts, has_prompt), NULL,
      "chat: with the prompt for an answer, also after an answer" },
    { "no-prompt", SL_OPT_FLAG, offsetof(text_opts, has_no_prompt), NULL,
      "chat: without it, also after another message" },
    { NULL, SL_OPT_FLAG, 0, NULL, NULL },
};

typedef struct text_job {
    const text_opts *opts;
    sl_text_encoder *encoder; /* of chat */
    sl_tokenizer *own;        /* of the others */
    const sl_tokenizer *tokenizer;
} text_job;

/* What is done with the lines. */
typedef struct text_verb {
    const char *name;
    sl_status (*run)(const text_job *job, const sl_json *row);
    int is_chat; /* wants a chat format; texts without zero bytes */
} text_verb;

/* --- encode ---------------------------------------------------------------------------------- */

static void print_ids(const char *key, const int32_t *id, size_t count)
{
    printf("\"%s\":[", key);
    for (size_t i = 0; i < count; i++)
        printf(i ? ",%d" : "%d", id[i]);
    putchar(']');
}

static void print_pieces(const sl_tokenizer *t, const sl_ids *ids)
{
    for (size_t i = 0; i < ids->count; i++) {
        printf("%8d  ", ids->id[i]);
        sl_print_span(sl_tokenizer_text(t, ids->id[i]));
        putchar('\n');
    }
    putchar('\n');
}

static sl_status encode_row(const text_job *job, const sl_json *row)
{
    const sl_json *text = json_object_get(row, "text");
    const unsigned flags = job->opts->never_special ? 0 : SL_ENCODE_SPECIAL_IN_TEXT;
    const char *unused;
    sl_ids ids = { 0 }, special = { 0 };
    sl_status st = SL_OK;

    SL_TRY(sl_json_text(&unused, row, "text")); /* its length may hold zero bytes */
    SL_TRY_OUT(sl_tokenizer_encode(&ids, job->tokenizer, json_string_value(text),
                                   json_string_length(text), flags));
    SL_TRY_OUT(sl_tokenizer_encode(&special, job->tokenizer, json_string_value(text),
                                   json_string_length(text), flags | SL_ENCODE_ADD_SPECIAL));
    if (!job->opts->is_json) {
        print_pieces(job->tokenizer, &special);
        goto out;
    }
    putchar('{');
    print_ids("ids", ids.id, ids.count);
    putchar(',');
    print_ids("ids_special", special.id, special.count);
    puts("}");
out:
    sl_ids_close(&ids);
    sl_ids_close(&special);
    return st;
}

/* --- decode ---------------------------------------------------------------------------------- */

static sl_status read_ids(sl_ids *out, const sl_json *row)
{
    const sl_json *list = json_object_get(row, "ids");

    if (!json_is_array(list))
        return SL_FAIL(SL_EFORMAT, "want \"ids\" (a list of token ids), found %s",
                       list ? "another value" : "none");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const sl_json *value = json_array_get(list, i);
        const json_int_t id = json_integer_value(value);
        const int32_t small = (int32_t)id;

        if (!json_is_integer(value) || id < 0 || id > INT32_MAX)
            return SL_FAIL(SL_EFORMAT, "want \"ids\" from 0 to %d, found another value at %zu",
                           INT32_MAX, i);
        SL_TRY(sl_ids_add(out, &small, 1));
    }
    return SL_OK;
}

/* *out += {key: text of the ids}. */
static sl_status add_decoded(sl_json *out, const char *key, const sl_tokenizer *t,
                             const sl_ids *ids, int skip_special)
{
    char *text;
    size_t bytes;
    int failed;

    SL_TRY(sl_tokenizer_decode(&text, &bytes, t, ids->id, ids->count, skip_special));
    failed = json_object_set_new(out, key, json_stringn(text, bytes));
    sl_free(text);
    return failed ? SL_FAIL(SL_ENOMEM, "want memory for a text, found none") : SL_OK;
}

/* The document on one line, or one text of it as it stands in JSON. */
static sl_status print_row(const sl_json *tree, const char *only)
{
    char *text;

    SL_TRY(sl_json_dump(&text, only ? json_object_get(tree, only) : tree, 0));
    puts(text);
    sl_free(text);
    return SL_OK;
}

static sl_status decode_row(const text_job *job, const sl_json *row)
{
    sl_json *tree = json_object();
    sl_ids ids = { 0 };
    sl_status st = SL_OK;

    SL_TRY_OUT(read_ids(&ids, row));
    SL_TRY_OUT(add_decoded(tree, "text", job->tokenizer, &ids, 0));
    SL_TRY_OUT(add_decoded(tree, "text_skip_special", job->tokenizer, &ids, 1));
    st = print_row(tree, job->opts->is_json ? NULL : "text");
out:
    sl_ids_close(&ids);
    sl_json_close(&tree);
    return st;
}

/* --- chat ------------------------------------------------------------------------------------ */

/* Messages of a row: a list, "messages", or "prompt" as a list or as what a user says. */
static sl_status read_messages(sl_dialogue *out, const sl_json *row)
{
    const sl_json *list = json_is_array(row) ? row : json_object_get(row, "messages");
    const char *text;

    out->count = 0;
    if (!list && json_is_array(json_object_get(row, "prompt")))
        list = json_object_get(row, "prompt");
    if (list)
        return sl_dialogue_read(out, list);
    if (!json_is_object(row) || !sl_json_has(row, "prompt"))
        return SL_FAIL(SL_EFORMAT, "want \"messages\" (a list) or \"prompt\", found neither");
    SL_TRY(sl_json_text(&text, row, "prompt"));
    return sl_dialogue_add(out, "user", text);
}

static void print_lines(const char *text)
{
    for (const char *end; *(end = text + strcspn(text, "\n")); text = end + 1) {
        sl_print_span((sl_span){ text, (size_t)(end - text) });
        putchar('\n');
    }
    sl_print_text(text);
    putchar('\n');
}

static sl_status print_chat(const text_job *job, const char *text, const int32_t *ids, size_t count)
{
    sl_json *value;
    char *quoted = NULL;
    sl_status st;

    if (!job->opts->is_json) {
        print_lines(text);
        return SL_OK;
    }
    value = json_string(text);
    if (!value)
        return SL_FAIL(SL_ENOMEM, "want memory for a text, found none");
    st = sl_json_dump(&quoted, value, 0);
    sl_json_close(&value);
    SL_TRY(st);
    printf("{\"text\":%s,", quoted);
    print_ids("ids", ids, count);
    puts("}");
    sl_free(quoted);
    return SL_OK;
}

static int wants_prompt(const text_opts *o, const sl_dialogue *d)
{
    if (o->has_prompt || o->has_no_prompt)
        return o->has_prompt;
    return strcmp(d->message[d->count - 1].role, "assistant") != 0;
}

static sl_status chat_row(const text_job *job, const sl_json *row)
{
    const sl_chat_format *format;
    sl_dialogue d;
    char *text = NULL, *marked = NULL;
    int32_t *ids = NULL;
    size_t count = 0;
    int is_prompt;
    sl_status st = SL_OK;

    SL_TRY(read_messages(&d, row));
    SL_TRY(sl_text_encoder_format(&format, job->encoder));
    is_prompt = wants_prompt(job->opts, &d);
    SL_TRY_OUT(sl_chat_render(&text, format, d.message, d.count, is_prompt));
    SL_TRY_OUT(sl_text_render(job->encoder, &marked, d.message, d.count, is_prompt));
    SL_TRY_OUT(sl_text_encode(job->encoder, &ids, &count, marked, 1));
    st = print_chat(job, text, ids, count);
out:
    sl_free(text);
    sl_free(marked);
    sl_free(ids);
    return st;
}

/* --- lines ----------------------------------------------------------------------------------- */

static const text_verb verbs[] = {
    { "encode", encode_row, 0 },
    { "decode", decode_row, 0 },
    { "chat", chat_row, 1 },
};
enum { VERBS = sizeof verbs / sizeof verbs[0] };

static sl_status run_line(const text_job *job, const text_verb *verb, sl_span line,
                          const char *place)
{
    sl_json *row = NULL;
    sl_status st;

    if (line.bytes > LINE_BYTES)
        return sl_err_where(SL_FAIL(SL_EFORMAT, "want a line of at most %d bytes, found %zu",
                                    LINE_BYTES, line.bytes),
                            "%s", place);
    SL_TRY((verb->is_chat ? sl_json_parse : sl_json_parse_zeros)(&row, line.at, line.bytes, place));
    st = sl_err_where(verb->run(job, row), "%s", place);
    sl_json_close(&row);
    return st;
}

static int is_blank(sl_span line)
{
    return strspn(line.at, " \t\r") >= line.bytes; /* a line break or the end stops it */
}

static sl_status run_lines(const text_job *job, const text_verb *verb, const char *path)
{
    char *text = NULL, place[PLACE_BYTES];
    sl_span rest = { NULL, 0 }, line;
    sl_status st = SL_OK;

    SL_TRY(sl_file_read(&text, &rest.bytes, path, FILE_BYTES));
    rest.at = text;
    for (size_t number = 1; sl_text_line(&line, &rest); number++) {
        snprintf(place, sizeof place, "%s:%zu", strcmp(path, "-") ? path : "stdin", number);
        if (!is_blank(line))
            SL_TRY_OUT(run_line(job, verb, line, place));
    }
out:
    sl_free(text);
    return st;
}

static sl_status open_job(text_job *j, const text_verb *verb, const char *path)
{
    const sl_text_settings settings = { .format = j->opts->format,
                                        .special = j->opts->always_special  ? SL_SPECIAL_ALL
                                                   : j->opts->never_special ? SL_SPECIAL_NONE
                                                                            : SL_SPECIAL_STRINGS };

    if (!verb->is_chat) {
        SL_TRY(sl_tokenizer_open(&j->own, path));
        j->tokenizer = j->own;
        return SL_OK;
    }
    SL_TRY(sl_text_encoder_open_as(&j->encoder, path, &settings));
    j->tokenizer = sl_text_encoder_tokenizer(j->encoder);
    return SL_OK;
}

static sl_status find_verb(const text_verb **out, const char *name)
{
    const char *names[VERBS + 1] = { NULL }, *near;
    sl_status st;

    for (size_t i = 0; i < VERBS; i++) {
        names[i] = verbs[i].name;
        if (!strcmp(name, names[i])) {
            *out = &verbs[i];
            return SL_OK;
        }
    }
    near = sl_text_nearest(name, names);
    st = SL_FAIL(SL_EUSAGE, "want encode, decode or chat, found \"%s\"", name);
    return near ? sl_err_hint(st, "did you mean %s?", near) : st;
}

static sl_status check_opts(const text_opts *o, const text_verb *verb)
{
    if (o->never_special && o->always_special)
        return SL_FAIL(SL_EUSAGE, "want --special-in-text or --no-special-in-text, found both");
    if (o->has_prompt && o->has_no_prompt)
        return SL_FAIL(SL_EUSAGE, "want --prompt or --no-prompt, found both");
    if (!verb->is_chat && (o->format || o->has_prompt || o->has_no_prompt || o->always_special))
        return SL_FAIL(SL_EUSAGE,
                       "want --format, --prompt, --no-prompt, --special-in-text with "
                       "chat only, found one with %s",
                       verb->name);
    return SL_OK;
}

static sl_status text_run(int argc, char **argv)
{
    text_opts o = { 0 };
    text_job j = { .opts = &o };
    const char *argument[SL_OPT_LIST_MOST];
    const text_verb *verb = NULL;
    size_t count;
    int is_done;
    sl_status st = SL_OK;

    if (argc > SL_OPT_LIST_MOST)
        return SL_FAIL(SL_EUSAGE, "want at most %d words, found %d", SL_OPT_LIST_MOST, argc);
    SL_TRY(sl_opts_parse(&o, argument, &count, &is_done, &sl_command_text, argc, argv));
    if (is_done)
        return SL_OK;
    SL_TRY(find_verb(&verb, argument[0]));
    SL_TRY(check_opts(&o, verb));
    SL_TRY_OUT(open_job(&j, verb, argument[1]));
    st = run_lines(&j, verb, count > 2 ? argument[2] : "-");
out:
    sl_text_encoder_close(&j.encoder);
    sl_tokenizer_close(&j.own);
    return st;
}

const sl_command sl_command_text = {
    .name = "text",
    .operands = "encode|decode|chat MODEL [FILE|-]",
    .summary =
        "text to token ids and back, messages to text\n"
        "MODEL is a folder with tokenizer.json, or that file. Each line of FILE is a JSON object:\n"
        "  encode {\"text\": ..}      the ids, with --json {\"ids\": [..], \"ids_special\": [..]}, "
        "the\n"
        "                          second with what begins and ends a sequence\n"
        "  decode {\"ids\": [..]}     with --json {\"text\": .., \"text_skip_special\": ..}\n"
        "  chat   {\"messages\": [{\"role\": .., \"content\": ..}, ..]} or {\"prompt\": ..}\n"
        "                          by the chat format; with --json {\"text\": .., \"ids\": [..]}",
    .opts = opts,
    .least = 2,
    .most = 3,
    .example = "stageline text encode tests/text/corpus/bytes.json tests/text/corpus/texts.jsonl",
    .run = text_run,
};
