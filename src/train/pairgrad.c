#include "train/pairgrad.h"
#include "model/reward.h"
#include "train/optim.h"
#include <math.h>
#include <string.h>

void sl_pairgrad_carve(sl_pairgrad *pg, sl_arena *arena, const sl_tensors *table,
                       const sl_data_limits *limits, size_t m)
{
    const sl_packed_limits most = sl_pack_limits(1, limits->prompt_tok, limits->answer_tok);
    double **const sums[] = { &pg->dot, &pg->square, &pg->whole_sq, &pg->group_sq };
    float **const sketches[] = { &pg->sketch, &pg->sketch_c, &pg->sketch_r };

    pg->m = m;
    sl_packer_carve(&pg->packer, arena, &most);
    pg->logp = sl_arena_f32(arena, 1, most.N);
    pg->ones = sl_arena_f32(arena, 1, most.N);
    pg->part = sl_arena_f32(arena, 1, table->floats);
    pg->sum = sl_arena_f32(arena, 1, table->floats);
    pg->parts = sl_arena_f64(arena, SL_SKETCH_PARTS, m);
    pg->sketch_of = sl_arena_f64(arena, SL_PAIRGRAD_SIDES, m);
    for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++)
        *sums[i] = sl_arena_f64(arena, 1, table->group_count);
    for (size_t i = 0; i < sizeof sketches / sizeof sketches[0]; i++)
        *sketches[i] = sl_arena_f32(arena, 1, m);
    pg->group_norm = sl_arena_f32(arena, 1, table->group_count);
    pg->group_cos = sl_arena_f32(arena, 1, table->group_count);
    for (size_t n = 0; pg->ones && n < most.N; n++)
        pg->ones[n] = 1.0f;
}

static size_t floats_of(const sl_pairgrad *pg)
{
    return sl_model_tensors(pg->model)->floats;
}

static size_t groups_of(const sl_pairgrad *pg)
{
    return sl_model_tensors(pg->model)->group_count;
}

static const sl_ops *ops_of(const sl_pairgrad *pg)
{
    return sl_model_backend(pg->model)->ops;
}

void sl_pairgrad_begin(sl_pairgrad *pg, const sl_update *u, const sl_gradsplit *split)
{
    const float *whole = sl_model_gradients(pg->model);

    pg->pairs = u->P;
    pg->pairs_on = u->means.pairs_on;
    pg->on = pg->pairs_on && pg->pairs_on < pg->pairs ? split->source : NULL;
    if (pg->on) {
        pg->on_sq = ops_of(pg)->sum_sq(pg->on, floats_of(pg));
        pg->on_whole = ops_of(pg)->dot(pg->on, whole, floats_of(pg));
    }
    sl_group_dots(pg->whole_sq, pg->model, whole, whole);
    memset(pg->group_sq, 0, groups_of(pg) * sizeof *pg->group_sq);
}

/* part = the gradient of one answer's log-probability or reward. */
static sl_status answer_gradient(sl_pairgrad *pg, const sl_sequence *answer, int is_reward,
                                 sl_work *work)
{
    const sl_packed *b = &pg->packer.packed;
    sl_status st;

    memset(pg->part, 0, floats_of(pg) * sizeof *pg->part);
    SL_TRY(sl_pack(&pg->packer, answer, 1));
    SL_TRY(sl_model_forward(pg->model, work, b));
    SL_TRY(is_reward ? sl_model_rewards(pg->logp, pg->model, work, b)
                     : sl_model_logp(pg->logp, NULL, NULL, pg->model, work, b));
    sl_model_gradients_into(pg->model, pg->part);
    st = is_reward ? sl_model_rewards_backward(pg->model, work, b, pg->ones)
                   : sl_model_backward(pg->model, work, b, pg->ones);
    sl_model_gradients_into(pg->model, NULL);
    return st;
}

/* Sketches the gradient of an answer, then adds it to the pair's by its coefficient. */
static sl_status add_side(sl_pairgrad *pg, const sl_sequence *answer, int side, double coef,
                          int is_reward, sl_work *work)
{
    double *sketch = pg->sketch_of + (size_t)side * pg->m;
    const size_t n = floats_of(pg);

    SL_TRY(answer_gradient(pg, answer, is_reward, work));
    memset(sketch, 0, pg->m * sizeof *sketch);
    ops_of(pg)->count_sketch(sketch, pg->parts, pg->part, n, 0, pg->m, SL_PAIRGRAD_SEED);
    ops_of(pg)->scale(pg->part, n, (float)coef);
    ops_of(pg)->add(pg->sum, pg->part, n);
    for (size_t k = 0; k < pg->m; k++)
        pg->sketch[k] += (float)(coef * sketch[k]);
    return SL_OK;
}

static double cosine(double dot, double a_sq, double b_sq)
{
    return a_sq > 0.0 && b_sq > 0.0 ? dot / sqrt(a_sq * b_sq) : NAN;
}

/* With the mean gradient of each source; the parts of an update add up to the whole. */
static void compare_sources(sl_pairgrad *pg)
{
    sl_row_pair_grad *r = &pg->row;
    double with_on, whole_sq = pg->whole_sq[0];

    r->cos_static = pg->pairs_on ? NAN : r->cos_batch;
    r->cos_on = pg->pairs_on == pg->pairs ? r->cos_batch : NAN;
    if (!pg->on)
        return;
    with_on = ops_of(pg)->dot(pg->sum, pg->on, floats_of(pg));
    r->cos_on = (float)cosine(with_on, pg->square[0], pg->on_sq);
    r->cos_static = (float)cosine(pg->dot[0] - with_on, pg->square[0],
                                  whole_sq - 2.0 * pg->on_whole + pg->on_sq);
}

/* The row but its sides and its sketches, from sum. */
static void compare_whole(sl_pairgrad *pg)
{
    sl_group_dots(pg->square, pg->model, pg->sum, pg->sum);
    sl_group_dots(pg->dot, pg->model, pg->sum, sl_model_gradients(pg->model));
    for (size_t g = 0; g < groups_of(pg); g++) {
        pg->group_norm[g] = (float)sqrt(pg->square[g]);
        pg->group_cos[g] = (float)cosine(pg->dot[g], pg->square[g], pg->whole_sq[g]);
    }
    pg->row.norm = pg->group_norm[0];
    pg->row.cos_batch = pg->group_cos[0];
    compare_sources(pg);
}

static void keep_sketch(float *out, const sl_pairgrad *pg, int side, int is_there)
{
    for (size_t k = 0; k < pg->m; k++)
        out[k] = is_there ? (float)pg->sketch_of[(size_t)side * pg->m + k] : NAN;
}

static void begin_row(sl_pairgrad *pg, uint64_t id, uint8_t source)
{
    pg->row = (sl_row_pair_grad){ .pair_id = id, .norm_r = NAN, .source = source };
    memset(pg->sum, 0, floats_of(pg) * sizeof *pg->sum);
    memset(pg->sketch, 0, pg->m * sizeof *pg->sketch);
}

static float norm_of(const sl_pairgrad *pg, const float *x)
{
    return (float)sqrt(ops_of(pg)->sum_sq(x, floats_of(pg)));
}

sl_status sl_pairgrad_pair(sl_pairgrad *pg, const sl_update *u, size_t i, sl_work *work)
{
    const sl_fed *fed = &u->fed[i];
    const sl_sequence answer[SL_PAIRGRAD_SIDES] = { { fed->pair.prompt, fed->pair.chosen },
                                                    { fed->pair.prompt, fed->pair.rejected },
                                                    { fed->pair.prompt, fed->target } };
    const int has_rejected = u->sides > 1, reward = u->is_reward;

    begin_row(pg, fed->pair.id, (uint8_t)fed->pair.source);
    SL_TRY(add_side(pg, &answer[0], 0, u->coef_c[i], reward, work));
    if (u->sides > SL_UPDATE_TARGET)
        SL_TRY(add_side(pg, &answer[2], 2, u->coef_t[i], reward, work));
    pg->row.norm_c = norm_of(pg, pg->sum);
    if (has_rejected) {
        SL_TRY(add_side(pg, &answer[1], 1, u->coef_r[i], reward, work));
        pg->row.norm_r = norm_of(pg, pg->part);
    }
    keep_sketch(pg->sketch_c, pg, 0, 1);
    keep_sketch(pg->sketch_r, pg, 1, has_rejected);
    compare_whole(pg);
    for (size_t g = 0; g < groups_of(pg); g++)
        pg->group_sq[g] += pg->square[g];
    return SL_OK;
}

sl_status sl_pairgrad_answer(sl_pairgrad *pg, const sl_sequence *answer, uint64_t id, sl_work *work)
{
    begin_row(pg, id, SL_ORIGIN_OTHER);
    SL_TRY(add_side(pg, answer, 0, 1.0, 0, work));
    keep_sketch(pg->sketch_c, pg, 0, 1);
    keep_sketch(pg->sketch_r, pg, 1, 0);
    compare_whole(pg);
    pg->row.norm_c = pg->row.norm;
    return SL_OK;
}

void sl_pairgrad_end(const sl_pairgrad *pg, sl_gradsplit *split)
{
    if (split->shards)
        return;
    for (size_t g = 0; g < groups_of(pg); g++)
        split->row[g].sq_small = pg->group_sq[g] / (double)pg->pairs;
    split->pairs = 1;
}
