/* What a command outside gets to see of our environment: what every program needs, and what the
 * user named. A key of an endpoint that stands in a variable is not the command's to know. */
#include "base/alloc.h"
#include "remote/remote_int.h"
#include <string.h>
#include <unistd.h>

static const char *const usual[] = { "PATH", "HOME",     "USER", "LOGNAME", "SHELL",
                                     "LANG", "LANGUAGE", "TZ",   "TMPDIR",  NULL };

static int is_name(const char *entry, const char *name, size_t bytes)
{
    return !strncmp(entry, name, bytes) && entry[bytes] == '=';
}

static int is_usual(const char *entry)
{
    for (size_t i = 0; usual[i]; i++)
        if (is_name(entry, usual[i], strlen(usual[i])))
            return 1;
    return !strncmp(entry, "LC_", 3);
}

/* The next word of *names, which moves behind it; 0 bytes: none is left. */
static size_t next_word(const char **word, const char **names)
{
    size_t bytes;

    *word = *names + strspn(*names, " \t");
    bytes = strcspn(*word, " \t");
    *names = *word + bytes;
    return bytes;
}

static int is_among(const char *entry, const char *names)
{
    const char *word;

    for (size_t bytes; (bytes = next_word(&word, &names)) > 0;)
        if (is_name(entry, word, bytes))
            return 1;
    return 0;
}

/* Every variable that is named is there. */
static sl_status check_names(const char *names)
{
    const char *word;

    for (size_t bytes; (bytes = next_word(&word, &names)) > 0;) {
        char **entry = environ;

        while (*entry && !is_name(*entry, word, bytes))
            entry++;
        if (!*entry)
            return SL_FAIL(SL_EARG, "want the environment variable %.*s, found none",
                           bytes < 64 ? (int)bytes : 64, word);
    }
    return SL_OK;
}

sl_status sl_environment_take(char ***out, const char *names)
{
    size_t count = 0, kept = 0;

    names = names ? names : "";
    SL_TRY(check_names(names));
    while (environ[count])
        count++;
    SL_TRY(sl_take(out, count + 1, sizeof **out));
    for (size_t i = 0; i < count; i++)
        if (is_usual(environ[i]) || is_among(environ[i], names))
            (*out)[kept++] = environ[i];
    return SL_OK;
}
