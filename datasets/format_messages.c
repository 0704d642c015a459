/* Conversations, TRL's conversational preference format: lists of {"role", "content"}. Without
 * "prompt" both lists hold the whole dialogue, and the prompt is their common beginning; so too
 * where "prompt" is text (ultrafeedback_binarized): then it must be one of the messages. Rendered
 * by the model's chat format, which writes the end of turn. */
#include "base/alloc.h"
#include "datasets/dialogue.h"
#include <string.h>

static int messages_fits(const sl_json *row)
{
    return json_is_array(json_object_get(row, "chosen"));
}

static int same_message(const sl_message *a, const sl_message *b)
{
    return !strcmp(a->role, b->role) && !strcmp(a->content, b->content);
}

static size_t common_beginning(const sl_dialogue *a, const sl_dialogue *b)
{
    size_t n = 0;

    while (n < a->count && n < b->count && same_message(&a->message[n], &b->message[n]))
        n++;
    /* equal dialogues: the last message is still the answer */
    if (n == a->count || n == b->count)
        n = (a->count < b->count ? a->count : b->count) - 1;
    return n;
}

/* The prompt of two whole dialogues. */
static sl_status take_beginning(sl_dialogue *d)
{
    sl_dialogue *prompt = &d[SL_PART_PROMPT];

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

static sl_status check_prompt_text(const sl_dialogue *prompt, const char *text)
{
    for (size_t i = 0; i < prompt->count; i++)
        if (!strcmp(prompt->message[i].content, text))
            return SL_OK;
    return SL_FAIL(SL_EFORMAT, "want the text of a message that \"chosen\" and \"rejected\" begin "
                               "with, found another text");
}

static sl_status fill_dialogues(sl_dialogue *d, const sl_json *row)
{
    const sl_json *text = json_object_get(row, "prompt");
    const int has_prompt = sl_json_has(row, "prompt") && !json_is_string(text);

    for (int p = has_prompt ? SL_PART_PROMPT : SL_PART_CHOSEN; p < SL_PARTS; p++)
        SL_TRY(sl_err_where(sl_dialogue_read(&d[p], json_object_get(row, sl_part_names[p])),
                            "field \"%s\"", sl_part_names[p]));
    if (!has_prompt) {
        SL_TRY(take_beginning(d));
        return json_is_string(text)
                   ? sl_err_where(check_prompt_text(d, json_string_value(text)), "field \"prompt\"")
                   : SL_OK;
    }
    for (int p = SL_PART_CHOSEN; p < SL_PARTS; p++)
        SL_TRY(sl_dialogue_prepend(&d[p], &d[SL_PART_PROMPT]));
    return SL_OK;
}

static sl_status messages_read(sl_raw *out, const sl_json *row, const sl_encoder *encoder)
{
    sl_dialogue *d = NULL;
    sl_status st = SL_OK;

    SL_TRY(sl_take(&d, SL_PARTS, sizeof *d));
    SL_TRY_OUT(fill_dialogues(d, row));
    SL_TRY_OUT(sl_dialogue_render(out, d, encoder));
out:
    sl_free(d);
    return st;
}

const sl_format sl_format_messages = {
    .name = "messages", .is_text = 1, .fits = messages_fits, .read = messages_read
};
