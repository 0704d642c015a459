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

static sl_status file_pair(sl_pair *out, int32_t *token, const sl_data *data, uint64_t iteration,
                           uint64_t index)
{
    const file_record *r = record_at(data, SL_SPLIT_TRAIN, iteration, index);
    int32_t *answers = token + data->limits.prompt_tok;

    if (!r)
        return no_record(index);
    *out = (sl_pair){ .prompt = read_prompt(token, data->state, r),
                      .chosen = read_answer(answers, data->state, r, SL_PART_CHOSEN),
                      .rejected = read_answer(answers + data->limits.answer_tok, data->state, r,
                                              SL_PART_REJECTED),
                      .id = r->id,
                      .label_p = NAN,
                      .weight = 1.0f,
                      .flags = r->flags,
                      .line = r->line,
                      .source = SL_SOURCE_STATIC };
    return SL_OK;
}

static sl_status file_candidates(sl_answer *answer, size_t *count, int32_t *token,
                                 const sl_data *data, sl_split split, uint64_t iteration,
                                 uint64_t index, size_t want)
{
    const file_record *r = record_at(data, split, iteration, index);

    if (!r)
        return no_record(index);
    *count = want < 2 ? want : 2;
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
    l->vocab = (size_t)(set->eos + 1);
    for (size_t i = 0; i < f->token_count; i++)
        l->vocab = (size_t)f->token[i] >= l->vocab ? (size_t)f->token[i] + 1 : l->vocab;
    data->report.held_bytes = f->token_capacity * sizeof *f->token + f->text_capacity +
                              f->capacity * sizeof *f->record + 2 * f->count * sizeof *f->train +
                              f->count * sizeof *f->probe;
    l->train_count = f->train_count;
    l->probe_count = f->probe_count;
    l->stop_count = set->eos >= 0;
    l->stop[0] = set->eos;
}

static sl_status read_rows(sl_data *data, const sl_file_settings *set, const char *text,
                           size_t bytes)
{
    sl_span rest = { text, bytes }, line;
    file_state *f = data->state;

    while (sl_text_line(&line, &rest)) {
        sl_json *row = NULL;
        char where[1200];
        sl_status st;

        f->line++;
        if (!line.bytes)
            continue;
        data->report.rows++;
        snprintf(where, sizeof where, "%.1100s:%" PRIu64, set->path, f->line);
        SL_TRY(sl_json_parse(&row, line.at, line.bytes, where));
        st = sl_err_where(sl_file_add_row(data, set, row), "%s", where);
        sl_json_close(&row);
        SL_TRY(st);
    }
    return SL_OK;
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

static sl_status load(sl_data *data, const sl_file_settings *set)
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
    f->ordered_iteration = -1;
    SL_TRY(sl_file_read(&text, &bytes, set->path, FILE_LIMIT));
    hash_bytes(data->hash, text, bytes);
    SL_TRY_OUT(read_rows(data, set, text, bytes));
    if (!f->count)
        SL_TRY_OUT(
            sl_err_where(SL_FAIL(SL_EFORMAT,
                                 "want at least one pair, found none in %zu "
                                 "rows (%zu empty, %zu too long)",
                                 data->report.rows, data->report.empty, data->report.dropped_long),
                         "%s", set->path));
    SL_TRY_OUT(sl_file_count_repeats(data));
    SL_TRY_OUT(sl_file_split(data, set->probe_share));
    if (!f->train_count)
        SL_TRY_OUT(sl_err_hint(
            sl_err_where(SL_FAIL(SL_EFORMAT,
                                 "want a prompt to train on, found all %zu held out for probes",
                                 f->probe_count),
                         "%s", set->path),
            "data.probe_share is the share that is held out"));
    fit_limits(data, set);
out:
    sl_free(text);
    return st;
}

static sl_status check(const sl_file_settings *s)
{
    if (s->max_prompt_tok < 1 || s->max_answer_tok < 1)
        return SL_FAIL(SL_EARG, "want room for a prompt and an answer, found %u and %u tokens",
                       s->max_prompt_tok, s->max_answer_tok);
    if (!(s->probe_share >= 0.0 && s->probe_share < 1.0))
        return SL_FAIL(SL_EARG, "want a share of probes in [0,1), found %g", s->probe_share);
    if (s->eos < -1 || (s->vocab && s->eos >= 0 && (size_t)s->eos >= s->vocab))
        return SL_FAIL(SL_EARG, "want an end of turn below %zu, found %d", s->vocab, s->eos);
    return SL_OK;
}

sl_status sl_data_open_file(sl_data **out, const sl_file_settings *settings)
{
    sl_data *d = NULL;
    sl_status st;

    SL_TRY(check(settings));
    SL_TRY(sl_take(&d, 1, sizeof *d));
    d->ops = &file_ops;
    st = load(d, settings);
    if (st != SL_OK)
        sl_data_close(&d);
    *out = d;
    return st;
}
