/* Values of a document of our own, for the sentences and pages that are made from it. */
#ifndef SL_CLI_DOCUMENT_H
#define SL_CLI_DOCUMENT_H

#include "base/json.h"

/* NaN: absent, null or no number. */
double sl_doc_number(const sl_json *object, const char *key);
/* 0: absent or no integer. */
long long sl_doc_whole(const sl_json *object, const char *key);
/* Borrowed from the document; fallback: absent or no text. */
const char *sl_doc_text(const sl_json *object, const char *key, const char *fallback);

#endif
