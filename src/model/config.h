/* A model's descriptor: the axes come from the family's row (family.c), the numbers from
 * config.json. Null means absent. Facts: docs/math.md, "Families". */
#ifndef SL_MODEL_CONFIG_H
#define SL_MODEL_CONFIG_H

#include "base/json.h"
#include "base/status.h"
#include "kernels/ops.h"

typedef enum sl_norm { SL_NORM_NONE, SL_NORM_RMS, SL_NORM_LAYER } sl_norm;
typedef enum sl_residual {
    SL_RES_SEQUENTIAL,      /* x + attn(n1 x), then + mlp(n2 of that) */
    SL_RES_PARALLEL_SHARED, /* x + attn(h) + mlp(h), h = n1 x */
    SL_RES_PARALLEL_TWO     /* x + attn(n1 x) + mlp(n2 x) */
} sl_residual;
typedef enum sl_mlp { SL_MLP_GATED, SL_MLP_PLAIN } sl_mlp;
typedef enum sl_storage { SL_STORE_F32, SL_STORE_BF16, SL_STORE_F16 } sl_storage;
typedef enum sl_qkv { SL_QKV_SEPARATE, SL_QKV_FUSED_PER_HEAD } sl_qkv;
enum { SL_BIAS_QKV = 1, SL_BIAS_OUT = 2, SL_BIAS_MLP = 4, SL_BIAS_HEAD = 8 };
typedef enum sl_rope_type {
    SL_ROPE_DEFAULT,
    SL_ROPE_LINEAR,
    SL_ROPE_DYNAMIC,
    SL_ROPE_BANDED, /* long waves stretched, short ones kept */
    SL_ROPE_YARN
} sl_rope_type;

typedef struct sl_rope {
    sl_rope_type type;
    float theta, factor, low, high, attention_factor;
    float beta_fast, beta_slow, mscale, mscale_all_dim; /* yarn; 0: absent */
    size_t original_positions;
    int is_truncated; /* yarn: floor and ceil of the ramp */
} sl_rope;

typedef struct sl_family sl_family; /* a row of family.c */

typedef struct sl_config {
    const sl_family *family;
    size_t L, D, F, H, K, E, R, V, max_positions;
    sl_norm norm, qk_norm;
    float eps, init_std;
    sl_residual residual;
    sl_mlp mlp;
    sl_act act;
    unsigned bias; /* SL_BIAS_ bits */
    int is_tied;
    int is_scorer; /* a reward model: the head gives one score, not logits; never tied */
    sl_qkv qkv;
    sl_rope rope;
    uint32_t window;      /* 0: none */
    uint64_t windowed[8]; /* bit per layer: the window applies */
    int32_t pad_row;      /* -1 or the embedding row without lookup gradient */
    int32_t bos, eos[8];
    size_t eos_count;
    sl_storage storage;  /* as declared; kept on save */
    sl_json *tree;       /* config.json as read, unknown keys included; owned */
    sl_json *generation; /* generation_config.json, or NULL; owned; written back on save */
} sl_config;

/* Reads FOLDER/config.json (and generation_config.json for eos, when there). Every unsupported
 * choice (model_type, activation, rope type, dropout in attention, quantisation) is refused by
 * name: SL_EUNSUPPORTED. Sizes are checked against limits before anything is allocated. */
sl_status sl_config_load(sl_config *out, const char *folder) SL_MUSTUSE;
/* From a parsed tree (consumed on success and on failure). where: for messages. */
sl_status sl_config_parse(sl_config *out, sl_json *tree, const char *where) SL_MUSTUSE;
void sl_config_close(sl_config *config);
/* A copy with trees of its own. */
sl_status sl_config_copy(sl_config *out, const sl_config *config) SL_MUSTUSE;

/* Number of parameters (a tied head counts once). */
size_t sl_config_parameters(const sl_config *config);
const char *sl_config_family_name(const sl_config *config); /* model_type */
/* Names of the families of the table, for messages and options; NULL-terminated. */
const char *const *sl_family_names(void);

#endif
