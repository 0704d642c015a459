/* What `analyze` makes of its inputs, one file each. */
#ifndef SL_CLI_ANALYZE_H
#define SL_CLI_ANALYZE_H

#include "base/json.h"

/* path: of a run. Prints sentences, or with `document` gives stageline.run/1 (owned by the caller)
 * instead; tables go to the folder `out` (NULL: none), which is made when missing. Errors:
 * SL_EFORMAT naming the first look at which the votes give another result than was recorded; the
 * document is there then all the same. */
sl_status sl_analyze_run(sl_json **document, const char *path, const char *out) SL_MUSTUSE;

#endif
