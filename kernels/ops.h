/* The table of operations: all mathematics of the models on raw row-major float arrays.
 *
 * Letters: T rows (tokens), D hidden, O out features, I in features, H query heads, K key/value
 * heads, E head size, R rotated part of E, V vocabulary, n elements. Pointers never alias unless a
 * contract says so. "Adds to" accumulates into the output, everything else overwrites it.
 * Kernels cannot fail, never allocate and never print. Sums run in float or wider.
 *
 * "Bitwise-stable": the same inputs give the same bits on the same machine with the same number of
 * threads, and a row's result does not depend on the other rows. Every op here is deterministic for
 * fixed inputs, shape and thread count (no atomics). */
#ifndef SL_KERNELS_OPS_H
#define SL_KERNELS_OPS_H

#include "base/packed.h"
#include <stddef.h>
#include <stdint.h>

typedef enum sl_act { SL_ACT_SILU, SL_ACT_GELU_ERF, SL_ACT_GELU_TANH } sl_act;

/* Where q, k, v stand: row t of q is q + t * token_stride, its head h at + h * head_stride (k and v
 * likewise with their own pointers), so that separate and per-head fused storage are one code. o is
 * (T, H, E) contiguous, lse (T, H). Query head h reads key head h / (H / K). */
typedef struct sl_attention {
    const sl_segment *segment; /* (S) */
    size_t S, T, H, K, E;
    size_t token_stride, head_stride; /* floats */
    uint32_t window;                  /* a token sees positions (p - window, p]; 0: no window */
    float scale;                      /* applied to q.k */
} sl_attention;

/* One query a sequence against cached keys: a shared prefix range and an own range of the cache. */
typedef struct sl_decode_row {
    uint32_t prefix_first, prefix_count; /* cache rows; count 0: no prefix */
    uint32_t own_first, own_count;       /* own_count includes the query's own row */
} sl_decode_row;

typedef struct sl_decode {
    const sl_decode_row *row; /* (B) */
    size_t B, H, K, E;
    size_t token_stride, head_stride; /* of q; the cache is (rows, K, E) contiguous */
    uint32_t window;
    float scale;
} sl_decode;

typedef struct sl_adamw {
    float learning_rate, beta1, beta2, eps, weight_decay; /* decay is decoupled (torch AdamW) */
    float grad_scale;                                     /* clip factor, multiplied into g */
    int64_t update;                                       /* 1, 2, ...: bias correction */
} sl_adamw;

/* What is kept of a row of logits z (V): all from the full row, in float. */
typedef struct sl_row_stats {
    float lse, entropy, max_logit; /* nats; entropy >= 0 */
} sl_row_stats;

typedef struct sl_sample_settings {
    float temperature; /* 0: greedy, lowest id wins a tie */
    float top_p;       /* 1: off; smallest set of largest probabilities whose sum reaches top_p */
    uint32_t top_k;    /* 0: off; ties at the border: lower ids stay */
} sl_sample_settings;

enum { SL_SKETCH_PARTS = 8 };

typedef struct sl_ops {
    /* --- linear: W (O,I) row-major, y = x W^T + b ------------------------------------------- */
    /* y (T,O); x (T,I); b (O) or NULL. */
    void (*linear_fwd)(float *y, const float *x, const float *w, const float *b, size_t T, size_t O,
                       size_t I);
    /* dx (T,I) = dy W (+ dx when add). */
    void (*linear_bwd_x)(float *dx, const float *dy, const float *w, size_t T, size_t O, size_t I,
                         int add);
    /* Adds to dw (O,I) and, when not NULL, db (O). Sums over T: stable to TOL_SUM(T). */
    void (*linear_bwd_w)(float *dw, float *db, const float *dy, const float *x, size_t T, size_t O,
                         size_t I);

    /* --- embedding --------------------------------------------------------------------------- */
    /* y (T,D) = table (V,D) rows id (T). */
    void (*embed_fwd)(float *y, const float *table, const int32_t *id, size_t T, size_t D);
    /* Adds to dtable (V,D), except to row pad_row (-1: none). Rows of one id are added in the order
     * of t, so the result does not depend on threads. */
    void (*embed_bwd)(float *dtable, const float *dy, const int32_t *id, size_t T, size_t D,
                      size_t V, int32_t pad_row);
    /* y (n,D) = x rows row (n). */
    void (*gather)(float *y, const float *x, const uint32_t *row, size_t n, size_t D);
    /* Adds y (n,D) to rows row (n) of x, in the order of n. */
    void (*scatter_add)(float *x, const float *y, const uint32_t *row, size_t n, size_t D);

    /* --- norms ------------------------------------------------------------------------------- */
    /* y = g*x*rstd, rstd = 1/sqrt(mean(x*x) + eps). y, x (T,D); g (D); rstd (T). Bitwise-stable. */
    void (*rmsnorm_fwd)(float *y, float *rstd, const float *x, const float *g, size_t T, size_t D,
                        float eps);
    /* Adds to dx (T,D), dg (D). dg sums over T. */
    void (*rmsnorm_bwd)(float *dx, float *dg, const float *dy, const float *x, const float *g,
                        const float *rstd, size_t T, size_t D);
    /* y = g*(x-mean)*rstd + b, rstd = 1/sqrt(var + eps), var over D, not corrected. Any g, b. */
    void (*layernorm_fwd)(float *y, float *mean, float *rstd, const float *x, const float *g,
                          const float *b, size_t T, size_t D, float eps);
    /* Adds to dx (T,D), dg (D), db (D). */
    void (*layernorm_bwd)(float *dx, float *dg, float *db, const float *dy, const float *x,
                          const float *g, const float *mean, const float *rstd, size_t T, size_t D);

    /* --- rotary positions -------------------------------------------------------------------- */
    /* In place on the first R of each head of x: rotates pair (i, i + R/2) by the angle of the
     * row's position. cosine, sine (positions, R/2). Row t, head h at x + t*token_stride +
     * h*head_stride. sign +1: forward; -1: backward (the transpose). Bitwise-stable. */
    void (*rope)(float *x, const float *cosine, const float *sine, const int32_t *position,
                 size_t T, size_t heads, size_t R, size_t token_stride, size_t head_stride,
                 float sign);

    /* --- attention: never T x T in memory ---------------------------------------------------- */
    /* o (T,H,E), lse (T,H) of the scaled scores. A token sees its parent segment and its own up to
     * itself, within the window (by position). */
    void (*attention_fwd)(float *o, float *lse, const float *q, const float *k, const float *v,
                          const sl_attention *a);
    /* Adds to dq, dk, dv, laid out as q, k, v. dout, o (T,H,E); lse (T,H). delta: scratch (T,H). */
    void (*attention_bwd)(float *dq, float *dk, float *dv, float *delta, const float *dout,
                          const float *q, const float *k, const float *v, const float *o,
                          const float *lse, const sl_attention *a);
    /* o (B,H,E) of one query a sequence. kcache, vcache: (rows, K, E). A sequence's result does not
     * depend on B (bitwise). */
    void (*attention_decode)(float *o, const float *q, const float *kcache, const float *vcache,
                             const sl_decode *d);

    /* --- activations ------------------------------------------------------------------------- */
    /* y (T,F) = act(gate) * up; gate_up (T, 2F): gate first, then up. */
    void (*gated_fwd)(float *y, const float *gate_up, size_t T, size_t F, sl_act act);
    /* dgate_up (T,2F) overwritten; dy (T,F). */
    void (*gated_bwd)(float *dgate_up, const float *dy, const float *gate_up, size_t T, size_t F,
                      sl_act act);
    /* y = act(x), n elements; y may be x. */
    void (*act_fwd)(float *y, const float *x, size_t n, sl_act act);
    /* dx = dy * act'(x), overwritten; dx may be dy. */
    void (*act_bwd)(float *dx, const float *dy, const float *x, size_t n, sl_act act);
    /* y += x, n elements. */
    void (*add)(float *y, const float *x, size_t n);

    /* --- rows of logits (tiles of tokens x vocabulary) --------------------------------------- */
    /* stats (n) and logp (n): log-probability of token (n) under softmax(z row). z (n,V). An entry
     * of -inf has probability 0; a row with NaN, with +inf or of only -inf gives NaN in logp and in
     * all of stats. stats may be NULL. Bitwise-stable. */
    void (*logp_fwd)(float *logp, sl_row_stats *stats, const float *z, const int32_t *token,
                     size_t n, size_t V);
    /* In place z -> dz: dz_v = coef * (1[v = token] - p_v), p = exp(z - lse). */
    void (*logp_bwd)(float *z, const float *lse, const int32_t *token, const float *coef, size_t n,
                     size_t V);
    /* id (n,k), logp (n,k): the k largest of each row, descending, ties to the lower id, NaN last;
     * k <= V. logp = z - lse. */
    void (*topk)(int32_t *id, float *logp, const float *z, const sl_row_stats *stats, size_t n,
                 size_t V, size_t k);
    /* token (n), logp (n): one draw of each row by its own uniform u (n) in [0,1), by walking the
     * kept probabilities in the order of ids (top_p: of descending probability). logp is that of
     * the law sampled from (temperature, top_k, top_p applied; greedy: under the model, T = 1). A
     * row without a law (NaN, +inf, only -inf) gives NaN and some token below V. V < 2^24. scratch
     * (n, V) pairs of float: 2*n*V. */
    void (*sample)(int32_t *token, float *logp, const float *z, const float *u, size_t n, size_t V,
                   const sl_sample_settings *s, float *scratch);

    /* --- flat arrays ------------------------------------------------------------------------- */
    /* torch's AdamW: p -= lr*wd*p; m,v moments; p -= lr * mhat / (sqrt(vhat) + eps). n elements. */
    void (*adamw)(float *p, float *m, float *v, const float *g, size_t n, const sl_adamw *s);
    void (*scale)(float *x, size_t n, float factor);
    double (*sum_sq)(const float *x, size_t n);
    double (*dot)(const float *x, const float *y, size_t n);
    /* largest |x| over the finite elements; *bad = number of NaN and infinite ones. */
    float (*max_abs)(const float *x, size_t n, uint32_t *bad);
    /* Adds the count sketch of x (n) to out (m): with u = splitmix64(seed + first + i), x[i] goes
     * with sign + iff u is odd to entry ((u >> 32) m) >> 32. m < 2^32. parts: scratch
     * (SL_SKETCH_PARTS, m). Sums in double over parts that n alone decides, in their order: the
     * result does not depend on threads. Source: docs/math.md C4. */
    void (*count_sketch)(double *out, double *parts, const float *x, size_t n, uint64_t first,
                         size_t m, uint64_t seed);
} sl_ops;

/* The slots by name, in order; the opener of a backend names a missing one. */
#define SL_OP_COUNT 30
extern const char *const sl_op_names[SL_OP_COUNT];
_Static_assert(sizeof(sl_ops) == SL_OP_COUNT * sizeof(void (*)(void)), "name every slot");

const sl_ops *sl_ref_ops(void);

#endif
