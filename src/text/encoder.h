/* Tokenizer and chat format of one model together, as the data room wants them: text and messages
 * to ids. Its two functions have the signatures of sl_encoder (datasets/data.h); the state is the
 * sl_text_encoder. It is constant after it is opened.
 *
 * What people wrote in messages must not end their turn or begin another one: between the marks of
 * sl_chat_render_marked special tokens are ordinary text. Strings without marks are taken as
 * written in full by their author, chat format and all. */
#ifndef SL_TEXT_ENCODER_H
#define SL_TEXT_ENCODER_H

#include "text/chat.h"
#include "text/tokenizer.h"

typedef struct sl_text_encoder sl_text_encoder;

/* Where special tokens written in the data count as special. */
typedef enum sl_special_in_text {
    SL_SPECIAL_STRINGS, /* in strings, not in messages */
    SL_SPECIAL_ALL,     /* in messages too, as in TRL and transformers */
    SL_SPECIAL_NONE
} sl_special_in_text;
extern const char *const sl_special_in_text_names[]; /* by the enum, NULL behind */

/* Zeros are the defaults. All strings outlive the encoder. */
typedef struct sl_text_settings {
    const char *format;         /* name of a row of the table; NULL, "": see below */
    const sl_chat_format *chat; /* in place of the folder's; NULL: the folder's */
    sl_special_in_text special;
} sl_text_settings;

/* path: a model folder or its tokenizer.json; the chat format is that of the folder unless the
 * settings have one. A folder without a known format opens: only sl_text_render fails, and says
 * what is missing. settings may be NULL. Errors: those of sl_tokenizer_open; SL_EFORMAT of
 * chat_format.json and tokenizer_config.json, of the settings' format; SL_EARG for two of them. */
sl_status sl_text_encoder_open_as(sl_text_encoder **out, const char *path,
                                  const sl_text_settings *settings) SL_MUSTUSE;
sl_status sl_text_encoder_open(sl_text_encoder **out, const char *path) SL_MUSTUSE;
/* The same from a tokenizer.json in memory, which has no folder: the settings hold a format. */
sl_status sl_text_encoder_parse(sl_text_encoder **out, const char *text, size_t bytes,
                                const char *where, const sl_text_settings *settings) SL_MUSTUSE;
void sl_text_encoder_close(sl_text_encoder **encoder);
const sl_tokenizer *sl_text_encoder_tokenizer(const sl_text_encoder *encoder);
int sl_text_encoder_has_chat(const sl_text_encoder *encoder);
/* The special token that the chat format writes after an answer; -1: no format, or it writes
 * ordinary text. */
int32_t sl_text_encoder_end_of_turn(const sl_text_encoder *encoder);
/* The chat format in use, borrowed until close. Errors: as sl_text_render without one. */
sl_status sl_text_encoder_format(const sl_chat_format **out,
                                 const sl_text_encoder *encoder) SL_MUSTUSE;

/* *ids: of text, never NULL on success, owned by the caller (sl_free). The marks of sl_text_render
 * are no text. is_start: the tokenizer's beginning of a sequence goes before it, unless the text is
 * written with it already, as some chat formats do; its end is never added. */
sl_status sl_text_encode(void *state, int32_t **ids, size_t *count, const char *text,
                         int is_start) SL_MUSTUSE;
/* sl_chat_render_marked by the chat format: a text for sl_text_encode, not for people. */
sl_status sl_text_render(void *state, char **text, const sl_message *message, size_t count,
                         int is_prompt) SL_MUSTUSE;

#endif
