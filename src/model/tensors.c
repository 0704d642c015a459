/* The table is made from rules over the axes: which modules there are, their shapes, their order.
 * The order keeps what one matrix product computes together next to each other: [q; k; v] and
 * [gate; up], weights first, then biases. Nothing stands between tensors in the flat arrays. */
#include "model/tensors.h"
#include "base/alloc.h"
#include "model/family.h"
#include <stdio.h>
#include <string.h>

/* What must hold for a rule; all bits of a rule are wanted. */
enum {
    HAS_LAYER_NORM = 1 << 0,
    HAS_SEPARATE = 1 << 1,
    HAS_FUSED = 1 << 2,
    HAS_QKV_BIAS = 1 << 3,
    HAS_OUT_BIAS = 1 << 4,
    HAS_MLP_BIAS = 1 << 5,
    HAS_HEAD_BIAS = 1 << 6,
    HAS_QK_NORM = 1 << 7,
    HAS_QK_LAYER_NORM = 1 << 8,
    HAS_NORM2 = 1 << 9,
    HAS_GATE = 1 << 10,
    HAS_HEAD = 1 << 11
};

typedef enum dim {
    DIM_ONE,
    DIM_V,
    DIM_D,
    DIM_F,
    DIM_E,
    DIM_HE,
    DIM_KE,
    DIM_QKV,
    DIM_HEAD,
    DIM_COUNT
} dim;

typedef struct rule {
    sl_tensor_role role;
    int is_bias;
    dim rows, cols; /* rows DIM_ONE: a vector */
    unsigned needs; /* HAS_ bits */
} rule;

static const rule first_rules[] = { { SL_TENSOR_EMBED, 0, DIM_V, DIM_D, 0 } };

static const rule block_rules[] = {
    { SL_TENSOR_NORM1, 0, DIM_ONE, DIM_D, 0 },
    { SL_TENSOR_NORM1, 1, DIM_ONE, DIM_D, HAS_LAYER_NORM },
    { SL_TENSOR_Q, 0, DIM_HE, DIM_D, HAS_SEPARATE },
    { SL_TENSOR_K, 0, DIM_KE, DIM_D, HAS_SEPARATE },
    { SL_TENSOR_V, 0, DIM_KE, DIM_D, HAS_SEPARATE },
    { SL_TENSOR_Q, 1, DIM_ONE, DIM_HE, HAS_SEPARATE | HAS_QKV_BIAS },
    { SL_TENSOR_K, 1, DIM_ONE, DIM_KE, HAS_SEPARATE | HAS_QKV_BIAS },
    { SL_TENSOR_V, 1, DIM_ONE, DIM_KE, HAS_SEPARATE | HAS_QKV_BIAS },
    { SL_TENSOR_QKV, 0, DIM_QKV, DIM_D, HAS_FUSED },
    { SL_TENSOR_QKV, 1, DIM_ONE, DIM_QKV, HAS_FUSED | HAS_QKV_BIAS },
    { SL_TENSOR_Q_NORM, 0, DIM_ONE, DIM_E, HAS_QK_NORM },
    { SL_TENSOR_Q_NORM, 1, DIM_ONE, DIM_E, HAS_QK_LAYER_NORM },
    { SL_TENSOR_K_NORM, 0, DIM_ONE, DIM_E, HAS_QK_NORM },
    { SL_TENSOR_K_NORM, 1, DIM_ONE, DIM_E, HAS_QK_LAYER_NORM },
    { SL_TENSOR_OUT, 0, DIM_D, DIM_HE, 0 },
    { SL_TENSOR_OUT, 1, DIM_ONE, DIM_D, HAS_OUT_BIAS },
    { SL_TENSOR_NORM2, 0, DIM_ONE, DIM_D, HAS_NORM2 },
    { SL_TENSOR_NORM2, 1, DIM_ONE, DIM_D, HAS_NORM2 | HAS_LAYER_NORM },
    { SL_TENSOR_GATE, 0, DIM_F, DIM_D, HAS_GATE },
    { SL_TENSOR_UP, 0, DIM_F, DIM_D, 0 },
    { SL_TENSOR_GATE, 1, DIM_ONE, DIM_F, HAS_GATE | HAS_MLP_BIAS },
    { SL_TENSOR_UP, 1, DIM_ONE, DIM_F, HAS_MLP_BIAS },
    { SL_TENSOR_DOWN, 0, DIM_D, DIM_F, 0 },
    { SL_TENSOR_DOWN, 1, DIM_ONE, DIM_D, HAS_MLP_BIAS },
};

static const rule last_rules[] = {
    { SL_TENSOR_FINAL_NORM, 0, DIM_ONE, DIM_D, 0 },
    { SL_TENSOR_FINAL_NORM, 1, DIM_ONE, DIM_D, HAS_LAYER_NORM },
    { SL_TENSOR_HEAD, 0, DIM_HEAD, DIM_D, HAS_HEAD },
    { SL_TENSOR_HEAD, 1, DIM_ONE, DIM_V, HAS_HEAD_BIAS },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static unsigned properties(const sl_config *c)
{
    const struct {
        int holds;
        unsigned bit;
    } axes[] = {
        { c->norm == SL_NORM_LAYER, HAS_LAYER_NORM },
        { c->qkv == SL_QKV_SEPARATE, HAS_SEPARATE },
        { c->qkv == SL_QKV_FUSED_PER_HEAD, HAS_FUSED },
        { (c->bias & SL_BIAS_QKV) != 0, HAS_QKV_BIAS },
        { (c->bias & SL_BIAS_OUT) != 0, HAS_OUT_BIAS },
        { (c->bias & SL_BIAS_MLP) != 0, HAS_MLP_BIAS },
        { (c->bias & SL_BIAS_HEAD) != 0, HAS_HEAD_BIAS },
        { c->qk_norm != SL_NORM_NONE, HAS_QK_NORM },
        { c->qk_norm == SL_NORM_LAYER, HAS_QK_LAYER_NORM },
        { c->residual != SL_RES_PARALLEL_SHARED, HAS_NORM2 },
        { c->mlp == SL_MLP_GATED, HAS_GATE },
        { !c->is_tied, HAS_HEAD },
    };
    unsigned has = 0;

    for (size_t i = 0; i < COUNT(axes); i++)
        has |= axes[i].holds ? axes[i].bit : 0;
    return has;
}

/* Walks the rules; table->row NULL: only counts rows and floats. */
typedef struct walk {
    sl_tensors *table;
    const sl_config *config;
    unsigned has;
    size_t size[DIM_COUNT];
} walk;

static void put_rules(walk *w, const rule *rules, size_t count, int layer, size_t group)
{
    for (size_t i = 0; i < count; i++) {
        const rule *r = &rules[i];
        const size_t rows = w->size[r->rows], cols = w->size[r->cols];

        if ((r->needs & w->has) != r->needs)
            continue;
        if (w->table->row) {
            sl_tensor *t = &w->table->row[w->table->count];

            *t = (sl_tensor){ .rows = rows,
                              .cols = cols,
                              .offset = w->table->floats,
                              .rank = r->rows == DIM_ONE ? 1 : 2,
                              .is_decayed = r->rows != DIM_ONE,
                              .group = (uint16_t)group,
                              .role = (uint16_t)r->role,
                              .layer = (int16_t)layer,
                              .is_bias = (uint8_t)r->is_bias,
                              .storage = (uint8_t)w->config->storage };
            sl_family_tensor_name(t->name, sizeof t->name, w->config->family, r->role,
                                  layer < 0 ? 0 : (size_t)layer, r->is_bias);
            if (r->role == SL_TENSOR_HEAD && w->config->is_scorer)
                (void)snprintf(t->name, sizeof t->name, "score.weight");
        }
        w->table->count++;
        w->table->floats += rows * cols;
    }
}

static void walk_rules(sl_tensors *table, const sl_config *c)
{
    walk w = { .table = table,
               .config = c,
               .has = properties(c),
               .size = { [DIM_ONE] = 1,
                         [DIM_V] = c->V,
                         [DIM_D] = c->D,
                         [DIM_F] = c->F,
                         [DIM_E] = c->E,
                         [DIM_HE] = c->H * c->E,
                         [DIM_KE] = c->K * c->E,
                         [DIM_QKV] = (c->H + 2 * c->K) * c->E,
                         [DIM_HEAD] = c->is_scorer ? 1 : c->V } };

    table->count = table->floats = 0;
    table->group_count = c->L + 3;
    put_rules(&w, first_rules, COUNT(first_rules), -1, 1);
    for (size_t l = 0; l < c->L; l++)
        put_rules(&w, block_rules, COUNT(block_rules), (int)l, 2 + l);
    put_rules(&w, last_rules, COUNT(last_rules), -1, c->L + 2);
}

sl_status sl_tensors_open(sl_tensors *out, const sl_config *config)
{
    memset(out, 0, sizeof *out);
    walk_rules(out, config);
    SL_TRY(sl_take(&out->row, out->count, sizeof *out->row));
    walk_rules(out, config);
    return SL_OK;
}

void sl_tensors_close(sl_tensors *table)
{
    sl_free(table->row);
    memset(table, 0, sizeof *table);
}

const char *sl_tensors_group_name(const sl_tensors *table, size_t group, char out[64])
{
    if (group == 0)
        (void)snprintf(out, 64, "all");
    else if (group == 1)
        (void)snprintf(out, 64, "embedding");
    else if (group + 1 < table->group_count)
        (void)snprintf(out, 64, "block %zu", group - 2);
    else
        (void)snprintf(out, 64, "head");
    return out;
}

size_t sl_config_parameters(const sl_config *config)
{
    sl_tensors table = { 0 };

    walk_rules(&table, config);
    return table.floats;
}
