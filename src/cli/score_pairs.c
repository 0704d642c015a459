/* Pairs of a file, batch by batch, in the file's order. */
#include "base/alloc.h"
#include "base/file.h"
#include "cli/progress.h"
#include "cli/score_rows.h"
#include "judge/scorer.h"
#include "text/encoder.h"
#include "train/memory.h"
#include <inttypes.h>
#include <math.h>

enum { PAIRS_MOST = 256, SIDES = SL_SCORE_SIDES };

typedef struct scoring {
    const sl_score_opts *opts;
    sl_model *model, *reference;
    sl_data *data;
    sl_scorer scorer;
    sl_arena arena;
    sl_pair *pair;         /* (PAIRS_MOST) */
    int32_t *token;        /* (PAIRS_MOST, stride) */
    sl_sequence *sequence; /* (SIDES * PAIRS_MOST) */
    sl_score_row *rows;    /* (count) */
    size_t count, stride;
} scoring;

static sl_status open_file(scoring *s, const sl_file_settings *set, const char *tokenizer)
{
    sl_text_encoder *text = NULL;
    sl_file_settings file = *set;
    sl_encoder encoder;
    sl_status st;

    if (!s->opts->is_ids && tokenizer) {
        SL_TRY(sl_text_encoder_open(&text, tokenizer));
        encoder = (sl_encoder){ text, sl_text_encode, sl_text_render };
        file.encoder = &encoder;
    }
    st = sl_data_open_file(&s->data, &file);
    sl_text_encoder_close(&text);
    return st;
}

/* The tokenizer named, or the model's; NULL: the model has none and rows must be ids. */
static sl_status open_data(scoring *s)
{
    const sl_score_opts *o = s->opts;
    const sl_config *c = sl_model_config(s->model);
    char path[4096];
    const char *tokenizer = o->tokenizer;
    const sl_file_settings set = {
        .path = o->data,
        .max_prompt_tok = o->max_prompt ? (uint32_t)o->max_prompt : (uint32_t)c->max_positions,
        .max_answer_tok = o->max_answer ? (uint32_t)o->max_answer : (uint32_t)c->max_positions,
        .eos = !o->is_ids && c->eos_count ? c->eos[0] : -1,
        .vocab = c->V,
        .allows = SL_ALLOW_EOS_MISSING, /* whatever is given is scored */
        .is_in_file_order = 1
    };

    SL_TRY(sl_file_join(path, sizeof path, o->model, "tokenizer.json"));
    if (!tokenizer && sl_file_exists(path))
        tokenizer = o->model;
    return open_file(s, &set, tokenizer);
}

static void carve(scoring *s, sl_arena *arena)
{
    s->pair = sl_arena_take(arena, PAIRS_MOST, sizeof *s->pair);
    s->token = sl_arena_i32(arena, PAIRS_MOST, s->stride);
    s->sequence = sl_arena_take(arena, (size_t)SIDES * PAIRS_MOST, sizeof *s->sequence);
    s->rows = sl_arena_take(arena, s->count, sizeof *s->rows);
}

static sl_status open_memory(scoring *s, const sl_backend *backend)
{
    const sl_data_limits *l = sl_data_limits_of(s->data);
    const size_t longest = (size_t)l->prompt_tok + l->answer_tok;
    const size_t budget = (size_t)s->opts->batch_tok;
    const size_t rows = budget > SIDES * longest ? budget : SIDES * longest;
    const sl_packed_limits limits = { .T = rows,
                                      .S = 2 * SIDES * PAIRS_MOST,
                                      .B = SIDES * PAIRS_MOST,
                                      .N = rows,
                                      .positions = longest };
    sl_arena measure = SL_ARENA_MEASURE;

    s->count = l->train_count;
    s->stride = (size_t)l->prompt_tok + 2 * (size_t)l->answer_tok;
    carve(s, &measure);
    SL_TRY(sl_arena_open(&s->arena, measure.used_bytes));
    carve(s, &s->arena);
    return sl_scorer_open(&s->scorer, sl_model_config(s->model), backend, &limits, 0, 0);
}

/* Reads pairs from index on until the batch is full; *n of them. */
static sl_status fill(scoring *s, size_t index, size_t *n)
{
    size_t tokens = 0;

    for (*n = 0; *n < PAIRS_MOST && index + *n < s->count; ++*n) {
        sl_pair *p = &s->pair[*n];

        SL_TRY(sl_data_static_pair(p, s->token + *n * s->stride, s->data, 0, index + *n));
        tokens += (size_t)SIDES * p->prompt.count + p->chosen.count + p->rejected.count;
        if (*n && tokens > s->scorer.packer.limits.T)
            break;
    }
    return SL_OK;
}

static sl_status check_lengths(const scoring *s, size_t n)
{
    const size_t most = sl_model_config(s->model)->max_positions;

    for (size_t i = 0; i < n; i++) {
        const sl_pair *p = &s->pair[i];
        const uint32_t answer =
            p->chosen.count > p->rejected.count ? p->chosen.count : p->rejected.count;

        if ((size_t)p->prompt.count + answer > most)
            return sl_err_hint(
                sl_err_where(SL_FAIL(SL_ESHAPE,
                                     "want at most %zu tokens, the model's positions, found %u in "
                                     "the prompt and %u in an answer",
                                     most, p->prompt.count, answer),
                             "%s:%" PRIu64, s->opts->data, p->line),
                "--max-prompt N and --max-answer N cut them");
    }
    return SL_OK;
}

static sl_status score_batch(scoring *s, sl_score_row *rows, size_t n)
{
    SL_TRY(check_lengths(s, n));
    for (size_t i = 0; i < n; i++) {
        const sl_pair *p = &s->pair[i];

        rows[i] = (sl_score_row){ .line = p->line,
                                  .ref = { NAN, NAN },
                                  .tok = { p->chosen.count, p->rejected.count },
                                  .chars = { p->chosen.chars, p->rejected.chars },
                                  .prompt = p->prompt.id };
        s->sequence[2 * i] = (sl_sequence){ p->prompt, p->chosen };
        s->sequence[2 * i + 1] = (sl_sequence){ p->prompt, p->rejected };
    }
    SL_TRY(sl_scorer_run(&s->scorer, s->model, s->sequence, SIDES * n));
    for (size_t i = 0; i < SIDES * n; i++)
        rows[i / 2].value[i % 2] = sl_scorer_value(&s->scorer, i);
    if (!s->reference)
        return SL_OK;
    SL_TRY(sl_scorer_run(&s->scorer, s->reference, s->sequence, SIDES * n));
    for (size_t i = 0; i < SIDES * n; i++)
        rows[i / 2].ref[i % 2] = sl_scorer_value(&s->scorer, i);
    return SL_OK;
}

static sl_status score_all(scoring *s)
{
    sl_progress_line line;
    sl_status st = SL_OK;
    size_t n;

    sl_progress_open(&line, "score", s->opts->is_quiet);
    for (size_t i = 0; st == SL_OK && i < s->count; i += n) {
        st = fill(s, i, &n);
        if (st == SL_OK)
            st = score_batch(s, s->rows + i, n);
        sl_progress_count(&line, i + n, s->count, "pairs");
    }
    sl_progress_close(&line);
    return st;
}

/* Refused before a byte is loaded. */
static sl_status check_parameters(const sl_score_opts *o)
{
    const size_t copies = o->reference ? 2 : 1;
    sl_config config;
    size_t bytes;

    SL_TRY(sl_config_load(&config, o->model));
    bytes = copies * sl_config_parameters(&config) * sizeof(float);
    sl_config_close(&config);
    return sl_memory_check(bytes, sl_memory_physical(), "parameters");
}

static sl_status load_models(scoring *s, const sl_backend *backend)
{
    const sl_score_opts *o = s->opts;

    SL_TRY(check_parameters(o));
    SL_TRY(sl_model_load(&s->model, o->model, backend, 0));
    if (!o->reference)
        return SL_OK;
    if (sl_model_config(s->model)->is_scorer)
        return SL_FAIL(SL_EUSAGE, "want no --reference with a reward model, found one");
    SL_TRY(sl_model_load(&s->reference, o->reference, backend, 0));
    if (sl_model_config(s->model)->V != sl_model_config(s->reference)->V ||
        sl_model_tensors(s->model)->floats != sl_model_tensors(s->reference)->floats)
        return SL_FAIL(SL_ESHAPE, "want a reference of the model's shape, found another");
    return SL_OK;
}

sl_status sl_score_pairs(const sl_score_opts *o, const sl_backend *backend)
{
    scoring s = { .opts = o };
    sl_status st = SL_OK;

    SL_TRY_OUT(load_models(&s, backend));
    SL_TRY_OUT(open_data(&s));
    SL_TRY_OUT(open_memory(&s, backend));
    SL_TRY_OUT(score_all(&s));
    st = sl_score_give(
        &(sl_scores){ o, s.rows, s.count, sl_data_report_of(s.data), s.scorer.gives_rewards });
out:
    sl_scorer_close(&s.scorer);
    sl_arena_close(&s.arena);
    sl_data_close(&s.data);
    sl_model_close(&s.reference);
    sl_model_close(&s.model);
    return st;
}
