/* Recipes: YAML through libcyaml into a plain struct, driven by a table of keys. Two levels:
 * section and key ("method.beta"); an empty section name stands for the top level. Every key has a
 * default; an unknown key is an error with file:line and the nearest known key.
 *
 * A recipe is one YAML document of at most 1 MiB without anchors, aliases, tags, lists or doubled
 * keys. Integers are decimal; booleans are true and false. */
#ifndef SL_BASE_YAML_H
#define SL_BASE_YAML_H

#include "base/json.h"
#include "base/status.h"

typedef enum sl_key_type {
    SL_KEY_I64,    /* int64_t */
    SL_KEY_F64,    /* double, finite */
    SL_KEY_BOOL,   /* int, 0 or 1 */
    SL_KEY_TEXT,   /* char[size] */
    SL_KEY_CHOICE, /* int: index into choices */
} sl_key_type;

typedef struct sl_key {
    const char *section, *name;
    sl_key_type type;
    size_t offset, size;        /* of the field in the struct; size for TEXT */
    double min, max;            /* I64, F64: both included */
    const char *const *choices; /* CHOICE: NULL-terminated */
    const char *fallback;       /* the default, as written in YAML */
    const char *help;
} sl_key;

/* Fills out with the defaults of the table. Errors: SL_EINTERNAL when a row refuses its own. */
sl_status sl_yaml_defaults(void *out, const sl_key *keys, size_t count) SL_MUSTUSE;
/* Defaults, then the file ("-": stdin). Errors name file:line, the key, what was wanted:
 * SL_EFORMAT; SL_EIO when the file cannot be read. */
sl_status sl_yaml_load(void *out, const sl_key *keys, size_t count, const char *path) SL_MUSTUSE;
/* One override "section.key=value"; place of errors: --set ASSIGNMENT. The value is taken as
 * it stands, without YAML quoting. On failure (SL_EUSAGE) out is unchanged. */
sl_status sl_yaml_set(void *out, const sl_key *keys, size_t count,
                      const char *assignment) SL_MUSTUSE;
/* The effective values as a JSON object, sections and keys in table order. Owned by the caller. */
sl_status sl_yaml_dump(sl_json **out, const void *in, const sl_key *keys, size_t count) SL_MUSTUSE;
/* Fills out from such an object (a run's stored recipe); same checks as a file. */
sl_status sl_yaml_undump(void *out, const sl_key *keys, size_t count, const sl_json *object,
                         const char *where) SL_MUSTUSE;

#endif
