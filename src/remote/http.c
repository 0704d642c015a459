/* libcurl's multi interface. A call waits, flies or has landed; it flies at most 1 + retries times.
 * Invariants: 1. a flight has exactly one call, a call at most one flight. 2. Every easy handle in
 * the multi handle belongs to a flight that is under way. */
#include "remote/http.h"
#include "base/alloc.h"
#include "base/rng.h"
#include "remote/remote_int.h"
#include <curl/curl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SNIPPET_BYTES = 200 };

/* A request under way. */
typedef struct flight {
    CURL *easy;
    char *body; /* (capacity) of the reply */
    size_t used, capacity, most_bytes;
    int is_too_long, is_under_way;
    size_t call;
} flight;

struct sl_http {
    sl_http_settings set;
    char *url, *key;
    CURLM *multi;
    struct curl_slist *headers;
    flight *flight;      /* (set.parallel) */
    uint64_t delays;     /* drawn so far */
    int has_global_init; /* of libcurl, counted by libcurl */
};

/* What a batch keeps of each call. */
typedef struct batch {
    sl_http *http;
    sl_http_call *call; /* (count) */
    double *ready;      /* (count) not before this time; INFINITY: flying or landed */
    size_t count, open; /* open: not landed yet */
    sl_http_reply reply;
    void *with;
} batch;

sl_http_settings sl_http_defaults(void)
{
    return (sl_http_settings){ .timeout_s = 60.0,
                               .backoff_s = 1.0,
                               .most_wait_s = 60.0,
                               .parallel = 8,
                               .retries = 4,
                               .most_bytes = 4 << 20 };
}

/* --- open and close -------------------------------------------------------------------------- */

static size_t on_body(char *data, size_t size, size_t count, void *with)
{
    flight *f = with;
    const size_t bytes = size * count; /* libcurl bounds it to 16 KiB */

    if (bytes > f->most_bytes - f->used) {
        f->is_too_long = 1;
        return 0;
    }
    if (sl_grow(&f->body, &f->capacity, f->used + bytes, 1) != SL_OK)
        return 0;
    memcpy(f->body + f->used, data, bytes);
    f->used += bytes;
    return bytes;
}

/* A line break in a key would be a second header. The key itself never stands in a message. */
static sl_status add_key(sl_http *h, const char *key)
{
    char *line = NULL;
    struct curl_slist *more;
    const size_t bytes = strlen(key) + sizeof "Authorization: Bearer ";

    for (const char *c = key; *c; c++)
        if ((unsigned char)*c <= 0x20 || (unsigned char)*c >= 0x7f)
            return SL_FAIL(SL_EARG, "want a key of printable letters without blanks, found another "
                                    "character");
    SL_TRY(sl_strdup(&h->key, key));
    SL_TRY(sl_take(&line, bytes, 1));
    snprintf(line, bytes, "Authorization: Bearer %s", key);
    more = curl_slist_append(h->headers, line);
    memset(line, 0, bytes);
    sl_free(line);
    if (!more)
        return SL_FAIL(SL_ENOMEM, "want memory for headers, found none");
    h->headers = more;
    return SL_OK;
}

static sl_status set_up(flight *f, const sl_http *h)
{
    CURL *e = curl_easy_init();
    const long ms = (long)fmin(h->set.timeout_s * 1e3, 1e9);
    int failed = 0;

    if (!e)
        return SL_FAIL(SL_ENOMEM, "want memory for a request, found none");
    f->easy = e;
    f->most_bytes = h->set.most_bytes;
    failed |= curl_easy_setopt(e, CURLOPT_URL, h->url) != CURLE_OK;
    failed |= curl_easy_setopt(e, CURLOPT_HTTPHEADER, h->headers) != CURLE_OK;
    failed |= curl_easy_setopt(e, CURLOPT_USERAGENT, "stageline") != CURLE_OK;
    failed |= curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) != CURLE_OK;
    failed |= curl_easy_setopt(e, CURLOPT_POST, 1L) != CURLE_OK;
    failed |= curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, ms > 0 ? ms : 1L) != CURLE_OK;
    failed |= curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body) != CURLE_OK;
    failed |= curl_easy_setopt(e, CURLOPT_WRITEDATA, f) != CURLE_OK;
    failed |= curl_easy_setopt(e, CURLOPT_PRIVATE, f) != CURLE_OK;
    return failed ? SL_FAIL(SL_EARG, "want an address that libcurl takes, found \"%.200s\"", h->url)
                  : SL_OK;
}

static sl_status check_url(const char *text)
{
    CURLU *url = curl_url();
    char *scheme = NULL, *user = NULL;
    int is_good;

    if (!url)
        return SL_FAIL(SL_ENOMEM, "want memory for an address, found none");
    is_good = curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK &&
              curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
              (!strcmp(scheme, "http") || !strcmp(scheme, "https")) &&
              curl_url_get(url, CURLUPART_USER, &user, 0) != CURLUE_OK;
    curl_free(scheme);
    curl_free(user);
    curl_url_cleanup(url);
    if (is_good)
        return SL_OK;
    return SL_FAIL(SL_EARG, "want an address http://... or https://... without a user, found "
                            "another one");
}

static sl_status open_http(sl_http *h, const sl_http_settings *s)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return SL_FAIL(SL_EUNSUPPORTED, "want libcurl to start, found that it does not");
    h->has_global_init = 1;
    SL_TRY(check_url(s->url));
    SL_TRY(sl_strdup(&h->url, s->url));
    h->headers = curl_slist_append(NULL, "Content-Type: application/json");
    h->multi = curl_multi_init();
    if (!h->headers || !h->multi)
        return SL_FAIL(SL_ENOMEM, "want memory for requests, found none");
    if (s->key)
        SL_TRY(add_key(h, s->key));
    SL_TRY(sl_take(&h->flight, s->parallel, sizeof *h->flight));
    for (size_t i = 0; i < s->parallel; i++)
        SL_TRY(set_up(&h->flight[i], h));
    return SL_OK;
}

sl_status sl_http_open(sl_http **out, const sl_http_settings *settings)
{
    sl_http *h = NULL;
    sl_status st;

    *out = NULL;
    SL_TRY(sl_take(&h, 1, sizeof *h));
    h->set = *settings;
    h->set.url = h->set.key = NULL; /* the caller's; ours are copies */
    st = open_http(h, settings);
    if (st != SL_OK)
        sl_http_close(&h);
    *out = h;
    return st;
}

static void leave(sl_http *h, flight *f)
{
    if (f->is_under_way)
        curl_multi_remove_handle(h->multi, f->easy);
    f->is_under_way = 0;
}

void sl_http_close(sl_http **http)
{
    sl_http *h = *http;

    if (!h)
        return;
    for (size_t i = 0; h->flight && i < h->set.parallel; i++) {
        leave(h, &h->flight[i]);
        curl_easy_cleanup(h->flight[i].easy);
        sl_free(h->flight[i].body);
    }
    curl_multi_cleanup(h->multi);
    for (struct curl_slist *l = h->headers; l; l = l->next)
        memset(l->data, 0, strlen(l->data));
    curl_slist_free_all(h->headers);
    if (h->key)
        memset(h->key, 0, strlen(h->key));
    sl_free(h->key);
    sl_free(h->url);
    sl_free(h->flight);
    if (h->has_global_init)
        curl_global_cleanup();
    sl_free(h);
    *http = NULL;
}

/* --- one flight ------------------------------------------------------------------------------ */

static sl_status take_off(batch *b, flight *f, size_t index)
{
    sl_http_call *c = &b->call[index];

    f->call = index;
    f->used = 0;
    f->is_too_long = 0;
    b->ready[index] = INFINITY;
    c->attempts++;
    if (curl_easy_setopt(f->easy, CURLOPT_POSTFIELDS, c->body) != CURLE_OK ||
        curl_easy_setopt(f->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)c->bytes) != CURLE_OK ||
        curl_multi_add_handle(b->http->multi, f->easy) != CURLM_OK)
        return SL_FAIL(SL_ENOMEM, "want memory for a request, found none");
    f->is_under_way = 1;
    return SL_OK;
}

/* Seconds until the next attempt: the server's wish, else doubling with half of it at random, so
 * that requests refused together do not come back together. Both are bounded. */
static double delay(sl_http *h, const flight *f, uint32_t attempts)
{
    sl_rng rng = sl_rng_at(h->set.seed, sl_rng_stream("http back-off"), h->delays++);
    const double jitter = 0.5 + 0.5 * sl_rng_uniform(&rng);
    curl_off_t wish = 0;

    curl_easy_getinfo(f->easy, CURLINFO_RETRY_AFTER, &wish);
    if (wish > 0)
        return fmin((double)wish, h->set.most_wait_s);
    return fmin(ldexp(h->set.backoff_s, (int)attempts - 1) * jitter, h->set.most_wait_s);
}

/* What the server said, unless it repeats the key. */
static void snippet(char out[SNIPPET_BYTES + 8], const sl_http *h, const flight *f)
{
    char text[SNIPPET_BYTES];

    sl_remote_quote(text, sizeof text, f->body,
                    f->used < SNIPPET_BYTES - 1 ? f->used : SNIPPET_BYTES - 1);
    if (h->key && memmem(f->body, f->used, h->key, strlen(h->key)))
        text[0] = 0;
    snprintf(out, SNIPPET_BYTES + 8, "%s%s", *text ? ": " : "", text);
}

static sl_status refused(const batch *b, const flight *f, CURLcode code, long status)
{
    const uint32_t attempts = b->call[f->call].attempts;
    char said[SNIPPET_BYTES + 8];

    if (sl_err_code() == SL_ENOMEM)
        return SL_ENOMEM;
    if (f->is_too_long)
        return SL_FAIL(SL_EFORMAT, "want a reply of at most %zu bytes, found a longer one",
                       f->most_bytes);
    if (code != CURLE_OK)
        return SL_FAIL(SL_EIO, "want a reply, found: %s (%u attempts)", curl_easy_strerror(code),
                       attempts);
    snippet(said, b->http, f);
    return SL_FAIL(SL_EIO, "want status 200, found %ld%s (%u attempts)", status, said, attempts);
}

static int is_passing(const flight *f, CURLcode code, long status)
{
    if (f->is_too_long || sl_err_code() == SL_ENOMEM)
        return 0;
    switch (code) {
    case CURLE_OK:
        return status == 408 || status == 429 || status >= 500;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_OUT_OF_MEMORY:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        return 0;
    default:
        return 1; /* no connection, time-out, a reply cut off */
    }
}

static sl_status land(batch *b, flight *f, CURLcode code)
{
    sl_http *h = b->http;
    sl_http_call *c = &b->call[f->call];
    long status = 0;

    curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_OK && status >= 200 && status < 300) {
        leave(h, f);
        b->open--;
        SL_TRY(b->reply(b->with, f->call, f->used ? f->body : "", f->used));
        c->is_done = 1;
        return SL_OK;
    }
    if (is_passing(f, code, status) && c->attempts <= h->set.retries) {
        b->ready[f->call] = sl_remote_now() + delay(h, f, c->attempts);
        leave(h, f);
        return SL_OK;
    }
    if (code == CURLE_OPERATION_TIMEDOUT && h->set.keeps_late) {
        c->is_late = 1;
        b->open--;
        leave(h, f);
        return SL_OK;
    }
    return refused(b, f, code, status);
}

/* --- a batch --------------------------------------------------------------------------------- */

static sl_status start_ready(batch *b)
{
    const double now = sl_remote_now();
    size_t next = 0;

    for (size_t i = 0; i < b->http->set.parallel; i++) {
        flight *f = &b->http->flight[i];

        if (f->is_under_way)
            continue;
        while (next < b->count && b->ready[next] > now)
            next++;
        if (next == b->count)
            break;
        SL_TRY(take_off(b, f, next));
    }
    return SL_OK;
}

static sl_status land_all(batch *b)
{
    CURLMsg *m;
    int left;

    while ((m = curl_multi_info_read(b->http->multi, &left)) != NULL) {
        char *f = NULL;

        if (m->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &f);
        SL_TRY(land(b, (flight *)(void *)f, m->data.result));
    }
    return SL_OK;
}

/* When a call may take off into a flight that is free. */
static double next_ready(const batch *b)
{
    double at = INFINITY;
    size_t busy = 0;

    for (size_t i = 0; i < b->http->set.parallel; i++)
        busy += (size_t)b->http->flight[i].is_under_way;
    for (size_t i = 0; i < b->count && busy < b->http->set.parallel; i++)
        at = fmin(at, b->ready[i]);
    return at;
}

static sl_status fly(batch *b)
{
    int running;

    while (b->open) {
        SL_TRY(sl_remote_stopped(b->http->set.stop));
        SL_TRY(start_ready(b));
        if (curl_multi_perform(b->http->multi, &running) != CURLM_OK)
            return SL_FAIL(SL_EIO, "want libcurl to go on, found that it does not");
        SL_TRY(land_all(b));
        if (b->open && curl_multi_poll(b->http->multi, NULL, 0, sl_remote_slice_ms(next_ready(b)),
                                       NULL) != CURLM_OK)
            return SL_FAIL(SL_EIO, "want libcurl to wait, found that it does not");
    }
    return SL_OK;
}

sl_status sl_http_post(sl_http *http, sl_http_call *call, size_t count, sl_http_reply reply,
                       void *with)
{
    batch b = {
        .http = http, .call = call, .count = count, .open = count, .reply = reply, .with = with
    };
    sl_sigpipe held;
    sl_status st;

    SL_TRY(sl_take(&b.ready, count ? count : 1, sizeof *b.ready));
    for (size_t i = 0; i < count; i++)
        call[i].attempts = 0, call[i].is_done = call[i].is_late = 0;
    sl_sigpipe_hold(&held); /* a TLS library may write to a closed connection */
    st = fly(&b);
    for (size_t i = 0; i < http->set.parallel; i++)
        leave(http, &http->flight[i]);
    sl_sigpipe_release(&held);
    sl_free(b.ready);
    return st;
}
