/* Conversations, TRL's conversational preference format: lists of {"role", "content"}. Without
 * "prompt" both lists hold the whole dialogue, and the prompt is their common beginning; so too
 * where "prompt" is text (ultrafeedback_binarized): then it must be one of the messages. Rendered
 * by the model's chat format, which writes the end of turn. */
#include "base/alloc.h"
#include "datasets/format.h"
#include <string.h>

enum { MESSAGES_MOST = 512 };

/* A dialogue: messages borrowed from the row. */
typedef struct dialogue {
    sl_message message[MESSAGES_MOST];
    size_t count;
} dialogue;

static int messages_fits(const sl_json *row)
{
    return json_is_array(json_object_get(row, "chosen"));
}

static sl_status read_dialogue(dialogue *out, const sl_json *list)
{
    if (!json_is_array(list))
        return SL_FAIL(SL_EFORMAT, "want a list of messages, found %s",
                       list ? "another value" : "none");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const sl_json *m = json_array_get(list, i);
        sl_message *to = &out->message[out->count];

        if (out->count == MESSAGES_MOST)
            return SL_FAIL(SL_EFORMAT, "want at most %d messages, found more", MESSAGES_MOST);
        SL_TRY(sl_err_where(sl_json_text(&to->role, m, "role"), "message %zu", i));
        SL_TRY(sl_err_where(sl_json_text(&to->content, m, "content"), "message %zu", i));
        out->count++;
    }
    return SL_OK;
}

static int same_message(const sl_message *a, const sl_message *b)
{
    return !strcmp(a->role, b->role) && !strcmp(a->content, b->content);
}

static size_t common_beginning(const dialogue *a, const dialogue *b)
{
    size_t n = 0;

    while (n < a->count && n < b->count && same_message(&a->message[n], &b->message[n]))
        n++;
    /* equal dialogues: the last message is still the answer */
    if (n == a->count || n == b->count)
        n = (a->count < b->count ? a->count : b->count) - 1;
    return n;
}

/* Answer text: what rendering the dialogue adds to the rendered prompt. */
static sl_status render_answer(char **out, const char *prompt, const dialogue *all,
                               const sl_encoder *encoder)
{
    const size_t bytes = strlen(prompt);
    char *whole = NULL;
    sl_status st = SL_OK;

    if (!all->message[all->count - 1].content[0])
        return sl_strdup(out, "");
    SL_TRY(encoder->render(encoder->state, &whole, all->message, all->count, 0));
    if (strncmp(whole, prompt, bytes) != 0)
        SL_TRY_OUT(SL_FAIL(SL_EFORMAT, "want the rendered prompt to begin the dialogue, found "
                                       "another text"));
    SL_TRY_OUT(sl_strdup(out, whole + bytes));
out:
    sl_free(whole);
    return st;
}

static sl_status render_row(sl_raw *out, dialogue *d, const sl_encoder *encoder)
{
    dialogue *prompt = &d[SL_PART_PROMPT];

    SL_TRY(encoder->render(encoder->state, &out->part[SL_PART_PROMPT].text, prompt->message,
                           prompt->count, 1));
    for (int p = SL_PART_CHOSEN; p <= SL_PART_REJECTED; p++)
        SL_TRY(sl_err_where(
            render_answer(&out->part[p].text, out->part[SL_PART_PROMPT].text, &d[p], encoder),
            "field \"%s\"", sl_part_names[p]));
    return SL_OK;
}

/* Answers become whole dialogues: prompt, then answer. */
static sl_status prepend(dialogue *answer, const dialogue *prompt)
{
    if (answer->count + prompt->count > MESSAGES_MOST)
        return SL_FAIL(SL_EFORMAT, "want at most %d messages, found more", MESSAGES_MOST);
    memmove(answer->message + prompt->count, answer->message,
            answer->count * sizeof answer->message[0]);
    memcpy(answer->message, prompt->message, prompt->count * sizeof prompt->message[0]);
    answer->count += prompt->count;
    return SL_OK;
}

/* The prompt of two whole dialogues. */
static sl_status take_beginning(dialogue *d)
{
    dialogue *prompt = &d[SL_PART_PROMPT];

    if (d[SL_PART_CHOSEN].count < 2 || d[SL_PART_REJECTED].count < 2)
        return SL_FAIL(SL_EFORMAT,
                       "want a prompt before the answer in \"chosen\" and \"rejected\", "
                       "found %zu and %zu messages",
                       d[SL_PART_CHOSEN].count, d[SL_PART_REJECTED].count);
    prompt->count = common_beginning(&d[SL_PART_CHOSEN], &d[SL_PART_REJECTED]);
    if (!prompt->count)
        return SL_FAIL(SL_EFORMAT, "want a common beginning of \"chosen\" and \"rejected\", "
                                   "found different first messages");
    memcpy(prompt->message, d[SL_PART_CHOSEN].message, prompt->count * sizeof d->message[0]);
    return SL_OK;
}

static sl_status check_prompt_text(const dialogue *prompt, const char *text)
{
    for (size_t i = 0; i < prompt->count; i++)
        if (!strcmp(prompt->message[i].content, text))
            return SL_OK;
    return SL_FAIL(SL_EFORMAT, "want the text of a message that \"chosen\" and \"rejected\" begin "
                               "with, found another text");
}

static sl_status fill_dialogues(dialogue *d, const sl_json *row)
{
    const sl_json *text = json_object_get(row, "prompt");
    const int has_prompt = sl_json_has(row, "prompt") && !json_is_string(text);

    for (int p = has_prompt ? SL_PART_PROMPT : SL_PART_CHOSEN; p < SL_PARTS; p++) {
        SL_TRY(sl_err_where(read_dialogue(&d[p], json_object_get(row, sl_part_names[p])),
                            "field \"%s\"", sl_part_names[p]));
        if (!d[p].count)
            return sl_err_where(SL_FAIL(SL_EFORMAT, "want at least one message, found none"),
                                "field \"%s\"", sl_part_names[p]);
    }
    if (!has_prompt) {
        SL_TRY(take_beginning(d));
        return json_is_string(text)
                   ? sl_err_where(check_prompt_text(d, json_string_value(text)), "field \"prompt\"")
                   : SL_OK;
    }
    for (int p = SL_PART_CHOSEN; p < SL_PARTS; p++)
        SL_TRY(prepend(&d[p], &d[SL_PART_PROMPT]));
    return SL_OK;
}

static sl_status messages_read(sl_raw *out, const sl_json *row, const sl_encoder *encoder)
{
    dialogue *d = NULL;
    sl_status st = SL_OK;

    if (!encoder->render)
        return sl_err_hint(SL_FAIL(SL_EARG, "want a chat format for rows of messages, found none"),
                           "data.tokenizer names a folder without one");
    SL_TRY(sl_take(&d, SL_PARTS, sizeof *d));
    SL_TRY_OUT(fill_dialogues(d, row));
    SL_TRY_OUT(render_row(out, d, encoder));
out:
    sl_free(d);
    return st;
}

const sl_format sl_format_messages = {
    .name = "messages", .is_text = 1, .fits = messages_fits, .read = messages_read
};
