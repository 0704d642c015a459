#include "train/optim.h"
#include <math.h>
#include <string.h>

void sl_optim_carve(sl_optim *optim, sl_arena *arena, const sl_tensors *table)
{
    optim->m = sl_arena_f32(arena, 1, table->floats);
    optim->v = sl_arena_f32(arena, 1, table->floats);
    optim->before = sl_arena_f32(arena, 1, SL_OPTIM_CHUNK);
    optim->group = sl_arena_take(arena, table->group_count, sizeof *optim->group);
    optim->group_count = table->group_count;
}

void sl_optim_reset(sl_optim *optim)
{
    const size_t n = sl_model_tensors(optim->model)->floats;

    memset(optim->m, 0, n * sizeof *optim->m);
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

/* Updates n floats at offset; returns the squared norm of the change. */
static double update_chunk(sl_optim *optim, const sl_adamw *s, size_t offset, size_t n)
{
    const sl_ops *ops = sl_model_backend(optim->model)->ops;
    float *p = sl_model_parameters(optim->model) + offset;
    const float *g = sl_model_gradients(optim->model) + offset;

    memcpy(optim->before, p, n * sizeof *p);
    ops->adamw(p, optim->m + offset, optim->v + offset, g, n, s);
    ops->scale(optim->before, n, -1.0f);
    ops->add(optim->before, p, n);
    return ops->sum_sq(optim->before, n);
}

static void update_all(sl_optim *optim, sl_adamw s)
{
    const sl_tensors *table = sl_model_tensors(optim->model);

    for (size_t i = 0; i < table->count; i++) {
        const sl_tensor *t = &table->row[i];
        const size_t n = t->rows * t->cols;
        double sq = 0.0;

        s.weight_decay = t->is_decayed ? (float)optim->settings.weight_decay : 0.0f;
        for (size_t at = 0; at < n; at += SL_OPTIM_CHUNK)
            sq += update_chunk(optim, &s, t->offset + at,
                               n - at < SL_OPTIM_CHUNK ? n - at : SL_OPTIM_CHUNK);
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
    sl_adamw s;

    gather(optim);
    SL_TRY(check_gradient(optim));
    optim->clip = set->clip > 0.0 ? fmin(1.0, set->clip / (optim->group[0].norm + 1e-6)) : 1.0;
    optim->update++;
    s = (sl_adamw){ .learning_rate = (float)learning_rate,
                    .beta1 = (float)set->beta1,
                    .beta2 = (float)set->beta2,
                    .eps = (float)set->eps,
                    .grad_scale = (float)optim->clip,
                    .update = optim->update };
    update_all(optim, s);
    memset(sl_model_gradients(optim->model), 0, floats * sizeof(float));
    return SL_OK;
}
