/* One row of a file: to token ids, through the length rules, into the arrays. */
#include "base/alloc.h"
#include "base/hash.h"
#include "base/text.h"
#include "datasets/encode.h"
#include "datasets/file_int.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static sl_status encode_part(sl_raw_part *part, const sl_encoder *encoder, int is_start)
{
    if (!part->text)
        return SL_OK;
    return encoder->encode(encoder->state, &part->ids, &part->count, part->text, is_start);
}

/* Faults that refuse a row unless they are allowed. */
static const struct {
    sl_fault fault;
    const char *want, *found, *cure, *key;
} refused[] = {
    { SL_FAULT_PREFIX_MISMATCH, "the prompt's tokens to begin those of prompt and answer",
      "a token across the two",
      "a line break or a chat format between prompt and answer keeps them apart",
      "allow_mismatch" },
    { SL_FAULT_DOUBLE_BOS, "one beginning of a sequence", "two", "one of them stands in the row",
      "allow_double_bos" },
    { SL_FAULT_EOS_MISSING, "an answer that an end of turn of the model closes",
      "another last token", "eos_token_id in generation_config.json names the ends",
      "allow_eos_missing" },
};

/* Counts a fault of the row at hand; refuses the row where it must. */
static sl_status fault_at(file_state *f, sl_fault fault, const char *field,
                          const sl_file_settings *set)
{
    size_t i = 0;

    sl_file_count(f, fault, f->line, field, NULL);
    while (refused[i].fault != fault)
        i++;
    if (f->audit || set->allows & sl_fault_kind_of(fault)->allow)
        return SL_OK;
    return sl_err_hint(
        sl_err_where(SL_FAIL(SL_EFORMAT, "want %s, found %s", refused[i].want, refused[i].found),
                     "field \"%s\"", field),
        "%s; stageline audit lists such rows, data.%s: true keeps them", refused[i].cure,
        refused[i].key);
}

/* The prompt's ids must begin the ids of prompt + answer: otherwise a merge crosses the border and
 * the mask would be off by a token. */
static sl_status encode_answer(int *is_mismatch, sl_raw *raw, int p, const sl_file_settings *set)
{
    const sl_raw_part *prompt = &raw->part[SL_PART_PROMPT];
    sl_raw_part *answer = &raw->part[p];

    if (!answer->text)
        return SL_OK;
    return sl_encode_answer(&answer->ids, &answer->count, is_mismatch, set->encoder, prompt->text,
                            prompt->ids, prompt->count, answer->text);
}

static sl_status encode_row(sl_raw *raw, file_state *f, const sl_file_settings *set)
{
    int mismatched = 0; /* part of the first token across the border; 0: none */

    SL_TRY(
        sl_err_where(encode_part(&raw->part[SL_PART_PROMPT], set->encoder, 1), "field \"prompt\""));
    for (int p = SL_PART_CHOSEN; p < (int)raw->parts; p++) {
        int is_mismatch = 0;

        SL_TRY(sl_err_where(encode_answer(&is_mismatch, raw, p, set), "field \"%s\"",
                            sl_part_names[p]));
        if (is_mismatch && !mismatched)
            mismatched = p;
    }
    return mismatched ? fault_at(f, SL_FAULT_PREFIX_MISMATCH, sl_part_names[mismatched], set)
                      : SL_OK;
}

static sl_status check_beginning(file_state *f, const sl_raw *raw, const sl_file_settings *set)
{
    const sl_raw_part *prompt = &raw->part[SL_PART_PROMPT];
    const int32_t *bos = set->bos;

    if (!bos || prompt->count < 2 || prompt->ids[0] != *bos || prompt->ids[1] != *bos)
        return SL_OK;
    return fault_at(f, SL_FAULT_DOUBLE_BOS, sl_part_names[SL_PART_PROMPT], set);
}

static int is_stop(int32_t id, const sl_file_settings *set)
{
    for (uint32_t i = 0; i < set->stop_count; i++)
        if (set->stop[i] == id)
            return 1;
    return id == set->eos;
}

static sl_status append_eos(sl_raw_part *part, const sl_file_settings *set)
{
    if (part->count && is_stop(part->ids[part->count - 1], set))
        return SL_OK;
    return sl_encode_append(&part->ids, &part->count, set->eos);
}

static sl_status check_ids(const sl_raw *raw, size_t vocab)
{
    for (size_t p = 0; p < raw->parts; p++)
        for (size_t i = 0; vocab && i < raw->part[p].count; i++)
            if ((size_t)raw->part[p].ids[i] >= vocab)
                return SL_FAIL(SL_EFORMAT, "want token ids below %zu, found %d in field \"%s\"",
                               vocab, raw->part[p].ids[i], sl_part_names[p]);
    return SL_OK;
}

/* Chat formats write a line break behind the end of turn, a token or two. */
enum { BEHIND_END = 2 };
static int is_closed(const sl_raw_part *part, const sl_file_settings *set)
{
    for (size_t i = 0; i <= BEHIND_END && i < part->count; i++)
        if (is_stop(part->ids[part->count - 1 - i], set))
            return 1;
    return 0;
}

/* *open: the first answer that no end of turn closes; 0: none. */
static uint32_t find_open(int *open, const sl_raw *raw, const sl_file_settings *set)
{
    *open = 0;
    for (int p = (int)raw->parts - 1; set->eos >= 0 && p >= SL_PART_CHOSEN; p--)
        if (!is_closed(&raw->part[p], set))
            *open = p;
    return *open ? SL_PAIR_EOS_MISSING : 0;
}

/* A prompt keeps its end, an answer its start. */
static uint32_t cut_row(sl_raw *raw, file_state *f, const sl_file_settings *set)
{
    static const struct {
        sl_fault fault;
        uint32_t flag;
    } cuts[SL_PARTS] = { { SL_FAULT_CUT_PROMPT, SL_PAIR_PROMPT_CUT },
                         { SL_FAULT_CUT_CHOSEN, SL_PAIR_CHOSEN_CUT },
                         { SL_FAULT_CUT_REJECTED, SL_PAIR_REJECTED_CUT } };
    uint32_t flags = 0;
    char what[64];

    for (size_t p = 0; p < raw->parts; p++) {
        sl_raw_part *part = &raw->part[p];
        const uint32_t most = p == SL_PART_PROMPT ? set->max_prompt_tok : set->max_answer_tok;

        if (part->count <= most)
            continue;
        snprintf(what, sizeof what, "%zu tokens", part->count);
        sl_file_count(f, cuts[p].fault, f->line, sl_part_names[p], what);
        if (p == SL_PART_PROMPT)
            memmove(part->ids, part->ids + part->count - most, most * sizeof *part->ids);
        part->count = most;
        flags |= cuts[p].flag;
    }
    return flags;
}

/* The part without words, or without any that the encoder kept; SL_PARTS: none. Asked before a BOS
 * or the end of turn hides it. */
static size_t empty_part(const sl_raw *raw)
{
    size_t p = 0;

    for (; p < raw->parts; p++) {
        const sl_raw_part *part = &raw->part[p];

        if ((part->text && !part->text[0]) || ((part->ids || !part->text) && !part->count))
            return p;
    }
    return SL_PARTS;
}

/* The first part over its limit; SL_PARTS: none. */
static size_t long_part(const sl_raw *raw, const sl_file_settings *set)
{
    for (size_t p = 0; p < raw->parts; p++)
        if (raw->part[p].count > (p ? set->max_answer_tok : set->max_prompt_tok))
            return p;
    return SL_PARTS;
}

static uint64_t trimmed_id(const sl_raw_part *part)
{
    const char *at = part->words ? part->words : part->text;
    size_t bytes;

    if (!at)
        return sl_hash_id(part->ids, part->count * sizeof *part->ids);
    at += strspn(at, SL_BLANKS);
    bytes = strlen(at);
    while (bytes && strchr(SL_BLANKS, at[bytes - 1]))
        bytes--;
    return sl_hash_id(at, bytes);
}

/* Ids of what stands in the data, before any cut. */
static void identify(file_record *r, const sl_raw *raw)
{
    uint64_t id[SL_PARTS] = { 0 };

    for (size_t p = 0; p < raw->parts; p++) {
        const sl_raw_part *part = &raw->part[p];

        id[p] = part->text ? sl_hash_id(part->text, strlen(part->text))
                           : sl_hash_id(part->ids, part->count * sizeof *part->ids);
        r->part[p].id = id[p];
    }
    r->words_id = trimmed_id(&raw->part[SL_PART_PROMPT]);
    r->prompt_id = raw->prompt_id ? raw->prompt_id : id[SL_PART_PROMPT];
    r->id = sl_hash_id(id, sizeof id);
    if (raw->parts < SL_PARTS)
        return;
    r->swapped_id = sl_hash_id(
        (const uint64_t[]){ id[SL_PART_PROMPT], id[SL_PART_REJECTED], id[SL_PART_CHOSEN] },
        sizeof id);
    if (id[SL_PART_CHOSEN] == id[SL_PART_REJECTED])
        r->flags |= SL_PAIR_DUPLICATE;
}

static sl_status keep_words(file_part *to, file_state *f, const char *words)
{
    const size_t bytes = strlen(words) + 1;

    SL_TRY(sl_grow(&f->text, &f->text_capacity, f->text_bytes + bytes, 1));
    memcpy(f->text + f->text_bytes, words, bytes);
    to->text = f->text_bytes;
    f->text_bytes += bytes;
    return SL_OK;
}

static sl_status store(file_part *to, file_state *f, const sl_raw_part *part)
{
    const char *words = part->words ? part->words : part->text;

    SL_TRY(sl_grow(&f->token, &f->token_capacity, f->token_count + part->count, sizeof *f->token));
    memcpy(f->token + f->token_count, part->ids, part->count * sizeof *part->ids);
    to->first = f->token_count;
    to->count = (uint32_t)part->count;
    to->bytes = words ? (uint32_t)strlen(words) : to->count;
    to->chars = words ? sl_text_chars(words) : to->count;
    to->text = SIZE_MAX;
    f->token_count += part->count;
    return words && f->keeps_text ? keep_words(to, f, words) : SL_OK;
}

static sl_status store_row(file_state *f, const sl_raw *raw, file_record *r)
{
    if (f->count >= UINT32_MAX)
        return SL_FAIL(SL_EFORMAT, "want fewer than 2^32 pairs, found more");
    SL_TRY(sl_grow(&f->record, &f->capacity, f->count + 1, sizeof *f->record));
    for (size_t p = 0; p < raw->parts; p++)
        SL_TRY(store(&r->part[p], f, &raw->part[p]));
    f->record[f->count++] = *r;
    return SL_OK;
}

/* The length rules, and what they take away. */
static sl_status fit_row(int *is_dropped, file_record *r, sl_raw *raw, file_state *f,
                         const sl_file_settings *set)
{
    const size_t longest = long_part(raw, set);
    uint32_t cut;
    int open = 0;

    *is_dropped = set->drop_long && longest < SL_PARTS;
    if (*is_dropped) {
        sl_file_count(f, SL_FAULT_TOO_LONG, f->line, sl_part_names[longest], NULL);
        return SL_OK;
    }
    if (find_open(&open, raw, set))
        SL_TRY(fault_at(f, SL_FAULT_EOS_MISSING, sl_part_names[open], set));
    cut = cut_row(raw, f, set);
    r->flags |= cut | find_open(&open, raw, set);
    if (!cut)
        return SL_OK;
    r->ref_logp[0] = r->ref_logp[1] = NAN; /* they were those of the whole answers */
    return SL_OK;
}

/* Whether the row is one that the reader wants: has the parts, none of them empty. */
static sl_status screen(int *is_dropped, sl_raw *raw, file_state *f, const sl_file_settings *set)
{
    const size_t wanted = (size_t)SL_PARTS - set->wants;

    if (raw->is_tie && set->wants == SL_WANTS_PROMPTS)
        raw->parts = 1;
    *is_dropped = 1;
    if (raw->is_tie && raw->parts > 1) {
        sl_file_count(f, SL_FAULT_TIE, f->line, NULL, NULL);
        return SL_OK;
    }
    if (raw->parts < wanted) {
        sl_file_count(f, SL_FAULT_NO_PAIR, f->line, NULL, sl_formats[raw->format]->name);
        if (f->audit)
            return SL_OK;
        return sl_err_hint(
            SL_FAIL(SL_EFORMAT, "want %s, found a row of the format \"%s\" without",
                    wanted == SL_PARTS ? "a pair of answers" : "an answer",
                    sl_formats[raw->format]->name),
            "a prompt with one answer serves SFT (method.name: sft), a prompt alone sampling");
    }
    if (empty_part(raw) < SL_PARTS) {
        sl_file_count(f, SL_FAULT_EMPTY, f->line, sl_part_names[empty_part(raw)], NULL);
        return SL_OK;
    }
    *is_dropped = 0;
    return SL_OK;
}

static sl_status add_raw(file_state *f, const sl_file_settings *set, sl_raw *raw)
{
    file_record r = {
        .line = f->line,
        .score = { (float)raw->score[SL_PART_CHOSEN], (float)raw->score[SL_PART_REJECTED] },
        .ref_logp = { raw->ref_logp[SL_PART_CHOSEN], raw->ref_logp[SL_PART_REJECTED] },
        .label_p = (float)raw->label_p
    };
    int is_dropped = 0;

    f->format_rows[raw->format]++;
    SL_TRY(screen(&is_dropped, raw, f, set));
    if (is_dropped)
        return SL_OK;
    SL_TRY(encode_row(raw, f, set));
    if (empty_part(raw) < SL_PARTS) {
        sl_file_count(f, SL_FAULT_EMPTY, f->line, sl_part_names[empty_part(raw)], NULL);
        return SL_OK;
    }
    SL_TRY(check_ids(raw, set->vocab));
    SL_TRY(check_beginning(f, raw, set));
    if (f->audit)
        SL_TRY(sl_audit_row(f, raw));
    identify(&r, raw);
    r.parts = (uint32_t)raw->parts;
    for (size_t p = SL_PART_CHOSEN; raw->wants_eos && set->eos >= 0 && p < raw->parts; p++)
        SL_TRY(append_eos(&raw->part[p], set));
    SL_TRY(fit_row(&is_dropped, &r, raw, f, set));
    return is_dropped ? SL_OK : store_row(f, raw, &r);
}

/* Rules of tokens do not hold for bytes. */
static sl_file_settings without_tokens(const sl_file_settings *settings)
{
    sl_file_settings set = *settings;

    set.eos = -1;
    set.bos = NULL;
    set.vocab = 0;
    set.max_prompt_tok = set.max_answer_tok = UINT32_MAX;
    return set;
}

sl_status sl_file_add_row(sl_data *data, const sl_file_settings *settings, const sl_json *row)
{
    sl_file_settings set = *settings;
    sl_raw raw;
    sl_status st;

    SL_TRY(sl_format_read(&raw, row, settings->encoder));
    if (raw.part[SL_PART_PROMPT].text && sl_audit_is_stand_in(settings->encoder))
        set = without_tokens(settings);
    st = add_raw(data->state, &set, &raw);
    sl_raw_close(&raw);
    return st;
}
