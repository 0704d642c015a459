/* From the tensor table to the places that the blocks compute with. */
#include "model/family.h"
#include "model/model_int.h"

/* Offset of a module's weight or bias in a layer (-1: outside the blocks). */
static size_t place(const sl_tensors *table, sl_tensor_role role, int layer, int is_bias)
{
    for (size_t i = 0; i < table->count; i++) {
        const sl_tensor *t = &table->row[i];

        if (t->role == role && t->layer == layer && t->is_bias == is_bias)
            return t->offset;
    }
    return SL_ABSENT;
}

static sl_linear linear_at(const sl_tensors *table, sl_tensor_role role, int layer, size_t O,
                           size_t I)
{
    return (sl_linear){ place(table, role, layer, 0), place(table, role, layer, 1), O, I };
}

static sl_norm_at norm_at(const sl_tensors *table, sl_tensor_role role, int layer, sl_norm kind,
                          size_t D)
{
    return (sl_norm_at){ kind, place(table, role, layer, 0), place(table, role, layer, 1), D };
}

static uint32_t window_of(const sl_config *c, size_t layer)
{
    return c->windowed[layer / 64] >> (layer % 64) & 1 ? c->window : 0;
}

/* Fused products begin where the first of their tensors stands: the table keeps the others next. */
static sl_block block_at(const sl_tensors *table, const sl_config *c, size_t layer)
{
    const int l = (int)layer, is_fused = c->qkv == SL_QKV_FUSED_PER_HEAD;
    const int is_gated = c->mlp == SL_MLP_GATED;
    const size_t HE = c->H * c->E, QKV = HE + 2 * c->K * c->E;

    return (sl_block){
        .norm1 = norm_at(table, SL_TENSOR_NORM1, l, c->norm, c->D),
        .norm2 = norm_at(table, SL_TENSOR_NORM2, l, c->norm, c->D),
        .q_norm = norm_at(table, SL_TENSOR_Q_NORM, l, c->qk_norm, c->E),
        .k_norm = norm_at(table, SL_TENSOR_K_NORM, l, c->qk_norm, c->E),
        .qkv = linear_at(table, is_fused ? SL_TENSOR_QKV : SL_TENSOR_Q, l, QKV, c->D),
        .out = linear_at(table, SL_TENSOR_OUT, l, c->D, HE),
        .up = linear_at(table, is_gated ? SL_TENSOR_GATE : SL_TENSOR_UP, l,
                        is_gated ? 2 * c->F : c->F, c->D),
        .down = linear_at(table, SL_TENSOR_DOWN, l, c->D, c->F),
        .window = window_of(c, layer),
    };
}

void sl_model_lay_out(sl_model *model)
{
    const sl_config *c = &model->config;
    const sl_tensors *table = &model->table;

    for (size_t l = 0; l < c->L; l++)
        model->block[l] = block_at(table, c, l);
    model->final_norm = norm_at(table, SL_TENSOR_FINAL_NORM, -1, c->norm, c->D);
    model->head = linear_at(table, SL_TENSOR_HEAD, -1, c->is_scorer ? 1 : c->V, c->D);
    if (c->is_tied)
        model->head.w = place(table, SL_TENSOR_EMBED, -1, 0);
}
