/* Running a recipe: what `train` and `demo` share. Opens the session, prints the memory plan,
 * creates or resumes the run, plugs the analyzer in as advisor, trains, closes the record as it
 * ended. */
#ifndef SL_CLI_RUN_RECIPE_H
#define SL_CLI_RUN_RECIPE_H

#include "train/recipe.h"

typedef struct sl_run_request {
    const char *label;  /* of progress lines */
    const char *folder; /* of the run */
    const char *device;
    int threads; /* 0: all processors */
    int is_resumed;
    int is_quiet;
} sl_run_request;

/* recipe is ignored when resuming: the run holds its own. Errors: SL_EINTERRUPT when Ctrl-C or
 * SIGTERM stopped it; the record is sealed then and can be resumed. */
sl_status sl_run_recipe(const sl_recipe *recipe, const sl_run_request *request) SL_MUSTUSE;
/* out (SL_RUN_PATH) = the newest checkpoint of a run, "RUN/checkpoints/step-N". */
sl_status sl_run_last_checkpoint(char *out, const char *folder) SL_MUSTUSE;

#endif
