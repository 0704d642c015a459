/* Sampling. A chunk of candidates is worked on at a time: each prompt of the chunk is computed once
 * and its keys and values are shared; then every step adds one token to each candidate that is not
 * finished.
 *
 * A candidate's numbers must not depend on the others to the last bit, but a matrix product may sum
 * in another order when it has another number of rows. So prompts are computed one by one, and
 * candidates in groups that always have the same number of rows; what is missing repeats the
 * group's first row and is thrown away. A product of few rows waits for the weights from memory
 * anyway.
 *
 * Cache rows of a chunk: the prompts, tightly, then max_new rows for each candidate, then one that
 * the missing rows of a group write to. */
#include "model/sample.h"
#include "base/alloc.h"
#include "base/rng.h"
#include "model/model_int.h"
#include <math.h>
#include <string.h>

enum { GROUP = 32 }; /* rows; fewer only for vocabularies beyond half a million */

/* A candidate of the chunk that is not finished. */
typedef struct live {
    sl_candidate *out;
    sl_rng rng;
    sl_decode_row at; /* its prompt's rows and its own */
} live;

struct sl_generator {
    sl_config config; /* a copy without the tree */
    size_t batch;
    uint32_t max_prompt, max_new;
    size_t group; /* rows of every step's passes */
    sl_work *work;
    sl_arena arena;
    sl_cache cache;
    uint32_t *cache_row;       /* (rows) of the pass, rows = max(max_prompt, group) */
    int32_t *token, *position; /* (rows) */
    sl_decode_row *decode;     /* (group) */
    live *live;                /* (batch) */
    float *u, *logp;           /* (group) */
    int32_t *drawn;            /* (group) */
    float *scratch;            /* (group, 2V) of the draw */
};

static size_t pass_rows(const sl_generator *g)
{
    return g->max_prompt > GROUP ? g->max_prompt : GROUP;
}

static void carve(sl_generator *g, sl_arena *arena)
{
    const sl_config *c = &g->config;
    const size_t rows = pass_rows(g);

    g->cache_row = sl_arena_take(arena, rows, sizeof *g->cache_row);
    g->token = sl_arena_i32(arena, rows, 1);
    g->position = sl_arena_i32(arena, rows, 1);
    g->decode = sl_arena_take(arena, g->group, sizeof *g->decode);
    g->live = sl_arena_take(arena, g->batch, sizeof *g->live);
    g->u = sl_arena_f32(arena, g->group, 1);
    g->logp = sl_arena_f32(arena, g->group, 1);
    g->drawn = sl_arena_i32(arena, g->group, 1);
    g->scratch = sl_arena_f32(arena, g->group, 2 * c->V);
}

/* Not from the arena: rows that no chunk uses are never touched and so cost no memory. */
static sl_status open_cache(sl_generator *g, size_t rows)
{
    const sl_config *c = &g->config;
    size_t floats = 0;

    SL_TRY(sl_mul(&floats, c->L * c->K * c->E, rows));
    SL_TRY(sl_take(&g->cache.k, floats, sizeof *g->cache.k));
    SL_TRY(sl_take(&g->cache.v, floats, sizeof *g->cache.v));
    g->cache.rows = rows;
    g->cache.row = g->cache_row;
    return SL_OK;
}

static sl_status open_parts(sl_generator *g, const sl_backend *backend)
{
    const sl_packed_limits limits = { .T = pass_rows(g),
                                      .S = 1,
                                      .B = 1,
                                      .N = GROUP,
                                      .positions = (size_t)g->max_prompt + g->max_new };
    sl_arena measure = SL_ARENA_MEASURE;
    size_t rows = 0;

    SL_TRY(sl_mul(&rows, g->batch, limits.positions));
    rows++; /* the last one takes what is thrown away */
    if (rows > UINT32_MAX)
        return SL_FAIL(SL_EARG, "want at most %u cache rows, found %zu", UINT32_MAX, rows);
    SL_TRY(sl_work_open(&g->work, &g->config, backend, &limits, 0));
    g->group = g->work->tile.rows;
    carve(g, &measure);
    SL_TRY(sl_arena_open(&g->arena, measure.used_bytes));
    carve(g, &g->arena);
    return open_cache(g, rows);
}

sl_status sl_generator_open(sl_generator **out, const sl_config *config, const sl_backend *backend,
                            size_t batch, uint32_t max_prompt, uint32_t max_new)
{
    sl_generator *g = NULL;
    sl_status st = SL_OK;

    *out = NULL;
    if (batch == 0 || max_prompt == 0 || max_new == 0)
        return SL_FAIL(SL_EARG, "want batch, max_prompt, max_new > 0, found %zu, %u, %u", batch,
                       max_prompt, max_new);
    SL_TRY(sl_take(&g, 1, sizeof *g));
    g->config = *config;
    g->config.tree = NULL;
    g->config.generation = NULL;
    g->batch = batch;
    g->max_prompt = max_prompt;
    g->max_new = max_new;
    st = open_parts(g, backend);
    if (st != SL_OK)
        sl_generator_close(&g);
    *out = g;
    return st;
}

void sl_generator_close(sl_generator **generator)
{
    if (!*generator)
        return;
    sl_free((*generator)->cache.k);
    sl_free((*generator)->cache.v);
    sl_arena_close(&(*generator)->arena);
    sl_work_close(&(*generator)->work);
    sl_free(*generator);
    *generator = NULL;
}

/* Computes one prompt into cache rows first, ...; the hidden states stay in the work space. */
static void compute_prompt(sl_generator *g, const sl_model *model, const sl_prompt *prompt,
                           uint32_t first)
{
    const sl_segment segment = { .parent = -1, .first = 0, .count = prompt->count, .position = 0 };
    sl_pass p = sl_pass_of(model, g->work);

    sl_work_rope(g->work, prompt->count);
    for (uint32_t t = 0; t < prompt->count; t++) {
        g->position[t] = (int32_t)t;
        g->cache_row[t] = first + t;
    }
    p.T = prompt->count;
    p.position = g->position;
    p.segment = &segment;
    p.S = 1;
    p.cache = &g->cache;
    sl_pass_forward(&p, model, g->work, prompt->token);
}

/* Computes the last token of live candidates first .. first+n-1, n <= group; each one's own rows
 * grow by one. */
static void compute_last_tokens(sl_generator *g, size_t first, size_t n, const sl_model *model)
{
    sl_pass p = sl_pass_of(model, g->work);

    sl_work_rope(g->work, SL_ROPE_GROWING);
    for (size_t i = 0; i < g->group; i++) {
        live *c = &g->live[first + (i < n ? i : 0)];

        if (i < n)
            g->cache_row[i] = c->at.own_first + c->at.own_count++;
        else
            g->cache_row[i] = (uint32_t)(g->cache.rows - 1);
        g->token[i] = c->out->token[c->out->count - 1];
        g->position[i] = (int32_t)(c->at.prefix_count + c->at.own_count) - 1;
        g->decode[i] = c->at;
    }
    p.T = g->group;
    p.position = g->position;
    p.cache = &g->cache;
    p.decode = g->decode;
    sl_pass_forward(&p, model, g->work, g->token);
}

static int is_stop(const sl_generate *s, int32_t token)
{
    for (size_t i = 0; i < s->stop_count; i++) {
        if (s->stop[i] == token)
            return 1;
    }
    return 0;
}

static sl_status append(live *c, int32_t token, float logp, const sl_generate *s)
{
    sl_candidate *out = c->out;

    if (!isfinite(logp)) {
        out->stop = SL_STOP_ERROR;
        return SL_FAIL(SL_ENUMERIC, "want a finite log-probability of token %u, found %g",
                       out->count, (double)logp);
    }
    out->token[out->count] = token;
    out->logp[out->count] = logp;
    out->count++;
    out->stop = is_stop(s, token) ? SL_STOP_EOS : SL_STOP_LENGTH;
    return SL_OK;
}

static int is_finished(const sl_candidate *c, const sl_generate *s)
{
    return c->stop == SL_STOP_EOS || c->count == s->max_new;
}

/* One draw for live candidates first .. first+n-1 from z (n,V). */
static sl_status draw(sl_generator *g, size_t first, size_t n, const sl_model *model,
                      const float *z, const sl_generate *s)
{
    for (size_t i = 0; i < n; i++)
        g->u[i] = (float)(sl_rng_u32(&g->live[first + i].rng) >> 8) * 0x1p-24f; /* never 1 */
    sl_model_backend(model)->ops->sample(g->drawn, g->logp, z, g->u, n, g->config.V, &s->law,
                                         g->scratch);
    for (size_t i = 0; i < n; i++)
        SL_TRY(append(&g->live[first + i], g->drawn[i], g->logp[i], s));
    return SL_OK;
}

/* The first token of candidates first .. first+n-1, which share the prompt just computed. */
static sl_status draw_first(sl_generator *g, size_t first, size_t n, const sl_model *model,
                            uint32_t prompt_count, const sl_generate *s)
{
    const sl_pass p = sl_pass_of(model, g->work);
    const sl_tile *t = &g->work->tile;

    t->row[0] = prompt_count - 1;
    sl_head_fwd(&p, t->z, model, g->work, 1);
    for (size_t i = first; i < first + n; i++)
        SL_TRY(draw(g, i, 1, model, t->z, s));
    return SL_OK;
}

/* One token more for each of count live candidates. */
static sl_status draw_next(sl_generator *g, size_t count, const sl_model *model,
                           const sl_generate *s)
{
    const sl_pass p = sl_pass_of(model, g->work);
    const sl_tile *t = &g->work->tile;

    for (size_t first = 0, n; first < count; first += n) {
        n = count - first < g->group ? count - first : g->group;
        compute_last_tokens(g, first, n, model);
        for (size_t i = 0; i < g->group; i++)
            t->row[i] = (uint32_t)i;
        sl_head_fwd(&p, t->z, model, g->work, g->group);
        SL_TRY(draw(g, first, n, model, t->z, s));
    }
    return SL_OK;
}

/* Moves the candidates that go on to the front; returns how many. */
static size_t keep_live(sl_generator *g, size_t count, const sl_generate *s)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        if (!is_finished(g->live[i].out, s))
            g->live[n++] = g->live[i];
    }
    return n;
}

/* Candidates first .. first+n-1 of all: prompts, first tokens, then step by step. */
static sl_status sample_chunk(sl_candidate *candidate, size_t first, size_t n, sl_generator *g,
                              const sl_model *model, const sl_prompt *prompt, size_t each,
                              const sl_generate *s)
{
    uint32_t row = 0; /* of the cache, not in use */

    for (size_t i = 0, same; i < n; i += same) {
        const sl_prompt *of = &prompt[(first + i) / each];
        const size_t left = each - (first + i) % each; /* candidates of this prompt */

        same = left < n - i ? left : n - i;
        compute_prompt(g, model, of, row);
        for (size_t j = i; j < i + same; j++) {
            const uint32_t own = (uint32_t)(g->batch * g->max_prompt + j * g->max_new);

            g->live[j] = (live){ &candidate[first + j],
                                 sl_rng_at(s->seed, candidate[first + j].stream, s->step),
                                 { row, of->count, own, 0 } };
            candidate[first + j].count = 0;
        }
        SL_TRY(draw_first(g, i, same, model, of->count, s));
        row += of->count;
    }
    while ((n = keep_live(g, n, s)) > 0)
        SL_TRY(draw_next(g, n, model, s));
    return SL_OK;
}

static sl_status check_prompt(const sl_generator *g, const sl_prompt *prompt)
{
    if (prompt->count == 0 || prompt->count > g->max_prompt)
        return SL_FAIL(SL_ESHAPE, "want 1..%u tokens, found %u", g->max_prompt, prompt->count);
    for (uint32_t t = 0; t < prompt->count; t++) {
        if (prompt->token[t] < 0 || (size_t)prompt->token[t] >= g->config.V)
            return SL_FAIL(SL_ESHAPE, "want token ids below vocab_size %zu, found %d", g->config.V,
                           prompt->token[t]);
    }
    return SL_OK;
}

sl_status sl_model_sample(sl_candidate *candidate, sl_generator *generator, const sl_model *model,
                          const sl_prompt *prompt, size_t count, size_t each,
                          const sl_generate *settings)
{
    const size_t total = count * each;

    SL_TRY(sl_model_check_speaks(model));
    SL_CHECK(sl_work_fits(generator->work, &model->config));
    if (settings->max_new == 0 || settings->max_new > generator->max_new)
        return SL_FAIL(SL_EARG, "want max_new in 1..%u, found %u", generator->max_new,
                       settings->max_new);
    for (size_t i = 0; i < count; i++)
        SL_TRY(sl_err_where(check_prompt(generator, &prompt[i]), "prompt %zu", i));
    for (size_t first = 0, n; first < total; first += n) {
        n = total - first < generator->batch ? total - first : generator->batch;
        SL_TRY(sample_chunk(candidate, first, n, generator, model, prompt, each, settings));
    }
    return SL_OK;
}
