/* Chat formats as data: how the messages of a conversation become text. A model's template is
 * recognised, not run: by the SHA-256 of its text, every run of white space one space. A folder may
 * also say its format in a file of its own, chat_format.json, which goes before the template:
 *
 *   {"format": "zephyr"}          a row of the table by name, or
 *   {"prefix": "<|{role}|>\n",    before each message; {role} is replaced
 *    "suffix": "</s>\n",          after each message
 *    "prompt": "<|assistant|>\n", after all messages, where an answer is wanted
 *    "last": "</s>",              in place of the suffix after an answer that ends the dialogue
 *    "begin": "",                 before all
 *    "default_system": "",        said when the first message is not of the system
 *    "system_start": "",          before the content of a first message of the system
 *    "trim": false,               white space around each message is dropped
 *    "system": "System", "user": "User", "assistant": "Bot"}  what {role} becomes
 *
 * Only prefix, suffix and prompt are wanted; the prompt must begin what an assistant's message is
 * written as, up to the content. */
#ifndef SL_TEXT_CHAT_H
#define SL_TEXT_CHAT_H

#include "base/status.h"
#include <stddef.h>

/* One message of a conversation, borrowed. role: "system", "user" or "assistant". */
typedef struct sl_message {
    const char *role, *content;
} sl_message;

enum { SL_ROLE_SYSTEM, SL_ROLE_USER, SL_ROLE_ASSISTANT, SL_ROLES };

typedef struct sl_chat_format {
    const char *name;
    const char *hash;   /* of its template; NULL: it has none */
    const char *prefix; /* with {role} */
    const char *suffix, *prompt;
    const char *last, *begin;   /* NULL: the suffix; nothing */
    const char *default_system; /* NULL: none */
    const char *system_start;   /* of the first message only; NULL: none */
    const char *role[SL_ROLES]; /* as written; NULL: the format has no such message */
    int trims;
} sl_chat_format;

/* A row of the table by its name, NULL: no such row; or by its template (bytes, UTF-8). */
const sl_chat_format *sl_chat_find(const char *name);
/* The same, but a missing row is SL_EFORMAT that tells the nearest name, or all of them. */
sl_status sl_chat_named(const sl_chat_format **out, const char *name) SL_MUSTUSE;
const sl_chat_format *sl_chat_recognise(const char *template_text, size_t bytes);

/* The format of a folder: chat_format.json, chat_template.jinja, or "chat_template" in
 * tokenizer_config.json. Errors: SL_EUNSUPPORTED for an unknown template or none, with a hint that
 * says how to give one; SL_EFORMAT, SL_EIO, SL_ENOMEM. */
typedef struct sl_chat sl_chat;
/* Errors: SL_EFORMAT unless the prompt begins what an answer is written as. */
sl_status sl_chat_check(const sl_chat_format *format) SL_MUSTUSE;
sl_status sl_chat_open(sl_chat **out, const char *folder) SL_MUSTUSE;
/* The same from one of these files in memory; name: which one, also the place for messages. */
sl_status sl_chat_parse(sl_chat **out, const char *text, size_t bytes, const char *name) SL_MUSTUSE;
void sl_chat_close(sl_chat **chat);
const sl_chat_format *sl_chat_format_of(const sl_chat *chat); /* borrowed until close */

/* *text: count messages, and with is_prompt the beginning of the answer; owned by the caller
 * (sl_free). What an answer adds to its prompt is the answer's text with its end of turn. Errors:
 * SL_EFORMAT for a role that the format does not have, SL_ENOMEM. */
sl_status sl_chat_render(char **text, const sl_chat_format *format, const sl_message *message,
                         size_t count, int is_prompt) SL_MUSTUSE;
/* The same text, each content between two bytes that no UTF-8 holds, so that what people wrote is
 * told from what the format wrote. Errors: as above; SL_EFORMAT for a content with such a byte. */
enum { SL_CONTENT_BEGIN = 0xFE, SL_CONTENT_END = 0xFF };
sl_status sl_chat_render_marked(char **text, const sl_chat_format *format,
                                const sl_message *message, size_t count, int is_prompt) SL_MUSTUSE;

#endif
