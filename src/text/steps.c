/* Primitive steps on the pieces of a text: edits build a new text, splits cut the one that is
 * there. Normalizers and pre-tokenizers are lists of them. */
#include "base/alloc.h"
#include "text/tokenizer_int.h"
#include <string.h>
#include <utf8proc.h>

static sl_span span_of(const sl_text_work *work, const sl_piece *piece)
{
    return (sl_span){ work->text.at + piece->at, piece->bytes };
}

sl_status sl_text_work_piece(sl_text_work *work, size_t at, size_t end)
{
    if (at == end)
        return SL_OK;
    SL_TRY(sl_grow(&work->out.at, &work->out.capacity, work->out.count + 1, sizeof *work->out.at));
    work->out.at[work->out.count++] = (sl_piece){ at, end - at };
    return SL_OK;
}

/* Hostile files could double a text with every step. */
static sl_status add_next(sl_text_work *work, const char *data, size_t bytes)
{
    if (bytes > work->limit_bytes - work->next.count)
        return SL_FAIL(SL_EFORMAT, "want normalized text of at most %zu bytes, found more",
                       work->limit_bytes);
    return sl_bytes_add(&work->next, data, bytes);
}

/* Edits every piece into work->next, then the two texts change places. */
static sl_status edit_all(sl_status (*edit)(const sl_step *, sl_text_work *, sl_span, size_t),
                          const sl_step *step, sl_text_work *work)
{
    const sl_bytes old = work->text;

    work->next.count = 0;
    for (size_t i = 0; i < work->piece.count; i++) {
        const size_t at = work->next.count;

        SL_TRY(edit(step, work, span_of(work, &work->piece.at[i]), i));
        SL_TRY(sl_text_work_piece(work, at, work->next.count));
    }
    work->text = work->next;
    work->next = old;
    return SL_OK;
}

static int begins_with(sl_span text, const char *with, size_t bytes)
{
    return text.bytes >= bytes && !memcmp(text.at, with, bytes);
}

static sl_status prepend(const sl_step *step, sl_text_work *work, sl_span text, size_t index)
{
    const size_t bytes = strlen(step->to);
    const int is_there = step->when != SL_WHEN_ALWAYS && begins_with(text, step->to, bytes);
    const int is_late = step->when == SL_WHEN_FIRST && (index || !work->is_start);

    if (!is_there && !is_late)
        SL_TRY(add_next(work, step->to, bytes));
    return add_next(work, text.at, text.bytes);
}

sl_status sl_step_prepend(const sl_step *step, sl_text_work *work)
{
    return edit_all(prepend, step, work);
}

static sl_status replace(const sl_step *step, sl_text_work *work, sl_span text, size_t index)
{
    const size_t from_bytes = strlen(step->from), to_bytes = strlen(step->to);

    (void)index;
    while (text.bytes) {
        const char *hit = memmem(text.at, text.bytes, step->from, from_bytes);
        const size_t before = hit ? (size_t)(hit - text.at) : text.bytes;
        const size_t used = before + (hit ? from_bytes : 0);

        SL_TRY(add_next(work, text.at, before));
        if (hit)
            SL_TRY(add_next(work, step->to, to_bytes));
        text.at += used;
        text.bytes -= used;
    }
    return SL_OK;
}

sl_status sl_step_replace(const sl_step *step, sl_text_work *work)
{
    return edit_all(replace, step, work);
}

static int is_ascii(sl_span text)
{
    for (size_t i = 0; i < text.bytes; i++)
        if ((unsigned char)text.at[i] >= 0x80)
            return 0;
    return 1;
}

sl_status sl_nfc(sl_span *out, sl_span text, int32_t **wide, size_t *capacity)
{
    const utf8proc_option_t form = UTF8PROC_STABLE | UTF8PROC_COMPOSE;
    const utf8proc_uint8_t *from = (const utf8proc_uint8_t *)text.at;
    const utf8proc_ssize_t bytes = (utf8proc_ssize_t)text.bytes;
    utf8proc_ssize_t count;

    *out = text;
    if (is_ascii(text))
        return SL_OK;
    count = utf8proc_decompose(from, bytes, NULL, 0, form);
    if (count < 0)
        return SL_FAIL(SL_EFORMAT, "want text for NFC, found: %s", utf8proc_errmsg(count));
    /* one more: the bytes are written back in place, with a zero after them */
    SL_TRY(sl_grow(wide, capacity, (size_t)count + 1, sizeof **wide));
    count = utf8proc_decompose(from, bytes, *wide, count, form);
    if (count >= 0)
        count = utf8proc_reencode(*wide, count, form);
    if (count < 0)
        return SL_FAIL(SL_EFORMAT, "want text for NFC, found: %s", utf8proc_errmsg(count));
    *out = (sl_span){ (const char *)*wide, (size_t)count };
    return SL_OK;
}

static sl_status nfc(const sl_step *step, sl_text_work *work, sl_span text, size_t index)
{
    sl_span composed;

    (void)step;
    (void)index;
    SL_TRY(sl_nfc(&composed, text, &work->wide, &work->wide_capacity));
    return add_next(work, composed.at, composed.bytes);
}

sl_status sl_step_nfc(const sl_step *step, sl_text_work *work)
{
    return edit_all(nfc, step, work);
}

static sl_status split_all(sl_status (*split)(const sl_step *, sl_text_work *, sl_span, size_t),
                           const sl_step *step, sl_text_work *work)
{
    for (size_t i = 0; i < work->piece.count; i++) {
        const sl_piece *piece = &work->piece.at[i];

        SL_TRY(split(step, work, span_of(work, piece), piece->at));
    }
    return SL_OK;
}

/* Matches and the gaps between them are all pieces. base: where text lies in the work's. */
static sl_status split_regex(const sl_step *step, sl_text_work *work, sl_span text, size_t base)
{
    size_t done = 0;

    while (done < text.bytes) {
        size_t at = done, end = done;
        int found;

        SL_TRY(sl_regex_next(&found, &at, &end, step->regex, work, text));
        if (!found || end <= at)
            break;
        SL_TRY(sl_text_work_piece(work, base + done, base + at));
        SL_TRY(sl_text_work_piece(work, base + at, base + end));
        done = end;
    }
    return sl_text_work_piece(work, base + done, base + text.bytes);
}

sl_status sl_step_split_regex(const sl_step *step, sl_text_work *work)
{
    return split_all(split_regex, step, work);
}

/* Cuts before every occurrence of step->from, and after it too when it stands alone. */
static sl_status cut_text(const sl_step *step, sl_text_work *work, sl_span text, size_t base,
                          int is_alone)
{
    const size_t from_bytes = strlen(step->from);
    size_t begin = 0, look = 0; /* of the piece; where to look on */

    while (look < text.bytes) {
        const char *hit = memmem(text.at + look, text.bytes - look, step->from, from_bytes);
        size_t at;

        if (!hit)
            break;
        at = (size_t)(hit - text.at);
        look = at + from_bytes;
        SL_TRY(sl_text_work_piece(work, base + begin, base + at));
        begin = at;
        if (is_alone) {
            SL_TRY(sl_text_work_piece(work, base + at, base + look));
            begin = look;
        }
    }
    return sl_text_work_piece(work, base + begin, base + text.bytes);
}

static sl_status split_text(const sl_step *step, sl_text_work *work, sl_span text, size_t base)
{
    return cut_text(step, work, text, base, 1);
}

static sl_status split_next(const sl_step *step, sl_text_work *work, sl_span text, size_t base)
{
    return cut_text(step, work, text, base, 0);
}

sl_status sl_step_split_text(const sl_step *step, sl_text_work *work)
{
    return split_all(split_text, step, work);
}

sl_status sl_step_split_next(const sl_step *step, sl_text_work *work)
{
    return split_all(split_next, step, work);
}

static int is_numeric(int32_t point)
{
    const utf8proc_category_t category = utf8proc_category(point);

    return category == UTF8PROC_CATEGORY_ND || category == UTF8PROC_CATEGORY_NL ||
           category == UTF8PROC_CATEGORY_NO;
}

static sl_status split_digits(const sl_step *step, sl_text_work *work, sl_span text, size_t base)
{
    size_t begin = 0;
    int was_numeric = 0;

    for (size_t at = 0, next; at < text.bytes; at = next) {
        int32_t point = 0;
        int is_now;

        next = at + (size_t)utf8proc_iterate((const utf8proc_uint8_t *)text.at + at,
                                             (utf8proc_ssize_t)(text.bytes - at), &point);
        is_now = is_numeric(point);
        if (is_now != was_numeric || (is_now && step->is_single)) {
            SL_TRY(sl_text_work_piece(work, base + begin, base + at));
            begin = at;
        }
        was_numeric = is_now;
    }
    return sl_text_work_piece(work, base + begin, base + text.bytes);
}

sl_status sl_step_digits(const sl_step *step, sl_text_work *work)
{
    return split_all(split_digits, step, work);
}

static void swap_pieces(sl_text_work *work)
{
    const sl_pieces old = work->piece;

    work->piece = work->out;
    work->out = old;
    work->out.count = 0;
}

sl_status sl_steps_run(const sl_steps *steps, sl_text_work *work, sl_span text)
{
    work->text.count = work->out.count = 0;
    SL_TRY(sl_bytes_add(&work->text, text.at, text.bytes));
    SL_TRY(sl_text_work_piece(work, 0, text.bytes));
    swap_pieces(work);
    for (size_t i = 0; i < steps->count; i++) {
        SL_TRY(steps->at[i].run(&steps->at[i], work));
        swap_pieces(work);
    }
    return SL_OK;
}

void sl_steps_close(sl_steps *steps)
{
    for (size_t i = 0; i < steps->count; i++) {
        pcre2_code_free(steps->at[i].regex);
        sl_free(steps->at[i].from);
        sl_free(steps->at[i].to);
    }
    sl_free(steps->at);
    *steps = (sl_steps){ 0 };
}

sl_status sl_text_work_open(sl_text_work *work, size_t text_bytes)
{
    *work = (sl_text_work){ .limit_bytes = 4096 + SL_TOKENIZER_GROWTH * text_bytes };
    return sl_bytes_add(&work->next, "", 0);
}

void sl_text_work_close(sl_text_work *work)
{
    pcre2_match_data_free(work->match);
    pcre2_match_context_free(work->limits);
    sl_bytes_close(&work->text);
    sl_bytes_close(&work->next);
    sl_bytes_close(&work->normal);
    sl_free(work->piece.at);
    sl_free(work->out.at);
    sl_free(work->raw.at);
    sl_free(work->inner.at);
    sl_free(work->inner_guard.at);
    sl_free(work->wide);
    sl_free(work->symbol);
    sl_free(work->heap);
    *work = (sl_text_work){ 0 };
}
