/* Text helpers: nearest match for messages, strict numbers, bounded spans. */
#ifndef SL_BASE_TEXT_H
#define SL_BASE_TEXT_H

#include "base/status.h"
#include <stddef.h>
#include <stdint.h>

/* A borrowed piece of text, not zero-terminated. */
typedef struct sl_span {
    const char *at;
    size_t bytes;
} sl_span;

/* The entry of a NULL-terminated list nearest to word by Damerau-Levenshtein distance, or NULL when
 * none is near (distance over a third of the length, at least 2). */
const char *sl_text_nearest(const char *word, const char *const *list);
/* Whole-string strict parsers. Errors: SL_EARG "want ..., found ...". */
sl_status sl_text_i64(int64_t *out, const char *text) SL_MUSTUSE;
sl_status sl_text_f64(double *out, const char *text) SL_MUSTUSE; /* finite */
/* The next line of a span (without its line break); 0 when there is none left. */
int sl_text_line(sl_span *line, sl_span *rest);
int sl_text_is_utf8(const char *text, size_t bytes);
/* Characters of UTF-8 (bytes that continue none). */
uint32_t sl_text_chars(const char *text);

#endif
