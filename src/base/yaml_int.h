/* Inside base: a recipe is scanned with libyaml (structure, keys, texts of the values, each with
 * its line), then its values are loaded by libcyaml with a schema made of the same rows. */
#ifndef SL_BASE_YAML_INT_H
#define SL_BASE_YAML_INT_H

#include "base/yaml.h"
#include <stddef.h>

/* Where YAML text came from. */
typedef struct sl_yaml_source {
    const char *text; /* bytes of it */
    size_t bytes;
    const char *name; /* first part of places */
    int has_lines;    /* the person wrote this text: places have its lines */
    sl_status code;   /* of every error in it: SL_EFORMAT, or SL_EUSAGE on the command line */
} sl_yaml_source;

/* The table of keys. */
typedef struct sl_yaml_table {
    const sl_key *row; /* (count) */
    size_t count;
} sl_yaml_table;

/* text is a value that key accepts. Errors: code, "want TYPE and range, found ...". */
sl_status sl_yaml_check(const sl_key *key, const char *text, sl_status code) SL_MUSTUSE;
/* Refuses a key of section ("": top level) that is not in the table, or, with name NULL, a section;
 * the nearest known one is the hint. */
sl_status sl_yaml_unknown(const sl_yaml_table *table, const char *section, const char *name,
                          sl_status code) SL_MUSTUSE;
/* Whether no row before this one has its section. */
int sl_yaml_opens_section(const sl_yaml_table *table, size_t row);
/* line (count) = where each key is given, 0: not given. After SL_OK libcyaml reads the same. */
sl_status sl_yaml_scan(size_t *line, const sl_yaml_source *source,
                       const sl_yaml_table *table) SL_MUSTUSE;
/* Bytes of the field of a key in the struct. */
size_t sl_yaml_field_bytes(const sl_key *key);
/* Loads the values that line marks into out; other fields stay as they are. */
sl_status sl_yaml_values(void *out, const size_t *line, const sl_yaml_source *source,
                         const sl_yaml_table *table) SL_MUSTUSE;

#endif
