#include "cli/recipes.h"
#include "base/file.h"
#include <stdlib.h>

sl_status sl_recipe_path(char *out, size_t size, const char *name)
{
    const char *folders[] = { getenv("STAGELINE_RECIPES"), SL_RECIPES_INSTALLED,
                              SL_RECIPES_SOURCE };

    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        if (!folders[i])
            continue;
        SL_TRY(sl_file_join(out, size, folders[i], name));
        if (sl_file_exists(out))
            return SL_OK;
    }
    return sl_err_hint(SL_FAIL(SL_EIO, "want recipe \"%s\", found it nowhere", name),
                       "set STAGELINE_RECIPES to the folder of the recipes");
}
