/* Post-processors: the ids around a text. */
#include "base/alloc.h"
#include "text/tokenizer_int.h"
#include <string.h>

enum { SPECIAL_IDS = 64 };

/* Ids of the special token that a template names, appended. */
static sl_status add_special(sl_ids *out, const sl_tokenizer *t, const sl_json *node,
                             const sl_json *specials)
{
    const sl_json *ids;
    const char *name;

    SL_TRY(sl_json_text(&name, node, "id"));
    ids = json_object_get(json_object_get(specials, name), "ids");
    if (!json_is_array(ids) || !json_array_size(ids))
        return SL_FAIL(SL_EFORMAT, "want ids of \"%.64s\" in special_tokens, found none", name);
    for (size_t i = 0; i < json_array_size(ids); i++) {
        const json_int_t value = json_integer_value(json_array_get(ids, i));
        const int32_t id = (int32_t)value;

        if (!json_is_integer(json_array_get(ids, i)) || value < 0 ||
            value >= (json_int_t)t->vocab.size)
            return SL_FAIL(SL_EFORMAT, "want ids of \"%.64s\" below %zu, found another value", name,
                           t->vocab.size);
        if (out->count == SPECIAL_IDS)
            return SL_FAIL(SL_EUNSUPPORTED, "want at most %d special ids, found more", SPECIAL_IDS);
        SL_TRY(sl_ids_add(out, &id, 1));
    }
    return SL_OK;
}

/* One item of "single": ids before or after the text, or the text. */
static sl_status read_item(sl_ids around[2], int *has_text, const sl_tokenizer *t,
                           const sl_json *item, const sl_json *specials)
{
    const char *name;

    if (sl_json_has(item, "SpecialToken"))
        return add_special(&around[*has_text], t, json_object_get(item, "SpecialToken"), specials);
    SL_TRY(sl_json_text(&name, json_object_get(item, "Sequence"), "id"));
    if (strcmp(name, "A") || *has_text)
        return SL_FAIL(SL_EUNSUPPORTED, "want Sequence A once, found \"%.64s\"", name);
    *has_text = 1;
    return SL_OK;
}

/* A later processor works on what an earlier one made: its ids go outside. */
static sl_status put_around(sl_tokenizer *t, sl_ids around[2])
{
    SL_TRY(sl_ids_add(&around[0], t->prefix.id, t->prefix.count));
    SL_TRY(sl_ids_add(&t->suffix, around[1].id, around[1].count));
    t->prefix.count = 0;
    return sl_ids_add(&t->prefix, around[0].id, around[0].count);
}

static sl_status read_template(sl_tokenizer *t, const sl_json *node)
{
    const sl_json *single = json_object_get(node, "single");
    const sl_json *specials = json_object_get(node, "special_tokens");
    sl_ids around[2] = { 0 };
    int has_text = 0;
    sl_status st = SL_OK;

    if (!json_is_array(single))
        return SL_FAIL(SL_EFORMAT, "want \"single\" (a list), found %s",
                       single ? "another value" : "none");
    for (size_t i = 0; i < json_array_size(single); i++)
        SL_TRY_OUT(sl_err_where(
            read_item(around, &has_text, t, json_array_get(single, i), specials), "single %zu", i));
    if (!has_text)
        SL_TRY_OUT(SL_FAIL(SL_EFORMAT, "want Sequence A in \"single\", found none"));
    SL_TRY_OUT(put_around(t, around));
out:
    sl_ids_close(&around[0]);
    sl_ids_close(&around[1]);
    return st;
}

/* It moves offsets only. */
static sl_status read_byte_level(sl_tokenizer *t, const sl_json *node)
{
    (void)t;
    (void)node;
    return SL_OK;
}

static sl_status read_processors(sl_tokenizer *t, const sl_json *node);

static const sl_part processors[] = {
    { "TemplateProcessing", read_template },
    { "ByteLevel", read_byte_level },
    { "Sequence", read_processors },
    { NULL, NULL },
};

static sl_status read_processors(sl_tokenizer *t, const sl_json *node)
{
    return sl_part_sequence(t, processors, node, "processors");
}

sl_status sl_load_post(sl_tokenizer *tokenizer, const sl_json *node)
{
    return sl_part_read(tokenizer, processors, node);
}
