/* jansson takes its memory from the allocator table, through sl_take: when a call of jansson fails,
 * a held SL_ENOMEM tells shortage from malformed text, which jansson itself does not always do. */
#include "base/json.h"
#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <threads.h>

static once_flag memory_once = ONCE_FLAG_INIT;

static void *json_take(size_t bytes)
{
    void *p = NULL;

    return sl_take(&p, bytes, 1) == SL_OK ? p : NULL;
}

static void set_memory(void)
{
    json_set_alloc_funcs(json_take, sl_free);
}

/* has_lines: places count lines; else text is one line of something larger, which where names.
 * flags: more of jansson's. */
static sl_status parse(sl_json **out, const char *text, size_t bytes, const char *where,
                       int has_lines, size_t flags)
{
    json_error_t error;
    sl_status st;

    call_once(&memory_once, set_memory);
    *out = json_loadb(text, bytes, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | flags, &error);
    if (sl_err_code() == SL_ENOMEM) {
        sl_json_close(out); /* jansson may go on with a character less */
        return sl_err_where(SL_ENOMEM, "%s", where);
    }
    if (*out)
        return SL_OK;
    st = SL_FAIL(SL_EFORMAT, "want JSON, found: %s", error.text);
    if (has_lines)
        return sl_err_where(st, "%s:%d:%d", where, error.line, error.column);
    return sl_err_where(st, "%s column %d", where, error.column);
}

sl_status sl_json_parse(sl_json **out, const char *text, size_t bytes, const char *where)
{
    return parse(out, text, bytes, where, bytes && memchr(text, '\n', bytes - 1) != NULL, 0);
}

sl_status sl_json_parse_zeros(sl_json **out, const char *text, size_t bytes, const char *where)
{
    return parse(out, text, bytes, where, bytes && memchr(text, '\n', bytes - 1) != NULL,
                 JSON_ALLOW_NUL);
}

/* Bytes of the literal of Python that begins here; 0: none does. */
static size_t literal_bytes(const char *text, size_t bytes)
{
    static const char *const literals[] = { "NaN", "Infinity", "-Infinity" };

    for (size_t i = 0; i < sizeof literals / sizeof literals[0]; i++) {
        const size_t n = strlen(literals[i]);

        if (n <= bytes && !memcmp(text, literals[i], n))
            return n;
    }
    return 0;
}

/* Copies text to `to` (unless NULL) with quotes around literals; returns its length. */
static size_t quote_literals(char *to, const char *text, size_t bytes)
{
    size_t used = 0;
    int is_inside = 0;

    for (size_t i = 0; i < bytes;) {
        const size_t literal = is_inside ? 0 : literal_bytes(text + i, bytes - i);
        const size_t n = literal ? literal : is_inside && text[i] == '\\' && i + 1 < bytes ? 2 : 1;

        is_inside ^= text[i] == '"';
        if (to && literal)
            to[used] = to[used + literal + 1] = '"';
        if (to)
            memcpy(to + used + (literal > 0), text + i, n);
        used += n + 2 * (literal > 0);
        i += n;
    }
    return used;
}

sl_status sl_json_parse_python(sl_json **out, const char *text, size_t bytes, const char *where)
{
    const size_t quoted = quote_literals(NULL, text, bytes);
    char *copy = NULL;
    sl_status st;

    *out = NULL;
    if (quoted == bytes)
        return sl_json_parse(out, text, bytes, where);
    SL_TRY(sl_take(&copy, quoted, 1));
    (void)quote_literals(copy, text, bytes);
    st = sl_json_parse(out, copy, quoted, where);
    sl_free(copy);
    return st;
}

static sl_status load(sl_json **out, const char *path, size_t limit_bytes,
                      sl_status (*read)(char **out, size_t *bytes, const char *path,
                                        size_t limit_bytes))
{
    char *text = NULL;
    size_t bytes = 0;
    sl_status st;

    *out = NULL;
    SL_TRY(read(&text, &bytes, path, limit_bytes));
    st = parse(out, text, bytes, !strcmp(path, "-") ? "stdin" : path, 1, 0);
    sl_free(text);
    return st;
}

sl_status sl_json_load(sl_json **out, const char *path, size_t limit_bytes)
{
    return load(out, path, limit_bytes, sl_file_read);
}

sl_status sl_json_load_regular(sl_json **out, const char *path, size_t limit_bytes)
{
    return load(out, path, limit_bytes, sl_file_read_regular);
}

void sl_json_close(sl_json **tree)
{
    if (tree) {
        json_decref(*tree);
        *tree = NULL;
    }
}

/* What a person calls a type of jansson. */
static const char *type_name(const sl_json *value)
{
    static const char *const names[] = {
        [JSON_OBJECT] = "an object",   [JSON_ARRAY] = "an array", [JSON_STRING] = "text",
        [JSON_INTEGER] = "an integer", [JSON_REAL] = "a number",  [JSON_TRUE] = "true",
        [JSON_FALSE] = "false",        [JSON_NULL] = "null",
    };

    return value ? names[json_typeof(value)] : "none";
}

static sl_status wrong_type(const sl_json *value, const char *key, const char *wanted)
{
    return SL_FAIL(SL_EFORMAT, "want \"%.64s\" (%s), found %s", key, wanted, type_name(value));
}

/* *out = the member, NULL when it is absent or null. */
static sl_status member(const sl_json **out, const sl_json *object, const char *key)
{
    *out = NULL;
    if (!json_is_object(object))
        return SL_FAIL(SL_EFORMAT, "want an object with \"%.64s\", found %s", key,
                       type_name(object));
    *out = json_object_get(object, key);
    if (json_is_null(*out))
        *out = NULL;
    return SL_OK;
}

sl_status sl_json_text(const char **out, const sl_json *object, const char *key)
{
    const sl_json *value;

    SL_TRY(member(&value, object, key));
    if (!json_is_string(value))
        return wrong_type(value, key, "text");
    *out = json_string_value(value);
    return SL_OK;
}

sl_status sl_json_i64(int64_t *out, const sl_json *object, const char *key)
{
    const sl_json *value;

    SL_TRY(member(&value, object, key));
    if (!json_is_integer(value))
        return wrong_type(value, key, "an integer");
    *out = json_integer_value(value);
    return SL_OK;
}

sl_status sl_json_f64(double *out, const sl_json *object, const char *key)
{
    const sl_json *value;

    SL_TRY(member(&value, object, key));
    if (!json_is_number(value))
        return wrong_type(value, key, "a number");
    *out = json_number_value(value);
    return SL_OK;
}

sl_status sl_json_bool(int *out, const sl_json *object, const char *key)
{
    const sl_json *value;

    SL_TRY(member(&value, object, key));
    if (!json_is_boolean(value))
        return wrong_type(value, key, "true or false");
    *out = json_is_true(value);
    return SL_OK;
}

/* An object without the member gives the default; anything else is for the strict form to judge. */
static int is_default(const sl_json *object, const char *key)
{
    return json_is_object(object) && !sl_json_has(object, key);
}

sl_status sl_json_text_or(const char **out, const sl_json *object, const char *key,
                          const char *fallback)
{
    *out = fallback;
    return is_default(object, key) ? SL_OK : sl_json_text(out, object, key);
}

sl_status sl_json_i64_or(int64_t *out, const sl_json *object, const char *key, int64_t fallback)
{
    *out = fallback;
    return is_default(object, key) ? SL_OK : sl_json_i64(out, object, key);
}

sl_status sl_json_f64_or(double *out, const sl_json *object, const char *key, double fallback)
{
    *out = fallback;
    return is_default(object, key) ? SL_OK : sl_json_f64(out, object, key);
}

sl_status sl_json_bool_or(int *out, const sl_json *object, const char *key, int fallback)
{
    *out = fallback;
    return is_default(object, key) ? SL_OK : sl_json_bool(out, object, key);
}

sl_status sl_json_id(uint64_t *out, const sl_json *object, const char *key)
{
    const sl_json *value;
    char number[24];

    *out = 0;
    SL_TRY(member(&value, object, key));
    if (!value)
        return SL_OK;
    if (json_is_string(value)) {
        *out = sl_hash_id(json_string_value(value), json_string_length(value));
        return SL_OK;
    }
    if (!json_is_integer(value))
        return wrong_type(value, key, "text or an integer");
    *out = sl_hash_id(number, (size_t)snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT,
                                               json_integer_value(value)));
    return SL_OK;
}

int sl_json_has(const sl_json *object, const char *key)
{
    const sl_json *value = json_object_get(object, key);

    return value && !json_is_null(value);
}

sl_json *sl_json_number(double value)
{
    call_once(&memory_once, set_memory);
    return isfinite(value) ? json_real(value) : json_null();
}

sl_status sl_json_dump(char **out, const sl_json *tree, int is_pretty)
{
    const size_t layout = is_pretty ? JSON_INDENT(2) : JSON_COMPACT;

    call_once(&memory_once, set_memory);
    SL_CHECK(tree);
    *out = json_dumps(tree, layout | JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
    if (!*out)
        return SL_FAIL(SL_ENOMEM, "want memory for JSON text, found none");
    return SL_OK;
}
