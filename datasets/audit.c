/* An audit of a whole file: the reader's counts, and what only all records together show. */
#include "base/sort.h"
#include "datasets/audit.h"
#include "base/alloc.h"
#include "datasets/file_int.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- without a tokenizer: a byte is a token -------------------------------------------------- */

static sl_status encode_bytes(void *state, int32_t **ids, size_t *count, const char *text,
                              int is_start)
{
    (void)is_start;
    *(int *)state = 1;
    *count = strlen(text);
    SL_TRY(sl_take(ids, *count + 1, sizeof **ids));
    for (size_t i = 0; i < *count; i++)
        (*ids)[i] = (unsigned char)text[i];
    return SL_OK;
}

static sl_status render_plain(void *state, char **text, const sl_message *message, size_t count,
                              int is_prompt)
{
    size_t bytes = 1;

    (void)state, (void)is_prompt;
    for (size_t i = 0; i < count; i++)
        bytes += strlen(message[i].content) + 1;
    SL_TRY(sl_take(text, bytes, 1));
    for (char *to = *text; count > 0; count--, message++) {
        strcat(strcat(to, message->content), "\n");
        to += strlen(to);
    }
    return SL_OK;
}

int sl_audit_is_stand_in(const sl_encoder *encoder)
{
    return encoder && encoder->encode == encode_bytes;
}

/* The settings that an audit reads by: every fault is counted, rows stay in their order. */
static sl_audit_settings settle(const sl_audit_settings *settings, const sl_encoder *bytes)
{
    sl_audit_settings set = *settings;

    set.file.is_in_file_order = 1;
    set.file.keeps_text = 0;
    if (set.file.encoder)
        return set;
    set.file.encoder = bytes;
    set.has_special = NULL;
    return set;
}

/* --- all records together -------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* *id, owned by the caller: (count) words of prompts in rising order. */
static sl_status sorted_prompts(uint64_t **id, const file_state *f)
{
    SL_TRY(sl_take(id, f->count, sizeof **id));
    for (size_t i = 0; i < f->count; i++)
        (*id)[i] = f->record[i].words_id;
    sl_sort(*id, f->count, sizeof **id, by_value);
    return SL_OK;
}

static sl_status count_prompts(sl_audit *out, const file_state *f)
{
    uint64_t *id = NULL;

    SL_TRY(sorted_prompts(&id, f));
    for (size_t i = 0; i < f->count; i++)
        out->prompts += !i || id[i] != id[i - 1];
    sl_free(id);
    return SL_OK;
}

static sl_status find_overlap(file_state *f, const sl_audit_settings *set)
{
    sl_audit_settings other = *set;
    sl_data *probe = NULL;
    uint64_t *id = NULL;
    const file_state *p;
    sl_status st = SL_OK;

    if (!set->probe)
        return SL_OK;
    other.file.path = set->probe;
    other.file.wants = SL_WANTS_PROMPTS;
    other.file.probe_share = 0.0;
    SL_TRY(sl_file_open(&probe, &other.file, &other));
    p = probe->state;
    SL_TRY_OUT(sorted_prompts(&id, p));
    for (size_t i = 0; i < f->count; i++)
        if (bsearch(&f->record[i].words_id, id, p->count, sizeof *id, by_value))
            sl_file_count(f, SL_FAULT_PROBE_OVERLAP, f->record[i].line, "prompt", NULL);
out:
    sl_free(id);
    sl_data_close(&probe);
    return st;
}

static void measure_lengths(sl_audit_lengths *l, const file_state *f)
{
    double sum[SL_PARTS] = { 0.0 }, tok[SL_PARTS] = { 0.0 }, pairs = 0.0;

    for (size_t i = 0; i < f->count; i++) {
        const file_part *part = f->record[i].part;
        const uint32_t c = part[SL_PART_CHOSEN].chars, r = part[SL_PART_REJECTED].chars;

        if (f->record[i].parts < SL_PARTS)
            continue;
        pairs += 1.0;
        l->chosen_longer += c > r;
        l->chosen_shorter += c < r;
        l->equal += c == r;
        for (int p = 0; p < SL_PARTS; p++) {
            sum[p] += part[p].chars;
            tok[p] += part[p].count;
        }
    }
    l->prompt_chars = sum[SL_PART_PROMPT] / pairs;
    l->chosen_chars = sum[SL_PART_CHOSEN] / pairs;
    l->rejected_chars = sum[SL_PART_REJECTED] / pairs;
    l->prompt_tok = tok[SL_PART_PROMPT] / pairs;
    l->chosen_tok = tok[SL_PART_CHOSEN] / pairs;
    l->rejected_tok = tok[SL_PART_REJECTED] / pairs;
}

/* Longer answers win more than 60 % of the pairs that length tells apart, and that is more than
 * three standard errors of a fair coin above half. */
static void judge_lengths(file_state *f, const sl_audit_lengths *l)
{
    const double n = (double)(l->chosen_longer + l->chosen_shorter);
    const double share = (double)l->chosen_longer / n;

    if (share > 0.6 && (share - 0.5) * 2.0 * sqrt(n) > 3.0)
        f->tally[SL_FAULT_LENGTH_BIAS].count = l->chosen_longer;
}

static uint32_t row_tokens(const file_record *r)
{
    const uint32_t c = r->part[SL_PART_CHOSEN].count, j = r->part[SL_PART_REJECTED].count;

    return r->part[SL_PART_PROMPT].count + (c > j ? c : j);
}

/* The three longest rows, the longest first, after the length rules. */
static void find_longest(file_state *f, int has_tokens)
{
    const file_record *top[SL_FAULT_PLACES] = { NULL };
    char what[64];

    for (size_t i = 0; i < f->count; i++) {
        const file_record *r = &f->record[i];

        for (size_t k = 0; k < SL_FAULT_PLACES && r; k++)
            if (!top[k] || row_tokens(r) > row_tokens(top[k])) {
                const file_record *beaten = top[k];

                top[k] = r;
                r = beaten;
            }
    }
    for (size_t k = 0; k < SL_FAULT_PLACES && top[k]; k++) {
        snprintf(what, sizeof what, "%u %s", row_tokens(top[k]), has_tokens ? "tokens" : "bytes");
        sl_file_count(f, SL_FAULT_LONGEST, top[k]->line, NULL, what);
    }
}

static void list_formats(sl_audit *out, const file_state *f)
{
    for (size_t i = 0; i < SL_FORMATS; i++) {
        if (!f->format_rows[i])
            continue;
        out->format[out->format_count].name = sl_formats[i]->name;
        out->format[out->format_count++].rows = f->format_rows[i];
    }
}

static sl_status look(sl_audit *out, sl_data *data, const sl_audit_settings *set)
{
    file_state *f = data->state;

    out->report = *sl_data_report_of(data);
    memcpy(out->hash, sl_data_hash(data), sizeof out->hash);
    list_formats(out, f);
    SL_TRY(count_prompts(out, f));
    SL_TRY(find_overlap(f, set));
    measure_lengths(&out->lengths, f);
    judge_lengths(f, &out->lengths);
    find_longest(f, out->has_tokens);
    memcpy(out->tally, f->tally, sizeof out->tally);
    return SL_OK;
}

sl_status sl_audit_file(sl_audit *out, const sl_audit_settings *settings)
{
    int is_bytes = 0; /* whether the stand-in was used */
    const sl_encoder bytes = { .state = &is_bytes, .encode = encode_bytes, .render = render_plain };
    const sl_audit_settings set = settle(settings, &bytes);
    sl_data *data = NULL;
    sl_status st;

    *out = (sl_audit){ 0 };
    SL_TRY(sl_file_open(&data, &set.file, &set));
    out->has_tokens = !is_bytes;
    st = look(out, data, &set);
    sl_data_close(&data);
    return st;
}
