/* Rows of token ids: {"prompt_ids": [..], "chosen_ids": [..], "rejected_ids": [..]}, the answers
 * or the rejected one may be absent. Nothing is added. */
#include "base/alloc.h"
#include "datasets/format.h"

static int ids_fits(const sl_json *row)
{
    return sl_json_has(row, "prompt_ids") || sl_json_has(row, "chosen_ids");
}

static sl_status read_ids(sl_raw_part *part, const sl_json *row, const char *key)
{
    const sl_json *list = json_object_get(row, key);

    if (!json_is_array(list))
        return SL_FAIL(SL_EFORMAT, "want a list of token ids, found %s",
                       list ? "another value" : "none");
    part->count = json_array_size(list);
    SL_TRY(sl_take(&part->ids, part->count + 1, sizeof *part->ids));
    for (size_t i = 0; i < part->count; i++) {
        const sl_json *id = json_array_get(list, i);

        if (!json_is_integer(id) || json_integer_value(id) < 0 ||
            json_integer_value(id) > INT32_MAX)
            return SL_FAIL(SL_EFORMAT, "want a token id of 0 to %d, found another value at %zu",
                           INT32_MAX, i);
        part->ids[i] = (int32_t)json_integer_value(id);
    }
    return SL_OK;
}

static sl_status ids_read(sl_raw *out, const sl_json *row, const sl_encoder *encoder)
{
    static const char *const keys[SL_PARTS] = { "prompt_ids", "chosen_ids", "rejected_ids" };

    (void)encoder;
    while (out->parts > 1 && !sl_json_has(row, keys[out->parts - 1]))
        out->parts--;
    for (size_t p = 0; p < out->parts; p++)
        SL_TRY(sl_err_where(read_ids(&out->part[p], row, keys[p]), "field \"%s\"", keys[p]));
    return SL_OK;
}

const sl_format sl_format_ids = { .name = "ids", .fits = ids_fits, .read = ids_read };
