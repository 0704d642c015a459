/* Plain strings, TRL's standard preference format: {"prompt", "chosen", "rejected"}. The end of
 * turn is not written in them and is appended. */
#include "datasets/format.h"

static int strings_fits(const sl_json *row)
{
    return json_is_string(json_object_get(row, "chosen"));
}

static sl_status strings_read(sl_raw *out, const sl_json *row, const sl_encoder *encoder)
{
    (void)encoder;
    out->wants_eos = 1;
    for (int p = 0; p < SL_PARTS; p++)
        SL_TRY(sl_raw_text(out, p, row, sl_part_names[p]));
    return SL_OK;
}

const sl_format sl_format_strings = {
    .name = "strings", .is_text = 1, .fits = strings_fits, .read = strings_read
};
