#include "datasets/format.h"
#include "base/alloc.h"
#include <float.h>
#include <math.h>
#include <string.h>

const char *const sl_part_names[SL_PARTS] = { "prompt", "chosen", "rejected" };

const sl_format *const sl_formats[SL_FORMATS] = {
    &sl_format_ids,        &sl_format_messages,    &sl_format_transcripts, &sl_format_strings,
    &sl_format_candidates, &sl_format_annotations, &sl_format_unpaired,    &sl_format_completion,
    &sl_format_dialogue,   &sl_format_outputs,     &sl_format_prompts,
};

void sl_raw_close(sl_raw *raw)
{
    for (int p = 0; p < SL_PARTS; p++) {
        sl_free(raw->part[p].text);
        sl_free(raw->part[p].ids);
        sl_free(raw->part[p].words);
    }
    *raw = (sl_raw){ 0 };
}

sl_status sl_raw_text(sl_raw *out, int part, const sl_json *object, const char *key)
{
    const char *text = NULL;

    SL_TRY(sl_err_where(sl_json_text(&text, object, key), "field \"%s\"", key));
    return sl_strdup(&out->part[part].text, text);
}

/* --- what every format may carry beside the texts -------------------------------------------- */

static sl_status read_number(double *out, const sl_json *row, const char *key, double most)
{
    if (json_is_object(json_object_get(row, key)) || json_is_array(json_object_get(row, key)))
        return SL_FAIL(SL_EFORMAT, "want a number, found another value");
    SL_TRY(sl_json_f64_or(out, row, key, NAN));
    if (fabs(*out) > most)
        return SL_FAIL(SL_EFORMAT, "want a number within +-%g, found %g", most, *out);
    return SL_OK;
}

static sl_status read_label(double *out, const sl_json *row)
{
    SL_TRY(sl_json_f64_or(out, row, "chosen_probs", NAN));
    if (*out < 0.0 || *out > 1.0)
        return SL_FAIL(SL_EFORMAT, "want a probability in [0,1], found %g", *out);
    return SL_OK;
}

static const char *words_of(const sl_raw_part *part)
{
    return part->words ? part->words : part->text;
}

/* Of on-policy sets: the score of an answer is that of the response with its words. */
static sl_status find_scores(sl_raw *out, const sl_json *row)
{
    const sl_json *responses = json_object_get(row, "all_generated_responses");
    const sl_json *scores = json_object_get(row, "all_rm_scores");

    if (!json_is_array(responses) || !json_is_array(scores))
        return SL_OK;
    if (json_array_size(responses) != json_array_size(scores))
        return SL_FAIL(SL_EFORMAT, "want a score of each of %zu responses, found %zu",
                       json_array_size(responses), json_array_size(scores));
    for (size_t p = SL_PART_CHOSEN; p < out->parts; p++)
        for (size_t i = 0; isnan(out->score[p]) && i < json_array_size(responses); i++) {
            const char *response = json_string_value(json_array_get(responses, i));
            const sl_json *score = json_array_get(scores, i);

            if (response && words_of(&out->part[p]) && json_is_number(score) &&
                fabs(json_number_value(score)) <= (double)FLT_MAX &&
                !strcmp(response, words_of(&out->part[p])))
                out->score[p] = json_number_value(score);
        }
    return SL_OK;
}

static sl_status read_extras(sl_raw *out, const sl_json *row)
{
    static const char *const scores[SL_PARTS] = { NULL, "score_chosen", "score_rejected" };
    static const char *const refs[SL_PARTS] = { NULL, "ref_chosen_logps", "ref_rejected_logps" };

    for (size_t p = SL_PART_CHOSEN; p < out->parts; p++) {
        if (isnan(out->score[p]))
            SL_TRY(sl_err_where(read_number(&out->score[p], row, scores[p], (double)FLT_MAX),
                                "field \"%s\"", scores[p]));
        SL_TRY(sl_err_where(read_number(&out->ref_logp[p], row, refs[p], (double)FLT_MAX),
                            "field \"%s\"", refs[p]));
    }
    SL_TRY(sl_err_where(find_scores(out, row), "field \"all_rm_scores\""));
    SL_TRY(sl_err_where(read_label(&out->label_p, row), "field \"chosen_probs\""));
    return sl_err_where(sl_json_id(&out->prompt_id, row, "prompt_id"), "field \"prompt_id\"");
}

/* --- choosing one ---------------------------------------------------------------------------- */

static sl_status no_format(const sl_json *row)
{
    sl_status st;

    if (sl_json_has(row, "chosen"))
        return sl_err_where(
            SL_FAIL(SL_EFORMAT, "want text or a list of messages, found another value"),
            "field \"chosen\"");
    st = SL_FAIL(SL_EFORMAT, "want keys \"chosen\" and \"rejected\" (strings or lists of messages) "
                             "or \"chosen_ids\" and \"rejected_ids\", found neither");
    return sl_err_hint(st, "docs/formats.md shows every format");
}

static sl_status read_by(sl_raw *out, const sl_format *format, const sl_json *row,
                         const sl_encoder *encoder)
{
    if (format->is_text && !encoder)
        return sl_err_hint(
            SL_FAIL(SL_EARG, "want data.tokenizer for rows of text, found none"),
            "it names a model folder or tokenizer.json; rows of token ids need none");
    SL_TRY(format->read(out, row, encoder));
    return read_extras(out, row);
}

sl_status sl_format_read(sl_raw *out, const sl_json *row, const sl_encoder *encoder)
{
    *out = (sl_raw){
        .parts = SL_PARTS, .score = { NAN, NAN, NAN }, .ref_logp = { NAN, NAN, NAN }, .label_p = NAN
    };
    if (!json_is_object(row))
        return SL_FAIL(SL_EFORMAT, "want a JSON object, found another value");
    for (size_t i = 0; i < SL_FORMATS; i++) {
        sl_status st;

        if (!sl_formats[i]->fits(row))
            continue;
        st = read_by(out, sl_formats[i], row, encoder);
        if (st != SL_OK)
            sl_raw_close(out);
        out->format = i;
        return st;
    }
    return no_format(row);
}
