/* The door of an OpenAI-compatible server: its address and key. */
#ifndef SL_REMOTE_OPENAI_H
#define SL_REMOTE_OPENAI_H

#include "remote/http.h"

/* Opens chat completions: url is "https://host/v1" or the whole address; key_env names the
 * environment variable that holds the key, NULL: no key. url and key of `settings` are ignored.
 * Errors: SL_EARG when the variable is empty; those of sl_http_open. */
sl_status sl_openai_open(sl_http **out, const char *url, const char *key_env,
                         const sl_http_settings *settings) SL_MUSTUSE;

#endif
