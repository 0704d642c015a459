/* POST requests of JSON to one address, several under way at a time, each tried again with
 * exponential back-off where the server is busy, broken or silent. The key goes into a header and
 * nowhere else. Redirects are not followed: a key is for the address it was given for. */
#ifndef SL_REMOTE_HTTP_H
#define SL_REMOTE_HTTP_H

#include "base/status.h"
#include <stddef.h>
#include <stdint.h>

typedef struct sl_http sl_http;

typedef struct sl_http_settings {
    const char *url;          /* http or https */
    const char *key;          /* "Authorization: Bearer KEY"; copied; NULL: none */
    double timeout_s;         /* of an attempt */
    double backoff_s;         /* before the second attempt; doubles, halved at random */
    double most_wait_s;       /* bound of the back-off and of the server's Retry-After */
    uint32_t parallel;        /* requests under way at a time */
    uint32_t retries;         /* attempts after the first */
    size_t most_bytes;        /* of a reply's body */
    uint64_t seed;            /* of the delays */
    int keeps_late;           /* a request late in all attempts is left (is_late), not an error */
    const volatile int *stop; /* borrowed until close; not 0: SL_EINTERRUPT; NULL: never */
} sl_http_settings;
sl_http_settings sl_http_defaults(void); /* 60 s, 8 at a time, 4 retries from 1 s, 4 MiB */

/* Errors: SL_EARG for an address or a key that cannot be sent. */
sl_status sl_http_open(sl_http **out, const sl_http_settings *settings) SL_MUSTUSE;
void sl_http_close(sl_http **http);

typedef struct sl_http_call {
    const char *body; /* (bytes), borrowed */
    size_t bytes;
    uint32_t attempts; /* out: requests made */
    int is_done;       /* out: its reply was given */
    int is_late;       /* out: given up */
} sl_http_call;
/* Takes the body (bytes) of the reply to call `index`. */
typedef sl_status (*sl_http_reply)(void *with, size_t index, const char *body, size_t bytes);
/* All calls (count); replies come in any order. Tried again: no connection, time-out, 408, 429,
 * 5xx. Errors: SL_EIO with the status of the server and the beginning of what it said, SL_EFORMAT
 * for a body over the limit, SL_EINTERRUPT, what `reply` returns; replies given stay given. */
sl_status sl_http_post(sl_http *http, sl_http_call *call, size_t count, sl_http_reply reply,
                       void *with) SL_MUSTUSE;

#endif
