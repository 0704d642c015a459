#include "cli/bench_items.h"
#include "analysis/changepoint.h"
#include "analysis/hypothesis.h"
#include "analysis/vectors.h"
#include "base/alloc.h"
#include "base/file.h"
#include "base/rng.h"
#include "run/arrays.h"
#include <fcntl.h>
#include <math.h>
#include <unistd.h>

enum { ORDERS = 4, VOCABULARY = 2000, SEED = 1, TEXT_SEED, CHANGE_EVERY = 250, WINDOW = 16384 };
#define ALPHA 0.05

/* --- inputs ------------------------------------------------------------------------------------
 */

static sl_status write_input(const sl_bench_work *w, const char *name, const void *data,
                             size_t bytes)
{
    char path[PATH_MAX];
    sl_status st;
    int fd;

    SL_TRY(sl_file_join(path, sizeof path, w->folder, name));
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return sl_err_where(SL_FAIL(SL_EIO, "want a new file, found none"), "%s", path);
    st = sl_file_write_all(fd, data, bytes);
    if (close(fd) != 0 && st == SL_OK)
        st = SL_FAIL(SL_EIO, "want a written file, found a failure to close it");
    return sl_err_where(st, "%s", path);
}

static sl_status take_results(sl_bench_work *w, size_t count)
{
    w->results = count;
    return sl_take(&w->result, count, sizeof *w->result);
}

/* x (n): standard normal, from the stream of `seed`. */
static sl_status take_normal(sl_bench_work *w, size_t n, uint64_t seed)
{
    sl_rng rng = sl_rng_at(seed, sl_rng_stream("bench analysis"), 0);

    SL_TRY(sl_take(&w->x, n, sizeof *w->x));
    for (size_t i = 0; i < n; i++)
        w->x[i] = sl_rng_normal(&rng);
    return SL_OK;
}

/* Words by a law like 1/rank, as texts have them: answers of a prompt share n-grams. */
static sl_status open_texts(sl_bench_work *w)
{
    const size_t texts = w->size[0] * w->size[1], n = texts * w->size[2];
    sl_rng rng = sl_rng_at(TEXT_SEED, sl_rng_stream("bench analysis"), 0);

    SL_TRY(sl_take(&w->token, n, sizeof *w->token));
    for (size_t i = 0; i < n; i++)
        w->token[i] = (int32_t)exp(sl_rng_uniform(&rng) * log(VOCABULARY)) - 1;
    return write_input(w, "token.i32", w->token, n * sizeof *w->token);
}

/* The answers of prompts [from, to). */
static sl_status texts_of(sl_texts *texts, const sl_bench_work *w, size_t from, size_t to)
{
    sl_texts_clear(texts);
    for (size_t i = from * w->size[1]; i < to * w->size[1]; i++)
        SL_TRY(sl_texts_add_ids(texts, w->token + i * w->size[2], w->size[2]));
    return SL_OK;
}

/* --- texts -------------------------------------------------------------------------------------
 */

static sl_status open_bleu(sl_bench_work *w)
{
    SL_TRY(take_results(w, w->size[0] * w->size[1]));
    return open_texts(w);
}

static sl_status run_bleu(void *work)
{
    sl_bench_work *w = work;
    sl_texts texts = { 0 };
    sl_status st = SL_OK;

    for (size_t p = 0; p < w->size[0]; p++) {
        SL_TRY_OUT(texts_of(&texts, w, p, p + 1));
        SL_TRY_OUT(sl_self_bleu(w->result + p * w->size[1], &texts, ORDERS));
    }
out:
    sl_texts_close(&texts);
    return st;
}

static sl_status open_distinct(sl_bench_work *w)
{
    SL_TRY(take_results(w, w->size[0] * 2 * ORDERS));
    return open_texts(w);
}

/* out (2 ORDERS) */
static void put_distinct(double *out, const sl_ngram_counts *c)
{
    for (size_t n = 0; n < ORDERS; n++) {
        *out++ = sl_distinct_ratio(c->distinct[n], c->total[n]);
        *out++ = sl_distinct_expected(c->distinct[n], c->total[n], VOCABULARY, (double)(n + 1));
    }
}

/* In groups of `prompts` prompts. */
static sl_status distinct_by(sl_bench_work *w, size_t prompts)
{
    sl_texts texts = { 0 };
    sl_ngram_counts counts = { 0 };
    sl_status st = SL_OK;

    for (size_t p = 0; p < w->size[0]; p += prompts) {
        SL_TRY_OUT(texts_of(&texts, w, p, p + prompts));
        SL_TRY_OUT(sl_ngrams_count(&counts, &texts, 0, texts.count, ORDERS));
        put_distinct(w->result + p / prompts * 2 * ORDERS, &counts);
    }
out:
    sl_texts_close(&texts);
    sl_ngram_counts_close(&counts);
    return st;
}

static sl_status run_distinct(void *work)
{
    return distinct_by(work, 1);
}

static sl_status run_corpus(void *work)
{
    sl_bench_work *w = work;

    w->results = 2 * ORDERS;
    return distinct_by(w, w->size[0]);
}

static sl_status open_vendi(sl_bench_work *w)
{
    const size_t n = w->size[0], d = w->size[1];

    SL_TRY(take_results(w, 1));
    SL_TRY(sl_take(&w->scratch, n, sizeof *w->scratch));
    SL_TRY(take_normal(w, n * d, SEED));
    return write_input(w, "x.f64", w->x, n * d * sizeof *w->x);
}

static sl_status run_vendi(void *work)
{
    sl_bench_work *w = work;
    size_t count;

    SL_TRY(sl_vendi_spectrum(w->scratch, &count, w->x, NULL, w->size[0], w->size[1]));
    w->result[0] = sl_vendi_score(w->scratch, count, 1.0);
    return SL_OK;
}

/* --- series ------------------------------------------------------------------------------------
 */

static sl_status open_series(sl_bench_work *w)
{
    const size_t T = w->size[0];

    SL_TRY(take_results(w, T));
    SL_TRY(take_normal(w, T, SEED));
    for (size_t t = 0; t < T; t++)
        w->x[t] += t / CHANGE_EVERY % 2 ? 2.0 : 0.0;
    return write_input(w, "x.f64", w->x, T * sizeof *w->x);
}

static sl_status change_points(sl_bench_work *w, sl_cost_kind kind)
{
    const sl_partition_settings set = { .penalty = (double)w->size[1], .min_size = 2, .jump = 1 };
    sl_partition partition = { 0 };
    sl_cost cost;
    sl_status st;

    SL_TRY(sl_cost_open(&cost, kind, w->x, w->size[0], 1));
    st = sl_partition_pelt(&partition, &cost, &set);
    for (size_t k = 0; st == SL_OK && k < partition.count; k++)
        w->result[k] = (double)partition.end[k];
    w->results = partition.count;
    sl_partition_close(&partition);
    sl_cost_close(&cost);
    return st;
}

static sl_status run_pelt(void *work)
{
    return change_points(work, SL_COST_L2);
}

static sl_status run_rbf(void *work)
{
    return change_points(work, SL_COST_RBF);
}

/* --- votes -------------------------------------------------------------------------------------
 */

/* x (n) = prompt means of four votes, at .55. */
static sl_status take_votes(sl_bench_work *w, size_t n)
{
    sl_rng rng = sl_rng_at(SEED, sl_rng_stream("bench analysis"), 0);

    SL_TRY(sl_take(&w->x, n, sizeof *w->x));
    for (size_t i = 0; i < n; i++)
        for (int k = 0; k < 4; k++)
            w->x[i] += sl_rng_uniform(&rng) < 0.55 ? 0.25 : 0.0;
    return write_input(w, "x.f64", w->x, n * sizeof *w->x);
}

static sl_status open_bootstrap(sl_bench_work *w)
{
    const size_t B = w->size[0], n = w->size[1];
    sl_rng rng = sl_rng_at(SEED, sl_rng_stream("bench draws"), 0);

    SL_TRY(take_results(w, 3));
    SL_TRY(sl_take(&w->scratch, B, sizeof *w->scratch));
    SL_TRY(sl_take(&w->index, B * n, sizeof *w->index));
    for (size_t i = 0; i < B * n; i++)
        w->index[i] = sl_rng_below(&rng, (uint32_t)n);
    SL_TRY(write_input(w, "index.u32", w->index, B * n * sizeof *w->index));
    return take_votes(w, n);
}

static sl_status run_bootstrap(void *work)
{
    sl_bench_work *w = work;
    sl_bootstrap b;

    SL_TRY(sl_bootstrap_given(&b, w->scratch, w->x, w->size[1], w->index, w->size[0], ALPHA));
    w->result[0] = b.se;
    w->result[1] = b.interval.lower;
    w->result[2] = b.interval.upper;
    return SL_OK;
}

static sl_status open_votes(sl_bench_work *w)
{
    SL_TRY(take_results(w, 2 * w->size[0]));
    return take_votes(w, w->size[0]);
}

static sl_status run_kelly(void *work)
{
    sl_bench_work *w = work;
    sl_kelly kelly;

    SL_TRY(sl_kelly_open(&kelly, 0.5, 0.05, sl_kelly_lambda,
                         sizeof sl_kelly_lambda / sizeof *sl_kelly_lambda));
    for (size_t i = 0; i < w->size[0]; i++) {
        sl_kelly_add(&kelly, w->x[i]);
        w->result[2 * i] = kelly.log_e_above;
        w->result[2 * i + 1] = kelly.log_e_below;
    }
    return SL_OK;
}

static sl_status run_bernstein(void *work)
{
    sl_bench_work *w = work;
    sl_bernstein b = { .centre = SL_BERNSTEIN_PAPER };

    for (size_t i = 0; i < w->size[0]; i++) {
        sl_interval interval;

        sl_bernstein_add(&b, w->x[i], ALPHA);
        interval = sl_bernstein_interval(&b, ALPHA);
        w->result[2 * i] = interval.lower;
        w->result[2 * i + 1] = interval.upper;
    }
    return SL_OK;
}

/* --- long arrays -------------------------------------------------------------------------------
 */

/* A number in [-.5, .5) by its index: many of them are soon made. */
static double number_at(uint64_t i)
{
    return (double)(sl_splitmix64(i) >> 11) * 0x1p-53 - 0.5;
}

static sl_status take_numbers(sl_bench_work *w, size_t n)
{
    SL_TRY(sl_take(&w->x, n, sizeof *w->x));
    for (size_t i = 0; i < n; i++)
        w->x[i] = number_at(i);
    return SL_OK;
}

static sl_status open_sketch(sl_bench_work *w)
{
    SL_TRY(take_results(w, w->size[1]));
    SL_TRY(take_numbers(w, w->size[0]));
    return write_input(w, "x.f64", w->x, w->size[0] * sizeof *w->x);
}

static sl_status run_sketch(void *work)
{
    sl_bench_work *w = work;

    sl_count_sketch(w->result, w->x, w->size[0], w->size[1], w->size[2]);
    return SL_OK;
}

static sl_status open_logits(sl_bench_work *w)
{
    const size_t n = w->size[0], V = w->size[1];

    SL_TRY(take_results(w, 2 * n));
    SL_TRY(sl_take(&w->z, n * (V + 1), sizeof *w->z)); /* log-probabilities behind the logits */
    SL_TRY(sl_take(&w->token, n, sizeof *w->token));
    SL_TRY(sl_take(&w->more, n, sizeof(sl_row_stats)));
    for (size_t i = 0; i < n * V; i++)
        w->z[i] = (float)(12.0 * number_at(i));
    for (size_t i = 0; i < n; i++)
        w->token[i] = (int32_t)(i * 7919 % V);
    SL_TRY(write_input(w, "token.i32", w->token, n * sizeof *w->token));
    return write_input(w, "x.f32", w->z, n * V * sizeof *w->z);
}

static sl_status run_logits(void *work)
{
    sl_bench_work *w = work;
    const size_t n = w->size[0], V = w->size[1];
    const sl_row_stats *stats = w->more;
    float *logp = w->z + n * V;

    w->ops->logp_fwd(logp, w->more, w->z, w->token, n, V);
    for (size_t i = 0; i < n; i++) {
        w->result[i] = stats[i].entropy;
        w->result[n + i] = logp[i];
    }
    return SL_OK;
}

static sl_status open_rows(sl_bench_work *w)
{
    sl_arrays *file = NULL;
    char path[PATH_MAX];
    sl_status st;

    SL_TRY(take_results(w, w->size[1]));
    SL_TRY(take_numbers(w, w->size[0] * w->size[1]));
    SL_TRY(sl_file_join(path, sizeof path, w->folder, "x.h5"));
    SL_TRY(sl_arrays_create(&file, path));
    st = sl_arrays_write(file, "x", SL_ARRAY_F64, w->x, w->size, 2);
    if (st == SL_OK)
        st = sl_arrays_finish(&file);
    sl_arrays_close(&file);
    sl_free(w->x);
    w->x = NULL;
    return st;
}

/* sl_arrays_visitor; with: the work. */
static sl_status add_rows(void *with, const void *x, size_t first, size_t count)
{
    const sl_bench_work *w = with;
    const double *row = x;
    double *sum = w->result;

    (void)first;
    for (size_t i = 0; i < count; i++, row += w->results)
        for (size_t c = 0; c < w->results; c++)
            sum[c] += row[c];
    return SL_OK;
}

static sl_status run_rows(void *work)
{
    sl_bench_work *w = work;
    sl_arrays *file = NULL;
    char path[PATH_MAX];
    sl_status st;

    for (size_t c = 0; c < w->results; c++)
        w->result[c] = 0.0;
    SL_TRY(sl_file_join(path, sizeof path, w->folder, "x.h5"));
    SL_TRY(sl_arrays_open(&file, path));
    st = sl_arrays_visit(NULL, file, "x", SL_ARRAY_F64, add_rows, w);
    sl_arrays_close(&file);
    for (size_t c = 0; c < w->results; c++)
        w->result[c] /= (double)w->size[0];
    return st;
}

void sl_bench_work_close(sl_bench_work *w)
{
    sl_free(w->x);
    sl_free(w->scratch);
    sl_free(w->result);
    sl_free(w->z);
    sl_free(w->index);
    sl_free(w->token);
    sl_free(w->more);
}

const sl_bench_item sl_bench_items[] = {
    { "self-bleu",
      "self-BLEU-4, prompts x answers x tokens",
      50,
      1e-9,
      { 100, 8, 200 },
      { 3, 4, 30 },
      open_bleu,
      run_bleu },
    { "distinct",
      "distinct-1..4 and EAD of every prompt",
      50,
      1e-9,
      { 100, 8, 200, VOCABULARY },
      { 3, 4, 30, VOCABULARY },
      open_distinct,
      run_distinct },
    { "distinct-corpus",
      "the same of all answers together",
      50,
      1e-9,
      { 1000, 8, 200, VOCABULARY },
      { 3, 4, 30, VOCABULARY },
      open_distinct,
      run_corpus },
    { "vendi",
      "Vendi score of vectors",
      15,
      1e-6,
      { 2000, 384 },
      { 40, 8 },
      open_vendi,
      run_vendi },
    { "vendi-dual",
      "the same, by the smaller side",
      1,
      1e-6,
      { 2000, 384 },
      { 40, 8 },
      open_vendi,
      run_vendi },
    { "pelt",
      "change points, l2, PELT, at every place",
      500,
      0,
      { 2000, 20 },
      { 300, 20 },
      open_series,
      run_pelt },
    { "rbf", "change points, kernel, PELT", 2, 0, { 2000, 5 }, { 300, 5 }, open_series, run_rbf },
    { "bootstrap",
      "bootstrap of a mean, draws given",
      3,
      1e-9,
      { 2000, 2000 },
      { 50, 40 },
      open_bootstrap,
      run_bootstrap },
    { "kelly", "betting test after every vote", 10, 1e-9, { 2000 }, { 50 }, open_votes, run_kelly },
    { "bernstein",
      "confidence sequence after every vote",
      10,
      1e-9,
      { 2000 },
      { 50 },
      open_votes,
      run_bernstein },
    { "sketch",
      "count sketch of gradients",
      20,
      1e-9,
      { 15000000, 4096, 7 },
      { 5000, 64, 7 },
      open_sketch,
      run_sketch },
    { "logits",
      "entropy and log-probability",
      4,
      1e-3,
      { 2048, 32000 },
      { 5, 200 },
      open_logits,
      run_logits },
    { "rows", "means of an HDF5 file", 1, 1e-9, { 1000000, 11 }, { 100, 11 }, open_rows, run_rows },
};
const size_t sl_bench_item_count = sizeof sl_bench_items / sizeof sl_bench_items[0];
