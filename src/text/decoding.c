/* The section "decoder". Its steps are kept in one order: edits of each token, then byte tokens,
 * then the cut at the start of the joined text; a file with another order is refused. */
#include "base/alloc.h"
#include "text/tokenizer_int.h"
#include <string.h>
#include <utf8proc.h>

enum { EDITS_MOST = 16 };

static sl_status wrong_order(const char *what)
{
    return SL_FAIL(SL_EUNSUPPORTED,
                   "want the order Replace or Metaspace, ByteFallback, Fuse, "
                   "Strip, found %s too late or twice",
                   what);
}

static sl_status read_replace(sl_tokenizer *t, const sl_json *node)
{
    sl_decoding *d = &t->decoding;
    const char *from, *to;
    sl_edit *edit;
    int is_regex;

    SL_TRY(sl_part_pattern(&from, &is_regex, node));
    SL_TRY(sl_json_text(&to, node, "content"));
    if (is_regex)
        return SL_FAIL(SL_EUNSUPPORTED, "want a pattern String, found Regex");
    if (d->metaspace || d->falls_back || d->is_fused || d->strip || d->is_bytes)
        return wrong_order("Replace");
    if (d->edit_count == EDITS_MOST)
        return SL_FAIL(SL_EUNSUPPORTED, "want at most %d Replace, found more", EDITS_MOST);
    SL_TRY(sl_grow(&d->edit, &d->edit_capacity, d->edit_count + 1, sizeof *d->edit));
    edit = &d->edit[d->edit_count++];
    *edit = (sl_edit){ NULL, NULL };
    SL_TRY(sl_strdup(&edit->from, from));
    return sl_strdup(&edit->to, to);
}

static sl_status read_metaspace(sl_tokenizer *t, const sl_json *node)
{
    sl_decoding *d = &t->decoding;
    const char *mark, *scheme;
    int has_prefix;

    SL_TRY(sl_json_text(&mark, node, "replacement"));
    SL_TRY(sl_json_text_or(&scheme, node, "prepend_scheme", "always"));
    SL_TRY(sl_json_bool_or(&has_prefix, node, "add_prefix_space", 1));
    if (!*mark)
        return SL_FAIL(SL_EFORMAT, "want a replacement of one character, found none");
    if (d->metaspace || d->falls_back || d->is_fused || d->strip || d->is_bytes)
        return wrong_order("Metaspace");
    d->drops_first = has_prefix && strcmp(scheme, "never") != 0;
    return sl_strdup(&d->metaspace, mark);
}

static sl_status read_byte_fallback(sl_tokenizer *t, const sl_json *node)
{
    sl_decoding *d = &t->decoding;

    (void)node;
    if (d->falls_back || d->is_fused || d->strip || d->is_bytes)
        return wrong_order("ByteFallback");
    d->falls_back = 1;
    return SL_OK;
}

static sl_status read_fuse(sl_tokenizer *t, const sl_json *node)
{
    (void)node;
    if (t->decoding.strip)
        return wrong_order("Fuse");
    t->decoding.is_fused = 1;
    return SL_OK;
}

static sl_status read_strip(sl_tokenizer *t, const sl_json *node)
{
    sl_decoding *d = &t->decoding;
    const char *content;
    int64_t stop;

    SL_TRY(sl_json_text(&content, node, "content"));
    SL_TRY(sl_json_i64(&d->strip_count, node, "start"));
    SL_TRY(sl_json_i64(&stop, node, "stop"));
    if (!d->is_fused || d->strip)
        return SL_FAIL(SL_EUNSUPPORTED, "want one Strip, after Fuse, found another order");
    if (stop || d->strip_count < 0)
        return SL_FAIL(SL_EUNSUPPORTED, "want stop 0 and start of at least 0, found %lld and %lld",
                       (long long)stop, (long long)d->strip_count);
    if (!*content || strlen(content) != (size_t)utf8proc_utf8class[(unsigned char)*content])
        return SL_FAIL(SL_EFORMAT, "want content of one character, found \"%.64s\"", content);
    return sl_strdup(&d->strip, content);
}

static sl_status read_byte_level(sl_tokenizer *t, const sl_json *node)
{
    sl_decoding *d = &t->decoding;

    (void)node;
    if (d->edit_count || d->metaspace || d->falls_back || d->is_fused || d->is_bytes)
        return SL_FAIL(SL_EUNSUPPORTED, "want ByteLevel as the only decoder, found others");
    d->is_bytes = 1;
    d->is_fused = 1; /* it joins */
    return SL_OK;
}

static sl_status read_decoders(sl_tokenizer *t, const sl_json *node);

static const sl_part decoders[] = {
    { "ByteLevel", read_byte_level },
    { "Replace", read_replace },
    { "Metaspace", read_metaspace },
    { "ByteFallback", read_byte_fallback },
    { "Fuse", read_fuse },
    { "Strip", read_strip },
    { "Sequence", read_decoders },
    { NULL, NULL },
};

static sl_status read_decoders(sl_tokenizer *t, const sl_json *node)
{
    return sl_part_sequence(t, decoders, node, "decoders");
}

sl_status sl_load_decoding(sl_tokenizer *tokenizer, const sl_json *node)
{
    tokenizer->decoding.is_joined = !node || json_is_null(node);
    return sl_part_read(tokenizer, decoders, node);
}

void sl_decoding_close(sl_decoding *decoding)
{
    for (size_t i = 0; i < decoding->edit_count; i++) {
        sl_free(decoding->edit[i].from);
        sl_free(decoding->edit[i].to);
    }
    sl_free(decoding->edit);
    sl_free(decoding->metaspace);
    sl_free(decoding->strip);
    *decoding = (sl_decoding){ 0 };
}
