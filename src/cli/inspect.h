/* The kinds of things that `inspect` knows, one file each. Each gives one JSON object; the command
 * prints it as a document or as lines. */
#ifndef SL_CLI_INSPECT_H
#define SL_CLI_INSPECT_H

#include "base/json.h"

typedef struct sl_inspect_opts {
    int64_t batch, length; /* sequences at once and tokens of each, of the memory plan */
    int is_json;
} sl_inspect_opts;

/* *out: owned by the caller; its keys are docs/documents.md. */
sl_status sl_inspect_model(sl_json **out, const char *path, const sl_inspect_opts *o) SL_MUSTUSE;
sl_status sl_inspect_run(sl_json **out, const char *path, const sl_inspect_opts *o) SL_MUSTUSE;
sl_status sl_inspect_data(sl_json **out, const char *path, const sl_inspect_opts *o) SL_MUSTUSE;
/* What a folder's checkpoint holds, from the headers of its files; *out NULL without one. */
sl_status sl_inspect_weights(sl_json **out, const char *folder) SL_MUSTUSE;

#endif
