/* Which build of the cpu files this processor runs: the only place that asks the processor. */
#include "kernels/cpu/bf16_int.h"
#include "kernels/cpu/cpu_int.h"
#include <stdio.h>
#include <string.h>
#if SL_CPU_X86
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

typedef struct level {
    const char *name;
    int (*is_there)(void);
    void (*fill)(sl_ops *ops);
    void (*linear_bf16)(sl_ops *ops);
} level;

static int always(void)
{
    return 1;
}

#if SL_CPU_X86
void sl_cpu_fill_avx2(sl_ops *ops);
void sl_cpu_fill_avx512(sl_ops *ops);
void sl_cpu_linear_bf16_avx2(sl_ops *ops);
void sl_cpu_linear_bf16_avx512(sl_ops *ops);

static int has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static int has_avx512(void)
{
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
}

static int has_avx512_bf16(void)
{
    return has_avx512() && __builtin_cpu_supports("avx512bf16");
}

/* The tile registers are there, and Linux lets this process use them
 * (Documentation/arch/x86/xstate.rst). */
static int has_amx(void)
{
    enum { REQUEST_PERMISSION = 0x1023, TILE_DATA = 18, AMX_BF16 = 1 << 22, AMX_TILE = 1 << 24 };
    unsigned a, b, c, d;

    if (!has_avx512() || !__get_cpuid_count(7, 0, &a, &b, &c, &d))
        return 0;
    if ((d & AMX_BF16) == 0 || (d & AMX_TILE) == 0)
        return 0;
#ifdef SYS_arch_prctl
    return syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0;
#else
    return 0;
#endif
}
#endif

/* Best first. */
static const level levels[] = {
#if SL_CPU_X86
    { "avx512", has_avx512, sl_cpu_fill_avx512, sl_cpu_linear_bf16_avx512 },
    { "avx2", has_avx2, sl_cpu_fill_avx2, sl_cpu_linear_bf16_avx2 },
#endif
    { "base", always, sl_cpu_fill_base, sl_cpu_linear_bf16_base },
};

/* Best first. */
static const struct unit {
    const sl_bf16_unit *unit;
    int (*is_there)(void);
} units[] = {
#if SL_CPU_X86
    { &sl_bf16_amx, has_amx },
    { &sl_bf16_avx512, has_avx512_bf16 },
#endif
    { &sl_bf16_plain, always },
};

static const level *find(const char *name)
{
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
        if ((!name || strcmp(name, levels[i].name) == 0) && levels[i].is_there())
            return &levels[i];
    return NULL;
}

const char *sl_cpu_fill(sl_ops *ops, const char *name)
{
    const level *l = find(name);

    if (!l)
        return NULL;
    l->fill(ops);
    return l->name;
}

const sl_bf16_unit *sl_bf16_unit_here(void)
{
    static const sl_bf16_unit *here;

    for (size_t i = 0; !here; i++)
        if (units[i].is_there())
            here = units[i].unit;
    return here;
}

const char *sl_cpu_fill_bf16(sl_ops *ops, const char *name)
{
    static char text[32];
    const level *l = find(name);

    if (!l)
        return NULL;
    l->fill(ops);
    l->linear_bf16(ops);
    (void)snprintf(text, sizeof text, "%s+%s", l->name, sl_bf16_unit_here()->name);
    return text;
}
