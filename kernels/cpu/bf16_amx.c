/* Products of bf16 numbers by AMX: a tile register holds 16 rows of 64 bytes, one instruction adds
 * the product of two of them to a third. Source: Intel 64 and IA-32 Architectures Software
 * Developer's Manual, volume 1, chapter 18. */
#include "kernels/cpu/bf16_int.h"
#include <immintrin.h>

/* Rows of a tile; bytes of one. */
#define ROWS 16
#define ROW_BYTES 64
/* Elements of a tile of a and from one tile of b to the next rows of pairs. */
#define A_TILE (ROWS * SL_BF16_BLOCK)
#define B_STEP (SL_BF16_BLOCK * SL_BF16_BLOCK)

/* All eight registers whole. Static, since compilers do not see that loading reads all of it. */
static const struct {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} shape = { .palette = 1,
            .row_bytes = { ROW_BYTES, ROW_BYTES, ROW_BYTES, ROW_BYTES, ROW_BYTES, ROW_BYTES,
                           ROW_BYTES, ROW_BYTES },
            .rows = { ROWS, ROWS, ROWS, ROWS, ROWS, ROWS, ROWS, ROWS } };

static void begin(void)
{
    _tile_loadconfig(&shape);
}

static void end(void)
{
    _tile_release();
}

static void load_sums(const float *c, size_t stride, size_t ldc)
{
    _tile_loadd(0, c, stride);
    _tile_loadd(1, c + ROWS, stride);
    _tile_loadd(2, c + ROWS * ldc, stride);
    _tile_loadd(3, c + ROWS * ldc + ROWS, stride);
}

static void zero_sums(void)
{
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
}

static void block(float *c, size_t ldc, const uint16_t *a, const uint16_t *b, size_t k, int add)
{
    const size_t stride = ldc * sizeof *c;

    if (add)
        load_sums(c, stride, ldc);
    else
        zero_sums();
    for (size_t p = 0; p < k; p += SL_BF16_BLOCK, a += 2 * A_TILE, b += B_STEP) {
        _tile_loadd(4, a, ROW_BYTES);
        _tile_loadd(6, b, 2 * ROW_BYTES);
        _tile_loadd(7, b + SL_BF16_BLOCK, 2 * ROW_BYTES);
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        _tile_loadd(5, a + A_TILE, ROW_BYTES);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    _tile_stored(0, c, stride);
    _tile_stored(1, c + ROWS, stride);
    _tile_stored(2, c + ROWS * ldc, stride);
    _tile_stored(3, c + ROWS * ldc + ROWS, stride);
}

const sl_bf16_unit sl_bf16_amx = { .name = "amx", .begin = begin, .end = end, .block = block };
