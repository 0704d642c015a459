/* Tokenizer and chat format of one model together, as the data room wants them: text and messages
 * to ids. Its two functions have the signatures of sl_encoder (datasets/data.h); the state is the
 * sl_text_encoder. It is constant after it is opened. */
#ifndef SL_TEXT_ENCODER_H
#define SL_TEXT_ENCODER_H

#include "text/chat.h"
#include "text/tokenizer.h"

typedef struct sl_text_encoder sl_text_encoder;

/* path: a model folder or its tokenizer.json; the chat format is that of the folder. A folder
 * without a known format opens: only sl_text_render fails, and says what is missing. Errors: those
 * of sl_tokenizer_open; SL_EFORMAT of chat_format.json and tokenizer_config.json. */
sl_status sl_text_encoder_open(sl_text_encoder **out, const char *path) SL_MUSTUSE;
void sl_text_encoder_close(sl_text_encoder **encoder);
const sl_tokenizer *sl_text_encoder_tokenizer(const sl_text_encoder *encoder);
int sl_text_encoder_has_chat(const sl_text_encoder *encoder);
/* The special token that the chat format writes after an answer; -1: no format, or it writes
 * ordinary text. */
int32_t sl_text_encoder_end_of_turn(const sl_text_encoder *encoder);

/* *ids: of text, special tokens in it included, never NULL on success, owned by the caller
 * (sl_free). is_start: the tokenizer's beginning of a sequence goes before it, unless the text is
 * written with it already, as some chat formats do; its end is never added. */
sl_status sl_text_encode(void *state, int32_t **ids, size_t *count, const char *text,
                         int is_start) SL_MUSTUSE;
/* sl_chat_render by the folder's format. */
sl_status sl_text_render(void *state, char **text, const sl_message *message, size_t count,
                         int is_prompt) SL_MUSTUSE;

#endif
