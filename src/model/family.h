/* What the families differ in, as rows of one table. A family fixes the axes and names its tensors;
 * config.json gives the numbers. Facts: docs/math.md, "Families". */
#ifndef SL_MODEL_FAMILY_H
#define SL_MODEL_FAMILY_H

#include "model/config.h"

/* Modules that own a weight and perhaps a bias. */
typedef enum sl_tensor_role {
    SL_TENSOR_EMBED,
    SL_TENSOR_NORM1,
    SL_TENSOR_Q,
    SL_TENSOR_K,
    SL_TENSOR_V,
    SL_TENSOR_QKV, /* fused storage: one module for the three */
    SL_TENSOR_Q_NORM,
    SL_TENSOR_K_NORM,
    SL_TENSOR_OUT,
    SL_TENSOR_NORM2,
    SL_TENSOR_GATE,
    SL_TENSOR_UP,
    SL_TENSOR_DOWN,
    SL_TENSOR_FINAL_NORM,
    SL_TENSOR_HEAD,
    SL_TENSOR_ROLE_COUNT
} sl_tensor_role;

typedef enum sl_window_rule {
    SL_WINDOW_NEVER,
    SL_WINDOW_ALWAYS,  /* sliding_window in every layer; null: none */
    SL_WINDOW_BY_LAYER /* only with use_sliding_window; layer_types or max_window_layers decide */
} sl_window_rule;

/* A boolean key of config.json that switches biases on. */
typedef struct sl_bias_key {
    const char *key; /* NULL: unused */
    int fallback;
    unsigned bits; /* SL_BIAS_ */
} sl_bias_key;

/* Values of absent keys, as the family's config class has them. */
typedef struct sl_family_defaults {
    size_t V, D, F, L, H, K; /* K 0: as many as H */
    size_t max_positions;
    size_t window, max_window_layers;
    double eps, partial; /* partial: share of E that is rotated */
    int32_t bos, eos;    /* -1: none */
} sl_family_defaults;

struct sl_family {
    const char *model_type; /* as in config.json */
    const char *class_name; /* as in "architectures", before ForCausalLM */
    sl_norm norm;
    const char *eps_key;
    sl_residual residual;
    const char *parallel_key; /* false there means sequential; NULL: no such key */
    sl_mlp mlp;
    const char *act; /* hidden_act when absent */
    unsigned bias;   /* SL_BIAS_ bits that no key changes */
    sl_bias_key bias_key[2];
    sl_norm qk_norm;
    const char *qk_norm_key;             /* switches qk_norm on; NULL: always */
    const char *theta_key, *partial_key; /* partial_key NULL: all of E is rotated */
    int has_head_dim;                    /* head_dim and num_key_value_heads are honoured */
    int has_grouped_heads;
    sl_window_rule window_rule;
    int has_pad_row;
    sl_qkv qkv;
    sl_family_defaults fallback;
    const char *const *names; /* (SL_TENSOR_ROLE_COUNT) module names, {l} stands for the layer */
};

/* Errors: SL_EUNSUPPORTED with the value and the nearest known one. */
sl_status sl_family_find(const sl_family **out, const char *model_type) SL_MUSTUSE;
/* out (size bytes) = the checkpoint's name of a module's weight or bias. layer is ignored where the
 * module is outside the blocks. */
void sl_family_tensor_name(char *out, size_t size, const sl_family *family, sl_tensor_role role,
                           size_t layer, int is_bias);

#endif
