/* Products of bf16 numbers on any processor, by widening them. */
#include "kernels/cpu/bf16_int.h"
#include "kernels/cpu/vecmath.h"

/* acc (32) += the products of pair a with the pairs b (32). */
static inline void add_pairs(float *acc, uint32_t a, const uint16_t *b)
{
    const float low = vec_from_bits(a << 16), high = vec_from_bits(a & 0xffff0000u);

#pragma omp simd
    for (int j = 0; j < SL_BF16_BLOCK; j++) {
        acc[j] += low * vec_from_bits((uint32_t)b[2 * j] << 16);
        acc[j] += high * vec_from_bits((uint32_t)b[2 * j + 1] << 16);
    }
}

static void block(float *c, size_t ldc, const uint16_t *a, const uint16_t *b, size_t k, int add)
{
    for (size_t r = 0; r < SL_BF16_BLOCK; r++) {
        float acc[SL_BF16_BLOCK] = { 0 };

        for (size_t p = 0; p < k; p += 2) {
            const uint16_t *at =
                a + (p / SL_BF16_BLOCK * SL_BF16_BLOCK + r) * SL_BF16_BLOCK + p % SL_BF16_BLOCK;

            add_pairs(acc, at[0] | (uint32_t)at[1] << 16, b + p * SL_BF16_BLOCK);
        }
        for (size_t j = 0; j < SL_BF16_BLOCK; j++)
            c[r * ldc + j] = add ? c[r * ldc + j] + acc[j] : acc[j];
    }
}

const sl_bf16_unit sl_bf16_plain = { .name = "plain", .block = block };
