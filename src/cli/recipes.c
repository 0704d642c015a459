#include "cli/recipes.h"
#include "base/file.h"
#include <stdlib.h>

/* A kind of files that come with the program. */
typedef struct kind {
    const char *what, *variable, *installed, *source;
} kind;

static const kind recipes = { "recipe", "STAGELINE_RECIPES", SL_RECIPES_INSTALLED,
                              SL_RECIPES_SOURCE };
static const kind plots = { "plot script", "STAGELINE_PLOTS", SL_PLOTS_INSTALLED, SL_PLOTS_SOURCE };
static const kind tools = { "tool", "STAGELINE_TOOLS", SL_TOOLS_INSTALLED, SL_TOOLS_SOURCE };

static sl_status find(char *out, size_t size, const kind *k, const char *name)
{
    const char *folders[] = { getenv(k->variable), k->installed, k->source };

    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        if (!folders[i])
            continue;
        SL_TRY(sl_file_join(out, size, folders[i], name));
        if (sl_file_exists(out))
            return SL_OK;
    }
    return sl_err_hint(SL_FAIL(SL_EIO, "want %s \"%s\", found it nowhere", k->what, name),
                       "set %s to the folder of the %ss", k->variable, k->what);
}

sl_status sl_recipe_path(char *out, size_t size, const char *name)
{
    return find(out, size, &recipes, name);
}

sl_status sl_plot_path(char *out, size_t size, const char *name)
{
    return find(out, size, &plots, name);
}

sl_status sl_tool_path(char *out, size_t size, const char *name)
{
    return find(out, size, &tools, name);
}
