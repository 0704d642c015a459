/* Parts of tokenizer.json by their type, through a table; and the two sections that are steps. */
#include "base/alloc.h"
#include "text/tokenizer_int.h"
#include <string.h>

enum { STEPS_MOST = 64, NAMES_BYTES = 200 };

/* "A, B, C" of the table. */
static void list_types(char *out, size_t size, const sl_part *parts)
{
    size_t used = 0;

    out[0] = 0;
    for (; parts->type; parts++) {
        const size_t bytes = strlen(parts->type);

        if (used + bytes + 3 > size)
            break;
        if (used) {
            memcpy(out + used, ", ", 2);
            used += 2;
        }
        memcpy(out + used, parts->type, bytes + 1);
        used += bytes;
    }
}

sl_status sl_part_read(sl_tokenizer *tokenizer, const sl_part *parts, const sl_json *node)
{
    const char *type;
    char names[NAMES_BYTES];

    if (!node || json_is_null(node))
        return SL_OK;
    SL_TRY(sl_json_text(&type, node, "type"));
    for (const sl_part *part = parts; part->type; part++)
        if (!strcmp(type, part->type))
            return sl_err_where(part->read(tokenizer, node), "%s", type);
    list_types(names, sizeof names, parts);
    return SL_FAIL(SL_EUNSUPPORTED, "want one of %s, found \"%.64s\"", names, type);
}

sl_status sl_part_sequence(sl_tokenizer *tokenizer, const sl_part *parts, const sl_json *node,
                           const char *key)
{
    const sl_json *list = json_object_get(node, key);

    if (!json_is_array(list))
        return SL_FAIL(SL_EFORMAT, "want \"%s\" (a list), found %s", key,
                       list ? "another value" : "none");
    for (size_t i = 0; i < json_array_size(list); i++)
        SL_TRY(sl_err_where(sl_part_read(tokenizer, parts, json_array_get(list, i)), "%zu", i));
    return SL_OK;
}

sl_status sl_part_pattern(const char **out, int *is_regex, const sl_json *node)
{
    const sl_json *pattern = json_object_get(node, "pattern");

    *is_regex = sl_json_has(pattern, "Regex");
    SL_TRY(sl_json_text(out, pattern, *is_regex ? "Regex" : "String"));
    if (!**out)
        return SL_FAIL(SL_EUNSUPPORTED, "want a pattern of at least one byte, found none");
    return SL_OK;
}

/* A new step with its own copies of from and to (either may be NULL); regex is taken over, also on
 * failure. */
static sl_status add_step(sl_steps *steps, sl_step step, const char *from, const char *to)
{
    sl_status st = SL_OK;

    step.from = step.to = NULL;
    if (steps->count == STEPS_MOST)
        SL_TRY_OUT(SL_FAIL(SL_EUNSUPPORTED, "want at most %d steps, found more", STEPS_MOST));
    if (from)
        SL_TRY_OUT(sl_strdup(&step.from, from));
    if (to)
        SL_TRY_OUT(sl_strdup(&step.to, to));
    SL_TRY_OUT(sl_grow(&steps->at, &steps->capacity, steps->count + 1, sizeof *steps->at));
    steps->at[steps->count++] = step;
    return SL_OK;
out:
    pcre2_code_free(step.regex);
    sl_free(step.from);
    sl_free(step.to);
    return st;
}

static sl_status add_regex(sl_steps *steps, const char *pattern)
{
    sl_step step = { .run = sl_step_split_regex };

    SL_TRY(sl_regex_open(&step.regex, pattern));
    return add_step(steps, step, NULL, NULL);
}

static sl_status read_nfc(sl_tokenizer *t, const sl_json *node)
{
    (void)node;
    return add_step(&t->normalizer, (sl_step){ .run = sl_step_nfc }, NULL, NULL);
}

static sl_status read_prepend(sl_tokenizer *t, const sl_json *node)
{
    const char *text;

    SL_TRY(sl_json_text(&text, node, "prepend"));
    return add_step(&t->normalizer, (sl_step){ .run = sl_step_prepend }, NULL, text);
}

static sl_status read_replace(sl_tokenizer *t, const sl_json *node)
{
    const char *from, *to;
    int is_regex;

    SL_TRY(sl_part_pattern(&from, &is_regex, node));
    SL_TRY(sl_json_text(&to, node, "content"));
    if (is_regex)
        return SL_FAIL(SL_EUNSUPPORTED, "want a pattern String, found Regex");
    return add_step(&t->normalizer, (sl_step){ .run = sl_step_replace }, from, to);
}

static sl_status read_normalizers(sl_tokenizer *t, const sl_json *node);

static const sl_part normalizers[] = {
    { "NFC", read_nfc },
    { "Prepend", read_prepend },
    { "Replace", read_replace },
    { "Sequence", read_normalizers },
    { NULL, NULL },
};

static sl_status read_normalizers(sl_tokenizer *t, const sl_json *node)
{
    return sl_part_sequence(t, normalizers, node, "normalizers");
}

sl_status sl_load_normalizer(sl_tokenizer *tokenizer, const sl_json *node)
{
    return sl_part_read(tokenizer, normalizers, node);
}

/* Nothing can follow ByteLevel, whose pieces are no longer text. */
static sl_status add_pre(sl_tokenizer *t, sl_step step, const char *from, const char *to)
{
    if (t->is_byte_level) {
        pcre2_code_free(step.regex);
        return SL_FAIL(SL_EUNSUPPORTED, "want ByteLevel as the last pre-tokenizer, found one "
                                        "after it");
    }
    return add_step(&t->pre, step, from, to);
}

static sl_status read_byte_level(sl_tokenizer *t, const sl_json *node)
{
    static const char gpt2[] = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|"
                               "\\s+(?!\\S)|\\s+";
    const sl_step space = { .run = sl_step_prepend, .when = SL_WHEN_ABSENT };
    int has_prefix, uses_regex;

    SL_TRY(sl_json_bool(&has_prefix, node, "add_prefix_space"));
    SL_TRY(sl_json_bool_or(&uses_regex, node, "use_regex", 1));
    if (t->is_byte_level)
        return SL_FAIL(SL_EUNSUPPORTED, "want ByteLevel once, found it twice");
    if (has_prefix)
        SL_TRY(add_pre(t, space, NULL, " "));
    if (uses_regex)
        SL_TRY(add_regex(&t->pre, gpt2));
    t->is_byte_level = 1;
    return SL_OK;
}

static sl_status read_split(sl_tokenizer *t, const sl_json *node)
{
    sl_step step = { .run = sl_step_split_text };
    const char *pattern, *behavior;
    int is_regex, is_inverted;

    SL_TRY(sl_part_pattern(&pattern, &is_regex, node));
    SL_TRY(sl_json_text(&behavior, node, "behavior"));
    SL_TRY(sl_json_bool_or(&is_inverted, node, "invert", 0));
    if (strcmp(behavior, "Isolated"))
        return SL_FAIL(SL_EUNSUPPORTED, "want behavior Isolated, found \"%.64s\"", behavior);
    if (is_inverted)
        return SL_FAIL(SL_EUNSUPPORTED, "want invert false, found true");
    if (!is_regex)
        return add_pre(t, step, pattern, NULL);
    step.run = sl_step_split_regex;
    SL_TRY(sl_regex_open(&step.regex, pattern));
    return add_pre(t, step, NULL, NULL);
}

static sl_status read_digits(sl_tokenizer *t, const sl_json *node)
{
    sl_step step = { .run = sl_step_digits };

    SL_TRY(sl_json_bool_or(&step.is_single, node, "individual_digits", 0));
    return add_pre(t, step, NULL, NULL);
}

/* The scheme's name; an older file says add_prefix_space instead. */
static sl_status metaspace_scheme(const char **out, const sl_json *node)
{
    int has_prefix;

    SL_TRY(sl_json_text_or(out, node, "prepend_scheme", "always"));
    SL_TRY(sl_json_bool_or(&has_prefix, node, "add_prefix_space", 1));
    if (has_prefix || !strcmp(*out, "never"))
        return SL_OK;
    if (sl_json_has(node, "prepend_scheme"))
        return SL_FAIL(SL_EFORMAT,
                       "want prepend_scheme never where add_prefix_space is false, "
                       "found \"%.64s\"",
                       *out);
    *out = "never";
    return SL_OK;
}

static sl_status read_metaspace(sl_tokenizer *t, const sl_json *node)
{
    const sl_step replace = { .run = sl_step_replace }, split = { .run = sl_step_split_next };
    sl_step prepend = { .run = sl_step_prepend };
    const char *mark, *scheme;
    int has_split;

    SL_TRY(sl_json_text(&mark, node, "replacement"));
    SL_TRY(sl_json_bool_or(&has_split, node, "split", 1));
    SL_TRY(metaspace_scheme(&scheme, node));
    if (!*mark)
        return SL_FAIL(SL_EFORMAT, "want a replacement of one character, found none");
    if (!strcmp(scheme, "always"))
        prepend.when = SL_WHEN_ABSENT;
    else if (!strcmp(scheme, "first"))
        prepend.when = SL_WHEN_FIRST;
    else if (strcmp(scheme, "never"))
        return SL_FAIL(SL_EUNSUPPORTED,
                       "want prepend_scheme always, first or never, found "
                       "\"%.64s\"",
                       scheme);
    SL_TRY(add_pre(t, replace, " ", mark));
    if (strcmp(scheme, "never"))
        SL_TRY(add_pre(t, prepend, NULL, mark));
    return has_split ? add_pre(t, split, mark, NULL) : SL_OK;
}

static sl_status read_pre_tokenizers(sl_tokenizer *t, const sl_json *node);

static const sl_part pre_tokenizers[] = {
    { "ByteLevel", read_byte_level },    { "Split", read_split },
    { "Digits", read_digits },           { "Metaspace", read_metaspace },
    { "Sequence", read_pre_tokenizers }, { NULL, NULL },
};

static sl_status read_pre_tokenizers(sl_tokenizer *t, const sl_json *node)
{
    return sl_part_sequence(t, pre_tokenizers, node, "pretokenizers");
}

sl_status sl_load_pre(sl_tokenizer *tokenizer, const sl_json *node)
{
    return sl_part_read(tokenizer, pre_tokenizers, node);
}
