/* tokenizer.json as it stands: text to token ids and back, the same ids as the library that wrote
 * the file. Byte-pair encoding only; what is not known is refused by name, never guessed. A
 * tokenizer is constant after it is opened: threads may share it. */
#ifndef SL_TEXT_TOKENIZER_H
#define SL_TEXT_TOKENIZER_H

#include "base/status.h"
#include "base/text.h"
#include <stddef.h>
#include <stdint.h>

typedef struct sl_tokenizer sl_tokenizer;

/* Token ids that grow. Begin with zeros; owned by the caller: sl_ids_close. */
typedef struct sl_ids {
    int32_t *id; /* (count) */
    size_t count, capacity;
} sl_ids;

sl_status sl_ids_add(sl_ids *ids, const int32_t *id, size_t count) SL_MUSTUSE;
void sl_ids_close(sl_ids *ids);

/* path: a tokenizer.json or a folder that holds one. Errors: SL_EIO; SL_EFORMAT with the section
 * that is wrong; SL_EUNSUPPORTED with the name of what is not known; SL_ENOMEM. */
sl_status sl_tokenizer_open(sl_tokenizer **out, const char *path) SL_MUSTUSE;
/* The same from memory; where: place in the data for messages. */
sl_status sl_tokenizer_parse(sl_tokenizer **out, const char *text, size_t bytes,
                             const char *where) SL_MUSTUSE;
void sl_tokenizer_close(sl_tokenizer **tokenizer);

/* Largest id + 1, added tokens included. A model may have more rows. */
size_t sl_tokenizer_vocab(const sl_tokenizer *tokenizer);
/* Hex SHA-256 of the file's bytes. */
const char *sl_tokenizer_hash(const sl_tokenizer *tokenizer);
/* Id of a token by its text as the file writes it; -1: no such token. */
int32_t sl_tokenizer_id(const sl_tokenizer *tokenizer, const char *text, size_t bytes);
/* Text of a token as the file writes it, borrowed until close; no bytes: no such token. */
sl_span sl_tokenizer_text(const sl_tokenizer *tokenizer, int32_t id);
/* The ids that SL_ENCODE_ADD_SPECIAL puts before a text, borrowed until close. */
const int32_t *sl_tokenizer_prefix(const sl_tokenizer *tokenizer, size_t *count);

enum {
    SL_ENCODE_ADD_SPECIAL = 1,    /* what the post-processor adds: BOS and its like */
    SL_ENCODE_SPECIAL_IN_TEXT = 2 /* special tokens written in the text are matched; without it
                                     they are ordinary text (a defence against injection) */
};
/* Appends the ids of text (UTF-8, may hold zero bytes, at most 256 MiB) to out. On failure out may
 * hold a part. Errors: SL_EFORMAT for invalid UTF-8, with the byte; SL_EARG; SL_ENOMEM. */
sl_status sl_tokenizer_encode(sl_ids *out, const sl_tokenizer *tokenizer, const char *text,
                              size_t bytes, unsigned flags) SL_MUSTUSE;
/* A stretch of a text where special tokens are ordinary text: what others wrote. */
typedef struct sl_guard {
    size_t at, end; /* bytes of the text, end not included */
} sl_guard;
/* The same, but no special token is matched that has a byte in one of the guards (count, in order
 * and apart). Without special tokens in them the ids are those without guards: merges go across
 * their borders. */
sl_status sl_tokenizer_encode_guarded(sl_ids *out, const sl_tokenizer *tokenizer, sl_span text,
                                      const sl_guard *guard, size_t count,
                                      unsigned flags) SL_MUSTUSE;
/* *out: text with a zero byte after it, owned by the caller (sl_free). Invalid UTF-8 becomes
 * U+FFFD; ids without a token (rows that only the model has) give no text. Errors: SL_EARG for a
 * negative id; SL_ENOMEM. */
sl_status sl_tokenizer_decode(char **out, size_t *bytes, const sl_tokenizer *tokenizer,
                              const int32_t *id, size_t count, int skip_special) SL_MUSTUSE;

/* Decoding while ids arrive. All pieces together are exactly what sl_tokenizer_decode gives; bytes
 * that may still become a character are held back. The tokenizer must outlive the decoder. */
typedef struct sl_decoder sl_decoder;
sl_status sl_decoder_open(sl_decoder **out, const sl_tokenizer *tokenizer,
                          int skip_special) SL_MUSTUSE;
/* *piece: the text that became certain, borrowed until the next call. */
sl_status sl_decoder_push(sl_span *piece, sl_decoder *decoder, int32_t id) SL_MUSTUSE;
/* The rest; the decoder is then as new. */
sl_status sl_decoder_finish(sl_span *piece, sl_decoder *decoder) SL_MUSTUSE;
void sl_decoder_close(sl_decoder **decoder);

#endif
