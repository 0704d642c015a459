/* The head: final norm and logits of the target rows only, a tile of targets x vocabulary at a
 * time. Backward computes the tile again instead of keeping it. */
#include "model/model_int.h"
#include <string.h>

void sl_head_fwd(const sl_pass *p, float *z, const sl_model *model, const sl_work *work, size_t n)
{
    const sl_tile *t = &work->tile;

    p->ops->gather(t->x, sl_work_hidden(work), t->row, n, model->config.D);
    sl_norm_fwd(p, &t->norm, t->x, &model->final_norm, n);
    sl_linear_fwd(p, z, t->norm.h, &model->head, n);
}

/* Rows and tokens of targets first .. first+n-1 into the tile. */
static void take_targets(const sl_tile *t, const sl_packed *batch, size_t first, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        t->row[i] = batch->target[first + i].row;
        t->token[i] = batch->target[first + i].token;
    }
}

static sl_status check_state(const sl_model *model, const sl_work *work, const sl_packed *batch)
{
    SL_TRY(sl_model_check_speaks(model));
    SL_CHECK(work->forward_of == model && work->forward_T == batch->T);
    SL_CHECK(batch->N <= work->limits.N);
    return SL_OK;
}

static size_t tile_count(const sl_tile *t, const sl_packed *batch, size_t first)
{
    return batch->N - first < t->rows ? batch->N - first : t->rows;
}

sl_status sl_model_logp(float *logp, sl_row_stats *stats, sl_topk *top, const sl_model *model,
                        sl_work *work, const sl_packed *batch)
{
    const sl_pass p = sl_pass_of(model, work);
    const sl_tile *t = &work->tile;
    const size_t V = model->config.V;

    SL_TRY(check_state(model, work, batch));
    if (top && top->k > V)
        return SL_FAIL(SL_EARG, "want top-k at most %zu, found %u", V, top->k);
    for (size_t first = 0, n; first < batch->N; first += n) {
        n = tile_count(t, batch, first);
        take_targets(t, batch, first, n);
        sl_head_fwd(&p, t->z, model, work, n);
        p.ops->logp_fwd(logp + first, work->stats + first, t->z, t->token, n, V);
        if (top && top->k)
            p.ops->topk(top->id + first * top->k, top->logp + first * top->k, t->z,
                        work->stats + first, n, V, top->k);
    }
    if (stats)
        memcpy(stats, work->stats, batch->N * sizeof *stats);
    work->logp_N = batch->N;
    work->tile_holds_all = batch->N <= t->rows;
    return SL_OK;
}

sl_status sl_model_logits(float *z, const sl_model *model, sl_work *work, const sl_packed *batch)
{
    const sl_pass p = sl_pass_of(model, work);

    SL_TRY(check_state(model, work, batch));
    work->tile_holds_all = 0;
    for (size_t first = 0, n; first < batch->N; first += n) {
        n = tile_count(&work->tile, batch, first);
        take_targets(&work->tile, batch, first, n);
        sl_head_fwd(&p, z + first * model->config.V, model, work, n);
    }
    return SL_OK;
}

/* The next targets with a coefficient, from *first on, into the tile; returns how many. */
static size_t take_weighted(const sl_work *work, const sl_packed *batch, const float *coef,
                            size_t *first)
{
    const sl_tile *t = &work->tile;
    size_t n = 0;

    for (; *first < batch->N && n < t->rows; (*first)++) {
        if (coef[*first] == 0.0f)
            continue;
        t->row[n] = batch->target[*first].row;
        t->token[n] = batch->target[*first].token;
        t->coef[n] = coef[*first];
        t->lse[n] = work->stats[*first].lse;
        n++;
    }
    return n;
}

void sl_head_bwd(const sl_pass *p, const sl_model *model, sl_work *work, const sl_packed *batch,
                 const float *coef)
{
    const sl_tile *t = &work->tile;
    const size_t D = model->config.D, V = model->config.V;
    size_t first = 0, n = 0;

    while ((n = take_weighted(work, batch, coef, &first)) > 0) {
        if (!(work->tile_holds_all && n == batch->N))
            sl_head_fwd(p, t->z, model, work, n);
        work->tile_holds_all = 0;
        p->ops->logp_bwd(t->z, t->lse, t->token, t->coef, n, V);
        sl_linear_bwd(p, t->dh, t->z, t->norm.h, &model->head, n);
        memset(t->dx, 0, n * D * sizeof *t->dx);
        sl_norm_bwd(p, t->dx, t->dh, t->x, &t->norm, &model->final_norm, n);
        p->ops->scatter_add(work->scratch.dx, t->dx, t->row, n, D);
    }
}
