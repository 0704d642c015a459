/* Words of a text in any script, without a tokenizer: NFC, then runs of letters, marks and digits
 * (with apostrophes and points inside, "don't", "3.5"), each ideograph by itself, and every other
 * visible character by itself. White space and control characters part words. Case is kept. */
#ifndef SL_TEXT_WORDS_H
#define SL_TEXT_WORDS_H

#include "base/status.h"
#include <stddef.h>

/* Constant after it is opened: threads may share it. */
typedef struct sl_words sl_words;
sl_status sl_words_open(sl_words **out) SL_MUSTUSE;
void sl_words_close(sl_words **words);
/* take(state, word, bytes) for every word of text (UTF-8) in order; its failure ends the walk.
 * Errors: SL_EFORMAT for invalid UTF-8; SL_ENOMEM. */
sl_status sl_words_each(const sl_words *words, const char *text, size_t bytes,
                        sl_status (*take)(void *state, const char *word, size_t bytes),
                        void *state) SL_MUSTUSE;

#endif
