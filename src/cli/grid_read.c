/* The section `grid` of a recipe and its axes. */
#include "base/alloc.h"
#include "base/text.h"
#include "cli/grid_int.h"
#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define TEXT(name, fallback, help)                                                                 \
    {                                                                                              \
        "grid", #name, SL_KEY_TEXT, offsetof(sl_grid_recipe, grid.name),                           \
            sizeof((sl_grid_recipe *)0)->grid.name, 0, 0, NULL, fallback, help                     \
    }

static const sl_key own[] = {
    TEXT(start, "", "recipe of the starts, beside this one; none: families set model.policy"),
    TEXT(first, "", "settings of the first phase of a start: KEY=VALUE, KEY=VALUE"),
    TEXT(second, "", "settings of its second phase"),
    TEXT(families, "", "NAME: KEY=VALUE, KEY=VALUE; NAME: ..."),
    TEXT(starts, "", "the same: settings of the second phase of a start"),
    TEXT(methods, "", "the same: settings of this recipe"),
    TEXT(seeds, "1", "seeds: 1 2 3"),
};
enum { OWN = sizeof own / sizeof own[0], KEYS_MOST = 256 };

/* The recipe's keys, then those of the grid. */
static sl_status keys_of(sl_key *key, size_t *count)
{
    SL_CHECK(sl_recipe_key_count + OWN <= KEYS_MOST);
    memcpy(key, sl_recipe_keys, sl_recipe_key_count * sizeof *key);
    memcpy(key + sl_recipe_key_count, own, sizeof own);
    *count = sl_recipe_key_count + OWN;
    return SL_OK;
}

sl_status sl_grid_load(sl_grid_recipe *out, const char *path, const char *const *set, size_t sets)
{
    sl_key key[KEYS_MOST];
    size_t count = 0;

    SL_TRY(keys_of(key, &count));
    SL_TRY(sl_yaml_load(out, key, count, path));
    for (size_t i = 0; i < sets; i++)
        SL_TRY(sl_yaml_set(out, key, count, set[i]));
    return sl_err_where(sl_recipe_check(&out->recipe), "%s", path);
}

int sl_grid_is_one(const sl_grid_recipe *recipe)
{
    return recipe->grid.families[0] != 0;
}

sl_status sl_grid_dump(sl_json **out, const sl_grid_recipe *recipe)
{
    sl_key key[KEYS_MOST];
    size_t count = 0;

    SL_TRY(keys_of(key, &count));
    return sl_yaml_dump(out, recipe, key, count);
}

sl_status sl_grid_undump(sl_grid_recipe *out, const sl_json *tree, const char *where)
{
    sl_key key[KEYS_MOST];
    size_t count = 0;

    SL_TRY(keys_of(key, &count));
    return sl_yaml_undump(out, key, count, tree, where);
}

/* --- axes ------------------------------------------------------------------------------------ */

/* The text before the first `end` or the end, without white space around it; *rest: after it. */
static sl_span cut(const char **rest, const char *end)
{
    sl_span part = { *rest, strcspn(*rest, end) };

    *rest += part.bytes + ((*rest)[part.bytes] != 0);
    while (part.bytes && isspace((unsigned char)part.at[0])) {
        part.at++;
        part.bytes--;
    }
    while (part.bytes && isspace((unsigned char)part.at[part.bytes - 1]))
        part.bytes--;
    return part;
}

static sl_status copy(char *out, size_t size, sl_span text)
{
    if (text.bytes >= size)
        return SL_FAIL(SL_EFORMAT, "want at most %zu bytes, found \"%.*s\"", size - 1,
                       (int)text.bytes, text.at);
    memcpy(out, text.at, text.bytes);
    out[text.bytes] = 0;
    return SL_OK;
}

/* Names become names of folders. */
static sl_status check_name(const char *name)
{
    for (const char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("-._", *c))
            return SL_FAIL(SL_EFORMAT, "want a name of letters, digits, - . and _, found \"%s\"",
                           name);
    return name[0] && name[0] != '.'
               ? SL_OK
               : SL_FAIL(SL_EFORMAT, "want a name before the settings, found \"%s\"", name);
}

static sl_status read_value(sl_grid_value *v, sl_span text)
{
    char whole[SL_GRID_TEXT];
    const char *rest = whole;

    v->sets = 0;
    SL_TRY(copy(whole, sizeof whole, text));
    SL_TRY(copy(v->name, sizeof v->name, cut(&rest, ":")));
    SL_TRY(check_name(v->name));
    while (*rest) {
        const sl_span one = cut(&rest, ",");

        if (v->sets == SL_GRID_SETTINGS)
            return SL_FAIL(SL_EFORMAT, "want at most %d settings of %s, found more",
                           SL_GRID_SETTINGS, v->name);
        if (one.bytes)
            SL_TRY(copy(v->set[v->sets++], sizeof v->set[0], one));
    }
    return SL_OK;
}

sl_status sl_grid_axis(sl_grid_value *value, size_t *count, const char *text)
{
    *count = 0;
    while (*text) {
        const sl_span one = cut(&text, ";");

        if (!one.bytes)
            continue;
        if (*count == SL_GRID_VALUES)
            return SL_FAIL(SL_EFORMAT, "want at most %d values, found more", SL_GRID_VALUES);
        SL_TRY(read_value(&value[*count], one));
        for (size_t i = 0; i < *count; i++)
            if (!strcmp(value[i].name, value[*count].name))
                return SL_FAIL(SL_EFORMAT, "want a name once, found \"%s\" again", value[i].name);
        (*count)++;
    }
    return SL_OK;
}
