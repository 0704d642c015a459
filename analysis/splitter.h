/* How texts become tokens for the metrics of texts. Never compare across two ways. */
#ifndef SL_ANALYSIS_SPLITTER_H
#define SL_ANALYSIS_SPLITTER_H

#include "analysis/metric.h"
#include "base/json.h"

/* Constant after it is opened: threads may share it. */
typedef struct sl_splitter sl_splitter;

/* how: "space" (the white space of Unicode), "unicode-words" (text/words.h), "characters" (code
 * points), "bytes", or "tokenizer=PATH" (a tokenizer.json or its folder). Errors: SL_EUSAGE for
 * another word. */
sl_status sl_splitter_open(sl_splitter **out, const char *how) SL_MUSTUSE;
void sl_splitter_close(sl_splitter **splitter);
/* Size of the vocabulary; NaN where words are open-ended. */
double sl_splitter_vocabulary(const sl_splitter *splitter);
const char *sl_splitter_name(const sl_splitter *splitter); /* as it was asked for */
const char *sl_splitter_hash(const sl_splitter *splitter); /* of a tokenizer; NULL */
sl_status sl_splitter_add(sl_texts *texts, const sl_splitter *splitter, const char *text,
                          size_t bytes) SL_MUSTUSE;

#endif
