/* One row of a file: to token ids, through the length rules, into the arrays. */
#include "base/alloc.h"
#include "base/hash.h"
#include "base/text.h"
#include "datasets/file_int.h"
#include <string.h>

static uint32_t code_points(const char *text)
{
    uint32_t n = 0;

    for (; *text; text++)
        n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}

static sl_status encode_part(sl_raw_part *part, const sl_encoder *encoder, int is_start)
{
    if (!part->text)
        return SL_OK;
    return encoder->encode(encoder->state, &part->ids, &part->count, part->text, is_start);
}

static sl_status refuse_mismatch(void)
{
    return sl_err_hint(SL_FAIL(SL_EFORMAT, "want the prompt's tokens to begin those of prompt and "
                                           "answer, found a token across the two"),
                       "a line break or a chat format between prompt and answer keeps them apart");
}

/* The prompt's ids must begin the ids of prompt + answer: otherwise a merge crosses the border and
 * the mask would be off by a token. */
static sl_status encode_answer(int *is_mismatch, sl_raw *raw, int p, const sl_file_settings *set)
{
    const sl_encoder *encoder = set->encoder;
    const sl_raw_part *prompt = &raw->part[SL_PART_PROMPT];
    sl_raw_part *answer = &raw->part[p];
    int32_t *ids = NULL;
    size_t count;
    char *whole = NULL;
    sl_status st = SL_OK;

    if (!answer->text)
        return SL_OK;
    SL_TRY(sl_take(&whole, strlen(prompt->text) + strlen(answer->text) + 1, 1));
    strcat(strcpy(whole, prompt->text), answer->text);
    SL_TRY_OUT(encoder->encode(encoder->state, &ids, &count, whole, 1));
    if (count < prompt->count || memcmp(ids, prompt->ids, prompt->count * sizeof *ids) != 0) {
        *is_mismatch = 1;
        st = set->counts_mismatch ? encode_part(answer, encoder, 0) : refuse_mismatch();
        goto out;
    }
    answer->count = count - prompt->count;
    SL_TRY_OUT(sl_take(&answer->ids, answer->count + 1, sizeof *answer->ids));
    memcpy(answer->ids, ids + prompt->count, answer->count * sizeof *ids);
out:
    sl_free(whole);
    sl_free(ids);
    return st;
}

static sl_status encode_row(sl_raw *raw, sl_data *data, const sl_file_settings *set)
{
    int is_mismatch = 0;

    SL_TRY(
        sl_err_where(encode_part(&raw->part[SL_PART_PROMPT], set->encoder, 1), "field \"prompt\""));
    for (int p = SL_PART_CHOSEN; p < SL_PARTS; p++)
        SL_TRY(sl_err_where(encode_answer(&is_mismatch, raw, p, set), "field \"%s\"",
                            sl_part_names[p]));
    data->report.prefix_mismatch += is_mismatch;
    return SL_OK;
}

static sl_status append_eos(sl_raw_part *part, int32_t eos)
{
    int32_t *ids = NULL;

    if (part->count && part->ids[part->count - 1] == eos)
        return SL_OK;
    SL_TRY(sl_take(&ids, part->count + 1, sizeof *ids));
    memcpy(ids, part->ids, part->count * sizeof *ids);
    ids[part->count++] = eos;
    sl_free(part->ids);
    part->ids = ids;
    return SL_OK;
}

static sl_status check_ids(const sl_raw *raw, size_t vocab)
{
    for (int p = 0; p < SL_PARTS; p++)
        for (size_t i = 0; vocab && i < raw->part[p].count; i++)
            if ((size_t)raw->part[p].ids[i] >= vocab)
                return SL_FAIL(SL_EFORMAT, "want token ids below %zu, found %d in field \"%s\"",
                               vocab, raw->part[p].ids[i], sl_part_names[p]);
    return SL_OK;
}

/* A prompt keeps its end, an answer its start; the count tells, the flag marks. */
static uint32_t cut(sl_raw_part *part, uint32_t most, int keeps_end, size_t *counter)
{
    if (part->count <= most)
        return 0;
    if (keeps_end)
        memmove(part->ids, part->ids + part->count - most, most * sizeof *part->ids);
    part->count = most;
    ++*counter;
    return 1;
}

static uint32_t cut_row(sl_raw *raw, sl_data *data, const sl_file_settings *set)
{
    sl_data_report *r = &data->report;
    uint32_t flags = 0;

    if (cut(&raw->part[SL_PART_PROMPT], set->max_prompt_tok, 1, &r->cut_prompt))
        flags |= SL_PAIR_PROMPT_CUT;
    if (cut(&raw->part[SL_PART_CHOSEN], set->max_answer_tok, 0, &r->cut_chosen))
        flags |= SL_PAIR_CHOSEN_CUT;
    if (cut(&raw->part[SL_PART_REJECTED], set->max_answer_tok, 0, &r->cut_rejected))
        flags |= SL_PAIR_REJECTED_CUT;
    for (int p = SL_PART_CHOSEN; set->eos >= 0 && p < SL_PARTS; p++)
        if (raw->part[p].ids[raw->part[p].count - 1] != set->eos)
            flags |= SL_PAIR_EOS_MISSING;
    r->eos_missing += (flags & SL_PAIR_EOS_MISSING) != 0;
    return flags;
}

/* No words, or none that the encoder kept; asked before a BOS or the end of turn hides it. */
static int is_empty(const sl_raw *raw)
{
    for (int p = 0; p < SL_PARTS; p++) {
        const sl_raw_part *part = &raw->part[p];

        if ((part->text && !part->text[0]) || ((part->ids || !part->text) && !part->count))
            return 1;
    }
    return 0;
}

static int is_long(const sl_raw *raw, const sl_file_settings *set)
{
    return raw->part[SL_PART_PROMPT].count > set->max_prompt_tok ||
           raw->part[SL_PART_CHOSEN].count > set->max_answer_tok ||
           raw->part[SL_PART_REJECTED].count > set->max_answer_tok;
}

/* Ids of what stands in the data, before any cut. */
static void identify(file_record *r, const sl_raw *raw)
{
    uint64_t id[SL_PARTS];

    for (int p = 0; p < SL_PARTS; p++) {
        const sl_raw_part *part = &raw->part[p];

        id[p] = part->text ? sl_hash_id(part->text, strlen(part->text))
                           : sl_hash_id(part->ids, part->count * sizeof *part->ids);
        r->part[p].id = id[p];
    }
    r->prompt_id = raw->prompt_id ? raw->prompt_id : id[SL_PART_PROMPT];
    r->id = sl_hash_id(id, sizeof id);
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
    to->chars = words ? code_points(words) : to->count;
    to->text = SIZE_MAX;
    f->token_count += part->count;
    return words && f->keeps_text ? keep_words(to, f, words) : SL_OK;
}

static sl_status store_row(file_state *f, const sl_raw *raw, file_record *r)
{
    if (f->count >= UINT32_MAX)
        return SL_FAIL(SL_EFORMAT, "want fewer than 2^32 pairs, found more");
    SL_TRY(sl_grow(&f->record, &f->capacity, f->count + 1, sizeof *f->record));
    for (int p = 0; p < SL_PARTS; p++)
        SL_TRY(store(&r->part[p], f, &raw->part[p]));
    f->record[f->count++] = *r;
    return SL_OK;
}

static sl_status add_raw(sl_data *data, const sl_file_settings *set, sl_raw *raw)
{
    file_record r = { .line = ((const file_state *)data->state)->line,
                      .score = { (float)raw->score[SL_PART_CHOSEN],
                                 (float)raw->score[SL_PART_REJECTED] } };

    if (!is_empty(raw))
        SL_TRY(encode_row(raw, data, set));
    if (is_empty(raw)) {
        data->report.empty++;
        return SL_OK;
    }
    SL_TRY(check_ids(raw, set->vocab));
    identify(&r, raw);
    for (int p = SL_PART_CHOSEN; raw->wants_eos && set->eos >= 0 && p < SL_PARTS; p++)
        SL_TRY(append_eos(&raw->part[p], set->eos));
    if (set->drop_long && is_long(raw, set)) {
        data->report.dropped_long++;
        return SL_OK;
    }
    r.flags |= cut_row(raw, data, set);
    SL_TRY(store_row(data->state, raw, &r));
    data->report.pairs++;
    return SL_OK;
}

sl_status sl_file_add_row(sl_data *data, const sl_file_settings *settings, const sl_json *row)
{
    sl_raw raw;
    sl_status st;

    SL_TRY(sl_format_read(&raw, row, settings->encoder));
    st = add_raw(data, settings, &raw);
    sl_raw_close(&raw);
    return st;
}
