/* Linear layers whose operands are rounded to bf16 (nearest, ties to even) and whose sums run in
 * float. Arrays stay float: rounding happens while the operands are laid out in blocks. */
#include "kernels/cpu/bf16_int.h"
#include "kernels/cpu/cpu_int.h"
#include "kernels/cpu/vecmath.h"

#define BLOCK SL_BF16_BLOCK
/* Half a block: the square that is turned in registers. */
#define HALF 16

/* Rows and inner elements whose left operand is laid out at once: together half of a large second
 * level cache. */
#define ROWS_MOST 1024
#define INNER_MOST 768
/* Rows from which the rounding of the weights pays; below, float32. */
#define ROWS_LEAST 32

/* A matrix operand. Element (row, inner) stands at x[row * row_step + inner * inner_step], one of
 * the two steps is 1. */
typedef struct operand {
    const float *x;
    size_t row_step, inner_step;
} operand;

/* c (rows, cols) = a b^T (+ c when add), both operands (rows or cols, inner). */
typedef struct product {
    float *c;
    operand a, b;
    size_t rows, cols, inner;
    int add;
} product;

static uint16_t left[ROWS_MOST * INNER_MOST] __attribute__((aligned(64)));

/* The upper half of the bits of x, rounded; a NaN stays one. */
static inline uint32_t rounded(float x)
{
    const uint32_t u = vec_bits(x);
    const uint32_t up = u + 0x7fffu + (u >> 16 & 1u);

    return ((u & 0x7fffffffu) > 0x7f800000u ? u | 0x400000u : up) >> 16;
}

/* out (16) = pairs of the 32 (of which `count` exist) elements of x; others are 0. */
static inline void pairs_along(uint32_t *out, const float *x, size_t count)
{
    if (count < BLOCK) {
        for (size_t p = 0; p < HALF; p++)
            out[p] = (2 * p < count ? rounded(x[2 * p]) : 0) |
                     (2 * p + 1 < count ? rounded(x[2 * p + 1]) << 16 : 0);
        return;
    }
#pragma omp simd
    for (int p = 0; p < HALF; p++)
        out[p] = rounded(x[2 * p]) | rounded(x[2 * p + 1]) << 16;
}

/* out (16) = pairs of lines x and next of 16 elements (of which `count` exist; next may be NULL).
 */
static inline void pairs_across(uint32_t *out, const float *x, const float *next, size_t count)
{
    if (count < HALF || !next) {
        for (size_t j = 0; j < HALF; j++)
            out[j] =
                (j < count ? rounded(x[j]) : 0) | (j < count && next ? rounded(next[j]) << 16 : 0);
        return;
    }
#pragma omp simd
    for (int j = 0; j < HALF; j++)
        out[j] = rounded(x[j]) | rounded(next[j]) << 16;
}

/* A square of 16 rows of an operand by 16 pairs of inner elements. */
typedef struct square {
    uint32_t pair[HALF][HALF];
} square;

/* The square at (row, inner), of which (rows, inners) exist, both at most (16, 32); the rest is 0.
 * Its lines are rows when inner elements stand side by side in memory, else pairs. */
static inline void take_square(square *s, const operand *o, size_t row, size_t rows, size_t inner,
                               size_t inners)
{
    const float *x = o->x + row * o->row_step + inner * o->inner_step;

    if (rows < HALF || inners < BLOCK)
        memset(s, 0, sizeof *s);
    if (o->inner_step == 1)
        for (size_t r = 0; r < rows; r++)
            pairs_along(s->pair[r], x + r * o->row_step, inners);
    else
        for (size_t p = 0; 2 * p < inners; p++, x += 2 * o->inner_step)
            pairs_across(s->pair[p], x, 2 * p + 1 < inners ? x + o->inner_step : NULL, rows);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How many of `most` from `at` on exist. */
static size_t left_of(size_t all, size_t at, size_t most)
{
    return at < all ? least(all - at, most) : 0;
}

typedef uint32_t line __attribute__((vector_size(HALF * sizeof(uint32_t))));

/* Lines become columns: four times, line i and line i + 8 are shuffled like cards into lines 2i and
 * 2i + 1, which moves the bits of (line, column) round by one. */
static inline void turn(line *s)
{
    line to[HALF];

    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < HALF / 2; i++) {
            const line a = s[i], b = s[i + HALF / 2];

            to[2 * i] = __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6,
                                                22, 7, 23);
            to[2 * i + 1] = __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13,
                                                    29, 14, 30, 15, 31);
        }
        memcpy(s, to, sizeof to);
    }
}

/* out, lines `step` pairs apart, = the square, turned when is_turned. */
static inline void put_square(uint16_t *out, size_t step, const square *s, int is_turned)
{
    line lines[HALF];

    memcpy(lines, s->pair, sizeof lines);
    if (is_turned)
        turn(lines);
    for (size_t i = 0; i < HALF; i++)
        memcpy(out + 2 * i * step, &lines[i], sizeof lines[i]);
}

/* out (inners/32, 32 rows, 32): what multiplies from the left. */
static void lay_rows(uint16_t *out, const operand *o, size_t row, size_t rows, size_t inners)
{
    square s;

    for (size_t p = 0; p < inners; p += BLOCK)
        for (size_t h = 0; h < BLOCK; h += HALF) {
            take_square(&s, o, row + h, left_of(rows, row + h, HALF), p, left_of(inners, p, BLOCK));
            put_square(out + (p + h) * BLOCK, HALF, &s, o->inner_step != 1);
        }
}

/* out (inners/2, 32 columns, 2): what multiplies from the right. */
static void lay_columns(uint16_t *out, const operand *o, size_t col, size_t cols, size_t inners)
{
    square s;

    for (size_t p = 0; p < inners; p += BLOCK)
        for (size_t h = 0; h < BLOCK; h += HALF) {
            take_square(&s, o, col + h, left_of(cols, col + h, HALF), p, left_of(inners, p, BLOCK));
            put_square(out + p * BLOCK + 2 * h, BLOCK, &s, o->inner_step == 1);
        }
}

static size_t whole(size_t n)
{
    return (n + BLOCK - 1) / BLOCK * BLOCK;
}

/* One block of the result at c, of which (rows, cols) exist. */
static void run_block(const sl_bf16_unit *unit, float *c, size_t ldc, size_t rows, size_t cols,
                      const uint16_t *a, const uint16_t *b, size_t k, int add)
{
    float all[BLOCK * BLOCK];

    if (rows == BLOCK && cols == BLOCK) {
        unit->block(c, ldc, a, b, k, add);
        return;
    }
    unit->block(all, BLOCK, a, b, k, 0);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < cols; j++)
            c[i * ldc + j] = add ? c[i * ldc + j] + all[i * BLOCK + j] : all[i * BLOCK + j];
}

/* Columns [col, col + 32) of the result for the rows laid out in `left`. */
static void run_columns(const sl_bf16_unit *unit, const product *p, size_t row, size_t rows,
                        size_t col, const operand *b, size_t inners, int add)
{
    const size_t k = whole(inners);
    uint16_t right[BLOCK * INNER_MOST] __attribute__((aligned(64)));

    lay_columns(right, b, col, p->cols, inners);
    for (size_t r = 0; r < rows; r += BLOCK)
        run_block(unit, p->c + (row + r) * p->cols + col, p->cols, least(BLOCK, rows - r),
                  least(BLOCK, p->cols - col), left + r * k, right, k, add);
}

/* Rows [row, row + rows), inner elements [inner, inner + inners), by all threads. */
static void run_part(const product *p, size_t row, size_t rows, size_t inner, size_t inners)
{
    const sl_bf16_unit *unit = sl_bf16_unit_here();
    const operand a = { p->a.x + row * p->a.row_step + inner * p->a.inner_step, p->a.row_step,
                        p->a.inner_step };
    const operand b = { p->b.x + inner * p->b.inner_step, p->b.row_step, p->b.inner_step };
    const int add = p->add || inner > 0;

#pragma omp parallel if ((double)rows * (double)p->cols * (double)inners > 8.0 * SL_CPU_WORTH)
    {
#pragma omp for schedule(static)
        for (size_t r = 0; r < rows; r += BLOCK)
            lay_rows(left + r * whole(inners), &a, r, rows, inners);
        if (unit->begin)
            unit->begin();
#pragma omp for schedule(static)
        for (size_t col = 0; col < p->cols; col += BLOCK)
            run_columns(unit, p, row, rows, col, &b, inners, add);
        if (unit->end)
            unit->end();
    }
}

/* `left` is one: products of two callers take turns. */
static void run(const product *p)
{
#pragma omp critical(sl_bf16_left)
    for (size_t row = 0; row < p->rows; row += ROWS_MOST)
        for (size_t inner = 0; inner < p->inner; inner += INNER_MOST)
            run_part(p, row, least(ROWS_MOST, p->rows - row), inner,
                     least(INNER_MOST, p->inner - inner));
}

static void linear_fwd_bf16(float *y, const float *x, const float *w, const float *b, size_t T,
                            size_t O, size_t I)
{
    const product p = { .c = y,
                        .a = { x, I, 1 },
                        .b = { w, I, 1 },
                        .rows = T,
                        .cols = O,
                        .inner = I,
                        .add = b != NULL };

    if (T < ROWS_LEAST) {
        SL_CPU(linear_fwd)(y, x, w, b, T, O, I);
        return;
    }
    for (size_t t = 0; b && t < T; t++)
        memcpy(y + t * O, b, O * sizeof *y);
    run(&p);
}

static void linear_bwd_x_bf16(float *dx, const float *dy, const float *w, size_t T, size_t O,
                              size_t I, int add)
{
    const product p = {
        .c = dx, .a = { dy, O, 1 }, .b = { w, 1, I }, .rows = T, .cols = I, .inner = O, .add = add
    };

    run(&p);
}

static void linear_bwd_w_bf16(float *dw, float *db, const float *dy, const float *x, size_t T,
                              size_t O, size_t I)
{
    const product p = {
        .c = dw, .a = { dy, 1, O }, .b = { x, 1, I }, .rows = O, .cols = I, .inner = T, .add = 1
    };

    run(&p);
    if (db)
        SL_CPU(column_sums)(db, dy, T, O);
}

void SL_CPU(linear_bf16)(sl_ops *ops)
{
    ops->linear_fwd = linear_fwd_bf16;
    ops->linear_bwd_x = linear_bwd_x_bf16;
    ops->linear_bwd_w = linear_bwd_w_bf16;
}
