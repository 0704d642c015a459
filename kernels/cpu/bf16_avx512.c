/* Products of bf16 numbers by AVX512_BF16: two products an element and instruction. */
#include "kernels/cpu/bf16_int.h"
#include <immintrin.h>
#include <string.h>

/* Rows whose sums stay in registers: 2 registers each of 32. */
#define ROWS 8

/* c (ROWS, 32) = or += rows [first, first + ROWS) of a times b. */
static void rows(float *c, size_t ldc, const uint16_t *a, const uint16_t *b, size_t k, int add)
{
    __m512 sum[ROWS][2];

    for (size_t r = 0; r < ROWS; r++)
        for (size_t h = 0; h < 2; h++)
            sum[r][h] = add ? _mm512_loadu_ps(c + r * ldc + 16 * h) : _mm512_setzero_ps();
    for (size_t p = 0; p < k; p += 2) {
        const uint16_t *at =
            a + p / SL_BF16_BLOCK * SL_BF16_BLOCK * SL_BF16_BLOCK + p % SL_BF16_BLOCK;
        const __m512bh left = (__m512bh)_mm512_loadu_si512(b + p * SL_BF16_BLOCK);
        const __m512bh right = (__m512bh)_mm512_loadu_si512(b + p * SL_BF16_BLOCK + 32);

        for (size_t r = 0; r < ROWS; r++) {
            int pair;

            memcpy(&pair, at + r * SL_BF16_BLOCK, sizeof pair);
            const __m512bh both = (__m512bh)_mm512_set1_epi32(pair);

            sum[r][0] = _mm512_dpbf16_ps(sum[r][0], both, left);
            sum[r][1] = _mm512_dpbf16_ps(sum[r][1], both, right);
        }
    }
    for (size_t r = 0; r < ROWS; r++)
        for (size_t h = 0; h < 2; h++)
            _mm512_storeu_ps(c + r * ldc + 16 * h, sum[r][h]);
}

static void block(float *c, size_t ldc, const uint16_t *a, const uint16_t *b, size_t k, int add)
{
    for (size_t r = 0; r < SL_BF16_BLOCK; r += ROWS)
        rows(c + r * ldc, ldc, a + r * SL_BF16_BLOCK, b, k, add);
}

const sl_bf16_unit sl_bf16_avx512 = { .name = "avx512bf16", .block = block };
