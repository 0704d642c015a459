/* Conversations of a row: messages, the text that a chat format makes of them, and the words that
 * people wrote. Shared by the formats that hold messages. */
#ifndef SL_DATASETS_DIALOGUE_H
#define SL_DATASETS_DIALOGUE_H

#include "datasets/format.h"

enum { SL_DIALOGUE_MOST = 512 };

typedef struct sl_dialogue {
    sl_message message[SL_DIALOGUE_MOST]; /* (count), borrowed from the row */
    size_t count;
} sl_dialogue;

/* list: [{"role", "content"}, ..]. Errors: SL_EFORMAT naming the message. */
sl_status sl_dialogue_read(sl_dialogue *out, const sl_json *list) SL_MUSTUSE;
sl_status sl_dialogue_add(sl_dialogue *out, const char *role, const char *content) SL_MUSTUSE;
/* An answer becomes the whole dialogue: prompt, then answer. */
sl_status sl_dialogue_prepend(sl_dialogue *answer, const sl_dialogue *prompt) SL_MUSTUSE;

/* Text and words of out->parts parts: d[0] the prompt, the others whole dialogues that begin with
 * it. Errors: SL_EARG for an encoder without a chat format, those of the encoder. */
sl_status sl_dialogue_render(sl_raw *out, const sl_dialogue *d,
                             const sl_encoder *encoder) SL_MUSTUSE;

/* *words, owned by the caller: content of the last message; where it is not the only one of its
 * role, the messages before it as lines "role: content". */
sl_status sl_dialogue_words(char **words, const sl_message *message, size_t count) SL_MUSTUSE;

#endif
