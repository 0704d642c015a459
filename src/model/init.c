/* Random initialisation. Each tensor has its own stream, so that a tensor's numbers depend on
 * nothing but the seed and its row in the table. */
#include "base/rng.h"
#include "model/family.h"
#include "model/model_int.h"
#include <string.h>

static int is_norm(const sl_tensor *t)
{
    return t->role == SL_TENSOR_NORM1 || t->role == SL_TENSOR_NORM2 ||
           t->role == SL_TENSOR_Q_NORM || t->role == SL_TENSOR_K_NORM ||
           t->role == SL_TENSOR_FINAL_NORM;
}

static void fill_normal(float *x, size_t n, float std, sl_rng rng)
{
    for (size_t i = 0; i < n; i++)
        x[i] = std * (float)sl_rng_normal(&rng);
}

void sl_model_init(sl_model *model, const sl_init *init)
{
    const sl_config *c = &model->config;
    const float embed_std = init->embed_std > 0.0f ? init->embed_std : c->init_std;
    const float matrix_std = init->matrix_std > 0.0f ? init->matrix_std : c->init_std;
    const uint64_t stream = sl_rng_stream("init");

    for (size_t i = 0; i < model->table.count; i++) {
        const sl_tensor *t = &model->table.row[i];
        float *x = model->parameters + t->offset;

        if (t->rank == 2)
            fill_normal(x, t->rows * t->cols, t->role == SL_TENSOR_EMBED ? embed_std : matrix_std,
                        sl_rng_at(init->seed, sl_rng_substream(stream, i), 0));
        else
            for (size_t j = 0; j < t->cols; j++)
                x[j] = is_norm(t) && !t->is_bias ? 1.0f : 0.0f;
        if (t->role == SL_TENSOR_EMBED && c->pad_row >= 0)
            memset(x + (size_t)c->pad_row * t->cols, 0, t->cols * sizeof *x);
    }
}
