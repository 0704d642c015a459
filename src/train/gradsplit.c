#include "train/gradsplit.h"
#include "train/clock.h"
#include "train/optim.h"
#include <math.h>
#include <string.h>

void sl_gradsplit_carve_rows(sl_gradsplit *split, sl_arena *arena, const sl_tensors *table)
{
    split->floats = table->floats;
    split->group_count = table->group_count;
    split->row = sl_arena_take(arena, table->group_count, sizeof *split->row);
}

void sl_gradsplit_carve(sl_gradsplit *split, sl_arena *arena, const sl_tensors *table,
                        int has_shards)
{
    sl_gradsplit_carve_rows(split, arena, table);
    split->side = sl_arena_f32(arena, 1, table->floats);
    split->source = sl_arena_f32(arena, 1, table->floats);
    split->shard = has_shards ? sl_arena_f32(arena, 1, table->floats) : NULL;
    split->dot = sl_arena_f64(arena, 1, table->group_count);
    split->square = sl_arena_f64(arena, 1, table->group_count);
    split->part = sl_arena_f64(arena, 1, table->group_count);
}

void sl_gradsplit_begin(sl_gradsplit *split, int is_active, int has_shards)
{
    split->is_active = is_active && split->side;
    split->has_shards = has_shards && split->shard;
    split->shards = split->pairs = 0;
    split->seconds = 0.0;
    for (size_t i = 0; i < split->group_count; i++)
        split->row[i] = (sl_gradsplit_row){ NAN, NAN, NAN, NAN, NAN, NAN, NAN };
    if (!split->is_active)
        return;
    memset(split->side, 0, split->floats * sizeof(float));
    memset(split->source, 0, split->floats * sizeof(float));
}

/* Squared norms of the mean gradient of this shard; then its sum goes to the rest. */
static void take_shard(sl_gradsplit *split, const sl_update *u)
{
    const double per_pair = (double)u->P / (double)u->count;

    sl_group_dots(split->part, split->model, split->shard, split->shard);
    for (size_t i = 0; i < split->group_count; i++) {
        double *sum = &split->row[i].sq_small;

        *sum = (split->shards ? *sum : 0.0) + split->part[i] * per_pair * per_pair;
    }
    sl_model_backend(split->model)
        ->ops->add(sl_model_gradients(split->model), split->shard, split->floats);
    split->pairs = u->count;
    split->shards++;
}

/* The pass by itself, so that the norm of this shard's mean gradient is known. */
static sl_status shard_backward(sl_gradsplit *split, sl_update *u, sl_work *work)
{
    double at = sl_clock_now();
    sl_status st;

    memset(split->shard, 0, split->floats * sizeof(float));
    sl_clock_lap(&split->seconds, &at);
    sl_model_gradients_into(split->model, split->shard);
    st = sl_update_backward(u, split->model, work, u->coef);
    sl_model_gradients_into(split->model, NULL);
    SL_TRY(st);
    at = sl_clock_now();
    take_shard(split, u);
    sl_clock_lap(&split->seconds, &at);
    return SL_OK;
}

static sl_status part_backward(sl_gradsplit *split, sl_update *u, sl_work *work, float *into)
{
    sl_status st;

    sl_model_gradients_into(split->model, into);
    st = sl_update_backward(u, split->model, work, u->split_coef);
    sl_model_gradients_into(split->model, NULL);
    return st;
}

/* Further passes, one for each split. */
static sl_status split_backward(sl_gradsplit *split, sl_update *u, sl_work *work)
{
    if (u->sides > 1) {
        sl_update_split(u, 0, SL_SOURCE_STATIC);
        SL_TRY(part_backward(split, u, work, split->side));
    }
    if (u->means.pairs_on > 0 && u->means.pairs_on < u->P) {
        sl_update_split(u, -1, SL_SOURCE_ON_POLICY);
        SL_TRY(part_backward(split, u, work, split->source));
    }
    return SL_OK;
}

sl_status sl_gradsplit_backward(sl_gradsplit *split, sl_update *u, sl_work *work)
{
    double at;

    if (split->has_shards && u->count == u->micro)
        SL_TRY(shard_backward(split, u, work));
    else
        SL_TRY(sl_update_backward(u, split->model, work, u->coef));
    if (!split->is_active)
        return SL_OK;
    at = sl_clock_now();
    SL_TRY(split_backward(split, u, work));
    sl_clock_lap(&split->seconds, &at);
    return SL_OK;
}

/* Norms and cosine of part and rest = whole - part, from inner products. */
static void compare(double *part_norm, double *rest_norm, double *cosine, double whole_sq,
                    double part_sq, double dot)
{
    const double rest_sq = fmax(0.0, whole_sq - 2.0 * dot + part_sq);

    *part_norm = sqrt(part_sq);
    *rest_norm = sqrt(rest_sq);
    *cosine = part_sq > 0.0 && rest_sq > 0.0 ? (dot - part_sq) / sqrt(part_sq * rest_sq) : NAN;
}

/* By side; of an update with one source the whole is its part. */
static void compare_sides(sl_gradsplit *split, const sl_update *u)
{
    const float *whole = sl_model_gradients(split->model);

    sl_group_dots(split->square, split->model, whole, whole);
    sl_group_dots(split->part, split->model, split->side, split->side);
    sl_group_dots(split->dot, split->model, whole, split->side);
    for (size_t i = 0; i < split->group_count; i++) {
        sl_gradsplit_row *r = &split->row[i];

        if (u->sides > 1)
            compare(&r->norm_c, &r->norm_r, &r->cos_c_r, split->square[i], split->part[i],
                    split->dot[i]);
        r->norm_static = u->means.pairs_on ? NAN : sqrt(split->square[i]);
        r->norm_on = u->means.pairs_on == u->P ? sqrt(split->square[i]) : NAN;
    }
}

static void compare_sources(sl_gradsplit *split, const sl_update *u)
{
    const float *whole = sl_model_gradients(split->model);

    if (!u->means.pairs_on || u->means.pairs_on == u->P)
        return;
    sl_group_dots(split->part, split->model, split->source, split->source);
    sl_group_dots(split->dot, split->model, whole, split->source);
    for (size_t i = 0; i < split->group_count; i++) {
        sl_gradsplit_row *r = &split->row[i];

        compare(&r->norm_on, &r->norm_static, &r->cos_static_on, split->square[i], split->part[i],
                split->dot[i]);
    }
}

void sl_gradsplit_end(sl_gradsplit *split, const sl_update *u)
{
    double at = sl_clock_now();

    for (size_t i = 0; split->shards && i < split->group_count; i++)
        split->row[i].sq_small /= (double)split->shards;
    if (split->is_active) {
        compare_sides(split, u);
        compare_sources(split, u);
    }
    sl_clock_lap(&split->seconds, &at);
}
