/* Transcripts as in hh-rlhf: "chosen" and "rejected" are each a whole dialogue, written as
 * "\n\nHuman: ...\n\nAssistant: ...". The prompt goes up to the last Assistant turn that both
 * share, its mark included; the answers are what follows. Taken as they stand: a chat format is not
 * put in place of the marks, the end of turn is appended. */
#include "base/alloc.h"
#include "datasets/dialogue.h"
#include <string.h>

#define ANSWER_MARK "\n\nAssistant:"

static const struct {
    const char *mark, *role;
} speakers[] = { { "\n\nHuman:", "user" }, { ANSWER_MARK, "assistant" } };

static int transcripts_fits(const sl_json *row)
{
    const char *chosen = json_string_value(json_object_get(row, "chosen"));

    return chosen && !sl_json_has(row, "prompt") && strstr(chosen, ANSWER_MARK);
}

/* Bytes of the prompt; 0: no shared Assistant turn. */
static size_t shared_prompt(const char *a, const char *b)
{
    const size_t mark = strlen(ANSWER_MARK);
    size_t common = 0, found = 0;

    while (a[common] && a[common] == b[common])
        common++;
    for (const char *at = strstr(a, ANSWER_MARK); at; at = strstr(at + 1, ANSWER_MARK))
        if ((size_t)(at - a) + mark <= common)
            found = (size_t)(at - a) + mark;
    return found;
}

/* The next mark at or behind text, and whose it is; NULL: none. */
static char *next_mark(char *text, size_t *speaker)
{
    char *first = NULL;

    for (size_t s = 0; s < sizeof speakers / sizeof speakers[0]; s++) {
        char *at = strstr(text, speakers[s].mark);

        if (at && (!first || at < first)) {
            first = at;
            *speaker = s;
        }
    }
    return first;
}

/* Turns of a transcript as messages; the last mark is that of the answer. text is cut up. */
static sl_status split_turns(sl_dialogue *out, char *text)
{
    const char *role = "system";
    size_t speaker = 0;

    for (char *mark = next_mark(text, &speaker); mark; mark = next_mark(text, &speaker)) {
        *mark = 0;
        if (*text)
            SL_TRY(sl_dialogue_add(out, role, text));
        role = speakers[speaker].role;
        text = mark + strlen(speakers[speaker].mark);
        text += *text == ' ';
    }
    return SL_OK;
}

static sl_status prompt_words(sl_raw_part *prompt)
{
    sl_dialogue *turns = NULL;
    char *text = NULL;
    sl_status st = SL_OK;

    SL_TRY_OUT(sl_take(&turns, 1, sizeof *turns));
    SL_TRY_OUT(sl_strdup(&text, prompt->text));
    SL_TRY_OUT(split_turns(turns, text));
    if (turns->count)
        st = sl_dialogue_words(&prompt->words, turns->message, turns->count);
    else
        st = sl_strdup(&prompt->words, "");
out:
    sl_free(text);
    sl_free(turns);
    return st;
}

static sl_status transcripts_read(sl_raw *out, const sl_json *row, const sl_encoder *encoder)
{
    const char *text[SL_PARTS] = { NULL };
    size_t bytes;

    (void)encoder;
    out->wants_eos = 1;
    for (int p = SL_PART_CHOSEN; p < SL_PARTS; p++)
        SL_TRY(sl_err_where(sl_json_text(&text[p], row, sl_part_names[p]), "field \"%s\"",
                            sl_part_names[p]));
    bytes = shared_prompt(text[SL_PART_CHOSEN], text[SL_PART_REJECTED]);
    if (!bytes)
        return sl_err_where(SL_FAIL(SL_EFORMAT, "want the transcript of \"chosen\" up to an "
                                                "Assistant turn, found another beginning"),
                            "field \"rejected\"");
    SL_TRY(sl_strdup(&out->part[SL_PART_PROMPT].text, text[SL_PART_CHOSEN]));
    out->part[SL_PART_PROMPT].text[bytes] = 0;
    for (int p = SL_PART_CHOSEN; p < SL_PARTS; p++)
        SL_TRY(sl_strdup(&out->part[p].text, text[p] + bytes));
    return prompt_words(&out->part[SL_PART_PROMPT]);
}

const sl_format sl_format_transcripts = {
    .name = "transcripts", .is_text = 1, .fits = transcripts_fits, .read = transcripts_read
};
