/* A grid of runs: one recipe with section `grid`, a run for every family x start x method x seed.
 *
 *   OUT/grid.json                              what is run: grid, recipe, recipe of the starts
 *   OUT/base-FAMILY-SEED                       SFT from nothing (grid.first)
 *   OUT/start-FAMILY-START-SEED                and on to a start (grid.second, then the start's)
 *   OUT/run-FAMILY-START-METHOD-SEED           the recipe from there
 *
 * Without grid.start nothing is imitated: families and starts are settings of the recipe itself,
 * such as model.policy=PATH. A run that is complete is not run again, one that was killed goes on.
 */
#ifndef SL_CLI_GRID_H
#define SL_CLI_GRID_H

#include "base/yaml.h"
#include "run/files.h"
#include "train/recipe.h"

enum { SL_GRID_TEXT = 4096, SL_GRID_VALUES = 16, SL_GRID_SETTINGS = 16 };

typedef struct sl_grid {
    char start[256];
    char first[SL_GRID_TEXT], second[SL_GRID_TEXT];
    char families[SL_GRID_TEXT], starts[SL_GRID_TEXT], methods[SL_GRID_TEXT], seeds[256];
} sl_grid;

/* A recipe that may be a grid: one table of keys over both. */
typedef struct sl_grid_recipe {
    sl_recipe recipe;
    sl_grid grid;
} sl_grid_recipe;
/* Loads a recipe with overrides; without section grid it is an ordinary one. path, as sl_yaml_load.
 */
sl_status sl_grid_load(sl_grid_recipe *out, const char *path, const char *const *set,
                       size_t count) SL_MUSTUSE;
int sl_grid_is_one(const sl_grid_recipe *recipe);

typedef struct sl_grid_request {
    const char *recipe; /* its path: grid.start is looked for beside it */
    const char *out, *device;
    int processes; /* 0: all processors */
    int is_quiet;
} sl_grid_request;
/* A new folder. Errors: SL_EARG when it is there. */
sl_status sl_grid_run(const sl_grid_recipe *recipe, const sl_grid_request *request) SL_MUSTUSE;
/* Whether a folder is that of a grid; going on with it. */
int sl_grid_is_folder(const char *folder);
sl_status sl_grid_resume(const sl_grid_request *request) SL_MUSTUSE;

/* A run of a grid. */
typedef struct sl_grid_place {
    char family[32], start[32], method[32], run[SL_RUN_PATH];
    int64_t seed;
} sl_grid_place;
/* All runs that a grid's folder has or will have, seeds of a cell together; *out, owned by the
 * caller. */
sl_status sl_grid_list(sl_grid_place **out, size_t *count, const char *folder) SL_MUSTUSE;

/* A value of an axis: "NAME: KEY=VALUE, KEY=VALUE". */
typedef struct sl_grid_value {
    char name[32];
    char set[SL_GRID_SETTINGS][256];
    size_t sets;
} sl_grid_value;
/* "NAME: KEY=VALUE, ...; NAME: ..." into value (SL_GRID_VALUES). Errors: SL_EFORMAT. */
sl_status sl_grid_axis(sl_grid_value *value, size_t *count, const char *text) SL_MUSTUSE;

#endif
