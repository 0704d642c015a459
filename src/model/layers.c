/* Linear maps and norms at their places in the flat arrays. */
#include "model/model_int.h"

static const float *weight(const sl_pass *p, size_t offset)
{
    return offset == SL_ABSENT ? NULL : p->parameters + offset;
}

static float *gradient(const sl_pass *p, size_t offset)
{
    return offset == SL_ABSENT ? NULL : p->gradients + offset;
}

void sl_linear_fwd(const sl_pass *p, float *y, const float *x, const sl_linear *l, size_t rows)
{
    p->ops->linear_fwd(y, x, weight(p, l->w), weight(p, l->b), rows, l->O, l->I);
}

void sl_linear_bwd(const sl_pass *p, float *dx, const float *dy, const float *x, const sl_linear *l,
                   size_t rows)
{
    p->ops->linear_bwd_w(gradient(p, l->w), gradient(p, l->b), dy, x, rows, l->O, l->I);
    p->ops->linear_bwd_x(dx, dy, weight(p, l->w), rows, l->O, l->I, 0);
}

void sl_norm_fwd(const sl_pass *p, const sl_normed *out, const float *x, const sl_norm_at *n,
                 size_t rows)
{
    if (n->kind == SL_NORM_RMS)
        p->ops->rmsnorm_fwd(out->h, out->rstd, x, weight(p, n->w), rows, n->D, p->config->eps);
    else
        p->ops->layernorm_fwd(out->h, out->mean, out->rstd, x, weight(p, n->w), weight(p, n->b),
                              rows, n->D, p->config->eps);
}

void sl_norm_bwd(const sl_pass *p, float *dx, const float *dy, const float *x,
                 const sl_normed *kept, const sl_norm_at *n, size_t rows)
{
    if (n->kind == SL_NORM_RMS)
        p->ops->rmsnorm_bwd(dx, gradient(p, n->w), dy, x, weight(p, n->w), kept->rstd, rows, n->D);
    else
        p->ops->layernorm_bwd(dx, gradient(p, n->w), gradient(p, n->b), dy, x, weight(p, n->w),
                              kept->mean, kept->rstd, rows, n->D);
}
