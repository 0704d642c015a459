/* Defaults, overrides and stored recipes are written as small YAML documents and go the way of a
 * file, so that a value means the same wherever it comes from. */
#include "base/yaml.h"
#include "base/alloc.h"
#include "base/file.h"
#include "base/yaml_int.h"
#include <stdio.h>
#include <string.h>

enum { RECIPE_BYTES = 1 << 20, NUMBER_BYTES = 40, NAME_BYTES = 128 };

/* YAML text under construction. */
typedef struct writer {
    char *text;
    size_t bytes, room;
} writer;

static sl_status put(writer *w, const char *piece, size_t bytes)
{
    SL_TRY(sl_grow(&w->text, &w->room, w->bytes + bytes, 1));
    memcpy(w->text + w->bytes, piece, bytes);
    w->bytes += bytes;
    return SL_OK;
}

static sl_status put_text(writer *w, const char *piece)
{
    return put(w, piece, strlen(piece));
}

/* A double-quoted scalar: it can hold any text and end nowhere but at its end. */
static sl_status put_quoted(writer *w, const char *text)
{
    char escape[8];

    SL_TRY(put(w, "\"", 1));
    for (; *text; text++) {
        const unsigned char c = (unsigned char)*text;

        if (c < 0x20 || c == 0x7f || c == '"' || c == '\\') {
            snprintf(escape, sizeof escape, "\\x%02x", c);
            SL_TRY(put_text(w, escape));
        } else {
            SL_TRY(put(w, text, 1));
        }
    }
    return put(w, "\"", 1);
}

static sl_status put_pair(writer *w, const char *name, const char *value)
{
    SL_TRY(put_quoted(w, name));
    SL_TRY(put_text(w, ": "));
    SL_TRY(put_quoted(w, value));
    return put_text(w, ", ");
}

static sl_status load_text(void *out, const sl_yaml_table *table, const sl_yaml_source *source)
{
    size_t *line = NULL, given = 0;
    sl_status st;

    SL_TRY(sl_take(&line, table->count, sizeof *line));
    st = sl_yaml_scan(line, source, table);
    for (size_t i = 0; i < table->count; i++)
        given += line[i] != 0;
    if (st == SL_OK && given) /* libcyaml does not take an empty document */
        st = sl_yaml_values(out, line, source, table);
    sl_free(line);
    return st;
}

/* Loads what the writer holds and gives its memory back; st: of the writing. */
static sl_status load_written(void *out, const sl_yaml_table *table, writer *w, sl_status st,
                              const char *name, sl_status code)
{
    const sl_yaml_source source = { w->text, w->bytes, name, 0, code };

    if (st == SL_OK)
        st = load_text(out, table, &source);
    sl_free(w->text);
    return st;
}

/* The keys of one section with their defaults. */
static sl_status put_defaults(writer *w, const sl_yaml_table *table, const char *section)
{
    for (size_t i = 0; i < table->count; i++) {
        const sl_key *key = &table->row[i];

        if (strcmp(key->section, section))
            continue;
        SL_CHECK(key->fallback);
        SL_TRY(put_pair(w, key->name, key->fallback));
    }
    return SL_OK;
}

static sl_status put_all_defaults(writer *w, const sl_yaml_table *table)
{
    SL_TRY(put_text(w, "{"));
    for (size_t i = 0; i < table->count; i++) {
        const char *section = table->row[i].section;

        if (!sl_yaml_opens_section(table, i))
            continue;
        if (section[0]) {
            SL_TRY(put_quoted(w, section));
            SL_TRY(put_text(w, ": {"));
        }
        SL_TRY(put_defaults(w, table, section));
        if (section[0])
            SL_TRY(put_text(w, "}, "));
    }
    return put_text(w, "}");
}

sl_status sl_yaml_defaults(void *out, const sl_key *keys, size_t count)
{
    const sl_yaml_table table = { keys, count };
    writer w = { 0 };
    const sl_status st = put_all_defaults(&w, &table);

    return load_written(out, &table, &w, st, "defaults", SL_EINTERNAL);
}

sl_status sl_yaml_load(void *out, const sl_key *keys, size_t count, const char *path)
{
    const sl_yaml_table table = { keys, count };
    sl_yaml_source source = { .name = !strcmp(path, "-") ? "stdin" : path,
                              .has_lines = 1,
                              .code = SL_EFORMAT };
    char *text = NULL;
    sl_status st;

    SL_TRY(sl_yaml_defaults(out, keys, count));
    SL_TRY(sl_file_read(&text, &source.bytes, path, RECIPE_BYTES));
    source.text = text;
    st = load_text(out, &table, &source);
    sl_free(text);
    return st;
}

/* {"section": {"key": "value"}}; without a section {"key": "value"}. name is "section.key". */
static sl_status put_assignment(writer *w, char *name, const char *value)
{
    char *dot = strchr(name, '.');

    SL_TRY(put_text(w, "{"));
    if (!dot)
        SL_TRY(put_pair(w, name, value));
    else {
        *dot = 0;
        SL_TRY(put_quoted(w, name));
        SL_TRY(put_text(w, ": {"));
        SL_TRY(put_pair(w, dot + 1, value));
        SL_TRY(put_text(w, "}"));
    }
    return put_text(w, "}");
}

sl_status sl_yaml_set(void *out, const sl_key *keys, size_t count, const char *assignment)
{
    const sl_yaml_table table = { keys, count };
    const char *equals = strchr(assignment, '=');
    char name[NAME_BYTES], place[320];
    writer w = { 0 };

    snprintf(place, sizeof place, "--set %.300s", assignment);
    if (!equals || (size_t)(equals - assignment) >= sizeof name)
        return sl_err_where(
            SL_FAIL(SL_EUSAGE, "want section.key=value, found \"%.64s\"", assignment), "%s", place);
    snprintf(name, sizeof name, "%.*s", (int)(equals - assignment), assignment);
    return load_written(out, &table, &w, put_assignment(&w, name, equals + 1), place, SL_EUSAGE);
}

static sl_json *i64_json(const void *field, const sl_key *key)
{
    int64_t value;

    (void)key;
    memcpy(&value, field, sizeof value);
    return json_integer(value);
}

static sl_json *f64_json(const void *field, const sl_key *key)
{
    double value;

    (void)key;
    memcpy(&value, field, sizeof value);
    return sl_json_number(value);
}

static sl_json *bool_json(const void *field, const sl_key *key)
{
    int value;

    (void)key;
    memcpy(&value, field, sizeof value);
    return json_boolean(value);
}

static sl_json *text_json(const void *field, const sl_key *key)
{
    (void)key;
    return json_string(field);
}

static sl_json *choice_json(const void *field, const sl_key *key)
{
    int value;

    memcpy(&value, field, sizeof value);
    return json_string(key->choices[value]);
}

/* New JSON values of fields; NULL when out of memory. */
static sl_json *(*const field_json[])(const void *field, const sl_key *key) = {
    [SL_KEY_I64] = i64_json,   [SL_KEY_F64] = f64_json,       [SL_KEY_BOOL] = bool_json,
    [SL_KEY_TEXT] = text_json, [SL_KEY_CHOICE] = choice_json,
};

static sl_status add_field(sl_json *tree, const void *in, const sl_key *key)
{
    sl_json *object = tree, *field;

    if (key->section[0]) {
        object = json_object_get(tree, key->section);
        if (!object) {
            object = json_object();
            if (json_object_set_new(tree, key->section, object))
                return SL_FAIL(SL_ENOMEM, "want memory for JSON, found none");
        }
    }
    field = field_json[key->type]((const unsigned char *)in + key->offset, key);
    if (json_object_set_new(object, key->name, field))
        return SL_FAIL(SL_ENOMEM, "want memory for JSON, found none");
    return SL_OK;
}

sl_status sl_yaml_dump(sl_json **out, const void *in, const sl_key *keys, size_t count)
{
    sl_status st = SL_OK;

    *out = json_object();
    if (!*out)
        return SL_FAIL(SL_ENOMEM, "want memory for JSON, found none");
    for (size_t i = 0; i < count && st == SL_OK; i++)
        st = add_field(*out, in, &keys[i]);
    if (st != SL_OK)
        sl_json_close(out);
    return st;
}

static sl_status put_json_value(writer *w, const char *name, const sl_json *value)
{
    char number[NUMBER_BYTES];

    if (json_is_string(value))
        return put_pair(w, name, json_string_value(value));
    if (json_is_boolean(value))
        return put_pair(w, name, json_is_true(value) ? "true" : "false");
    if (json_is_integer(value))
        snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value)) /* 17 digits give every double back exactly */
        snprintf(number, sizeof number, "%.17g", json_real_value(value));
    else
        return sl_err_where(SL_FAIL(SL_EFORMAT, "want a value, found none, a list or an object"),
                            "key \"%s\"", name);
    return put_pair(w, name, number);
}

static sl_status put_json_section(writer *w, const char *section, const sl_json *object)
{
    const char *name;
    sl_json *value;

    SL_TRY(put_quoted(w, section));
    SL_TRY(put_text(w, ": {"));
    json_object_foreach((sl_json *)object, name, value)
        SL_TRY(sl_err_where(put_json_value(w, name, value), "section \"%s\"", section));
    return put_text(w, "}, ");
}

static sl_status put_json(writer *w, const sl_json *object)
{
    const char *name;
    sl_json *value;

    SL_TRY(put_text(w, "{"));
    json_object_foreach((sl_json *)object, name, value)
    {
        if (json_is_object(value))
            SL_TRY(put_json_section(w, name, value));
        else
            SL_TRY(put_json_value(w, name, value));
    }
    return put_text(w, "}");
}

sl_status sl_yaml_undump(void *out, const sl_key *keys, size_t count, const sl_json *object,
                         const char *where)
{
    const sl_yaml_table table = { keys, count };
    writer w = { 0 };
    sl_status st;

    if (!json_is_object(object))
        return sl_err_where(SL_FAIL(SL_EFORMAT, "want an object of recipe keys, found none"), "%s",
                            where);
    SL_TRY(sl_yaml_defaults(out, keys, count));
    st = sl_err_where(put_json(&w, object), "%s", where);
    return load_written(out, &table, &w, st, where, SL_EFORMAT);
}
