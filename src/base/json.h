/* JSON through jansson, with the place in the data. A tree knows its source for messages; numbers
 * must be finite; duplicate keys are an error. */
#ifndef SL_BASE_JSON_H
#define SL_BASE_JSON_H

#include "base/status.h"
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

typedef json_t sl_json;

/* Whole file (plain or gzip'ed, "-" is stdin), at most limit_bytes; places as
 * "file:line:column". Errors: SL_EIO, SL_EFORMAT, SL_ENOMEM. */
sl_status sl_json_load(sl_json **out, const char *path, size_t limit_bytes) SL_MUSTUSE;
/* The same through sl_file_read_regular. */
sl_status sl_json_load_regular(sl_json **out, const char *path, size_t limit_bytes) SL_MUSTUSE;
/* text need not end in zero. where: place in the data for messages, to which "column 7" is added,
 * or ":line:column" when the text has several lines. Nesting is bounded (2048, jansson's). */
sl_status sl_json_parse(sl_json **out, const char *text, size_t bytes,
                        const char *where) SL_MUSTUSE;
/* The same, but texts may hold zero bytes ("\u0000"), which others refuse: for readers that use
 * json_string_length. */
sl_status sl_json_parse_zeros(sl_json **out, const char *text, size_t bytes,
                              const char *where) SL_MUSTUSE;
/* The same as sl_json_parse for what Python's json writes: NaN, Infinity and -Infinity, which JSON
 * has not, are read as the texts "NaN", "Infinity" and "-Infinity". */
sl_status sl_json_parse_python(sl_json **out, const char *text, size_t bytes,
                               const char *where) SL_MUSTUSE;
void sl_json_close(sl_json **tree);

/* Typed access. An absent key or null gives SL_EFORMAT "want KEY (type), found none" unless the _or
 * form gives a default. Wrong type: SL_EFORMAT. Borrowed strings live as long as the tree. */
sl_status sl_json_text(const char **out, const sl_json *object, const char *key) SL_MUSTUSE;
sl_status sl_json_i64(int64_t *out, const sl_json *object, const char *key) SL_MUSTUSE;
sl_status sl_json_f64(double *out, const sl_json *object, const char *key) SL_MUSTUSE;
sl_status sl_json_bool(int *out, const sl_json *object, const char *key) SL_MUSTUSE;
sl_status sl_json_text_or(const char **out, const sl_json *object, const char *key,
                          const char *fallback) SL_MUSTUSE;
sl_status sl_json_i64_or(int64_t *out, const sl_json *object, const char *key,
                         int64_t fallback) SL_MUSTUSE;
sl_status sl_json_f64_or(double *out, const sl_json *object, const char *key,
                         double fallback) SL_MUSTUSE;
sl_status sl_json_bool_or(int *out, const sl_json *object, const char *key,
                          int fallback) SL_MUSTUSE;
/* An id that may be text or an integer: the hash of the text, or of the integer in decimal. 0:
 * absent or null. Errors: SL_EFORMAT for another type. */
sl_status sl_json_id(uint64_t *out, const sl_json *object, const char *key) SL_MUSTUSE;
int sl_json_has(const sl_json *object, const char *key); /* present and not null */

/* A real, or null when it is not finite: undefined numbers are never 0 or NaN in JSON. */
sl_json *sl_json_number(double value);
/* Compact text, keys in the order of insertion, reals with 17 digits; freed with sl_free. */
sl_status sl_json_dump(char **out, const sl_json *tree, int is_pretty) SL_MUSTUSE;

#endif
