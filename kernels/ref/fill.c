/* The reference backend: plain loops, sums in double, every slot. It is the executable
 * specification, so it is compiled without contraction and never tuned. */
#include "kernels/ref/ref_int.h"

void sl_ref_fill(sl_ops *ops)
{
    sl_ref_linear(ops);
    sl_ref_embed(ops);
    sl_ref_rmsnorm(ops);
    sl_ref_layernorm(ops);
    sl_ref_rope(ops);
    sl_ref_attention(ops);
    sl_ref_decode(ops);
    sl_ref_act(ops);
    sl_ref_logp(ops);
    sl_ref_topk(ops);
    sl_ref_sample(ops);
    sl_ref_adamw(ops);
    sl_ref_flat(ops);
    sl_ref_sketch(ops);
}
