/* Products of bf16 numbers with sums in float: a block of the result, and who computes it. The
 * operands are rounded and laid out in blocks by linear_bf16.c. */
#ifndef SL_KERNELS_CPU_BF16_INT_H
#define SL_KERNELS_CPU_BF16_INT_H

#include <stddef.h>
#include <stdint.h>

/* Rows and columns of a block of the result, and the inner elements that are taken together. */
enum { SL_BF16_BLOCK = 32 };

/* How this processor multiplies. k is a multiple of SL_BF16_BLOCK. */
typedef struct sl_bf16_unit {
    const char *name;
    /* Before and after a thread's blocks; NULL: nothing to do. */
    void (*begin)(void);
    void (*end)(void);
    /* c (32, 32), rows ldc floats apart, = a b (+ c when add). a (k/32, 32 rows, 32): inner
     * elements side by side; b (k/2, 32 columns, 2): pairs of inner elements side by side. */
    void (*block)(float *c, size_t ldc, const uint16_t *a, const uint16_t *b, size_t k, int add);
} sl_bf16_unit;

/* The last two are in builds for x86-64 only. */
extern const sl_bf16_unit sl_bf16_plain, sl_bf16_avx512, sl_bf16_amx;

/* The best unit of this processor. */
const sl_bf16_unit *sl_bf16_unit_here(void);

#endif
