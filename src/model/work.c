/* The work space: one arena, carved by the function that measured it. With backward every layer
 * keeps what its backward reads; without, all layers share one layer's and two buffers of the
 * residual stream take turns. */
#include "model/model_int.h"
#include "base/alloc.h"
#include "model/rope.h"
#include <string.h>

enum { TILE_FLOATS = 1 << 24 }; /* of logits at once: 64 MiB */

static sl_normed carve_normed(sl_arena *arena, size_t rows, size_t D)
{
    return (sl_normed){ .h = sl_arena_f32(arena, rows, D),
                        .mean = sl_arena_f32(arena, rows, 1),
                        .rstd = sl_arena_f32(arena, rows, 1) };
}

static size_t up_width(const sl_config *c)
{
    return c->mlp == SL_MLP_GATED ? 2 * c->F : c->F;
}

/* Everything of a layer but x, y and a shared mid. */
static sl_acts carve_acts(sl_arena *arena, const sl_config *c, size_t T)
{
    sl_acts a = { 0 };

    a.qkv = sl_arena_f32(arena, T, (c->H + 2 * c->K) * c->E);
    if (c->qk_norm != SL_NORM_NONE)
        a.raw_qk = sl_arena_f32(arena, T, (c->H + c->K) * c->E);
    a.o = sl_arena_f32(arena, T, c->H * c->E);
    a.lse = sl_arena_f32(arena, T, c->H);
    a.up = sl_arena_f32(arena, T, up_width(c));
    return a;
}

static void carve_layers_kept(sl_work *w, sl_arena *arena, size_t T)
{
    const sl_config *c = &w->config;
    float *x = sl_arena_f32(arena, T, c->D);
    float *shared = c->residual == SL_RES_SEQUENTIAL ? NULL : sl_arena_f32(arena, T, c->D);

    for (size_t l = 0; l < c->L; l++) {
        sl_acts a = carve_acts(arena, c, T);

        a.mid = c->residual == SL_RES_SEQUENTIAL ? sl_arena_f32(arena, T, c->D) : shared;
        a.x = x;
        a.y = x = sl_arena_f32(arena, T, c->D);
        w->acts[l] = a;
    }
}

static void carve_layers_shared(sl_work *w, sl_arena *arena, size_t T)
{
    const sl_config *c = &w->config;
    float *x[2] = { sl_arena_f32(arena, T, c->D), sl_arena_f32(arena, T, c->D) };
    sl_acts a = carve_acts(arena, c, T);

    a.mid = sl_arena_f32(arena, T, c->D);
    for (size_t l = 0; l < c->L; l++) {
        a.x = x[l % 2];
        a.y = x[(l + 1) % 2];
        w->acts[l] = a;
    }
}

static void carve_scratch_forward(sl_scratch *s, sl_arena *arena, const sl_config *c, size_t T)
{
    s->norm1 = carve_normed(arena, T, c->D);
    if (c->residual != SL_RES_PARALLEL_SHARED)
        s->norm2 = carve_normed(arena, T, c->D);
    if (c->qk_norm != SL_NORM_NONE)
        s->qk = carve_normed(arena, T * (c->H + c->K), c->E);
    s->act = sl_arena_f32(arena, T, c->F);
}

static void carve_scratch_backward(sl_scratch *s, sl_arena *arena, const sl_config *c, size_t T)
{
    s->dx = sl_arena_f32(arena, T, c->D);
    s->dh1 = sl_arena_f32(arena, T, c->D);
    s->dh2 = sl_arena_f32(arena, T, c->D);
    s->dact = sl_arena_f32(arena, T, c->F);
    s->dup = sl_arena_f32(arena, T, up_width(c));
    s->dqkv = sl_arena_f32(arena, T, (c->H + 2 * c->K) * c->E);
    s->dout = sl_arena_f32(arena, T, c->H * c->E);
    s->delta = sl_arena_f32(arena, T, c->H);
    if (c->qk_norm == SL_NORM_NONE)
        return;
    s->dqk = sl_arena_f32(arena, T, (c->H + c->K) * c->E);
    s->draw_qk = sl_arena_f32(arena, T, (c->H + c->K) * c->E);
}

/* As many rows as TILE_FLOATS allows, all of them when they fit. */
static size_t tile_rows(const sl_config *c, size_t N)
{
    const size_t fit = TILE_FLOATS / c->V > 16 ? TILE_FLOATS / c->V : 16;

    return N < fit ? N : fit;
}

static void carve_tile(sl_tile *t, sl_arena *arena, const sl_config *c, size_t N, int with_backward)
{
    t->rows = tile_rows(c, N);
    t->row = sl_arena_take(arena, t->rows, sizeof *t->row);
    t->token = sl_arena_i32(arena, t->rows, 1);
    t->x = sl_arena_f32(arena, t->rows, c->D);
    t->norm = carve_normed(arena, t->rows, c->D);
    t->z = sl_arena_f32(arena, t->rows, c->V);
    if (!with_backward)
        return;
    t->coef = sl_arena_f32(arena, t->rows, 1);
    t->lse = sl_arena_f32(arena, t->rows, 1);
    t->dx = sl_arena_f32(arena, t->rows, c->D);
    t->dh = sl_arena_f32(arena, t->rows, c->D);
}

static void carve(sl_work *w, sl_arena *arena)
{
    const sl_config *c = &w->config;
    const sl_packed_limits *m = &w->limits;

    w->cosine = sl_arena_f32(arena, m->positions, c->R / 2);
    w->sine = sl_arena_f32(arena, m->positions, c->R / 2);
    w->stats = sl_arena_take(arena, m->N, sizeof *w->stats);
    if (w->with_backward)
        carve_layers_kept(w, arena, m->T);
    else
        carve_layers_shared(w, arena, m->T);
    carve_scratch_forward(&w->scratch, arena, c, m->T);
    if (w->with_backward)
        carve_scratch_backward(&w->scratch, arena, c, m->T);
    carve_tile(&w->tile, arena, c, m->N, w->with_backward);
}

static void prepare(sl_work *w, const sl_config *config, const sl_packed_limits *limits,
                    int with_backward)
{
    memset(w, 0, sizeof *w);
    w->config = *config;
    w->config.tree = NULL;
    w->config.generation = NULL;
    w->limits = *limits;
    w->with_backward = with_backward;
}

size_t sl_work_bytes(const sl_config *config, const sl_packed_limits *limits, int with_backward)
{
    sl_work w;
    sl_arena measure = SL_ARENA_MEASURE;

    prepare(&w, config, limits, with_backward);
    carve(&w, &measure);
    return measure.used_bytes;
}

static sl_status check_limits(const sl_packed_limits *m)
{
    const size_t most = (size_t)1 << 31; /* rows and positions are 32-bit; keeps products small */

    if (!m->T || !m->N || !m->positions || m->T >= most || m->N >= most || m->positions >= most)
        return SL_FAIL(SL_EARG, "want limits T, N, positions in 1..2^31-1, found %zu, %zu, %zu",
                       m->T, m->N, m->positions);
    return SL_OK;
}

sl_status sl_work_open(sl_work **out, const sl_config *config, const sl_backend *backend,
                       const sl_packed_limits *limits, int with_backward)
{
    sl_work *w = NULL;
    sl_status st = SL_OK;

    *out = NULL;
    SL_TRY(check_limits(limits));
    SL_TRY(sl_take(&w, 1, sizeof *w));
    prepare(w, config, limits, with_backward);
    w->backend = backend;
    st = sl_arena_open(&w->arena, sl_work_bytes(config, limits, with_backward));
    if (st != SL_OK) {
        sl_work_close(&w);
        return st;
    }
    carve(w, &w->arena);
    sl_rope_fill(w->cosine, w->sine, &config->rope, config->R, limits->positions);
    w->rope_of = config->max_positions;
    *out = w;
    return SL_OK;
}

void sl_work_rope(sl_work *w, size_t n)
{
    const sl_config *c = &w->config;
    const size_t of = n == SL_ROPE_GROWING || n > c->max_positions ? n : c->max_positions;
    sl_rope at;

    if (c->rope.type != SL_ROPE_DYNAMIC || w->rope_of == of)
        return;
    w->rope_of = of;
    if (of == SL_ROPE_GROWING) {
        sl_rope_fill_growing(w->cosine, w->sine, &c->rope, c->R, w->limits.positions,
                             c->max_positions);
        return;
    }
    at = sl_rope_at(&c->rope, c->R, of, c->max_positions);
    sl_rope_fill(w->cosine, w->sine, &at, c->R, w->limits.positions);
}

void sl_work_close(sl_work **work)
{
    if (!*work)
        return;
    sl_arena_close(&(*work)->arena);
    sl_free(*work);
    *work = NULL;
}

int sl_work_fits(const sl_work *work, const sl_config *c)
{
    const sl_config *w = &work->config;

    return w->family == c->family && w->L == c->L && w->D == c->D && w->F == c->F && w->H == c->H &&
           w->K == c->K && w->E == c->E && w->R == c->R && w->V == c->V &&
           w->qk_norm == c->qk_norm && w->residual == c->residual;
}

const float *sl_work_hidden(const sl_work *work)
{
    return work->acts[work->config.L - 1].y;
}
