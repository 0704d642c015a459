/* AlpacaEval annotations: {"instruction", "output_1", "output_2", "preference"}. preference runs
 * from 1 (output_1 is better) to 2 (output_2); 1.5, the older code 0, and null prefer neither. */
#include "datasets/format.h"
#include <math.h>

static int annotations_fits(const sl_json *row)
{
    return sl_json_has(row, "output_1") && sl_json_has(row, "output_2");
}

static sl_status read_preference(double *out, const sl_json *row)
{
    SL_TRY(sl_json_f64_or(out, row, "preference", NAN));
    if (!isnan(*out) && *out != 0.0 && !(*out >= 1.0 && *out <= 2.0))
        return SL_FAIL(SL_EFORMAT, "want 0 or a number in [1,2], found %g", *out);
    return SL_OK;
}

static sl_status annotations_read(sl_raw *out, const sl_json *row, const sl_encoder *encoder)
{
    static const char *const output[] = { "output_1", "output_2" };
    double preference = NAN;
    int best;

    (void)encoder;
    SL_TRY(sl_err_where(read_preference(&preference, row), "field \"preference\""));
    best = preference > 1.5;
    out->is_tie = !best && !(preference >= 1.0 && preference < 1.5);
    out->wants_eos = 1;
    SL_TRY(sl_raw_text(out, SL_PART_PROMPT, row, "instruction"));
    SL_TRY(sl_raw_text(out, SL_PART_CHOSEN, row, output[best]));
    return sl_raw_text(out, SL_PART_REJECTED, row, output[!best]);
}

const sl_format sl_format_annotations = {
    .name = "annotations", .is_text = 1, .fits = annotations_fits, .read = annotations_read
};
