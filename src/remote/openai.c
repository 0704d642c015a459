#include "remote/openai.h"
#include "base/alloc.h"
#include <stdlib.h>
#include <string.h>

/* The key never enters a message: only the variable's name does. */
static sl_status find_key(const char **key, const char *variable)
{
    *key = NULL;
    if (!variable)
        return SL_OK;
    *key = getenv(variable);
    if (*key && **key)
        return SL_OK;
    return SL_FAIL(SL_EARG, "want the key in the environment variable %.64s, found none", variable);
}

/* "https://host/v1" or the whole address. */
static sl_status address(char **out, const char *url)
{
    static const char path[] = "/chat/completions";
    size_t n = strlen(url);

    SL_TRY(sl_take(out, n + sizeof path, 1));
    memcpy(*out, url, n);
    if (n >= sizeof path - 1 && !strcmp(url + n - (sizeof path - 1), path))
        return SL_OK;
    while (n && (*out)[n - 1] == '/')
        n--;
    memcpy(*out + n, path, sizeof path);
    return SL_OK;
}

sl_status sl_openai_open(sl_http **out, const char *url, const char *key_env,
                         const sl_http_settings *settings)
{
    sl_http_settings http = *settings;
    char *whole = NULL;
    sl_status st;

    SL_TRY(find_key(&http.key, key_env));
    SL_TRY(address(&whole, url));
    http.url = whole;
    st = sl_http_open(out, &http);
    sl_free(whole);
    return st;
}
