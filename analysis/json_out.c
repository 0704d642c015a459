#include "analysis/json_out_int.h"

static sl_status put(sl_json *to, const char *key, sl_json *value)
{
    const int failed =
        !value || (key ? json_object_set_new(to, key, value) : json_array_append_new(to, value));

    return failed ? SL_FAIL(SL_ENOMEM, "want memory for a result, found none") : SL_OK;
}

sl_status sl_out_number(sl_json *to, const char *key, double value)
{
    return put(to, key, sl_json_number(value));
}

sl_status sl_out_i64(sl_json *to, const char *key, int64_t value)
{
    return put(to, key, json_integer(value));
}

sl_status sl_out_bool(sl_json *to, const char *key, int value)
{
    return put(to, key, json_boolean(value));
}

sl_status sl_out_text(sl_json *to, const char *key, const char *text)
{
    return put(to, key, text ? json_string(text) : json_null());
}

sl_status sl_out_object(sl_json **child, sl_json *to, const char *key)
{
    *child = json_object();
    return put(to, key, *child);
}

sl_status sl_out_list(sl_json **child, sl_json *to, const char *key)
{
    *child = json_array();
    return put(to, key, *child);
}
