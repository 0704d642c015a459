/* Rows with one answer, to imitate: TRL's prompt-completion format, conversations in "messages",
 * outputs as AlpacaEval writes them; and rows with a prompt alone. Unpaired rows ("label") are
 * refused: whoever pairs them decides the experiment. */
#include "base/alloc.h"
#include "datasets/dialogue.h"
#include <string.h>

/* out->parts parts of d, whole dialogues but the first. */
static sl_status read_dialogues(sl_raw *out, const sl_json *row, const char *const *key,
                                const sl_encoder *encoder)
{
    sl_dialogue *d = NULL;
    sl_status st = SL_OK;

    SL_TRY(sl_take(&d, SL_PARTS, sizeof *d));
    for (size_t p = 0; p < out->parts; p++) {
        SL_TRY_OUT(sl_err_where(sl_dialogue_read(&d[p], json_object_get(row, key[p])),
                                "field \"%s\"", key[p]));
        if (p)
            SL_TRY_OUT(sl_dialogue_prepend(&d[p], d));
    }
    st = sl_dialogue_render(out, d, encoder);
out:
    sl_free(d);
    return st;
}

/* Both are lists of messages, or both strings. */
static sl_status read_parts(sl_raw *out, const sl_json *row, const char *const *key,
                            const sl_encoder *encoder)
{
    if (json_is_array(json_object_get(row, key[0])))
        return read_dialogues(out, row, key, encoder);
    out->wants_eos = 1;
    for (size_t p = 0; p < out->parts; p++)
        SL_TRY(sl_raw_text(out, (int)p, row, key[p]));
    return SL_OK;
}

static int unpaired_fits(const sl_json *row)
{
    return sl_json_has(row, "completion") && sl_json_has(row, "label");
}

static sl_status unpaired_read(sl_raw *out, const sl_json *row, const sl_encoder *encoder)
{
    (void)out, (void)row, (void)encoder;
    return sl_err_hint(sl_err_where(SL_FAIL(SL_EFORMAT, "want pairs, or completions without a "
                                                        "label, found an unpaired row"),
                                    "field \"label\""),
                       "write pairs with \"chosen\" and \"rejected\", or for SFT keep the good "
                       "rows without \"label\"");
}

const sl_format sl_format_unpaired = { .name = "unpaired",
                                       .fits = unpaired_fits,
                                       .read = unpaired_read };

static int completion_fits(const sl_json *row)
{
    return sl_json_has(row, "completion");
}

static sl_status completion_read(sl_raw *out, const sl_json *row, const sl_encoder *encoder)
{
    static const char *const key[] = { "prompt", "completion" };

    out->parts = 2;
    return read_parts(out, row, key, encoder);
}

const sl_format sl_format_completion = {
    .name = "completion", .is_text = 1, .fits = completion_fits, .read = completion_read
};

static int dialogue_fits(const sl_json *row)
{
    return json_is_array(json_object_get(row, "messages"));
}

/* The last message is the answer if the assistant says it; else all is prompt. */
static sl_status dialogue_read(sl_raw *out, const sl_json *row, const sl_encoder *encoder)
{
    sl_dialogue *d = NULL;
    sl_status st = SL_OK;

    SL_TRY(sl_take(&d, SL_PARTS, sizeof *d));
    SL_TRY_OUT(
        sl_err_where(sl_dialogue_read(d, json_object_get(row, "messages")), "field \"messages\""));
    d[SL_PART_CHOSEN] = d[0];
    out->parts = 1;
    if (d->count > 1 && !strcmp(d->message[d->count - 1].role, "assistant")) {
        d->count--;
        out->parts = 2;
    }
    st = sl_dialogue_render(out, d, encoder);
out:
    sl_free(d);
    return st;
}

const sl_format sl_format_dialogue = {
    .name = "dialogue", .is_text = 1, .fits = dialogue_fits, .read = dialogue_read
};

static const char *prompt_key(const sl_json *row)
{
    return sl_json_has(row, "instruction") ? "instruction" : "prompt";
}

static int outputs_fits(const sl_json *row)
{
    return sl_json_has(row, "output") && sl_json_has(row, prompt_key(row));
}

static sl_status outputs_read(sl_raw *out, const sl_json *row, const sl_encoder *encoder)
{
    const char *const key[] = { prompt_key(row), "output" };
    const char *input = json_string_value(json_object_get(row, "input"));

    if (input && input[0])
        return sl_err_where(SL_FAIL(SL_EFORMAT,
                                    "want all of the prompt in \"%s\", found more of "
                                    "it here",
                                    key[0]),
                            "field \"input\"");
    out->parts = 2;
    return read_parts(out, row, key, encoder);
}

const sl_format sl_format_outputs = {
    .name = "outputs", .is_text = 1, .fits = outputs_fits, .read = outputs_read
};

static int prompts_fits(const sl_json *row)
{
    return sl_json_has(row, prompt_key(row)) && !sl_json_has(row, "chosen") &&
           !sl_json_has(row, "rejected");
}

static sl_status prompts_read(sl_raw *out, const sl_json *row, const sl_encoder *encoder)
{
    const char *const key[] = { prompt_key(row) };

    out->parts = 1;
    return read_parts(out, row, key, encoder);
}

const sl_format sl_format_prompts = {
    .name = "prompts", .is_text = 1, .fits = prompts_fits, .read = prompts_read
};
