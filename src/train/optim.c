#include "train/optim.h"
#include "train/clock.h"
#include <math.h>
#include <string.h>

static int keeps_m(const sl_optim_settings *s)
{
    return sl_optim_rows[s->kind].keeps_m && (s->kind != SL_OPTIM_SGD || s->momentum > 0.0);
}

size_t sl_optim_moments(const sl_optim_settings *settings)
{
    return (size_t)keeps_m(settings) + (size_t)sl_optim_rows[settings->kind].keeps_v;
}

void sl_optim_carve(sl_optim *optim, sl_arena *arena, const sl_tensors *table)
{
    const sl_optim_settings *s = &optim->settings;

    optim->m = keeps_m(s) ? sl_arena_f32(arena, 1, table->floats) : NULL;
    optim->v = sl_optim_rows[s->kind].keeps_v ? sl_arena_f32(arena, 1, table->floats) : NULL;
    optim->before = sl_arena_f32(arena, 1, SL_OPTIM_CHUNK);
    optim->scratch = sl_arena_f32(arena, 1, SL_OPTIM_CHUNK);
    optim->group = sl_arena_take(arena, table->group_count, sizeof *optim->group);
    optim->group_count = table->group_count;
}

void sl_optim_reset(sl_optim *optim)
{
    const size_t n = sl_model_tensors(optim->model)->floats;

    if (optim->m)
        memset(optim->m, 0, n * sizeof *optim->m);
    if (optim->v)
        memset(optim->v, 0, n * sizeof *optim->v);
    optim->update = 0;
}

void sl_group_dots(double *dot, const sl_model *model, const float *x, const float *y)
{
    const sl_tensors *table = sl_model_tensors(model);
    const sl_ops *ops = sl_model_backend(model)->ops;

    memset(dot, 0, table->group_count * sizeof *dot);
    for (size_t i = 0; i < table->count; i++) {
        const sl_tensor *t = &table->row[i];
        const double d = ops->dot(x + t->offset, y + t->offset, t->rows * t->cols);

        dot[t->group] += d;
        dot[0] += d;
    }
}

void sl_group_norms(double *norm, const sl_model *model, const float *x)
{
    const size_t count = sl_model_tensors(model)->group_count;

    sl_group_dots(norm, model, x, x);
    for (size_t i = 0; i < count; i++)
        norm[i] = sqrt(norm[i]);
}

/* Norms and faults of the gradient, norms of the parameters; sums of squares until `finish`. */
static void gather(sl_optim *optim)
{
    const sl_tensors *table = sl_model_tensors(optim->model);
    const sl_ops *ops = sl_model_backend(optim->model)->ops;
    const float *g = sl_model_gradients(optim->model);
    const float *p = sl_model_parameters(optim->model);

    memset(optim->group, 0, optim->group_count * sizeof *optim->group);
    for (size_t i = 0; i < table->count; i++) {
        const sl_tensor *t = &table->row[i];
        const size_t n = t->rows * t->cols;
        uint32_t bad = 0;
        const double max_abs = (double)ops->max_abs(g + t->offset, n, &bad);
        const double sq = ops->sum_sq(g + t->offset, n), psq = ops->sum_sq(p + t->offset, n);
        sl_group_stats *const both[2] = { &optim->group[0], &optim->group[t->group] };

        for (size_t k = 0; k < 2; k++) {
            both[k]->norm += sq;
            both[k]->param_norm += psq;
            both[k]->bad += bad;
            both[k]->max_abs = max_abs > both[k]->max_abs ? max_abs : both[k]->max_abs;
        }
    }
    for (size_t i = 0; i < optim->group_count; i++) {
        optim->group[i].norm = sqrt(optim->group[i].norm);
        optim->group[i].param_norm = sqrt(optim->group[i].param_norm);
    }
}

/* Updates one chunk; returns the squared norm of the change. */
static double update_chunk(sl_optim *optim, const sl_optim_chunk *chunk)
{
    const sl_ops *ops = sl_model_backend(optim->model)->ops;
    const float *p = sl_model_parameters(optim->model) + chunk->offset;
    double at = sl_clock_now(), sq;

    memcpy(optim->before, p, chunk->n * sizeof *p);
    sl_clock_lap(&optim->norms_s, &at);
    sl_optim_rows[optim->settings.kind].step(optim, chunk);
    at = sl_clock_now();
    ops->scale(optim->before, chunk->n, -1.0f);
    ops->add(optim->before, p, chunk->n);
    sq = ops->sum_sq(optim->before, chunk->n);
    sl_clock_lap(&optim->norms_s, &at);
    return sq;
}

static int is_decayed(const sl_optim_settings *s, const sl_tensor *t)
{
    return s->decay == SL_DECAY_ALL || t->is_decayed;
}

static void update_all(sl_optim *optim, double learning_rate)
{
    const sl_optim_settings *set = &optim->settings;
    const sl_tensors *table = sl_model_tensors(optim->model);

    for (size_t i = 0; i < table->count; i++) {
        const sl_tensor *t = &table->row[i];
        const size_t n = t->rows * t->cols;
        double sq = 0.0;

        for (size_t at = 0; at < n; at += SL_OPTIM_CHUNK)
            sq += update_chunk(
                optim, &(sl_optim_chunk){ .offset = t->offset + at,
                                          .n = n - at < SL_OPTIM_CHUNK ? n - at : SL_OPTIM_CHUNK,
                                          .learning_rate = learning_rate,
                                          .clip = optim->clip,
                                          .decay = is_decayed(set, t) ? set->weight_decay : 0.0 });
        optim->group[0].update_norm += sq;
        optim->group[t->group].update_norm += sq;
    }
    for (size_t i = 0; i < optim->group_count; i++)
        optim->group[i].update_norm = sqrt(optim->group[i].update_norm);
}

static sl_status check_gradient(const sl_optim *optim)
{
    const sl_tensors *table = sl_model_tensors(optim->model);
    size_t row = 0, bad;

    if (!optim->group[0].bad && isfinite(optim->group[0].norm))
        return SL_OK;
    bad = sl_model_find_bad(optim->model, sl_model_gradients(optim->model), &row);
    return SL_FAIL(SL_ENUMERIC,
                   "want a finite gradient, found %zu bad entries, first in tensor \"%s\"", bad,
                   bad ? table->row[row].name : "(norm overflow)");
}

sl_status sl_optim_step(sl_optim *optim, double learning_rate)
{
    const sl_optim_settings *set = &optim->settings;
    const size_t floats = sl_model_tensors(optim->model)->floats;
    double at = sl_clock_now();

    optim->norms_s = 0.0;
    gather(optim);
    sl_clock_lap(&optim->norms_s, &at);
    SL_TRY(check_gradient(optim));
    optim->clip = set->clip > 0.0 ? fmin(1.0, set->clip / (optim->group[0].norm + 1e-6)) : 1.0;
    optim->update++;
    update_all(optim, learning_rate);
    memset(sl_model_gradients(optim->model), 0, floats * sizeof(float));
    return SL_OK;
}
