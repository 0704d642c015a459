/* The cpu backend starts as a copy of the reference and overrides what measurably gains. */
#include "kernels/cpu/cpu_int.h"

void SL_CPU(fill)(sl_ops *ops)
{
    SL_CPU(linear)(ops);
    SL_CPU(embed)(ops);
    SL_CPU(rmsnorm)(ops);
    SL_CPU(layernorm)(ops);
    SL_CPU(rope)(ops);
    SL_CPU(attention)(ops);
    SL_CPU(attention_bwd)(ops);
    SL_CPU(decode)(ops);
    SL_CPU(act)(ops);
    SL_CPU(logp)(ops);
    SL_CPU(topk)(ops);
    SL_CPU(sample)(ops);
    SL_CPU(adamw)(ops);
    SL_CPU(flat)(ops);
    SL_CPU(sketch)(ops);
}
