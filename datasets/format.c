#include "datasets/format.h"
#include "base/alloc.h"
#include <float.h>
#include <math.h>

const char *const sl_part_names[SL_PARTS] = { "prompt", "chosen", "rejected" };

static const sl_format *const formats[] = { &sl_format_ids, &sl_format_messages,
                                            &sl_format_strings };

void sl_raw_close(sl_raw *raw)
{
    for (int p = 0; p < SL_PARTS; p++) {
        sl_free(raw->part[p].text);
        sl_free(raw->part[p].ids);
        sl_free(raw->part[p].words);
    }
    *raw = (sl_raw){ 0 };
}

static sl_status read_score(double *out, const sl_json *row, const char *key)
{
    SL_TRY(sl_json_f64_or(out, row, key, NAN));
    if (fabs(*out) > (double)FLT_MAX)
        return SL_FAIL(SL_EFORMAT, "want a score within +-%g, found %g", (double)FLT_MAX, *out);
    return SL_OK;
}

/* What every format may carry beside the texts. */
static sl_status read_extras(sl_raw *out, const sl_json *row)
{
    static const char *const scores[SL_PARTS] = { NULL, "score_chosen", "score_rejected" };

    for (int p = SL_PART_CHOSEN; p < SL_PARTS; p++)
        SL_TRY(sl_err_where(read_score(&out->score[p], row, scores[p]), "field \"%s\"", scores[p]));
    return sl_err_where(sl_json_id(&out->prompt_id, row, "prompt_id"), "field \"prompt_id\"");
}

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
    *out = (sl_raw){ .parts = SL_PARTS, .score = { NAN, NAN, NAN } };
    if (!json_is_object(row))
        return SL_FAIL(SL_EFORMAT, "want a JSON object, found another value");
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        sl_status st;

        if (!formats[i]->fits(row))
            continue;
        st = read_by(out, formats[i], row, encoder);
        if (st != SL_OK)
            sl_raw_close(out);
        return st;
    }
    return no_format(row);
}
