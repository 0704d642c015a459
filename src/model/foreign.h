/* What this program does not read, by name, and what to do instead. */
#ifndef SL_MODEL_FOREIGN_H
#define SL_MODEL_FOREIGN_H

#include "base/json.h"

/* Keys of config.json that mean another mathematics in any family: quantised weights, experts.
 * Errors: SL_EUNSUPPORTED with the key. */
sl_status sl_foreign_keys(const sl_json *config) SL_MUSTUSE;
/* A hint about weights that a folder has in another form; NULL: none is found. */
const char *sl_foreign_files(const char *folder);

#endif
