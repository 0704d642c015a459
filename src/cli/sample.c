/* `sample`: candidates from a model. */
#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/rng.h"
#include "cli/commands.h"
#include "cli/progress.h"
#include "cli/sample.h"
#include "cli/stop.h"
#include "model/sample.h"
#include "train/memory.h"
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { STOPS_MOST = 16, ANSWERS_MOST = 1024, NEW_TOK = 256 };

typedef struct sample_opts {
    const char *model, *prompts, *out, *tokenizer, *device;
    double temperature, top_p;
    int64_t n, top_k, max_new, seed, batch, threads;
    int is_raw, is_quiet;
} sample_opts;

static const sl_opt opts[] = {
    { "prompts", SL_OPT_TEXT, offsetof(sample_opts, prompts), "FILE",
      "rows with \"prompt\", \"messages\" or \"prompt_ids\" (- is stdin)" },
    { "n", SL_OPT_I64, offsetof(sample_opts, n), "N", "answers of each prompt (1)" },
    { "o", SL_OPT_TEXT, offsetof(sample_opts, out), "FILE", "a new file (default: stdout)" },
    { "temperature", SL_OPT_F64, offsetof(sample_opts, temperature), "T", "1; 0 is greedy" },
    { "top-p", SL_OPT_F64, offsetof(sample_opts, top_p), "P", "1: off" },
    { "top-k", SL_OPT_I64, offsetof(sample_opts, top_k), "K", "0: off" },
    { "max-new", SL_OPT_I64, offsetof(sample_opts, max_new), "N",
      "tokens of an answer (256, or what the positions leave)" },
    { "seed", SL_OPT_I64, offsetof(sample_opts, seed), "S", "of the random streams (0)" },
    { "raw", SL_OPT_FLAG, offsetof(sample_opts, is_raw), NULL,
      "plain prompts go to the model as they stand" },
    { "tokenizer", SL_OPT_TEXT, offsetof(sample_opts, tokenizer), "PATH",
      "folder or tokenizer.json (default: the model's)" },
    { "batch", SL_OPT_I64, offsetof(sample_opts, batch), "N", "answers computed at once (16)" },
    { "device", SL_OPT_TEXT, offsetof(sample_opts, device), "NAME", "cpu, cpu-bf16, ref or cuda" },
    { "threads", SL_OPT_I64, offsetof(sample_opts, threads), "N", "0: all processors" },
    { "quiet", SL_OPT_FLAG, offsetof(sample_opts, is_quiet), NULL, "no progress lines" },
    { NULL, SL_OPT_FLAG, 0, NULL, NULL },
};

typedef struct sampling {
    const sample_opts *opts;
    sl_text_encoder *text; /* NULL: the model has no tokenizer */
    sl_model *model;
    sl_generator *generator;
    sl_prompt_rows rows;
    sl_generate law;
    int32_t stop[STOPS_MOST];
    int32_t *token;          /* (batch, max_new) */
    float *logp;             /* (batch, max_new) */
    sl_candidate *candidate; /* (batch) */
    sl_prompt *prompt;       /* (batch) */
    size_t at_once;          /* prompts computed together */
    FILE *to;
    char part[PATH_MAX]; /* the file that is being written; empty: stdout */
} sampling;

/* --- opening --------------------------------------------------------------------------------- */

static sl_status open_text(sampling *s)
{
    const char *path = s->opts->tokenizer ? s->opts->tokenizer : s->opts->model;
    char file[PATH_MAX];

    SL_TRY(sl_file_join(file, sizeof file, s->opts->model, "tokenizer.json"));
    if (s->opts->tokenizer || sl_file_exists(file))
        SL_TRY(sl_text_encoder_open(&s->text, path));
    return SL_OK;
}

static void add_stop(sampling *s, int32_t id)
{
    for (size_t i = 0; i < s->law.stop_count; i++)
        if (s->stop[i] == id)
            return;
    if (id >= 0 && s->law.stop_count < STOPS_MOST)
        s->stop[s->law.stop_count++] = id;
}

/* An answer ends with any end-of-sequence id of the model or the end of turn of its chat format. */
static void settle_law(sampling *s)
{
    const sample_opts *o = s->opts;
    const sl_config *c = sl_model_config(s->model);

    s->law = (sl_generate){ .law = { (float)o->temperature, (float)o->top_p, (uint32_t)o->top_k },
                            .max_new = (uint32_t)o->max_new,
                            .stop = s->stop,
                            .seed = (uint64_t)o->seed };
    for (size_t i = 0; i < c->eos_count; i++)
        add_stop(s, c->eos[i]);
    if (s->text)
        add_stop(s, sl_text_encoder_end_of_turn(s->text));
}

/* Tokens that the longest prompt leaves, at most the default; at least one, so that a prompt that
 * fills the model is named. */
static uint32_t room(const sampling *s)
{
    const size_t most = sl_model_config(s->model)->max_positions;
    const size_t left = most > s->rows.longest ? most - s->rows.longest : 1;

    return left < NEW_TOK ? (uint32_t)left : NEW_TOK;
}

static sl_status check_rows(const sampling *s)
{
    const sl_config *c = sl_model_config(s->model);

    for (size_t i = 0; i < s->rows.count; i++) {
        const sl_prompt_row *p = &s->rows.row[i];

        if (p->count + s->law.max_new > c->max_positions)
            return sl_err_hint(
                sl_err_where(SL_FAIL(SL_ESHAPE,
                                     "want at most %zu tokens, the model's positions, found %zu in "
                                     "the prompt and %u to draw",
                                     c->max_positions, p->count, s->law.max_new),
                             "%s:%zu", s->opts->prompts, p->line),
                "--max-new N draws fewer");
        for (size_t k = 0; k < p->count; k++)
            if ((size_t)p->ids[k] >= c->V)
                return sl_err_where(SL_FAIL(SL_ESHAPE,
                                            "want token ids below %zu, the model's vocabulary, "
                                            "found %d",
                                            c->V, p->ids[k]),
                                    "%s:%zu", s->opts->prompts, p->line);
    }
    return SL_OK;
}

static sl_status check_memory(const sampling *s, const sl_config *c)
{
    const size_t batch = (size_t)s->opts->batch;
    const size_t row = 2 * c->L * c->K * c->E * sizeof(float);
    size_t cache = 0;

    SL_TRY(sl_mul(&cache, row, s->at_once * s->rows.longest + batch * s->law.max_new));
    return sl_memory_check(sl_config_parameters(c) * sizeof(float) + cache, sl_memory_physical(),
                           "parameters and KV cache");
}

static sl_status open_buffers(sampling *s, const sl_backend *backend)
{
    const size_t batch = (size_t)s->opts->batch, most = s->law.max_new;
    const sl_config *c = sl_model_config(s->model);

    s->at_once = batch / (size_t)s->opts->n;
    SL_TRY(check_memory(s, c));
    SL_TRY(sl_take(&s->token, batch * most, sizeof *s->token));
    SL_TRY(sl_take(&s->logp, batch * most, sizeof *s->logp));
    SL_TRY(sl_take(&s->candidate, batch, sizeof *s->candidate));
    SL_TRY(sl_take(&s->prompt, batch, sizeof *s->prompt));
    return sl_generator_open(&s->generator, c, backend, batch, (uint32_t)s->rows.longest,
                             s->law.max_new);
}

static sl_status open_out(sampling *s)
{
    const char *path = s->opts->out;
    sl_status st;
    int n;

    s->to = stdout;
    if (!path)
        return SL_OK;
    if (sl_file_exists(path))
        return SL_FAIL(SL_EIO, "want a new file, found \"%s\" there", path);
    n = snprintf(s->part, sizeof s->part, "%s.part", path);
    if (n < 0 || (size_t)n >= sizeof s->part)
        st = SL_FAIL(SL_EARG, "want a path below %zu bytes, found %d", sizeof s->part, n);
    else
        st = sl_file_stream(&s->to, s->part);
    if (st != SL_OK)
        s->part[0] = '\0';
    return sl_err_where(st, "%s", path);
}

/* --- drawing --------------------------------------------------------------------------------- */

/* The streams belong to the prompt's tokens: neither its place nor the batch changes an answer. */
static uint64_t stream_of(const sl_prompt_row *p, size_t answer)
{
    const uint64_t prompt = sl_hash_id(p->ids, p->count * sizeof *p->ids);

    return sl_rng_substream(sl_rng_substream(sl_rng_stream("sample"), prompt), answer);
}

static sl_status draw(sampling *s, size_t first, size_t count)
{
    const size_t each = (size_t)s->opts->n;

    for (size_t i = 0; i < count; i++)
        s->prompt[i] =
            (sl_prompt){ s->rows.row[first + i].ids, (uint32_t)s->rows.row[first + i].count };
    for (size_t i = 0; i < count * each; i++)
        s->candidate[i] =
            (sl_candidate){ .token = s->token + i * s->law.max_new,
                            .logp = s->logp + i * s->law.max_new,
                            .stream = stream_of(&s->rows.row[first + i / each], i % each) };
    return sl_model_sample(s->candidate, s->generator, s->model, s->prompt, count, each, &s->law);
}

/* --- writing --------------------------------------------------------------------------------- */

static const char *const stop_names[] = { "eos", "length", "string", "error" };

static sl_status add_text(sl_json *answer, const sampling *s, const sl_candidate *c)
{
    const size_t count = c->count - (c->stop == SL_STOP_EOS);
    char *text = NULL;
    size_t bytes;
    int failed;

    if (!s->text)
        return SL_OK;
    SL_TRY(
        sl_tokenizer_decode(&text, &bytes, sl_text_encoder_tokenizer(s->text), c->token, count, 1));
    failed = json_object_set_new(answer, "text", json_stringn(text, bytes));
    sl_free(text);
    return failed ? SL_FAIL(SL_ENOMEM, "want memory for an answer, found none") : SL_OK;
}

static sl_status add_numbers(sl_json *answer, const sl_candidate *c)
{
    sl_json *ids = json_array(), *logps = json_array();
    double logp = 0.0;
    int failed = 0;

    for (uint32_t i = 0; i < c->count; i++) {
        failed |= json_array_append_new(ids, json_integer(c->token[i])) != 0;
        failed |= json_array_append_new(logps, sl_json_number((double)c->logp[i])) != 0;
        logp += (double)c->logp[i];
    }
    failed |= json_object_set_new(answer, "ids", ids) != 0;
    failed |= json_object_set_new(answer, "logps", logps) != 0;
    failed |= json_object_set_new(answer, "logp", sl_json_number(logp)) != 0;
    failed |= json_object_set_new(answer, "stop", json_string(stop_names[c->stop])) != 0;
    return failed ? SL_FAIL(SL_ENOMEM, "want memory for an answer, found none") : SL_OK;
}

static sl_status add_answer(sl_json *list, const sampling *s, const sl_candidate *c)
{
    sl_json *answer = json_pack("{s:s}", "source", "on-policy");

    if (json_array_append_new(list, answer) != 0)
        return SL_FAIL(SL_ENOMEM, "want memory for an answer, found none");
    SL_TRY(add_text(answer, s, c));
    return add_numbers(answer, c);
}

/* What the row said of its prompt, its id or its line, and the answers. */
static sl_status row_of(sl_json *out, const sampling *s, const sl_prompt_row *p,
                        const sl_candidate *c)
{
    static const char *const kept[] = { "prompt", "messages", "prompt_ids" };
    sl_json *list = json_array(), *id = json_object_get(p->row, "prompt_id");
    int failed = json_object_set_new(out, "prompt_id",
                                     id ? json_incref(id) : json_integer((json_int_t)p->line));

    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        sl_json *value = json_object_get(p->row, kept[i]);

        failed |= value && json_object_set(out, kept[i], value) != 0;
    }
    failed |= json_object_set_new(out, "answers", list) != 0;
    if (failed)
        return SL_FAIL(SL_ENOMEM, "want memory for a row, found none");
    for (int64_t i = 0; i < s->opts->n; i++)
        SL_TRY(add_answer(list, s, &c[i]));
    return SL_OK;
}

static sl_status write_row(const sampling *s, const sl_prompt_row *p, const sl_candidate *c)
{
    sl_json *row = json_object();
    char *text = NULL;
    sl_status st = SL_OK;

    SL_TRY_OUT(row_of(row, s, p, c));
    SL_TRY_OUT(sl_json_dump(&text, row, 0));
    if (fprintf(s->to, "%s\n", text) < 0)
        st = SL_FAIL(SL_EIO, "want to write an answer, found a write error");
out:
    sl_free(text);
    sl_json_close(&row);
    return st;
}

static sl_status draw_all(sampling *s)
{
    const size_t each = (size_t)s->opts->n, count = s->rows.count;
    sl_progress_line line;
    sl_status st = SL_OK;

    sl_progress_open(&line, "sample", s->opts->is_quiet);
    for (size_t i = 0; st == SL_OK && i < count; i += s->at_once) {
        const size_t n = count - i < s->at_once ? count - i : s->at_once;

        st = draw(s, i, n);
        for (size_t k = 0; st == SL_OK && k < n; k++)
            st = write_row(s, &s->rows.row[i + k], s->candidate + k * each);
        sl_progress_count(&line, i + n, count, "prompts");
        if (st == SL_OK && *sl_stop_flag())
            st = SL_FAIL(SL_EINTERRUPT, "stopped after %zu of %zu prompts", i + n, count);
    }
    sl_progress_close(&line);
    return st;
}

/* The file gets its name when it is whole. */
static sl_status close_out(sampling *s, sl_status st)
{
    if (!s->part[0])
        return st;
    if (fclose(s->to) != 0 && st == SL_OK)
        st = SL_FAIL(SL_EIO, "want to write \"%s\", found a write error", s->part);
    if (st == SL_OK)
        st = sl_file_publish(s->part, s->opts->out);
    if (st != SL_OK)
        (void)remove(s->part);
    return st;
}

static sl_status sample_all(sampling *s, const sl_backend *backend)
{
    const sample_opts *o = s->opts;

    SL_TRY(open_text(s));
    SL_TRY(sl_model_load(&s->model, o->model, backend, 0));
    settle_law(s);
    SL_TRY(sl_prompt_rows_read(&s->rows, &(sl_prompt_settings){
                                             .path = o->prompts,
                                             .encoder = s->text,
                                             .is_raw = o->is_raw,
                                             .vocab = sl_model_config(s->model)->V,
                                         }));
    if (!o->max_new)
        s->law.max_new = room(s);
    SL_TRY(check_rows(s));
    SL_TRY(open_buffers(s, backend));
    SL_TRY(open_out(s));
    SL_TRY(close_out(s, draw_all(s)));
    if (o->out)
        printf("%s\n", o->out);
    return SL_OK;
}

static void close_all(sampling *s)
{
    sl_generator_close(&s->generator);
    sl_prompt_rows_close(&s->rows);
    sl_model_close(&s->model);
    sl_text_encoder_close(&s->text);
    sl_free(s->token);
    sl_free(s->logp);
    sl_free(s->candidate);
    sl_free(s->prompt);
}

/* --- the command ----------------------------------------------------------------------------- */

static sl_status check_opts(const sample_opts *o)
{
    if (!o->prompts)
        return SL_FAIL(SL_EUSAGE, "want --prompts FILE, found none");
    if (o->n < 1 || o->n > ANSWERS_MOST)
        return SL_FAIL(SL_EUSAGE, "want -n in [1, %d], found %lld", ANSWERS_MOST, (long long)o->n);
    if (!(o->temperature >= 0.0) || !isfinite(o->temperature))
        return SL_FAIL(SL_EUSAGE, "want --temperature of 0 or more, found %g", o->temperature);
    if (!(o->top_p > 0.0 && o->top_p <= 1.0))
        return SL_FAIL(SL_EUSAGE, "want --top-p in (0, 1], found %g", o->top_p);
    if (o->top_k < 0 || o->top_k > INT32_MAX)
        return SL_FAIL(SL_EUSAGE, "want --top-k of 0 or more, found %lld", (long long)o->top_k);
    if (o->max_new < 0 || o->max_new > 1 << 20)
        return SL_FAIL(SL_EUSAGE, "want --max-new in [1, 2^20], found %lld", (long long)o->max_new);
    if (o->batch < 1 || o->batch > 1 << 16)
        return SL_FAIL(SL_EUSAGE, "want --batch in [1, 2^16], found %lld", (long long)o->batch);
    return SL_OK;
}

static sl_status sample_run(int argc, char **argv)
{
    sample_opts o = { .device = "cpu", .temperature = 1.0, .top_p = 1.0, .n = 1, .batch = 16 };
    sampling s = { .opts = &o };
    const sl_backend *backend = NULL;
    const char *argument[SL_OPT_LIST_MOST];
    size_t count;
    int is_done;
    sl_status st;

    if (argc > SL_OPT_LIST_MOST)
        return SL_FAIL(SL_EUSAGE, "want at most %d words, found %d", SL_OPT_LIST_MOST, argc);
    SL_TRY(sl_opts_parse(&o, argument, &count, &is_done, &sl_command_sample, argc, argv));
    if (is_done)
        return SL_OK;
    o.model = argument[0];
    SL_TRY(check_opts(&o));
    o.batch = o.batch < o.n ? o.n : o.batch;
    sl_stop_install();
    SL_TRY(sl_err_where(sl_backend_open(&backend, o.device, (int)o.threads), "--device"));
    st = sample_all(&s, backend);
    close_all(&s);
    return st;
}

const sl_command sl_command_sample = {
    .name = "sample",
    .operands = "MODEL --prompts FILE -n N [-o FILE]",
    .summary = "answers of a model, with log-probabilities of tokens\n"
               "One JSON line a prompt, as `stageline judge --candidates` reads it. The answer of "
               "a prompt\n"
               "depends on the prompt and the seed, not on its place or the batch.",
    .opts = opts,
    .least = 1,
    .most = 1,
    .example = "stageline sample model --prompts prompts.jsonl -n 4 -o answers.jsonl",
    .run = sample_run,
};
