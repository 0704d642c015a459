/* Attention over packed segments, the executable specification: no score is kept, each is computed
 * again where it is needed. Source: docs/math.md, "Backward". */
#include "kernels/ref/ref_int.h"
#include <math.h>

/* Head elements summed in double at a time; a larger E takes several rounds. */
#define E_BLOCK 64

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Does row i of segment query see row j of segment key? */
static int sees(const sl_attention *a, const sl_segment *query, size_t i, const sl_segment *key,
                size_t j)
{
    const size_t p = query->position + i, kp = key->position + j;
    const int in_reach = !a->window || kp + a->window > p;

    if (query == key)
        return j <= i && in_reach;
    return query->parent == key - a->segment && in_reach;
}

/* Parent (or NULL) and own segment: all that a row of *s may see, in this order. */
static void sources(const sl_segment *src[2], const sl_attention *a, const sl_segment *s)
{
    src[0] = s->parent >= 0 ? a->segment + s->parent : NULL;
    src[1] = s;
}

static const float *head_of(const float *x, const sl_attention *a, size_t row, size_t head)
{
    return x + row * a->token_stride + head * a->head_stride;
}

/* <x, y> over E. */
static double dot(const float *x, const float *y, size_t E)
{
    double sum = 0.0;

    for (size_t e = 0; e < E; e++)
        sum += (double)x[e] * y[e];
    return sum;
}

/* Log-sum-exp of the scaled scores of one query qh (E), row i of *s, against key head kv of k. */
static double row_lse(const float *qh, const float *k, size_t kv, const sl_attention *a,
                      const sl_segment *s, size_t i)
{
    const sl_segment *src[2];
    double max = -INFINITY, sum = 0.0;

    sources(src, a, s);
    for (size_t n = 0; n < 2; n++)
        for (size_t j = 0; src[n] && j < src[n]->count; j++)
            if (sees(a, s, i, src[n], j))
                max = fmax(max, a->scale * dot(qh, head_of(k, a, src[n]->first + j, kv), a->E));
    for (size_t n = 0; n < 2; n++)
        for (size_t j = 0; src[n] && j < src[n]->count; j++)
            if (sees(a, s, i, src[n], j))
                sum += exp(a->scale * dot(qh, head_of(k, a, src[n]->first + j, kv), a->E) - max);
    return max + log(sum);
}

/* acc (count) += sum_j p_ij v_j[e0..e0+count). */
static void weigh_values(double *acc, size_t e0, size_t count, const float *qh, const float *k,
                         const float *v, double lse, size_t kv, const sl_attention *a,
                         const sl_segment *s, size_t i)
{
    const sl_segment *src[2];

    sources(src, a, s);
    for (size_t n = 0; n < 2; n++) {
        for (size_t j = 0; src[n] && j < src[n]->count; j++) {
            const size_t row = src[n]->first + j;

            if (!sees(a, s, i, src[n], j))
                continue;
            const double p = exp(a->scale * dot(qh, head_of(k, a, row, kv), a->E) - lse);
            for (size_t e = 0; e < count; e++)
                acc[e] += p * head_of(v, a, row, kv)[e0 + e];
        }
    }
}

static void attention_fwd_ref(float *o, float *lse, const float *q, const float *k, const float *v,
                              const sl_attention *a)
{
    for (const sl_segment *s = a->segment; s < a->segment + a->S; s++) {
        for (size_t i = 0; i < s->count; i++) {
            for (size_t h = 0; h < a->H; h++) {
                const size_t row = s->first + i, kv = h / (a->H / a->K);
                const float *qh = head_of(q, a, row, h);            /* (E) */
                const double row_sum = row_lse(qh, k, kv, a, s, i); /* nats */

                lse[row * a->H + h] = (float)row_sum;
                for (size_t e0 = 0; e0 < a->E; e0 += E_BLOCK) {
                    const size_t count = min_size(E_BLOCK, a->E - e0);
                    double acc[E_BLOCK] = { 0 };

                    weigh_values(acc, e0, count, qh, k, v, row_sum, kv, a, s, i);
                    for (size_t e = 0; e < count; e++)
                        o[(row * a->H + h) * a->E + e0 + e] = (float)acc[e];
                }
            }
        }
    }
}

/* What the backward pass reads. Shapes as in the contract. */
typedef struct bwd_in {
    const float *dout, *q, *k, *v, *lse, *delta;
} bwd_in;

/* p_ij and ds_ij = p (dp - delta_i) of query row, head h, and key row kr. */
static void score_bwd(double *p, double *ds, const bwd_in *in, const sl_attention *a, size_t row,
                      size_t h, size_t kr)
{
    const size_t kv = h / (a->H / a->K), th = row * a->H + h;
    const double s = a->scale * dot(head_of(in->q, a, row, h), head_of(in->k, a, kr, kv), a->E);

    *p = exp(s - in->lse[th]);
    *ds = *p * (dot(in->dout + th * a->E, head_of(in->v, a, kr, kv), a->E) - in->delta[th]);
}

/* dq of one query: row i of *s, head h. */
static void query_bwd(float *dq, const bwd_in *in, const sl_attention *a, const sl_segment *s,
                      size_t i, size_t h)
{
    const sl_segment *src[2];
    const size_t row = s->first + i, kv = h / (a->H / a->K);
    double p, ds;

    sources(src, a, s);
    for (size_t e0 = 0; e0 < a->E; e0 += E_BLOCK) {
        const size_t count = min_size(E_BLOCK, a->E - e0);
        double acc[E_BLOCK] = { 0 };

        for (size_t n = 0; n < 2; n++) {
            for (size_t j = 0; src[n] && j < src[n]->count; j++) {
                if (!sees(a, s, i, src[n], j))
                    continue;
                score_bwd(&p, &ds, in, a, row, h, src[n]->first + j);
                for (size_t e = 0; e < count; e++)
                    acc[e] += ds * head_of(in->k, a, src[n]->first + j, kv)[e0 + e];
            }
        }
        for (size_t e = 0; e < count; e++)
            dq[row * a->token_stride + h * a->head_stride + e0 + e] += (float)(a->scale * acc[e]);
    }
}

/* dk, dv of one key: row j of *key, head kv; acc_k, acc_v (count) over all queries that see it. */
static void key_sums(double *acc_k, double *acc_v, size_t e0, size_t count, const bwd_in *in,
                     const sl_attention *a, const sl_segment *key, size_t j, size_t kv)
{
    const size_t group = a->H / a->K;
    double p, ds;

    for (const sl_segment *s = a->segment; s < a->segment + a->S; s++) {
        for (size_t i = 0; (s == key || s->parent == key - a->segment) && i < s->count; i++) {
            const size_t row = s->first + i;

            for (size_t h = kv * group; sees(a, s, i, key, j) && h < (kv + 1) * group; h++) {
                score_bwd(&p, &ds, in, a, row, h, key->first + j);
                for (size_t e = 0; e < count; e++) {
                    acc_k[e] += ds * head_of(in->q, a, row, h)[e0 + e];
                    acc_v[e] += p * in->dout[(row * a->H + h) * a->E + e0 + e];
                }
            }
        }
    }
}

static void key_bwd(float *dk, float *dv, const bwd_in *in, const sl_attention *a,
                    const sl_segment *key, size_t j, size_t kv)
{
    for (size_t e0 = 0; e0 < a->E; e0 += E_BLOCK) {
        const size_t count = min_size(E_BLOCK, a->E - e0);
        const size_t at = (key->first + j) * a->token_stride + kv * a->head_stride + e0;
        double acc_k[E_BLOCK] = { 0 }, acc_v[E_BLOCK] = { 0 };

        key_sums(acc_k, acc_v, e0, count, in, a, key, j, kv);
        for (size_t e = 0; e < count; e++) {
            dk[at + e] += (float)(a->scale * acc_k[e]);
            dv[at + e] += (float)acc_v[e];
        }
    }
}

static void attention_bwd_ref(float *dq, float *dk, float *dv, float *delta, const float *dout,
                              const float *q, const float *k, const float *v, const float *o,
                              const float *lse, const sl_attention *a)
{
    const bwd_in in = { dout, q, k, v, lse, delta };

    for (size_t th = 0; th < a->T * a->H; th++)
        delta[th] = (float)dot(dout + th * a->E, o + th * a->E, a->E);
    for (const sl_segment *s = a->segment; s < a->segment + a->S; s++) {
        for (size_t i = 0; i < s->count; i++) {
            for (size_t h = 0; h < a->H; h++)
                query_bwd(dq, &in, a, s, i, h);
            for (size_t kv = 0; kv < a->K; kv++)
                key_bwd(dk, dv, &in, a, s, i, kv);
        }
    }
}

void sl_ref_attention(sl_ops *ops)
{
    ops->attention_fwd = attention_fwd_ref;
    ops->attention_bwd = attention_bwd_ref;
}
