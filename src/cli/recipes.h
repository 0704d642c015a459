/* Where the recipes, plot scripts and tools that come with the program are. */
#ifndef SL_CLI_RECIPES_H
#define SL_CLI_RECIPES_H

#include "base/status.h"
#include <stddef.h>

/* Path of recipe NAME: in STAGELINE_RECIPES when set, else the installed folder, else the source's.
 */
sl_status sl_recipe_path(char *out, size_t size, const char *name) SL_MUSTUSE;
/* The same of a plot script, with STAGELINE_PLOTS. */
sl_status sl_plot_path(char *out, size_t size, const char *name) SL_MUSTUSE;
/* The same of a script of tools, with STAGELINE_TOOLS. */
sl_status sl_tool_path(char *out, size_t size, const char *name) SL_MUSTUSE;

#endif
