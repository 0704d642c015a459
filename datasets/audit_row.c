/* What an audit looks at in a single row: the words themselves. */
#include "base/alloc.h"
#include "datasets/file_int.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { BEGIN_MOST = sizeof((file_state *)0)->begin / sizeof(int32_t) };

sl_status sl_audit_begin(file_state *f)
{
    const sl_encoder *encoder = f->audit ? f->audit->file.encoder : NULL;
    int32_t *ids = NULL;
    size_t count = 0;

    if (!encoder || sl_audit_is_stand_in(encoder))
        return SL_OK;
    SL_TRY(encoder->encode(encoder->state, &ids, &count, "", 1));
    f->begin_count = count > BEGIN_MOST ? 0 : count;
    memcpy(f->begin, ids, f->begin_count * sizeof *ids);
    sl_free(ids);
    return SL_OK;
}

static const char *words_of(const sl_raw *raw, size_t p)
{
    return raw->part[p].words ? raw->part[p].words : raw->part[p].text;
}

/* Written with the beginning: to add one makes no difference. Where the chat format writes it, it
 * is right. */
static sl_status look_at_beginning(file_state *f, const sl_raw *raw)
{
    const sl_encoder *encoder = f->audit->file.encoder;
    const sl_raw_part *prompt = &raw->part[SL_PART_PROMPT];
    int32_t *bare = NULL;
    size_t count = 0;

    if (!f->begin_count || !prompt->text || prompt->words)
        return SL_OK;
    SL_TRY(encoder->encode(encoder->state, &bare, &count, prompt->text, 0));
    if (count == prompt->count && !memcmp(bare, prompt->ids, count * sizeof *bare))
        sl_file_count(f, SL_FAULT_BOS_IN_TEXT, f->line, sl_part_names[SL_PART_PROMPT], NULL);
    sl_free(bare);
    return SL_OK;
}

static sl_status look_for_specials(file_state *f, const sl_raw *raw)
{
    const sl_audit_settings *a = f->audit;
    int is_there = 0;

    if (!a->has_special)
        return SL_OK;
    for (size_t p = 0; p < raw->parts && !is_there; p++) {
        if (!words_of(raw, p))
            continue;
        SL_TRY(a->has_special(a->file.encoder->state, &is_there, words_of(raw, p)));
        if (is_there)
            sl_file_count(f, SL_FAULT_SPECIAL_IN_TEXT, f->line, sl_part_names[p], NULL);
    }
    return SL_OK;
}

/* A row counts once, by its first answer of the kind. */
static void look_at_blanks(file_state *f, const sl_raw *raw)
{
    int is_blank = 0, is_leading = 0;

    for (size_t p = SL_PART_CHOSEN; p < raw->parts; p++) {
        const char *words = words_of(raw, p);
        const size_t blanks = words ? strspn(words, SL_BLANKS) : 0;

        if (!blanks)
            continue;
        if (!words[blanks] && !is_blank++)
            sl_file_count(f, SL_FAULT_BLANK_ANSWER, f->line, sl_part_names[p], NULL);
        if (!is_leading++)
            sl_file_count(f, SL_FAULT_LEADING_BLANK, f->line, sl_part_names[p], NULL);
    }
}

static void look_at_scores(file_state *f, const sl_raw *raw)
{
    char what[80];

    if (!(raw->score[SL_PART_CHOSEN] < raw->score[SL_PART_REJECTED]))
        return;
    snprintf(what, sizeof what, "%g below %g", raw->score[SL_PART_CHOSEN],
             raw->score[SL_PART_REJECTED]);
    sl_file_count(f, SL_FAULT_SCORE_ORDER, f->line, NULL, what);
}

sl_status sl_audit_row(file_state *f, const sl_raw *raw)
{
    look_at_blanks(f, raw);
    look_at_scores(f, raw);
    SL_TRY(look_at_beginning(f, raw));
    return look_for_specials(f, raw);
}
