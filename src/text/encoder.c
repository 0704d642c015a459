#include "text/encoder.h"
#include "base/alloc.h"
#include "base/file.h"
#include <string.h>

enum { PATH_BYTES = 4096 };

const char *const sl_special_in_text_names[] = { "strings", "true", "false", NULL };

struct sl_text_encoder {
    sl_tokenizer *tokenizer;
    sl_chat *chat; /* of the folder; NULL: not asked for, or not known: why is in missing */
    sl_chat_format format;
    int has_format;
    sl_special_in_text special;
    sl_err_record missing;
};

/* A marked text without its marks, and where the contents lie. */
typedef struct unmarked {
    char *text;
    sl_guard *guard; /* (count) */
    size_t bytes, count, capacity;
    int is_marked;
} unmarked;

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
    if (st == SL_EUNSUPPORTED) {
        sl_err_save(&e->missing);
        sl_err_clear();
        return SL_OK;
    }
    SL_TRY(st);
    e->format = *sl_chat_format_of(e->chat);
    e->has_format = 1;
    return SL_OK;
}

static sl_status choose_chat(sl_text_encoder *e, const char *path, const sl_text_settings *settings)
{
    const sl_chat_format *row = settings->chat;

    e->special = settings->special;
    if (settings->format && *settings->format) {
        if (row)
            return SL_FAIL(SL_EARG, "want a chat format by name or by its texts, found both");
        SL_TRY(sl_chat_named(&row, settings->format));
    }
    if (!row)
        return open_chat(e, path);
    e->format = *row;
    e->has_format = 1;
    return sl_chat_check(row);
}

sl_status sl_text_encoder_open(sl_text_encoder **out, const char *path)
{
    return sl_text_encoder_open_as(out, path, NULL);
}

sl_status sl_text_encoder_open_as(sl_text_encoder **out, const char *path,
                                  const sl_text_settings *settings)
{
    const sl_text_settings defaults = { 0 };
    sl_text_encoder *e = NULL;
    sl_status st = SL_OK;

    *out = NULL;
    SL_TRY(sl_take(&e, 1, sizeof *e));
    SL_TRY_OUT(sl_tokenizer_open(&e->tokenizer, path));
    SL_TRY_OUT(choose_chat(e, path, settings ? settings : &defaults));
    *out = e;
    return SL_OK;
out:
    sl_text_encoder_close(&e);
    return st;
}

sl_status sl_text_encoder_parse(sl_text_encoder **out, const char *text, size_t bytes,
                                const char *where, const sl_text_settings *settings)
{
    sl_text_encoder *e = NULL;
    sl_status st = SL_OK;

    *out = NULL;
    SL_CHECK(settings->chat);
    SL_TRY(sl_take(&e, 1, sizeof *e));
    SL_TRY_OUT(sl_tokenizer_parse(&e->tokenizer, text, bytes, where));
    SL_TRY_OUT(choose_chat(e, NULL, settings));
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

/* NULL: it has none. */
static const sl_chat_format *format_or_null(const sl_text_encoder *encoder)
{
    const sl_chat_format *format = NULL;

    if (sl_text_encoder_format(&format, encoder) == SL_OK)
        return format;
    sl_err_clear();
    return NULL;
}

int sl_text_encoder_has_chat(const sl_text_encoder *encoder)
{
    return format_or_null(encoder) != NULL;
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
    const sl_chat_format *format = format_or_null(encoder);
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

sl_status sl_text_encoder_format(const sl_chat_format **out, const sl_text_encoder *encoder)
{
    *out = &encoder->format;
    return encoder->has_format ? SL_OK : sl_err_restore(&encoder->missing);
}

static void close_unmarked(unmarked *u)
{
    sl_free(u->text);
    sl_free(u->guard);
}

/* An empty content is nothing to guard. */
static sl_status add_guard(unmarked *u, size_t at)
{
    if (at == u->bytes)
        return SL_OK;
    SL_TRY(sl_grow(&u->guard, &u->capacity, u->count + 1, sizeof *u->guard));
    u->guard[u->count++] = (sl_guard){ at, u->bytes };
    return SL_OK;
}

static sl_status take_marks(unmarked *out, const char *text)
{
    size_t begin = 0;

    SL_TRY(sl_take(&out->text, strlen(text) + 1, 1));
    for (; *text; text++)
        switch ((unsigned char)*text) {
        case SL_CONTENT_BEGIN:
            begin = out->bytes;
            break;
        case SL_CONTENT_END:
            out->is_marked = 1;
            SL_TRY(add_guard(out, begin));
            break;
        default:
            out->text[out->bytes++] = *text;
        }
    return SL_OK;
}

/* Ids with the beginning before them, unless they have it. */
static sl_status add_ids(sl_ids *out, const sl_text_encoder *e, const unmarked *u, int is_start)
{
    size_t before;
    const int32_t *prefix = sl_tokenizer_prefix(e->tokenizer, &before);
    const size_t bytes = before * sizeof *prefix;

    if (!is_start)
        before = 0;
    SL_TRY(sl_ids_add(out, prefix, before));
    SL_TRY(sl_tokenizer_encode_guarded(
        out, e->tokenizer, (sl_span){ u->text, u->bytes }, u->guard,
        e->special == SL_SPECIAL_ALL ? 0 : u->count,
        e->special == SL_SPECIAL_NONE && !u->is_marked ? 0 : SL_ENCODE_SPECIAL_IN_TEXT));
    if (before && out->count >= 2 * before && !memcmp(out->id + before, prefix, bytes)) {
        out->count -= before;
        memmove(out->id, out->id + before, out->count * sizeof *out->id);
    }
    return SL_OK;
}

sl_status sl_text_encode(void *state, int32_t **ids, size_t *count, const char *text, int is_start)
{
    const sl_text_encoder *e = state;
    unmarked u = { 0 };
    sl_ids out = { 0 };
    sl_status st = SL_OK;

    *ids = NULL;
    SL_TRY_OUT(take_marks(&u, text));
    SL_TRY_OUT(sl_grow(&out.id, &out.capacity, 1, sizeof *out.id));
    SL_TRY_OUT(add_ids(&out, e, &u, is_start));
    *ids = out.id;
    *count = out.count;
out:
    if (st != SL_OK)
        sl_ids_close(&out);
    close_unmarked(&u);
    return st;
}

sl_status sl_text_render(void *state, char **text, const sl_message *message, size_t count,
                         int is_prompt)
{
    const sl_text_encoder *e = state;

    *text = NULL;
    if (!e->has_format)
        return sl_err_restore(&e->missing);
    return sl_chat_render_marked(text, &e->format, message, count, is_prompt);
}
