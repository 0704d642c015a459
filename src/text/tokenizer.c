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

/* What encoding is asked for. */
typedef struct encoding {
    const sl_tokenizer *tokenizer;
    sl_span text;
    const sl_guard *guard; /* (guards) */
    size_t guards;
} encoding;

/* *out: where byte at of the section lies when it is normalised. */
static sl_status find_normal(size_t *out, const sl_tokenizer *t, sl_text_work *work,
                             sl_span section, size_t at)
{
    *out = at ? SIZE_MAX : 0;
    if (!at || at >= section.bytes)
        return SL_OK;
    SL_TRY(sl_steps_run(&t->normalizer, work, (sl_span){ section.at, at }));
    *out = work->text.count;
    return SL_OK;
}

/* The guards of a section that begins at base, where they lie when it is normalised. Tokens that
 * are special and normalized are rare; without one nothing is to be guarded. */
static sl_status guard_section(const encoding *e, sl_text_work *work, sl_span section, size_t base)
{
    sl_guards *guards = &work->inner_guard;

    guards->count = 0;
    for (size_t i = 0; e->tokenizer->normalized.has_special && i < e->guards; i++) {
        const sl_guard *g = &e->guard[i];
        sl_guard inner;

        if (g->end <= base || g->at >= base + section.bytes)
            continue;
        SL_TRY(
            find_normal(&inner.at, e->tokenizer, work, section, g->at > base ? g->at - base : 0));
        SL_TRY(find_normal(&inner.end, e->tokenizer, work, section, g->end - base));
        SL_TRY(sl_grow(&guards->at, &guards->capacity, guards->count + 1, sizeof *guards->at));
        guards->at[guards->count++] = inner;
    }
    return SL_OK;
}

/* Text without added tokens that stand in raw text. */
static sl_status encode_section(sl_ids *out, const encoding *e, sl_text_work *work, size_t base,
                                size_t bytes)
{
    const sl_tokenizer *t = e->tokenizer;
    const sl_span text = { e->text.at + base, bytes };
    sl_bytes old;

    SL_TRY(guard_section(e, work, text, base));
    SL_TRY(sl_steps_run(&t->normalizer, work, text));
    old = work->normal;
    work->normal = work->text;
    work->text = old;
    SL_TRY(sl_needles_split(&work->inner, &t->normalized,
                            (sl_span){ work->normal.at, work->normal.count }, work->inner_guard.at,
                            work->inner_guard.count));
    for (size_t i = 0; i < work->inner.count; i++) {
        const sl_section s = work->inner.at[i];

        work->is_start = !base && !s.at;
        if (s.id >= 0)
            SL_TRY(sl_ids_add(out, &s.id, 1));
        else
            SL_TRY(encode_words(out, t, work, (sl_span){ work->normal.at + s.at, s.bytes }));
    }
    return SL_OK;
}

static sl_status encode_text(sl_ids *out, const encoding *e, sl_text_work *work)
{
    SL_TRY(sl_needles_split(&work->raw, &e->tokenizer->raw, e->text, e->guard, e->guards));
    for (size_t i = 0; i < work->raw.count; i++) {
        const sl_section s = work->raw.at[i];

        if (s.id >= 0)
            SL_TRY(sl_ids_add(out, &s.id, 1));
        else
            SL_TRY(encode_section(out, e, work, s.at, s.bytes));
    }
    return SL_OK;
}

sl_status sl_tokenizer_encode_guarded(sl_ids *out, const sl_tokenizer *tokenizer, sl_span text,
                                      const sl_guard *guard, size_t count, unsigned flags)
{
    const sl_guard all = { 0, text.bytes };
    const int adds = (flags & SL_ENCODE_ADD_SPECIAL) != 0;
    const int is_matched = (flags & SL_ENCODE_SPECIAL_IN_TEXT) != 0;
    const encoding e = { tokenizer, text, is_matched ? guard : &all, is_matched ? count : 1 };
    sl_text_work work;
    sl_status st = SL_OK;

    SL_TRY(check_text(text));
    SL_TRY(sl_text_work_open(&work, text.bytes));
    if (adds)
        SL_TRY_OUT(sl_ids_add(out, tokenizer->prefix.id, tokenizer->prefix.count));
    SL_TRY_OUT(encode_text(out, &e, &work));
    if (adds)
        SL_TRY_OUT(sl_ids_add(out, tokenizer->suffix.id, tokenizer->suffix.count));
out:
    sl_text_work_close(&work);
    return st;
}

sl_status sl_tokenizer_encode(sl_ids *out, const sl_tokenizer *tokenizer, const char *text,
                              size_t bytes, unsigned flags)
{
    return sl_tokenizer_encode_guarded(out, tokenizer, (sl_span){ text, bytes }, NULL, 0, flags);
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
