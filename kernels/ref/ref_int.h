/* The parts of the reference backend: one registrar a file. */
#ifndef SL_KERNELS_REF_INT_H
#define SL_KERNELS_REF_INT_H

#include "kernels/ops.h"

void sl_ref_linear(sl_ops *ops);
void sl_ref_embed(sl_ops *ops);
void sl_ref_rmsnorm(sl_ops *ops);
void sl_ref_layernorm(sl_ops *ops);
void sl_ref_rope(sl_ops *ops);
void sl_ref_attention(sl_ops *ops);
void sl_ref_decode(sl_ops *ops);
void sl_ref_act(sl_ops *ops);
void sl_ref_logp(sl_ops *ops);
void sl_ref_topk(sl_ops *ops);
void sl_ref_sample(sl_ops *ops);
void sl_ref_adamw(sl_ops *ops);
void sl_ref_flat(sl_ops *ops);
void sl_ref_sketch(sl_ops *ops);

/* Every slot of *ops. */
void sl_ref_fill(sl_ops *ops);

#endif
