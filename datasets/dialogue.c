#include "datasets/dialogue.h"
#include "base/alloc.h"
#include <string.h>

sl_status sl_dialogue_add(sl_dialogue *out, const char *role, const char *content)
{
    if (out->count == SL_DIALOGUE_MOST)
        return SL_FAIL(SL_EFORMAT, "want at most %d messages, found more", SL_DIALOGUE_MOST);
    out->message[out->count++] = (sl_message){ role, content };
    return SL_OK;
}

sl_status sl_dialogue_read(sl_dialogue *out, const sl_json *list)
{
    if (!json_is_array(list))
        return SL_FAIL(SL_EFORMAT, "want a list of messages, found %s",
                       list ? "another value" : "none");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const sl_json *m = json_array_get(list, i);
        const char *role = NULL, *content = NULL;

        SL_TRY(sl_err_where(sl_json_text(&role, m, "role"), "message %zu", i));
        SL_TRY(sl_err_where(sl_json_text(&content, m, "content"), "message %zu", i));
        SL_TRY(sl_dialogue_add(out, role, content));
    }
    if (!out->count)
        return SL_FAIL(SL_EFORMAT, "want at least one message, found none");
    return SL_OK;
}

sl_status sl_dialogue_prepend(sl_dialogue *answer, const sl_dialogue *prompt)
{
    if (answer->count + prompt->count > SL_DIALOGUE_MOST)
        return SL_FAIL(SL_EFORMAT, "want at most %d messages, found more", SL_DIALOGUE_MOST);
    memmove(answer->message + prompt->count, answer->message,
            answer->count * sizeof answer->message[0]);
    memcpy(answer->message, prompt->message, prompt->count * sizeof prompt->message[0]);
    answer->count += prompt->count;
    return SL_OK;
}

/* Answer text: what rendering the dialogue adds to the rendered prompt. */
static sl_status render_answer(char **out, const char *prompt, const sl_dialogue *all,
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

sl_status sl_dialogue_render(sl_raw *out, const sl_dialogue *d, const sl_encoder *encoder)
{
    sl_raw_part *prompt = &out->part[SL_PART_PROMPT];

    if (!encoder->render)
        return sl_err_hint(SL_FAIL(SL_EARG, "want a chat format for rows of messages, found none"),
                           "data.tokenizer names a folder without one");
    SL_TRY(encoder->render(encoder->state, &prompt->text, d->message, d->count, 1));
    SL_TRY(sl_dialogue_words(&prompt->words, d->message, d->count));
    for (size_t p = SL_PART_CHOSEN; p < out->parts; p++) {
        sl_raw_part *answer = &out->part[p];

        SL_TRY(sl_err_where(render_answer(&answer->text, prompt->text, &d[p], encoder),
                            "field \"%s\"", sl_part_names[p]));
        SL_TRY(sl_dialogue_words(&answer->words, d[p].message + d->count, d[p].count - d->count));
    }
    return SL_OK;
}

sl_status sl_dialogue_words(char **words, const sl_message *message, size_t count)
{
    const sl_message *last = &message[count - 1];
    size_t bytes = 1, turns = 0;

    for (size_t i = 0; i < count; i++) {
        bytes += strlen(message[i].role) + strlen(message[i].content) + sizeof ": \n";
        turns += !strcmp(message[i].role, last->role);
    }
    if (turns == 1)
        return sl_strdup(words, last->content);
    SL_TRY(sl_take(words, bytes, 1));
    (*words)[0] = 0;
    for (char *to = *words; message < last; message++) {
        to = strcat(to, message->role);
        to = strcat(strcat(to, ": "), message->content);
        to = strcat(to, "\n") + strlen(to);
    }
    strcat(*words, last->content);
    return SL_OK;
}
