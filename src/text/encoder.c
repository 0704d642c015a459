#include "text/encoder.h"
#include "base/alloc.h"
#include "base/file.h"
#include <string.h>

enum { PATH_BYTES = 4096 };

struct sl_text_encoder {
    sl_tokenizer *tokenizer;
    sl_chat *chat; /* NULL: the folder has no known format, why is in missing */
    sl_err_record missing;
};

/* The folder of path: path itself when it is one that holds a tokenizer. */
static sl_status folder_of(char *out, const char *path)
{
    const char *slash = strrchr(path, '/');

    SL_TRY(sl_file_join(out, PATH_BYTES, path, "tokenizer.json"));
    if (sl_file_exists(out))
        return sl_file_join(out, PATH_BYTES, path, "");
    if (!slash)
        return sl_file_join(out, PATH_BYTES, ".", "");
    SL_TRY(sl_file_join(out, PATH_BYTES, path, ""));
    out[slash - path + 1] = 0;
    return SL_OK;
}

/* Rows of plain text need no chat format: its absence is an error of rendering. */
static sl_status open_chat(sl_text_encoder *e, const char *path)
{
    char folder[PATH_BYTES];
    sl_status st;

    SL_TRY(folder_of(folder, path));
    st = sl_chat_open(&e->chat, folder);
    if (st != SL_EUNSUPPORTED)
        return st;
    sl_err_save(&e->missing);
    sl_err_clear();
    return SL_OK;
}

sl_status sl_text_encoder_open(sl_text_encoder **out, const char *path)
{
    sl_text_encoder *e = NULL;
    sl_status st = SL_OK;

    *out = NULL;
    SL_TRY(sl_take(&e, 1, sizeof *e));
    SL_TRY_OUT(sl_tokenizer_open(&e->tokenizer, path));
    SL_TRY_OUT(open_chat(e, path));
    *out = e;
    return SL_OK;
out:
    sl_text_encoder_close(&e);
    return st;
}

void sl_text_encoder_close(sl_text_encoder **encoder)
{
    sl_text_encoder *e = *encoder;

    if (!e)
        return;
    sl_tokenizer_close(&e->tokenizer);
    sl_chat_close(&e->chat);
    sl_free(e);
    *encoder = NULL;
}

const sl_tokenizer *sl_text_encoder_tokenizer(const sl_text_encoder *encoder)
{
    return encoder->tokenizer;
}

int sl_text_encoder_has_chat(const sl_text_encoder *encoder)
{
    return encoder->chat != NULL;
}

/* A special token decodes to nothing when special ones are skipped. */
static int is_special(const sl_tokenizer *tokenizer, int32_t id)
{
    char *text = NULL;
    size_t bytes = 1;
    const sl_status st = sl_tokenizer_decode(&text, &bytes, tokenizer, &id, 1, 1);

    sl_free(text);
    if (st != SL_OK)
        sl_err_clear();
    return st == SL_OK && bytes == 0;
}

int32_t sl_text_encoder_end_of_turn(const sl_text_encoder *encoder)
{
    const sl_chat_format *format = encoder->chat ? sl_chat_format_of(encoder->chat) : NULL;
    const char *end = format ? (format->last ? format->last : format->suffix) : "";
    sl_ids ids = { 0 };
    int32_t id = -1;

    if (*end && sl_tokenizer_encode(&ids, encoder->tokenizer, end, strlen(end),
                                    SL_ENCODE_SPECIAL_IN_TEXT) != SL_OK)
        sl_err_clear();
    else if (ids.count && is_special(encoder->tokenizer, ids.id[0]))
        id = ids.id[0];
    sl_ids_close(&ids);
    return id;
}

/* Ids with the beginning before them, unless they have it. */
static sl_status add_ids(sl_ids *out, const sl_tokenizer *tokenizer, const char *text, int is_start)
{
    size_t before;
    const int32_t *prefix = sl_tokenizer_prefix(tokenizer, &before);
    const size_t bytes = before * sizeof *prefix;

    if (!is_start)
        before = 0;
    SL_TRY(sl_ids_add(out, prefix, before));
    SL_TRY(sl_tokenizer_encode(out, tokenizer, text, strlen(text), SL_ENCODE_SPECIAL_IN_TEXT));
    if (before && out->count >= 2 * before && !memcmp(out->id + before, prefix, bytes)) {
        out->count -= before;
        memmove(out->id, out->id + before, out->count * sizeof *out->id);
    }
    return SL_OK;
}

sl_status sl_text_encode(void *state, int32_t **ids, size_t *count, const char *text, int is_start)
{
    const sl_text_encoder *e = state;
    sl_ids out = { 0 };
    sl_status st = SL_OK;

    *ids = NULL;
    SL_TRY(sl_grow(&out.id, &out.capacity, 1, sizeof *out.id));
    SL_TRY_OUT(add_ids(&out, e->tokenizer, text, is_start));
    *ids = out.id;
    *count = out.count;
    return SL_OK;
out:
    sl_ids_close(&out);
    return st;
}

sl_status sl_text_render(void *state, char **text, const sl_message *message, size_t count,
                         int is_prompt)
{
    const sl_text_encoder *e = state;

    *text = NULL;
    if (!e->chat)
        return sl_err_restore(&e->missing);
    return sl_chat_render(text, sl_chat_format_of(e->chat), message, count, is_prompt);
}
