#include "toy.h"
#include "base/alloc.h"
#include <string.h>

static sl_status encode(void *state, int32_t **ids, size_t *count, const char *text, int is_start)
{
    const toy *t = state;
    const size_t bytes = strlen(text);
    size_t n = 0;

    SL_TRY(sl_take(ids, bytes + 1, sizeof **ids));
    if (is_start)
        (*ids)[n++] = TOY_BOS;
    for (size_t i = 0; i < bytes; i++) {
        const int is_merged = t->merges && text[i] == 'x' && text[i + 1] == 'x';

        (*ids)[n++] = is_merged ? TOY_MERGED : (unsigned char)text[i];
        i += is_merged;
    }
    *count = n;
    return SL_OK;
}

static sl_status render(void *state, char **text, const sl_message *message, size_t count,
                        int is_prompt)
{
    size_t bytes = sizeof "[assistant]";

    (void)state;
    for (size_t i = 0; i < count; i++)
        bytes += strlen(message[i].role) + strlen(message[i].content) + 3;
    SL_TRY(sl_take(text, bytes, 1));
    for (size_t i = 0; i < count; i++) {
        strcat(strcat(strcat(*text, "["), message[i].role), "]");
        strcat(strcat(*text, message[i].content), "\n");
    }
    if (is_prompt)
        strcat(*text, "[assistant]");
    return SL_OK;
}

sl_encoder toy_encoder(toy *state)
{
    return (sl_encoder){ .state = state, .encode = encode, .render = render };
}
