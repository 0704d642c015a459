/* A tokenizer: opened from its file, then constant. Encoding goes: added tokens in the raw text,
 * normalizer, added tokens in normalised text, pre-tokenizer, merges, ids around. */
#include "text/tokenizer.h"
#include "base/alloc.h"
#include "base/file.h"
#include "text/tokenizer_int.h"
#include <string.h>
#include <sys/stat.h>
#include <utf8proc.h>

enum { PATH_BYTES = 4096 };

static sl_status refuse_bytes(sl_span text)
{
    size_t at = 0;

    for (utf8proc_ssize_t step = 0; step >= 0 && at<text.bytes; at += step> 0 ? step : 0) {
        int32_t point;

        step = utf8proc_iterate((const utf8proc_uint8_t *)text.at + at,
                                (utf8proc_ssize_t)(text.bytes - at), &point);
    }
    return SL_FAIL(SL_EFORMAT, "want UTF-8, found another byte at %zu of the text", at);
}

static sl_status check_text(sl_span text)
{
    if (text.bytes > SL_TOKENIZER_TEXT)
        return SL_FAIL(SL_EARG, "want a text of at most %d bytes, found %zu", SL_TOKENIZER_TEXT,
                       text.bytes);
    return sl_text_is_utf8(text.at, text.bytes) ? SL_OK : refuse_bytes(text);
}

/* Text without added tokens, normalised. */
static sl_status encode_words(sl_ids *out, const sl_tokenizer *t, sl_text_work *work, sl_span text)
{
    SL_TRY(sl_steps_run(&t->pre, work, text));
    for (size_t i = 0; i < work->piece.count; i++) {
        const sl_piece *p = &work->piece.at[i];

        SL_TRY(sl_bpe_encode(out, t, work, (sl_span){ work->text.at + p->at, p->bytes }));
    }
    return SL_OK;
}

/* Text without added tokens that stand in raw text. */
static sl_status encode_section(sl_ids *out, const sl_tokenizer *t, sl_text_work *work,
                                sl_span text, int is_start, int skips_special)
{
    sl_bytes old;

    SL_TRY(sl_steps_run(&t->normalizer, work, text));
    old = work->normal;
    work->normal = work->text;
    work->text = old;
    SL_TRY(sl_needles_split(&work->inner, &t->normalized,
                            (sl_span){ work->normal.at, work->normal.count }, skips_special));
    for (size_t i = 0; i < work->inner.count; i++) {
        const sl_section s = work->inner.at[i];

        work->is_start = is_start && !s.at;
        if (s.id >= 0)
            SL_TRY(sl_ids_add(out, &s.id, 1));
        else
            SL_TRY(encode_words(out, t, work, (sl_span){ work->normal.at + s.at, s.bytes }));
    }
    return SL_OK;
}

static sl_status encode_text(sl_ids *out, const sl_tokenizer *t, sl_text_work *work, sl_span text,
                             int skips_special)
{
    SL_TRY(sl_needles_split(&work->raw, &t->raw, text, skips_special));
    for (size_t i = 0; i < work->raw.count; i++) {
        const sl_section s = work->raw.at[i];

        if (s.id >= 0)
            SL_TRY(sl_ids_add(out, &s.id, 1));
        else
            SL_TRY(encode_section(out, t, work, (sl_span){ text.at + s.at, s.bytes }, !s.at,
                                  skips_special));
    }
    return SL_OK;
}

sl_status sl_tokenizer_encode(sl_ids *out, const sl_tokenizer *tokenizer, const char *text,
                              size_t bytes, unsigned flags)
{
    const sl_span span = { text, bytes };
    const int adds = (flags & SL_ENCODE_ADD_SPECIAL) != 0;
    sl_text_work work;
    sl_status st = SL_OK;

    SL_TRY(check_text(span));
    SL_TRY(sl_text_work_open(&work, bytes));
    if (adds)
        SL_TRY_OUT(sl_ids_add(out, tokenizer->prefix.id, tokenizer->prefix.count));
    SL_TRY_OUT(encode_text(out, tokenizer, &work, span, !(flags & SL_ENCODE_SPECIAL_IN_TEXT)));
    if (adds)
        SL_TRY_OUT(sl_ids_add(out, tokenizer->suffix.id, tokenizer->suffix.count));
out:
    sl_text_work_close(&work);
    return st;
}

size_t sl_tokenizer_vocab(const sl_tokenizer *tokenizer)
{
    return tokenizer->vocab.size;
}

const char *sl_tokenizer_hash(const sl_tokenizer *tokenizer)
{
    return tokenizer->hash;
}

int32_t sl_tokenizer_id(const sl_tokenizer *tokenizer, const char *text, size_t bytes)
{
    return sl_vocab_find(&tokenizer->vocab, text, bytes, SL_TOKEN_MODEL | SL_TOKEN_ADDED);
}

sl_span sl_tokenizer_text(const sl_tokenizer *tokenizer, int32_t id)
{
    const sl_vocab *vocab = &tokenizer->vocab;

    if (id < 0 || (size_t)id >= vocab->size || !vocab->token[id].kind)
        return (sl_span){ "", 0 };
    return (sl_span){ vocab->pool.at + vocab->token[id].at, vocab->token[id].bytes };
}

const int32_t *sl_tokenizer_prefix(const sl_tokenizer *tokenizer, size_t *count)
{
    *count = tokenizer->prefix.count;
    return tokenizer->prefix.id;
}

void sl_tokenizer_close(sl_tokenizer **tokenizer)
{
    sl_tokenizer *t = *tokenizer;

    if (!t)
        return;
    sl_vocab_close(&t->vocab);
    sl_merges_close(&t->bpe.merges);
    sl_steps_close(&t->normalizer);
    sl_steps_close(&t->pre);
    sl_needles_close(&t->raw);
    sl_needles_close(&t->normalized);
    sl_ids_close(&t->prefix);
    sl_ids_close(&t->suffix);
    sl_decoding_close(&t->decoding);
    sl_free(t);
    *tokenizer = NULL;
}

static sl_status load(sl_tokenizer *t, const sl_json *tree)
{
    const sl_json *added = json_object_get(tree, "added_tokens");

    if (!json_is_object(tree))
        return SL_FAIL(SL_EFORMAT, "want an object, found another value");
    SL_TRY(sl_err_where(sl_load_model(t, json_object_get(tree, "model"), added), "model"));
    SL_TRY(sl_err_where(sl_load_normalizer(t, json_object_get(tree, "normalizer")), "normalizer"));
    SL_TRY(sl_err_where(sl_load_pre(t, json_object_get(tree, "pre_tokenizer")), "pre_tokenizer"));
    SL_TRY(sl_err_where(sl_load_added(t, added), "added_tokens"));
    SL_TRY(
        sl_err_where(sl_load_post(t, json_object_get(tree, "post_processor")), "post_processor"));
    return sl_err_where(sl_load_decoding(t, json_object_get(tree, "decoder")), "decoder");
}

static void fill_hash(sl_tokenizer *t, const char *text, size_t bytes)
{
    unsigned char digest[32];
    sl_sha256 sha;

    sl_sha256_open(&sha);
    sl_sha256_add(&sha, text, bytes);
    sl_sha256_close(&sha, digest);
    sl_sha256_hex(t->hash, digest);
}

sl_status sl_tokenizer_parse(sl_tokenizer **out, const char *text, size_t bytes, const char *where)
{
    sl_tokenizer *t = NULL;
    sl_json *tree = NULL;
    sl_status st = SL_OK;

    *out = NULL;
    SL_TRY_OUT(sl_json_parse(&tree, text, bytes, where));
    SL_TRY_OUT(sl_take(&t, 1, sizeof *t));
    SL_TRY_OUT(sl_err_where(load(t, tree), "%s", where));
    fill_hash(t, text, bytes);
    *out = t;
    t = NULL;
out:
    sl_json_close(&tree);
    sl_tokenizer_close(&t);
    return st;
}

sl_status sl_tokenizer_open(sl_tokenizer **out, const char *path)
{
    char file[PATH_BYTES];
    struct stat info;
    char *text = NULL;
    size_t bytes = 0;
    sl_status st = SL_OK;

    *out = NULL;
    if (!stat(path, &info) && S_ISDIR(info.st_mode)) {
        SL_TRY(sl_file_join(file, sizeof file, path, "tokenizer.json"));
        path = file;
    }
    SL_TRY(sl_file_read(&text, &bytes, path, SL_TOKENIZER_FILE));
    st = sl_tokenizer_parse(out, text, bytes, path);
    sl_free(text);
    return st;
}
