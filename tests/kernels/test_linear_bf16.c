/* Linear layers in bf16: equal to the reference on numbers that are bf16 already; of others, off by
 * what the rounding says. Every unit of this processor computes the same block. */
#include "kernels_test.h"
#include "kernels/cpu/bf16_int.h"
#include <stdio.h>
#include <stdlib.h>

/* x (n), rounded to 8 significant bits by arithmetic alone. */
static float *round_all(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int e = 0;
        const double m = frexp((double)x[i], &e);

        x[i] = (float)ldexp(rint(m * 256.0) / 256.0, e);
    }
    return x;
}

typedef struct linear {
    size_t T, O, I;
    float *x, *w, *b, *dy; /* (T,I), (O,I), (O) or NULL, (T,O) */
    float *y, *dx, *added, *dw, *db;
} linear;

static linear make(size_t T, size_t O, size_t I, k_kind kind)
{
    return (linear){ T,
                     O,
                     I,
                     k_rand(T * I, kind, 1),
                     k_rand(O * I, K_NORMAL, 2),
                     k_rand(O, kind, 3),
                     k_rand(T * O, kind, 4),
                     k_new(T * O),
                     k_new(T * I),
                     k_rand(T * I, kind, 5),
                     k_rand(O * I, K_NORMAL, 6),
                     k_rand(O, K_NORMAL, 7) };
}

static void run(const sl_ops *ops, const linear *l)
{
    ops->linear_fwd(l->y, l->x, l->w, l->b, l->T, l->O, l->I);
    ops->linear_bwd_x(l->dx, l->dy, l->w, l->T, l->O, l->I, 0);
    ops->linear_bwd_x(l->added, l->dy, l->w, l->T, l->O, l->I, 1);
    ops->linear_bwd_w(l->dw, l->db, l->dy, l->x, l->T, l->O, l->I);
}

static void round_operands(const linear *l)
{
    round_all(l->x, l->T * l->I);
    round_all(l->w, l->O * l->I);
    round_all(l->dy, l->T * l->O);
}

static void compare(size_t T, size_t O, size_t I, k_kind kind, int is_rounded, int with_bias)
{
    linear r = make(T, O, I, kind), h = make(T, O, I, kind);
    const double own = is_rounded ? 0.0 : TOL_BF16;

    k_label("linear bf16 T %zu O %zu I %zu kind %d rounded %d", T, O, I, (int)kind, is_rounded);
    if (is_rounded) {
        round_operands(&r);
        round_operands(&h);
    }
    if (!with_bias)
        r.b = h.b = r.db = h.db = NULL;
    run(k_ref(), &r);
    run(k_bf16(), &h);
    K_CLOSE(h.y, r.y, T * O, TOL_SUM(I) + own);
    K_CLOSE(h.dx, r.dx, T * I, TOL_SUM(O) + own);
    K_CLOSE(h.added, r.added, T * I, TOL_SUM(O) + own);
    K_CLOSE(h.dw, r.dw, O * I, TOL_SUM(T) + own);
    if (with_bias)
        K_CLOSE(h.db, r.db, O, TOL_SUM(T));
    k_done();
}

/* Edges of a square, of a block, of what is laid out at once (1024 rows, 768 inner elements). */
static void test_shapes(void **state)
{
    static const size_t shapes[][3] = { { 1, 1, 1 },      { 32, 1, 1 },    { 33, 3, 17 },
                                        { 47, 16, 31 },   { 64, 32, 32 },  { 65, 33, 33 },
                                        { 129, 129, 3 },  { 97, 17, 129 }, { 1057, 40, 48 },
                                        { 40, 1057, 50 }, { 48, 33, 801 }, { 801, 35, 33 },
                                        { 900, 144, 48 } };

    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        for (int rounded = 0; rounded < 2; rounded++)
            compare(shapes[i][0], shapes[i][1], shapes[i][2], K_NORMAL, rounded, i % 2 == 0);
    for (int kind = 0; kind < K_KINDS; kind++)
        if (kind != K_DENORMAL) /* units may take them as 0 */
            compare(65, 33, 33, (k_kind)kind, 1, 1);
}

/* Rounding is to nearest, ties to even: 1 + 2^-8 lies between 1 and 1 + 2^-7. */
static void test_ties_to_even(void **state)
{
    enum { T = 32 };
    static const float x[4] = { 1.0f + 0x1p-8f, 1.0f + 0x3p-8f, 1.0f + 0x1p-8f + 0x1p-20f,
                                -1.0f - 0x1p-8f };
    static const float want[4] = { 1.0f, 1.0f + 0x1p-6f, 1.0f + 0x1p-7f, -1.0f };
    float *rows = k_new(T), *y = k_new(T), *one = k_new(1);

    (void)state;
    k_label("ties to even");
    for (size_t t = 0; t < T; t++)
        rows[t] = x[t % 4];
    one[0] = 1.0f;
    k_bf16()->linear_fwd(y, rows, one, NULL, T, 1, 1);
    for (size_t t = 0; t < T; t++)
        T_CLOSE(y[t], want[t % 4], TOL_EXACT);
    k_done();
}

/* What is not a number stays none, in its row only; what overflows bf16 is infinite. */
static void test_not_finite(void **state)
{
    enum { T = 40, O = 5, I = 33 };
    const uint32_t quiet_to_zero = 0x7f800001u; /* a NaN whose upper half says infinity */
    linear l = make(T, O, I, K_NORMAL);

    (void)state;
    memcpy(&l.x[3 * I + 7], &quiet_to_zero, sizeof quiet_to_zero);
    l.x[5 * I] = INFINITY;
    l.x[6 * I + 32] = FLT_MAX;
    k_bf16()->linear_fwd(l.y, l.x, l.w, l.b, T, O, I);
    for (size_t t = 0; t < T; t++)
        for (size_t o = 0; o < O; o++) {
            const float y = l.y[t * O + o];

            assert_int_equal(isnan(y) != 0, t == 3);
            assert_int_equal(isinf(y) != 0, t == 5 || t == 6);
        }
    k_done();
}

/* The same call twice, and with other threads: the same bits. */
static void test_deterministic(void **state)
{
    const linear a = make(300, 80, 48, K_NORMAL), b = make(300, 80, 48, K_NORMAL);

    (void)state;
    run(k_bf16(), &a);
    run(k_bf16(), &b);
    assert_memory_equal(a.y, b.y, 300 * 80 * sizeof(float));
    assert_memory_equal(a.dw, b.dw, 80 * 48 * sizeof(float));
    k_done();
}

/* Random pairs of a block, laid out as the units want them. */
static void test_units_agree(void **state)
{
    enum { B = SL_BF16_BLOCK, K = 3 * B, LDC = 40 };
    const sl_bf16_unit *here = sl_bf16_unit_here();
    uint16_t *a = k_bytes(B * K * sizeof *a), *b = k_bytes(B * K * sizeof *b);
    const float *x = k_rand(2 * B * K, K_NORMAL, 3);
    float *plain = k_rand(B * LDC, K_NORMAL, 4), *own = k_rand(B * LDC, K_NORMAL, 4);

    (void)state;
    k_label("unit %s", here->name);
    for (size_t i = 0; i < B * K; i++) {
        uint32_t u[2];

        memcpy(u, x + 2 * i, sizeof u);
        a[i] = (uint16_t)(u[0] >> 16);
        b[i] = (uint16_t)(u[1] >> 16);
    }
    for (int add = 0; add < 2; add++) {
        sl_bf16_plain.block(plain, LDC, a, b, K, add);
        if (here->begin)
            here->begin();
        here->block(own, LDC, a, b, K, add);
        if (here->end)
            here->end();
        K_CLOSE(own, plain, B * LDC, TOL_SUM(K));
    }
    k_done();
}

typedef struct shape {
    linear l;
    void (*op)(const sl_ops *ops, const linear *l);
} shape;

static void forward(const sl_ops *ops, const linear *l)
{
    ops->linear_fwd(l->y, l->x, l->w, NULL, l->T, l->O, l->I);
}

static void backward_x(const sl_ops *ops, const linear *l)
{
    ops->linear_bwd_x(l->dx, l->dy, l->w, l->T, l->O, l->I, 0);
}

static void backward_w(const sl_ops *ops, const linear *l)
{
    ops->linear_bwd_w(l->dw, NULL, l->dy, l->x, l->T, l->O, l->I);
}

/* Beside float32 of the same backend. */
static void in_bf16(const sl_ops *ops, void *at)
{
    const shape *s = at;

    s->op(ops == k_cpu() ? k_bf16() : k_cpu(), &s->l);
}

static void bench(void)
{
    static const size_t shapes[][3] = {
        { 512, 864, 288 }, { 512, 1536, 288 }, { 128, 32000, 288 }, { 512, 3072, 576 }
    };
    static void (*const ops[])(const sl_ops *, const linear *) = { forward, backward_x,
                                                                   backward_w };

    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        for (size_t k = 0; k < 3; k++) {
            shape s = { make(shapes[i][0], shapes[i][1], shapes[i][2], K_NORMAL), ops[k] };
            char name[64];

            snprintf(name, sizeof name, "bf16 (float32/bf16) op %zu T %zu O %zu I %zu", k, s.l.T,
                     s.l.O, s.l.I);
            k_bench(name, in_bf16, &s, 2.0 * (double)s.l.T * (double)s.l.O * (double)s.l.I, 0);
        }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_shapes),      cmocka_unit_test(test_ties_to_even),
    cmocka_unit_test(test_not_finite),  cmocka_unit_test(test_deterministic),
    cmocka_unit_test(test_units_agree),
};
K_MAIN(tests, bench)
