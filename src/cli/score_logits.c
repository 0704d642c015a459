/* Logits of every position of sequences of token ids, flat, with the offsets of the rows: the form
 * in which other programs' numbers are compared with ours. */
#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/progress.h"
#include "cli/score.h"
#include "judge/scorer.h"
#include "run/arrays.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define ROWS_MAX_BYTES ((size_t)1 << 30)

typedef struct dumping {
    const sl_score_opts *opts;
    sl_model *model;
    sl_scorer scorer;
    int32_t *ids; /* (total) all rows */
    size_t total, capacity;
    int64_t *offsets; /* (rows + 1) */
    size_t rows, offset_capacity;
    size_t longest;
    uint32_t k;                 /* of top; 0: all of the vocabulary */
    float *lse, *logp, *values; /* (total), (total), (total, k or V) */
    int32_t *top;               /* (total, k) */
    float *z;                   /* (longest + 1, V) when all are wanted */
    int32_t *answer;            /* (longest + 1) */
} dumping;

static sl_status parse_width(dumping *d)
{
    const char *text = d->opts->logits;
    const size_t V = sl_model_config(d->model)->V;
    int64_t k = 0;

    if (!strcmp(text, "all"))
        return SL_OK;
    if (strncmp(text, "top=", 4) != 0)
        return SL_FAIL(SL_EUSAGE, "want --logits top=K or all, found \"%s\"", text);
    SL_TRY(sl_err_where(sl_text_i64(&k, text + 4), "--logits"));
    if (k < 1 || (size_t)k > V)
        return SL_FAIL(SL_EUSAGE, "want --logits top=K with K in [1, %zu], found %lld", V,
                       (long long)k);
    d->k = (uint32_t)k;
    return SL_OK;
}

static sl_status add_id(dumping *d, const sl_json *value)
{
    const json_int_t id = json_is_integer(value) ? json_integer_value(value) : -1;

    if (id < 0 || (size_t)id >= sl_model_config(d->model)->V)
        return SL_FAIL(SL_EFORMAT, "field \"ids\": want token ids in [0, %zu), found %lld",
                       sl_model_config(d->model)->V, (long long)id);
    SL_TRY(sl_grow(&d->ids, &d->capacity, d->total + 1, sizeof *d->ids));
    d->ids[d->total++] = (int32_t)id;
    return SL_OK;
}

static sl_status add_row(dumping *d, const sl_json *row)
{
    const sl_json *ids = json_object_get(row, "ids"), *value;
    const size_t most = sl_model_config(d->model)->max_positions, count = json_array_size(ids);
    size_t i;

    if (!count || count > most)
        return SL_FAIL(SL_EFORMAT, "field \"ids\": want 1 to %zu token ids, found %zu", most,
                       count);
    json_array_foreach(ids, i, value) SL_TRY(add_id(d, value));
    d->longest = count > d->longest ? count : d->longest;
    SL_TRY(sl_grow(&d->offsets, &d->offset_capacity, d->rows + 2, sizeof *d->offsets));
    d->offsets[++d->rows] = (int64_t)d->total;
    return SL_OK;
}

static sl_status read_rows(dumping *d, const char *text, size_t bytes)
{
    sl_span rest = { text, bytes }, line;
    size_t number = 0;

    while (sl_text_line(&line, &rest)) {
        sl_json *row = NULL;
        char where[1200];
        sl_status st;

        number++;
        if (!line.bytes)
            continue;
        (void)snprintf(where, sizeof where, "%.1100s:%zu", d->opts->ids_file, number);
        SL_TRY(sl_json_parse(&row, line.at, line.bytes, where));
        st = sl_err_where(add_row(d, row), "%s", where);
        sl_json_close(&row);
        SL_TRY(st);
    }
    if (!d->rows)
        return sl_err_where(SL_FAIL(SL_EFORMAT, "want rows {\"ids\": [...]}, found none"), "%s",
                            d->opts->ids_file);
    return SL_OK;
}

static sl_status open_memory(dumping *d, const sl_backend *backend)
{
    const sl_config *c = sl_model_config(d->model);
    const size_t T = d->longest + 1, width = d->k ? d->k : c->V;
    const sl_packed_limits limits = { .T = T, .S = 2, .B = 1, .N = T, .positions = T };
    size_t bytes = 0;

    SL_TRY(sl_mul(&bytes, d->total, width * sizeof *d->values));
    if (bytes > ROWS_MAX_BYTES)
        return sl_err_hint(SL_FAIL(SL_EARG, "want at most 1 GiB of logits, found %zu tokens of %zu",
                                   d->total, width),
                           "--logits top=K, or fewer rows");
    SL_TRY(sl_take(&d->lse, d->total, sizeof *d->lse));
    SL_TRY(sl_take(&d->logp, d->total, sizeof *d->logp));
    SL_TRY(sl_take(&d->values, d->total * width, sizeof *d->values));
    SL_TRY(sl_take(&d->answer, T, sizeof *d->answer));
    if (d->k)
        SL_TRY(sl_take(&d->top, d->total * width, sizeof *d->top));
    else
        SL_TRY(sl_take(&d->z, T * width, sizeof *d->z));
    return sl_scorer_open(&d->scorer, c, backend, &limits, d->k, 0);
}

/* The first token is the prompt, what follows the answer; one token more, whose own row nobody
 * reads, makes a target of the last row too. */
static sl_status run_row(dumping *d, size_t r)
{
    const size_t at = (size_t)d->offsets[r], n = (size_t)d->offsets[r + 1] - at;
    const size_t width = d->k ? d->k : sl_model_config(d->model)->V;
    const sl_sequence sequence = { .prompt = { .token = d->ids + at, .count = 1, .id = 1 },
                                   .answer = { .token = d->answer, .count = (uint32_t)n } };

    memcpy(d->answer, d->ids + at + 1, (n - 1) * sizeof *d->answer);
    d->answer[n - 1] = 0;
    SL_TRY(sl_scorer_run(&d->scorer, d->model, &sequence, 1));
    for (size_t i = 0; i < n; i++) {
        d->lse[at + i] = d->scorer.stats[i].lse;
        d->logp[at + i] = i + 1 < n ? d->scorer.logp[i] : NAN;
        for (size_t j = 0; j < d->k; j++) {
            d->top[(at + i) * width + j] = d->scorer.top.id[i * width + j];
            d->values[(at + i) * width + j] = d->scorer.top.logp[i * width + j] + d->lse[at + i];
        }
    }
    if (!d->k) {
        SL_TRY(sl_model_logits(d->z, d->model, d->scorer.work, &d->scorer.packer.packed));
        memcpy(d->values + at * width, d->z, n * width * sizeof *d->z);
    }
    return SL_OK;
}

static sl_status write_all(const dumping *d)
{
    const size_t width = d->k ? d->k : sl_model_config(d->model)->V;
    const size_t total[2] = { d->total, width }, rows = d->rows + 1;
    sl_arrays *out = NULL;
    sl_status st = SL_OK;

    SL_TRY(sl_arrays_create(&out, d->opts->out));
    SL_TRY_OUT(sl_arrays_write(out, "ids", SL_ARRAY_I32, d->ids, total, 1));
    SL_TRY_OUT(sl_arrays_write(out, "offsets", SL_ARRAY_I64, d->offsets, &rows, 1));
    SL_TRY_OUT(sl_arrays_write(out, "logsumexp", SL_ARRAY_F32, d->lse, total, 1));
    SL_TRY_OUT(sl_arrays_write(out, "token_logps", SL_ARRAY_F32, d->logp, total, 1));
    if (d->k)
        SL_TRY_OUT(sl_arrays_write(out, "top/ids", SL_ARRAY_I32, d->top, total, 2));
    SL_TRY_OUT(
        sl_arrays_write(out, d->k ? "top/logits" : "logits", SL_ARRAY_F32, d->values, total, 2));
    st = sl_arrays_finish(&out);
out:
    sl_arrays_close(&out);
    return st;
}

static sl_status run_all(dumping *d, const sl_backend *backend)
{
    sl_progress_line line;
    sl_status st = SL_OK;

    SL_TRY(open_memory(d, backend));
    sl_progress_open(&line, "score", d->opts->is_quiet);
    for (size_t r = 0; st == SL_OK && r < d->rows; r++) {
        st = run_row(d, r);
        sl_progress_count(&line, r + 1, d->rows, "rows");
    }
    sl_progress_close(&line);
    SL_TRY(st);
    SL_TRY(write_all(d));
    printf("%s\n", d->opts->out);
    return SL_OK;
}

sl_status sl_score_logits(const sl_score_opts *o, const sl_backend *backend)
{
    dumping d = { .opts = o };
    char *text = NULL;
    size_t bytes;
    sl_status st = SL_OK;

    SL_TRY_OUT(sl_file_read(&text, &bytes, o->ids_file, ROWS_MAX_BYTES));
    SL_TRY_OUT(sl_model_load(&d.model, o->model, backend, 0));
    SL_TRY_OUT(parse_width(&d));
    SL_TRY_OUT(sl_grow(&d.offsets, &d.offset_capacity, 1, sizeof *d.offsets));
    d.offsets[0] = 0;
    SL_TRY_OUT(read_rows(&d, text, bytes));
    st = run_all(&d, backend);
out:
    sl_scorer_close(&d.scorer);
    sl_model_close(&d.model);
    sl_free(d.lse);
    sl_free(d.logp);
    sl_free(d.values);
    sl_free(d.answer);
    sl_free(d.top);
    sl_free(d.z);
    sl_free(d.ids);
    sl_free(d.offsets);
    sl_free(text);
    return st;
}
