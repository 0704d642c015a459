/* Recipes of any bytes, as a YAML file and as the JSON of run.json: refused with file and line, or
 * every value is one that the table allows, and comes back the same from what the run would store
 * of it. */
#include "base/json.h"
#include "harness/fuzz.h"
#include "train/recipe.h"
#include <stdio.h>
#include <string.h>

const t_fuzz_target t_fuzz = { .name = "fuzz recipe",
                               .spice = "{}[]\",:0123456789eE.-+ \n#&*!|>'%@`~truefals\xff",
                               .changes = 800 };

static sl_recipe recipe, again;

/* Values one by one are sound; whether they hold together is another question. */
static void check(void)
{
    sl_objective objective;
    sl_json *tree = NULL;

    t_expect(sl_yaml_dump(&tree, &recipe, sl_recipe_keys, sl_recipe_key_count) == SL_OK,
             "its JSON");
    memset(&again, 0, sizeof again);
    t_expect(sl_yaml_undump(&again, sl_recipe_keys, sl_recipe_key_count, tree, "stored") == SL_OK,
             "the recipe that was stored");
    t_expect(!memcmp(&again, &recipe, sizeof recipe), "the same recipe");
    sl_json_close(&tree);
    if (sl_recipe_check(&recipe) == SL_OK)
        t_expect(sl_recipe_objective(&objective, &recipe) == SL_OK, "what it minimises");
    t_expect(sl_err_code() == SL_OK || sl_err_code() == SL_EARG, "a refusal of settings");
    sl_err_clear();
}

static void as_yaml(const char *path)
{
    sl_status st;

    memset(&recipe, 0, sizeof recipe);
    st = sl_yaml_load(&recipe, sl_recipe_keys, sl_recipe_key_count, path);
    t_expect(st == SL_OK || (st == SL_EFORMAT && strstr(sl_err_place(), path)),
             "the file by its name");
    t_fuzz_count(st == SL_OK);
    if (st == SL_OK)
        check();
}

static void as_json(const uint8_t *data, size_t size)
{
    sl_json *tree = NULL;

    if (sl_json_parse(&tree, (const char *)data, size, "recipe") != SL_OK) {
        sl_err_clear();
        return;
    }
    memset(&recipe, 0, sizeof recipe);
    if (sl_yaml_undump(&recipe, sl_recipe_keys, sl_recipe_key_count, tree, "recipe") == SL_OK)
        check();
    sl_err_clear();
    sl_json_close(&tree);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[4200];

    t_fuzz_write("recipe.yaml", data, size);
    (void)snprintf(path, sizeof path, "%s/recipe.yaml", t_fuzz_folder());
    as_yaml(path);
    as_json(data, size);
    return 0;
}
