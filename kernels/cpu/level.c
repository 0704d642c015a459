/* Which build of the cpu files this processor runs: the only place that asks the processor. */
#include "kernels/cpu/cpu_int.h"
#include <string.h>

typedef struct level {
    const char *name;
    int (*is_there)(void);
    void (*fill)(sl_ops *ops);
} level;

static int always(void)
{
    return 1;
}

#if SL_CPU_X86
void sl_cpu_fill_avx2(sl_ops *ops);
void sl_cpu_fill_avx512(sl_ops *ops);

static int has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static int has_avx512(void)
{
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
}
#endif

/* Best first. */
static const level levels[] = {
#if SL_CPU_X86
    { "avx512", has_avx512, sl_cpu_fill_avx512 },
    { "avx2", has_avx2, sl_cpu_fill_avx2 },
#endif
    { "base", always, sl_cpu_fill_base },
};

const char *sl_cpu_fill(sl_ops *ops, const char *name)
{
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        if ((name && strcmp(name, levels[i].name) != 0) || !levels[i].is_there())
            continue;
        levels[i].fill(ops);
        return levels[i].name;
    }
    return NULL;
}
