/* A model card is not among them: it would speak of another model. */
#include "model/carry.h"
#include "base/file.h"
#include <limits.h>

static const char *const carried[] = {
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "tokenizer.model",
    "chat_template.jinja",
    "chat_format.json",
    "LICENSE",
    "LICENSE.txt",
    "LICENSE.md",
    "NOTICE",
    "NOTICE.txt",
    "USE_POLICY.md",
};

static sl_status copy_file(const char *to, const char *from)
{
    sl_map map = { 0 };
    sl_status st;

    SL_TRY(sl_map_open(&map, from));
    st = sl_file_write_atomic(to, map.data, map.bytes);
    sl_map_close(&map);
    return st;
}

sl_status sl_carry(const char *to, const char *from)
{
    char source[PATH_MAX], target[PATH_MAX];

    if (!*from)
        return SL_OK;
    for (size_t i = 0; i < sizeof carried / sizeof carried[0]; i++) {
        SL_TRY(sl_file_join(source, sizeof source, from, carried[i]));
        SL_TRY(sl_file_join(target, sizeof target, to, carried[i]));
        if (sl_file_exists(source))
            SL_TRY(copy_file(target, source));
    }
    return SL_OK;
}
