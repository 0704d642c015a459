/* One transformer block over axes, forward and backward. In every family
 *
 *     mid = x + attention(h1),  y = mid + mlp(h2),  h1 = norm1(x)
 *
 * and the residual form says what the second branch reads:
 *
 *     sequential       h2 = norm2(mid)
 *     parallel, two    h2 = norm2(x)
 *     parallel, shared h2 = h1
 *
 * Kept for backward: x, mid, q k v, o, lse, up. Recomputed: norms, activations, scores. */
#include "model/model_int.h"
#include <math.h>
#include <string.h>

sl_heads sl_heads_of(const sl_config *c)
{
    const size_t HE = c->H * c->E, KE = c->K * c->E;

    if (c->qkv == SL_QKV_FUSED_PER_HEAD)
        return (sl_heads){ 0, c->E, 2 * c->E, 3 * HE, 3 * c->E };
    return (sl_heads){ 0, HE, HE + KE, HE + 2 * KE, c->E };
}

/* q/k norm wants heads in contiguous rows: heads (T,H,E) then (T,K,E) <- qkv, or qkv <- heads. */
static void move_heads(const sl_pass *p, float *heads, float *qkv, int is_back)
{
    const sl_config *c = p->config;
    const sl_heads at = sl_heads_of(c);

    for (size_t i = 0; i < p->T * (c->H + c->K); i++) {
        const int is_q = i < p->T * c->H;
        const size_t j = is_q ? i : i - p->T * c->H, per_row = is_q ? c->H : c->K;
        float *place = qkv + j / per_row * at.token_stride + (is_q ? at.q : at.k) +
                       j % per_row * at.head_stride;

        memcpy(is_back ? place : heads + i * c->E, is_back ? heads + i * c->E : place,
               c->E * sizeof *heads);
    }
}

/* The key heads' part of what is kept of both. */
static sl_normed key_part(const sl_normed *qk, size_t q_rows, size_t E)
{
    return (sl_normed){ qk->h + q_rows * E, qk->mean + q_rows, qk->rstd + q_rows };
}

static void qk_norm_fwd(const sl_pass *p, const sl_block *b, const float *raw, const sl_scratch *s)
{
    const sl_config *c = p->config;
    const size_t q_rows = p->T * c->H, k_rows = p->T * c->K;
    const sl_normed k = key_part(&s->qk, q_rows, c->E);

    sl_norm_fwd(p, &s->qk, raw, &b->q_norm, q_rows);
    sl_norm_fwd(p, &k, raw + q_rows * c->E, &b->k_norm, k_rows);
}

/* dqkv: gradient of normed q and k in, of raw ones out. */
static void qk_norm_bwd(const sl_pass *p, const sl_block *b, const float *raw, const sl_scratch *s)
{
    const sl_config *c = p->config;
    const size_t q_rows = p->T * c->H, k_rows = p->T * c->K, k_first = q_rows * c->E;
    const sl_normed k = key_part(&s->qk, q_rows, c->E);

    qk_norm_fwd(p, b, raw, s);
    move_heads(p, s->dqk, s->dqkv, 0);
    memset(s->draw_qk, 0, (q_rows + k_rows) * c->E * sizeof *s->draw_qk);
    sl_norm_bwd(p, s->draw_qk, s->dqk, raw, &s->qk, &b->q_norm, q_rows);
    sl_norm_bwd(p, s->draw_qk + k_first, s->dqk + k_first, raw + k_first, &k, &b->k_norm, k_rows);
    move_heads(p, s->draw_qk, s->dqkv, 1);
}

/* Turns q and k of qkv (or of its gradient, with sign -1) by their positions. */
static void rotate(const sl_pass *p, float *qkv, float sign)
{
    const sl_config *c = p->config;
    const sl_heads at = sl_heads_of(c);

    p->ops->rope(qkv + at.q, p->cosine, p->sine, p->position, p->T, c->H, c->R, at.token_stride,
                 at.head_stride, sign);
    p->ops->rope(qkv + at.k, p->cosine, p->sine, p->position, p->T, c->K, c->R, at.token_stride,
                 at.head_stride, sign);
}

static void store_keys(const sl_pass *p, size_t layer, const float *qkv)
{
    const sl_config *c = p->config;
    const sl_heads at = sl_heads_of(c);

    for (size_t t = 0; t < p->T; t++) {
        const size_t to = (layer * p->cache->rows + p->cache->row[t]) * c->K * c->E;
        const float *from = qkv + t * at.token_stride;

        for (size_t h = 0; h < c->K; h++) {
            memcpy(p->cache->k + to + h * c->E, from + at.k + h * at.head_stride,
                   c->E * sizeof *from);
            memcpy(p->cache->v + to + h * c->E, from + at.v + h * at.head_stride,
                   c->E * sizeof *from);
        }
    }
}

static sl_attention packed_attention(const sl_pass *p, const sl_block *b)
{
    const sl_config *c = p->config;
    const sl_heads at = sl_heads_of(c);

    return (sl_attention){ .segment = p->segment,
                           .S = p->S,
                           .T = p->T,
                           .H = c->H,
                           .K = c->K,
                           .E = c->E,
                           .token_stride = at.token_stride,
                           .head_stride = at.head_stride,
                           .window = b->window,
                           .scale = (float)(1.0 / sqrt((double)c->E)) };
}

/* o of one new token per sequence against the cache. */
static void attend_cache(const sl_pass *p, const sl_block *b, size_t layer, const sl_acts *kept)
{
    const sl_config *c = p->config;
    const sl_heads at = sl_heads_of(c);
    const size_t first = layer * p->cache->rows * c->K * c->E;
    const sl_decode d = { .row = p->decode,
                          .B = p->T,
                          .H = c->H,
                          .K = c->K,
                          .E = c->E,
                          .token_stride = at.token_stride,
                          .head_stride = at.head_stride,
                          .window = b->window,
                          .scale = (float)(1.0 / sqrt((double)c->E)) };

    p->ops->attention_decode(kept->o, kept->qkv + at.q, p->cache->k + first, p->cache->v + first,
                             &d);
}

/* y (T,D) = W_o attention(W_qkv h); h (T,D). */
static void attention_fwd(const sl_pass *p, const sl_block *b, size_t layer, float *y,
                          const float *h, const sl_acts *kept, const sl_scratch *s)
{
    const sl_heads at = sl_heads_of(p->config);
    const sl_attention a = packed_attention(p, b);

    sl_linear_fwd(p, kept->qkv, h, &b->qkv, p->T);
    if (b->q_norm.kind != SL_NORM_NONE) {
        move_heads(p, kept->raw_qk, kept->qkv, 0);
        qk_norm_fwd(p, b, kept->raw_qk, s);
        move_heads(p, s->qk.h, kept->qkv, 1);
    }
    rotate(p, kept->qkv, 1.0f);
    if (p->cache)
        store_keys(p, layer, kept->qkv);
    if (p->decode)
        attend_cache(p, b, layer, kept);
    else
        p->ops->attention_fwd(kept->o, kept->lse, kept->qkv + at.q, kept->qkv + at.k,
                              kept->qkv + at.v, &a);
    sl_linear_fwd(p, y, kept->o, &b->out, p->T);
}

/* dh (T,D) overwritten; dy (T,D); h (T,D) recomputed by the caller. */
static void attention_bwd(const sl_pass *p, const sl_block *b, float *dh, const float *dy,
                          const float *h, const sl_acts *kept, const sl_scratch *s)
{
    const sl_heads at = sl_heads_of(p->config);
    const sl_attention a = packed_attention(p, b);
    float *dqkv = s->dqkv;

    sl_linear_bwd(p, s->dout, dy, kept->o, &b->out, p->T);
    memset(dqkv, 0, p->T * at.token_stride * sizeof *dqkv);
    p->ops->attention_bwd(dqkv + at.q, dqkv + at.k, dqkv + at.v, s->delta, s->dout,
                          kept->qkv + at.q, kept->qkv + at.k, kept->qkv + at.v, kept->o, kept->lse,
                          &a);
    rotate(p, dqkv, -1.0f);
    if (b->q_norm.kind != SL_NORM_NONE)
        qk_norm_bwd(p, b, kept->raw_qk, s);
    sl_linear_bwd(p, dh, dqkv, h, &b->qkv, p->T);
}

static void activate(const sl_pass *p, float *act, const float *up)
{
    const sl_config *c = p->config;

    if (c->mlp == SL_MLP_GATED)
        p->ops->gated_fwd(act, up, p->T, c->F, c->act);
    else
        p->ops->act_fwd(act, up, p->T * c->F, c->act);
}

/* y (T,D) = W_down act(W_up h). */
static void mlp_fwd(const sl_pass *p, const sl_block *b, float *y, const float *h,
                    const sl_acts *kept, const sl_scratch *s)
{
    sl_linear_fwd(p, kept->up, h, &b->up, p->T);
    activate(p, s->act, kept->up);
    sl_linear_fwd(p, y, s->act, &b->down, p->T);
}

/* dh (T,D) overwritten; dy (T,D); h (T,D) recomputed by the caller. */
static void mlp_bwd(const sl_pass *p, const sl_block *b, float *dh, const float *dy, const float *h,
                    const sl_acts *kept, const sl_scratch *s)
{
    const sl_config *c = p->config;

    activate(p, s->act, kept->up);
    sl_linear_bwd(p, s->dact, dy, s->act, &b->down, p->T);
    if (c->mlp == SL_MLP_GATED)
        p->ops->gated_bwd(s->dup, s->dact, kept->up, p->T, c->F, c->act);
    else
        p->ops->act_bwd(s->dup, s->dact, kept->up, p->T * c->F, c->act);
    sl_linear_bwd(p, dh, s->dup, h, &b->up, p->T);
}

/* What the second branch reads, normed into s->norm2 unless shared. */
static const float *second_input(const sl_pass *p, const sl_block *b, const sl_acts *kept,
                                 const sl_scratch *s)
{
    if (p->config->residual == SL_RES_PARALLEL_SHARED)
        return s->norm1.h;
    sl_norm_fwd(p, &s->norm2, p->config->residual == SL_RES_SEQUENTIAL ? kept->mid : kept->x,
                &b->norm2, p->T);
    return s->norm2.h;
}

void sl_block_fwd(const sl_pass *p, const sl_block *b, size_t layer, const sl_acts *kept,
                  const sl_scratch *s)
{
    const size_t n = p->T * p->config->D;

    sl_norm_fwd(p, &s->norm1, kept->x, &b->norm1, p->T);
    attention_fwd(p, b, layer, kept->mid, s->norm1.h, kept, s);
    p->ops->add(kept->mid, kept->x, n);
    mlp_fwd(p, b, kept->y, second_input(p, b, kept, s), kept, s);
    p->ops->add(kept->y, kept->mid, n);
}

/* dy = s->dx reaches both branches; each branch's dh goes back through its norm into s->dx. In the
 * sequential form attention sees what the mlp has added, in the parallel ones it does not. */
void sl_block_bwd(const sl_pass *p, const sl_block *b, const sl_acts *kept, const sl_scratch *s)
{
    const sl_residual residual = p->config->residual;

    sl_norm_fwd(p, &s->norm1, kept->x, &b->norm1, p->T);
    mlp_bwd(p, b, s->dh2, s->dx, second_input(p, b, kept, s), kept, s);
    if (residual == SL_RES_SEQUENTIAL)
        sl_norm_bwd(p, s->dx, s->dh2, kept->mid, &s->norm2, &b->norm2, p->T);
    attention_bwd(p, b, s->dh1, s->dx, s->norm1.h, kept, s);
    if (residual == SL_RES_PARALLEL_TWO)
        sl_norm_bwd(p, s->dx, s->dh2, kept->x, &s->norm2, &b->norm2, p->T);
    if (residual == SL_RES_PARALLEL_SHARED)
        p->ops->add(s->dh1, s->dh2, p->T * p->config->D);
    sl_norm_bwd(p, s->dx, s->dh1, kept->x, &s->norm1, &b->norm1, p->T);
}
