#include "cli/document.h"
#include <math.h>

double sl_doc_number(const sl_json *object, const char *key)
{
    const sl_json *value = json_object_get(object, key);

    return json_is_number(value) ? json_number_value(value) : NAN;
}

long long sl_doc_whole(const sl_json *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

const char *sl_doc_text(const sl_json *object, const char *key, const char *fallback)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : fallback;
}
