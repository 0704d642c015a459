#include "datasets/format.h"
#include "base/alloc.h"
#include "base/hash.h"
#include <math.h>
#include <string.h>

const char *const sl_part_names[SL_PARTS] = { "prompt", "chosen", "rejected" };

static const sl_format *const formats[] = { &sl_format_ids, &sl_format_messages,
                                            &sl_format_strings };

void sl_raw_close(sl_raw *raw)
{
    for (int p = 0; p < SL_PARTS; p++) {
        sl_free(raw->part[p].text);
        sl_free(raw->part[p].ids);
    }
    *raw = (sl_raw){ 0 };
}

/* What every format may carry beside the texts. */
static sl_status read_extras(sl_raw *out, const sl_json *row)
{
    const sl_json *id = json_object_get(row, "prompt_id");

    SL_TRY(sl_json_f64_or(&out->score[SL_PART_CHOSEN], row, "score_chosen", NAN));
    SL_TRY(sl_json_f64_or(&out->score[SL_PART_REJECTED], row, "score_rejected", NAN));
    if (json_is_string(id))
        out->prompt_id = sl_hash_id(json_string_value(id), json_string_length(id));
    return SL_OK;
}

sl_status sl_format_read(sl_raw *out, const sl_json *row, const sl_encoder *encoder)
{
    *out = (sl_raw){ .score = { NAN, NAN, NAN } };
    if (!json_is_object(row))
        return SL_FAIL(SL_EFORMAT, "want a JSON object, found another value");
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        sl_status st;

        if (!formats[i]->fits(row))
            continue;
        st = formats[i]->read(out, row, encoder);
        if (st == SL_OK)
            st = read_extras(out, row);
        if (st != SL_OK)
            sl_raw_close(out);
        return st;
    }
    return sl_err_hint(SL_FAIL(SL_EFORMAT,
                               "want keys \"chosen\" and \"rejected\" (strings or lists "
                               "of messages) or \"chosen_ids\" and \"rejected_ids\", "
                               "found neither"),
                       "docs/data.md shows every format");
}
