/* Small tokenizers from parts, for the tests of text. */
#ifndef SL_TESTS_TEXT_TEST_H
#define SL_TESTS_TEXT_TEST_H

#include "harness/harness.h"
#include "text/tokenizer.h"

/* JSON of each section; NULL is null (merges: none). more: further keys of the model, with a comma
 * before. */
typedef struct t_parts {
    const char *added, *normalizer, *pre, *post, *decoder, *vocab, *merges, *more;
} t_parts;

/* Into out (size bytes); returns the length. */
size_t t_parts_json(char *out, size_t size, const t_parts *parts);
sl_status t_parts_open(sl_tokenizer **out, const t_parts *parts);

/* "3 1 4" for the ids of text; into a static buffer. */
const char *t_encode(const sl_tokenizer *tokenizer, const char *text, unsigned flags);
/* Opens, encodes with special tokens matched, closes. */
const char *t_ids(const t_parts *parts, const char *text);
/* The text of ids, into a static buffer. */
const char *t_decode(const t_parts *parts, const int32_t *id, size_t count, int skip_special);

#define VOCAB "{\"a\":0,\"b\":1,\"c\":2,\"ab\":3,\"bc\":4,\"abc\":5,\"aa\":6}"

#endif
