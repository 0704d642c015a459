/* Inside the model room: where the parameters stand, what a pass keeps, and the steps of a pass. */
#ifndef SL_MODEL_MODEL_INT_H
#define SL_MODEL_MODEL_INT_H

#include "base/arena.h"
#include "model/model.h"
#include <limits.h>

enum { SL_LAYERS_MAX = 512 };
#define SL_ABSENT ((size_t)-1) /* an offset of nothing */

/* W (O,I) and b (O) of y = x W^T + b, as offsets into the flat arrays. */
typedef struct sl_linear {
    size_t w, b, O, I;
} sl_linear;

/* Weight and bias (D) of a norm over the last D elements. */
typedef struct sl_norm_at {
    sl_norm kind;
    size_t w, b, D;
} sl_norm_at;

/* One block. up is [gate; up] (2F,D) or plain (F,D); qkv is [q; k; v] or per head. A norm that the
 * model does not have is of kind SL_NORM_NONE. */
typedef struct sl_block {
    sl_norm_at norm1, norm2, q_norm, k_norm;
    sl_linear qkv, out, up, down;
    uint32_t window; /* of this layer; 0: none */
} sl_block;

/* Where q, k and v stand in a row of qkv, floats. */
typedef struct sl_heads {
    size_t q, k, v, token_stride, head_stride;
} sl_heads;

struct sl_model {
    sl_config config;
    char origin[PATH_MAX]; /* folder that it was read from; "": made here */
    const sl_backend *backend;
    sl_tensors table;
    sl_block *block; /* (L), owned */
    sl_norm_at final_norm;
    sl_linear head; /* tied: w is the embedding's */
    sl_arena parameter_arena, gradient_arena;
    float *parameters;    /* (floats) */
    float *own_gradients; /* (floats), NULL unless trainable */
    float *gradients;     /* where backward adds: own_gradients or the caller's */
};

/* h = norm(x) and the statistics that its derivative needs. rows of D elements. */
typedef struct sl_normed {
    float *h;           /* (rows, D) */
    float *mean, *rstd; /* (rows) */
} sl_normed;

/* What a layer keeps for backward. */
typedef struct sl_acts {
    float *x, *y;  /* (T,D) in and out; y is the next layer's x */
    float *qkv;    /* (T,(H+2K)E) after q/k norm and rope */
    float *raw_qk; /* (T,H,E) then (T,K,E) before q/k norm; NULL without */
    float *o;      /* (T,H,E) */
    float *lse;    /* (T,H) */
    float *mid;    /* (T,D) x + attention; shared by all layers where backward does not read it */
    float *up;     /* (T,2F) gate and up, or (T,F) */
} sl_acts;

/* Shared by all layers: recomputed forward values and gradients that do not outlive a layer. */
typedef struct sl_scratch {
    sl_normed norm1, norm2;     /* of (T,D) */
    sl_normed qk;               /* of (T*(H+K), E) */
    float *act;                 /* (T,F) */
    float *dx;                  /* (T,D) gradient of the residual stream */
    float *dh1, *dh2;           /* (T,D) */
    float *dact, *dup;          /* (T,F), as up */
    float *dqkv, *dout, *delta; /* as qkv, (T,H,E), (T,H) */
    float *dqk, *draw_qk;       /* as raw_qk */
} sl_scratch;

/* A tile of the head: n target rows at a time, n <= rows. */
typedef struct sl_tile {
    size_t rows;
    uint32_t *row;  /* (rows) of the hidden states */
    int32_t *token; /* (rows) */
    float *coef;    /* (rows) */
    float *lse;     /* (rows) */
    float *x;       /* (rows,D) hidden states before the final norm */
    sl_normed norm; /* of (rows,D) */
    float *z;       /* (rows,V) */
    float *dx, *dh; /* (rows,D) */
} sl_tile;

struct sl_work {
    sl_config config; /* a copy without the tree */
    const sl_backend *backend;
    sl_packed_limits limits;
    int with_backward;
    sl_arena arena;
    float *cosine, *sine; /* (positions, R/2) */
    size_t rope_of;       /* of rope type dynamic: what the tables were made for */
    sl_acts acts[SL_LAYERS_MAX];
    sl_scratch scratch;
    sl_tile tile;
    sl_row_stats *stats;        /* (N) of the last logp */
    const sl_model *forward_of; /* whose activations these are; NULL: nobody's */
    size_t forward_T, logp_N;   /* of that batch */
    int tile_holds_all;         /* the tile still is that of logp, all N targets in order */
};

/* Makes the tables of rope type dynamic those of a batch whose longest position is n - 1, as
 * transformers does for a padded batch; or of generation, where n grows token by token and cached
 * keys keep the rotation they got. Nothing to do for other types, and where they are already. */
#define SL_ROPE_GROWING 0
void sl_work_rope(sl_work *work, size_t n);

/* Keys and values of past tokens. */
typedef struct sl_cache {
    float *k, *v; /* (L, rows, K, E) */
    size_t rows;
    const uint32_t *row; /* (T) cache row of each token of the pass */
} sl_cache;

/* One run through the blocks: T rows, either a packed batch or one new token per sequence. */
typedef struct sl_pass {
    const sl_ops *ops;
    const sl_config *config;
    const float *parameters;
    float *gradients; /* NULL in forward */
    size_t T;
    const int32_t *position;    /* (T) */
    const float *cosine, *sine; /* (positions, R/2) */
    const sl_segment *segment;  /* (S); packed */
    size_t S;
    const sl_cache *cache;       /* NULL: keys and values are not stored */
    const sl_decode_row *decode; /* (T): attention to the cache; NULL: packed */
} sl_pass;

/* layers.c */
/* y (rows,O); x (rows,I). */
void sl_linear_fwd(const sl_pass *p, float *y, const float *x, const sl_linear *l, size_t rows);
/* Adds to dW and db; dx (rows,I) overwritten. */
void sl_linear_bwd(const sl_pass *p, float *dx, const float *dy, const float *x, const sl_linear *l,
                   size_t rows);
void sl_norm_fwd(const sl_pass *p, const sl_normed *out, const float *x, const sl_norm_at *n,
                 size_t rows);
/* Adds to dx, dw and db. */
void sl_norm_bwd(const sl_pass *p, float *dx, const float *dy, const float *x,
                 const sl_normed *kept, const sl_norm_at *n, size_t rows);

/* block.c */
sl_heads sl_heads_of(const sl_config *config);
/* kept->y from kept->x. */
void sl_block_fwd(const sl_pass *p, const sl_block *b, size_t layer, const sl_acts *kept,
                  const sl_scratch *s);
/* s->dx: gradient of kept->y in, of kept->x out. Adds to the parameter gradients. */
void sl_block_bwd(const sl_pass *p, const sl_block *b, const sl_acts *kept, const sl_scratch *s);

/* layout.c */
/* Offsets of every module from the tensor table; model->block must have room. */
void sl_model_lay_out(sl_model *model);

/* model.c */
/* Embedding and all blocks; token (p->T). The result is sl_work_hidden. */
void sl_pass_forward(const sl_pass *p, const sl_model *model, sl_work *work, const int32_t *token);
/* From the gradient in work->scratch.dx (p->T, D) back through the blocks and the embedding. */
void sl_pass_backward(const sl_pass *p, const sl_model *model, sl_work *work, const int32_t *token);
sl_pass sl_pass_of(const sl_model *model, const sl_work *work);
sl_pass sl_pass_of_batch(const sl_model *model, const sl_work *work, const sl_packed *batch);

/* work.c */
/* Whether a model of this config has the shapes that the work space was carved for. */
int sl_work_fits(const sl_work *work, const sl_config *config);
const float *sl_work_hidden(const sl_work *work); /* (T,D) after the last block */

/* head.c */
/* z (n,V): logits of rows work->tile.row (n), n <= tile.rows. */
void sl_head_fwd(const sl_pass *p, float *z, const sl_model *model, const sl_work *work, size_t n);
/* Adds to work->scratch.dx (T,D) and to the gradients of the head and the final norm. */
void sl_head_bwd(const sl_pass *p, const sl_model *model, sl_work *work, const sl_packed *batch,
                 const float *coef);

/* init.c */
void sl_model_init(sl_model *model, const sl_init *init);

#endif
