/* Of the files of the grid alone. */
#ifndef SL_CLI_GRID_INT_H
#define SL_CLI_GRID_INT_H

#include "cli/grid.h"

/* Grid and recipe as an object and back. */
sl_status sl_grid_dump(sl_json **out, const sl_grid_recipe *recipe) SL_MUSTUSE;
sl_status sl_grid_undump(sl_grid_recipe *out, const sl_json *tree, const char *where) SL_MUSTUSE;

#endif
