/* The optimizers, each as torch computes it, from operations of the backend. */
#include "train/optim.h"
#include <string.h>

const char *const sl_optim_names[] = { "adamw", "rmsprop", "sgd", NULL };
const char *const sl_optim_decay_names[] = { "matrices", "all", NULL };

/* Its bias correction is 1 - beta^this = 1: RMSprop has none. */
static const int64_t no_correction = INT64_MAX;

/* g = clip*g + decay*p: decay that is not decoupled. */
static float *prepared(sl_optim *optim, const sl_optim_chunk *c)
{
    const sl_ops *ops = sl_model_backend(optim->model)->ops;
    float *g = sl_model_gradients(optim->model) + c->offset;

    ops->scale(g, c->n, (float)c->clip);
    if (c->decay > 0.0) {
        memcpy(optim->scratch, sl_model_parameters(optim->model) + c->offset, c->n * sizeof *g);
        ops->scale(optim->scratch, c->n, (float)c->decay);
        ops->add(g, optim->scratch, c->n);
    }
    return g;
}

static void adamw_step(sl_optim *optim, const sl_optim_chunk *c)
{
    const sl_adamw s = { .learning_rate = (float)c->learning_rate,
                         .beta1 = (float)optim->settings.beta1,
                         .beta2 = (float)optim->settings.beta2,
                         .eps = (float)optim->settings.eps,
                         .weight_decay = (float)c->decay,
                         .grad_scale = (float)c->clip,
                         .update = optim->update };

    sl_model_backend(optim->model)
        ->ops->adamw(sl_model_parameters(optim->model) + c->offset, optim->m + c->offset,
                     optim->v + c->offset, sl_model_gradients(optim->model) + c->offset, c->n, &s);
}

/* v = alpha v + (1 - alpha) g^2; p -= rate g / (sqrt(v) + eps): Adam whose first moment is the
 * gradient itself, without bias correction. */
static void rmsprop_step(sl_optim *optim, const sl_optim_chunk *c)
{
    const sl_adamw s = { .learning_rate = (float)c->learning_rate,
                         .beta2 = (float)optim->settings.alpha,
                         .eps = (float)optim->settings.eps,
                         .grad_scale = 1.0f,
                         .update = no_correction };
    const float *g = prepared(optim, c);

    memset(optim->scratch, 0, c->n * sizeof *optim->scratch);
    sl_model_backend(optim->model)
        ->ops->adamw(sl_model_parameters(optim->model) + c->offset, optim->scratch,
                     optim->v + c->offset, g, c->n, &s);
}

/* m = momentum m + g; p -= rate m. */
static void sgd_step(sl_optim *optim, const sl_optim_chunk *c)
{
    const sl_ops *ops = sl_model_backend(optim->model)->ops;
    const float *g = prepared(optim, c);

    if (optim->m) {
        float *m = optim->m + c->offset;

        ops->scale(m, c->n, (float)optim->settings.momentum);
        ops->add(m, g, c->n);
        g = m;
    }
    memcpy(optim->scratch, g, c->n * sizeof *g);
    ops->scale(optim->scratch, c->n, (float)-c->learning_rate);
    ops->add(sl_model_parameters(optim->model) + c->offset, optim->scratch, c->n);
}

const sl_optim_row sl_optim_rows[] = {
    [SL_OPTIM_ADAMW] = { "torch.optim.AdamW; arXiv 1711.05101", 1, 1, adamw_step },
    [SL_OPTIM_RMSPROP] = { "torch.optim.RMSprop, not centered, no momentum", 0, 1, rmsprop_step },
    [SL_OPTIM_SGD] = { "torch.optim.SGD, no dampening, not Nesterov", 1, 0, sgd_step },
};
