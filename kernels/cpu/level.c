/* Which build of the cpu files this processor runs: the only place that asks the processor. */
#include "kernels/cpu/cpu_int.h"

#if SL_CPU_X86
void sl_cpu_fill_avx2(sl_ops *ops);
void sl_cpu_fill_avx512(sl_ops *ops);

const char *sl_cpu_fill(sl_ops *ops)
{
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw")) {
        sl_cpu_fill_avx512(ops);
        return "avx512";
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        sl_cpu_fill_avx2(ops);
        return "avx2";
    }
    sl_cpu_fill_base(ops);
    return "base";
}
#else
const char *sl_cpu_fill(sl_ops *ops)
{
    sl_cpu_fill_base(ops);
    return "base";
}
#endif
