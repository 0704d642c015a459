/* What a value may be, and what to say when it is not. Stricter than libcyaml, which takes octal
 * and hexadecimal integers, "nan", and any word but "false" and its kin for true. */
#include "base/text.h"
#include "base/yaml_int.h"
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LIST_COUNT = 256 }; /* names offered to the nearest match; a table has fewer */

/* " from MIN to MAX", without a bound that is infinite. */
static void range_text(char *out, size_t size, const sl_key *key)
{
    const int digits = key->type == SL_KEY_I64 ? 17 : 6;
    char low[48] = "", high[48] = "";

    if (isfinite(key->min))
        snprintf(low, sizeof low, " from %.*g", digits, key->min);
    if (isfinite(key->max))
        snprintf(high, sizeof high, " up to %.*g", digits, key->max);
    snprintf(out, size, "%s%s", low, high);
}

static int is_i64(const sl_key *key, const char *text)
{
    const char *digits = text + (*text == '-');
    int64_t value;

    if (digits[0] == '0' && digits[1]) /* octal or hexadecimal to libcyaml */
        return 0;
    if (sl_text_i64(&value, text) != SL_OK) {
        sl_err_clear();
        return 0;
    }
    return (double)value >= key->min && (double)value <= key->max;
}

static int is_f64(const sl_key *key, const char *text)
{
    double value;

    if (sl_text_f64(&value, text) != SL_OK) {
        sl_err_clear();
        return 0;
    }
    return value >= key->min && value <= key->max;
}

static int is_bool(const sl_key *key, const char *text)
{
    (void)key;
    return !strcmp(text, "true") || !strcmp(text, "false");
}

static int is_text(const sl_key *key, const char *text)
{
    return strlen(text) < key->size;
}

static int is_choice(const sl_key *key, const char *text)
{
    const char *const *choice = key->choices;

    while (*choice && strcmp(*choice, text))
        choice++;
    return *choice != NULL;
}

static void want_number(char *out, size_t size, const sl_key *key)
{
    char range[100];

    range_text(range, sizeof range, key);
    snprintf(out, size, "%s%s", key->type == SL_KEY_I64 ? "an integer" : "a number", range);
}

static void want_bool(char *out, size_t size, const sl_key *key)
{
    (void)key;
    snprintf(out, size, "true or false");
}

static void want_text(char *out, size_t size, const sl_key *key)
{
    snprintf(out, size, "text below %zu bytes", key->size);
}

static void want_choice(char *out, size_t size, const sl_key *key)
{
    size_t at = (size_t)snprintf(out, size, "one of");

    for (const char *const *choice = key->choices; *choice && at < size; choice++)
        at += (size_t)snprintf(out + at, size - at, " %s%s", *choice, choice[1] ? "," : "");
}

static const struct {
    int (*is)(const sl_key *key, const char *text);
    void (*want)(char *out, size_t size, const sl_key *key);
} types[] = {
    [SL_KEY_I64] = { is_i64, want_number },       [SL_KEY_F64] = { is_f64, want_number },
    [SL_KEY_BOOL] = { is_bool, want_bool },       [SL_KEY_TEXT] = { is_text, want_text },
    [SL_KEY_CHOICE] = { is_choice, want_choice },
};

sl_status sl_yaml_check(const sl_key *key, const char *text, sl_status code)
{
    const char *near = NULL;
    char wanted[320];
    sl_status st;

    if (types[key->type].is(key, text))
        return SL_OK;
    types[key->type].want(wanted, sizeof wanted, key);
    st = SL_FAIL(code, "want %s, found \"%.64s\"", wanted, text);
    if (key->type == SL_KEY_CHOICE)
        near = sl_text_nearest(text, key->choices);
    return near ? sl_err_hint(st, "did you mean \"%s\"?", near) : st;
}

/* list (LIST_COUNT) = the keys of a section; for the top level ("") also the names of sections. */
static void names_of(const char **list, const sl_yaml_table *table, const char *section)
{
    size_t n = 0;

    for (size_t i = 0; i < table->count && n + 1 < LIST_COUNT; i++) {
        const sl_key *key = &table->row[i];

        assert(key->section);
        if (!strcmp(key->section, section))
            list[n++] = key->name;
        else if (!section[0] && (!n || strcmp(list[n - 1], key->section)))
            list[n++] = key->section;
    }
    list[n] = NULL;
}

/* The section of the first key of this name, NULL when there is none. */
static const char *section_with(const sl_yaml_table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++)
        if (!strcmp(table->row[i].name, name))
            return table->row[i].section;
    return NULL;
}

sl_status sl_yaml_unknown(const sl_yaml_table *table, const char *section, const char *name,
                          sl_status code)
{
    const char *word = name ? name : section, *other = name ? section_with(table, name) : NULL;
    const char *list[LIST_COUNT], *near;
    const sl_status st =
        SL_FAIL(code, "want a known %s, found \"%.64s\"", name ? "key" : "section", word);

    if (other && other[0])
        return sl_err_hint(st, "\"%s\" is a key of section \"%s\"", name, other);
    if (other)
        return sl_err_hint(st, "\"%s\" is a key of the top level", name);
    names_of(list, table, name ? section : "");
    near = sl_text_nearest(word, list);
    return near ? sl_err_hint(st, "did you mean \"%s\"?", near) : st;
}

int sl_yaml_opens_section(const sl_yaml_table *table, size_t row)
{
    for (size_t i = 0; i < row; i++)
        if (!strcmp(table->row[i].section, table->row[row].section))
            return 0;
    return 1;
}
