/* Preference pairs from a file, as token ids in one array. Splits, order and length rules are
 * explicit: what is cut or dropped is counted, and a prompt never stands in two splits. */
#include "base/file.h"
#include "base/alloc.h"
#include "base/hash.h"
#include "base/rng.h"
#include "base/text.h"
#include "datasets/file_int.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { FILE_LIMIT = 1 << 30 }; /* bytes, after inflation */

static const file_record *record_at(const sl_data *data, sl_split split, uint64_t iteration,
                                    uint64_t index)
{
    file_state *f = data->state;

    if (split != SL_SPLIT_TRAIN)
        return index < f->probe_count ? &f->record[f->probe[index]] : NULL;
    if (index >= f->train_count)
        return NULL;
    if (f->is_in_file_order)
        return &f->record[f->train[index]];
    if (f->ordered_iteration != (int64_t)iteration) { /* an order of its own for every iteration */
        sl_rng rng = sl_rng_at(f->seed, sl_rng_stream("file order"), iteration);

        for (size_t i = 0; i < f->train_count; i++)
            f->order[i] = (uint32_t)i;
        sl_rng_shuffle(&rng, f->order, f->train_count);
        f->ordered_iteration = (int64_t)iteration;
    }
    return &f->record[f->train[f->order[index]]];
}

static sl_status no_record(uint64_t index)
{
    return SL_FAIL(SL_EARG, "want a prompt of the file, found index %llu beyond its end",
                   (unsigned long long)index);
}

static sl_status check_parts(const file_record *r, uint32_t wanted)
{
    if (r->parts >= wanted)
        return SL_OK;
    return SL_FAIL(SL_EARG, "want %s, found a row without, on line %" PRIu64 " of the file",
                   wanted == SL_PARTS ? "a pair of answers" : "an answer", r->line);
}

static const int32_t *copy_part(int32_t *to, const file_state *f, const file_part *part)
{
    memcpy(to, f->token + part->first, part->count * sizeof *to);
    return to;
}

static const char *words_of(const file_state *f, const file_part *part)
{
    return part->text == SIZE_MAX ? NULL : f->text + part->text;
}

static sl_prompt_text read_prompt(int32_t *token, const file_state *f, const file_record *r)
{
    return (sl_prompt_text){ .token = copy_part(token, f, &r->part[SL_PART_PROMPT]),
                             .count = r->part[SL_PART_PROMPT].count,
                             .id = r->prompt_id,
                             .text = words_of(f, &r->part[SL_PART_PROMPT]) };
}

static sl_answer read_answer(int32_t *token, const file_state *f, const file_record *r, int part)
{
    const file_part *p = &r->part[part];

    return (sl_answer){ .token = copy_part(token, f, p),
                        .count = p->count,
                        .bytes = p->bytes,
                        .chars = p->chars,
                        .id = p->id,
                        .score = r->score[part - SL_PART_CHOSEN],
                        .text = words_of(f, p) };
}

static sl_status file_prompt(sl_prompt_text *out, int32_t *token, const sl_data *data,
                             sl_split split, uint64_t iteration, uint64_t index)
{
    const file_record *r = record_at(data, split, iteration, index);

    if (!r)
        return no_record(index);
    *out = read_prompt(token, data->state, r);
    return SL_OK;
}

static int has_reference(const file_record *r)
{
    return !isnan(r->ref_logp[0]) && !isnan(r->ref_logp[1]);
}

static sl_status file_pair(sl_pair *out, int32_t *token, const sl_data *data, uint64_t iteration,
                           uint64_t index)
{
    const file_record *r = record_at(data, SL_SPLIT_TRAIN, iteration, index);
    int32_t *answers = token + data->limits.prompt_tok;

    if (!r)
        return no_record(index);
    SL_TRY(check_parts(r, SL_PARTS));
    *out = (sl_pair){ .prompt = read_prompt(token, data->state, r),
                      .chosen = read_answer(answers, data->state, r, SL_PART_CHOSEN),
                      .rejected = read_answer(answers + data->limits.answer_tok, data->state, r,
                                              SL_PART_REJECTED),
                      .id = r->id,
                      .label_p = r->label_p,
                      .weight = 1.0f,
                      .flags = r->flags,
                      .line = r->line,
                      .source = SL_SOURCE_STATIC,
                      .has_ref_logp = has_reference(r),
                      .ref_logp_c = r->ref_logp[0],
                      .ref_logp_r = r->ref_logp[1] };
    return SL_OK;
}

static sl_status file_candidates(sl_answer *answer, size_t *count, int32_t *token,
                                 const sl_data *data, sl_split split, uint64_t iteration,
                                 uint64_t index, size_t want)
{
    const file_record *r = record_at(data, split, iteration, index);

    if (!r)
        return no_record(index);
    *count = want < r->parts - 1 ? want : r->parts - 1;
    for (size_t i = 0; i < *count; i++)
        answer[i] = read_answer(token + i * data->limits.answer_tok, data->state, r,
                                SL_PART_CHOSEN + (int)i);
    return SL_OK;
}

static sl_status file_imitation(sl_prompt_text *prompt, sl_answer *answer, int32_t *token,
                                const sl_data *data, uint64_t iteration, uint64_t index)
{
    const file_record *r = record_at(data, SL_SPLIT_TRAIN, iteration, index);

    if (!r)
        return no_record(index);
    SL_TRY(check_parts(r, SL_PART_CHOSEN + 1));
    *prompt = read_prompt(token, data->state, r);
    *answer = read_answer(token + data->limits.prompt_tok, data->state, r, SL_PART_CHOSEN);
    return SL_OK;
}

static void file_close(sl_data *data)
{
    file_state *f = data->state;

    if (!f)
        return;
    sl_free(f->token);
    sl_free(f->text);
    sl_free(f->record);
    sl_free(f->train);
    sl_free(f->order);
    sl_free(f->probe);
    sl_free(f);
}

static const sl_data_ops file_ops = {
    .prompt = file_prompt,
    .static_pair = file_pair,
    .static_candidates = file_candidates,
    .imitation = file_imitation,
    .close = file_close,
};

/* --- opening --------------------------------------------------------------------------------- */

static void fit_limits(sl_data *data, const sl_file_settings *set)
{
    const file_state *f = data->state;
    sl_data_limits *l = &data->limits;

    for (size_t i = 0; i < f->count; i++)
        for (int p = 0; p < SL_PARTS; p++) {
            uint32_t *most = p == SL_PART_PROMPT ? &l->prompt_tok : &l->answer_tok;

            *most = f->record[i].part[p].count > *most ? f->record[i].part[p].count : *most;
        }
    if (set->wants == SL_WANTS_PROMPTS) /* answers come from elsewhere */
        l->answer_tok = set->max_answer_tok;
    l->train_count = f->train_count;
    l->probe_count = f->probe_count;
    if (set->eos >= 0)
        l->stop[l->stop_count++] = set->eos;
    for (uint32_t i = 0; i < set->stop_count; i++)
        l->stop[l->stop_count++] = set->stop[i];
    for (uint32_t i = 0; i < l->stop_count; i++)
        l->vocab = (size_t)l->stop[i] >= l->vocab ? (size_t)l->stop[i] + 1 : l->vocab;
    for (size_t i = 0; i < f->token_count; i++)
        l->vocab = (size_t)f->token[i] >= l->vocab ? (size_t)f->token[i] + 1 : l->vocab;
}

/* Takes the error of a row as a finding; every other error stays one. */
static sl_status tolerate(file_state *f, sl_status st, sl_fault fault)
{
    const char *field = strstr(sl_err_place(), "field ");
    char what[160];

    if (!f->audit || st != SL_EFORMAT)
        return st;
    snprintf(what, sizeof what, "%s%s%s", field ? field : "", field ? ": " : "", sl_err_message());
    sl_err_clear();
    sl_file_count(f, fault, f->line, NULL, what);
    return SL_OK;
}

static sl_status read_line(sl_data *data, const sl_file_settings *set, sl_span line)
{
    const int is_text = sl_text_is_utf8(line.at, line.bytes);
    file_state *f = data->state;
    sl_json *row = NULL;
    char where[1200];
    sl_status st;

    data->report.rows++;
    snprintf(where, sizeof where, "%.1100s:%" PRIu64, set->path, f->line);
    st = sl_json_parse(&row, line.at, line.bytes, where);
    if (st == SL_OK)
        st = sl_err_where(sl_file_add_row(data, set, row), "%s", where);
    sl_json_close(&row);
    return tolerate(f, st, is_text ? SL_FAULT_UNREADABLE : SL_FAULT_NOT_UTF8);
}

static sl_status read_lines(sl_data *data, const sl_file_settings *set, sl_span rest)
{
    file_state *f = data->state;
    sl_span line;

    while (sl_text_line(&line, &rest)) {
        f->line++;
        if (line.bytes)
            SL_TRY(read_line(data, set, line));
    }
    return SL_OK;
}

/* A file that is one JSON list: its places are those of the list. */
static sl_status read_list(sl_data *data, const sl_file_settings *set, sl_span text)
{
    file_state *f = data->state;
    sl_json *list = NULL;
    sl_status st = SL_OK;

    SL_TRY(sl_json_parse(&list, text.at, text.bytes, set->path));
    for (size_t i = 0; st == SL_OK && i < json_array_size(list); i++) {
        f->line = i + 1;
        data->report.rows++;
        st = sl_err_where(sl_file_add_row(data, set, json_array_get(list, i)), "%.1100s:%zu",
                          set->path, i + 1);
        st = tolerate(f, st, SL_FAULT_UNREADABLE);
    }
    sl_json_close(&list);
    return st;
}

static sl_status read_rows(sl_data *data, const sl_file_settings *set, const char *text,
                           size_t bytes)
{
    const size_t blanks = strspn(text, SL_BLANKS);

    return text[blanks] == '[' ? read_list(data, set, (sl_span){ text, bytes })
                               : read_lines(data, set, (sl_span){ text, bytes });
}

static void fill_report(sl_data *data)
{
    const file_state *f = data->state;
    const struct {
        size_t *to;
        sl_fault fault;
    } counts[] = {
        { &data->report.empty, SL_FAULT_EMPTY },
        { &data->report.ties, SL_FAULT_TIE },
        { &data->report.dropped_long, SL_FAULT_TOO_LONG },
        { &data->report.cut_prompt, SL_FAULT_CUT_PROMPT },
        { &data->report.cut_chosen, SL_FAULT_CUT_CHOSEN },
        { &data->report.cut_rejected, SL_FAULT_CUT_REJECTED },
        { &data->report.eos_missing, SL_FAULT_EOS_MISSING },
        { &data->report.duplicates, SL_FAULT_DUPLICATE },
        { &data->report.contradictions, SL_FAULT_CONTRADICTION },
        { &data->report.same_answers, SL_FAULT_SAME_ANSWERS },
        { &data->report.prefix_mismatch, SL_FAULT_PREFIX_MISMATCH },
        { &data->report.double_bos, SL_FAULT_DOUBLE_BOS },
    };

    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        *counts[i].to = f->tally[counts[i].fault].count;
    data->report.pairs = f->count;
    data->report.probe_prompts = f->probe_count;
    for (size_t i = 0; i < f->count; i++)
        data->report.referenced += has_reference(&f->record[i]);
    data->report.held_bytes = f->token_capacity * sizeof *f->token + f->text_capacity +
                              f->capacity * sizeof *f->record + 2 * f->count * sizeof *f->train +
                              f->count * sizeof *f->probe;
}

static void hash_bytes(char out[65], const char *text, size_t bytes)
{
    unsigned char digest[32];
    sl_sha256 sha;

    sl_sha256_open(&sha);
    sl_sha256_add(&sha, text, bytes);
    sl_sha256_close(&sha, digest);
    sl_sha256_hex(out, digest);
}

static sl_status load(sl_data *data, const sl_file_settings *set, const sl_audit_settings *audit)
{
    file_state *f;
    char *text = NULL;
    size_t bytes;
    sl_status st = SL_OK;

    SL_TRY(sl_take(&data->state, 1, sizeof *f));
    f = data->state;
    f->seed = set->seed;
    f->is_in_file_order = set->is_in_file_order;
    f->keeps_text = set->keeps_text;
    f->audit = audit;
    SL_TRY(sl_audit_begin(f));
    f->ordered_iteration = -1;
    SL_TRY(sl_file_read(&text, &bytes, set->path, FILE_LIMIT));
    hash_bytes(data->hash, text, bytes);
    SL_TRY_OUT(read_rows(data, set, text, bytes));
    if (!f->count && !audit)
        SL_TRY_OUT(sl_err_where(
            SL_FAIL(SL_EFORMAT,
                    "want at least one row to keep, found none in %zu rows (%zu empty, %zu ties, "
                    "%zu too long)",
                    data->report.rows, f->tally[SL_FAULT_EMPTY].count, f->tally[SL_FAULT_TIE].count,
                    f->tally[SL_FAULT_TOO_LONG].count),
            "%s", set->path));
    SL_TRY_OUT(sl_file_count_repeats(data));
    SL_TRY_OUT(sl_file_split(data, set->probe_share));
    if (!f->train_count && !audit && set->probe_share < 1.0)
        SL_TRY_OUT(sl_err_hint(
            sl_err_where(SL_FAIL(SL_EFORMAT,
                                 "want a prompt to train on, found all %zu held out for probes",
                                 f->probe_count),
                         "%s", set->path),
            "data.probe_share is the share that is held out"));
    fit_limits(data, set);
    fill_report(data);
out:
    sl_free(text);
    return st;
}

static sl_status check(const sl_file_settings *s)
{
    if (s->max_prompt_tok < 1 || s->max_answer_tok < 1)
        return SL_FAIL(SL_EARG, "want room for a prompt and an answer, found %u and %u tokens",
                       s->max_prompt_tok, s->max_answer_tok);
    if (!(s->probe_share >= 0.0 && s->probe_share <= 1.0))
        return SL_FAIL(SL_EARG, "want a share of probes in [0,1], found %g", s->probe_share);
    if (s->stop_count >= SL_STOPS)
        return SL_FAIL(SL_EARG, "want fewer than %d ends of turn, found %u", SL_STOPS,
                       s->stop_count);
    if (s->eos < -1 || (s->vocab && s->eos >= 0 && (size_t)s->eos >= s->vocab))
        return SL_FAIL(SL_EARG, "want an end of turn below %zu, found %d", s->vocab, s->eos);
    return SL_OK;
}

sl_status sl_file_open(sl_data **out, const sl_file_settings *settings,
                       const sl_audit_settings *audit)
{
    sl_data *d = NULL;
    sl_status st;

    SL_TRY(check(settings));
    SL_TRY(sl_take(&d, 1, sizeof *d));
    d->ops = &file_ops;
    st = load(d, settings, audit);
    if (st != SL_OK)
        sl_data_close(&d);
    *out = d;
    return st;
}

sl_status sl_data_open_file(sl_data **out, const sl_file_settings *settings)
{
    return sl_file_open(out, settings, NULL);
}
