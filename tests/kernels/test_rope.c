#include "kernels_test.h"

#define POSITIONS 64

typedef struct rope {
    size_t T, heads, E, R;
    float *x, *cosine, *sine; /* (T, heads * E), (POSITIONS, R/2) */
    int32_t *position;        /* (T) */
} rope;

static rope make(size_t T, size_t heads, size_t E, size_t R, k_kind kind)
{
    rope r = { T,
               heads,
               E,
               R,
               k_rand(T * heads * E, kind, 1),
               k_new(POSITIONS * R / 2),
               k_new(POSITIONS * R / 2),
               k_bytes(T * sizeof(int32_t)) };

    for (size_t p = 0; p < POSITIONS; p++) {
        for (size_t i = 0; i < R / 2; i++) {
            const double angle = (double)p * pow(10000.0, -2.0 * (double)i / (double)R);

            r.cosine[p * (R / 2) + i] = (float)cos(angle);
            r.sine[p * (R / 2) + i] = (float)sin(angle);
        }
    }
    for (size_t t = 0; t < T; t++)
        r.position[t] = (int32_t)(t * 7 % POSITIONS);
    return r;
}

static void turn(const sl_ops *ops, rope *r, float sign)
{
    ops->rope(r->x, r->cosine, r->sine, r->position, r->T, r->heads, r->R, r->heads * r->E, r->E,
              sign);
}

static void fwd(const sl_ops *ops, void *at)
{
    turn(ops, at, 1.0f);
}

static void test_backends_agree(void **state)
{
    static const size_t rotated[][2] = { { 12, 12 }, { 12, 4 }, { 17, 2 }, { 64, 64 }, { 5, 0 } };

    (void)state;
    for (size_t i = 0; i < 5; i++)
        for (size_t t = 0; t < K_SIZES; t++)
            for (int kind = 0; kind < K_KINDS; kind++) {
                rope r = make(k_sizes[t], 3, rotated[i][0], rotated[i][1], (k_kind)kind);
                rope c = make(k_sizes[t], 3, rotated[i][0], rotated[i][1], (k_kind)kind);

                k_label("rope T %zu E %zu R %zu kind %d", r.T, r.E, r.R, kind);
                fwd(k_ref(), &r);
                fwd(k_cpu(), &c);
                K_CLOSE(c.x, r.x, r.T * 3 * r.E, TOL_4ULP);
                k_done();
            }
}

/* Turning back gives x; the length of a pair stays; elements beyond R stay. */
static void test_inverse_is_identity(void **state)
{
    const sl_ops *both[] = { k_ref(), k_cpu() };

    (void)state;
    for (size_t b = 0; b < 2; b++) {
        rope r = make(17, 4, 12, 8, K_NORMAL);
        const float *x = k_copy(r.x, 17 * 48);

        k_label("rope and back, backend %zu", b);
        turn(both[b], &r, 1.0f);
        for (size_t e = 0; e < 12; e++) {
            const float *was = x + 5 * 48 + 12, *is = r.x + 5 * 48 + 12; /* row 5, head 1 */

            if (e < 4)
                T_CLOSE(hypot((double)is[e], (double)is[e + 4]),
                        hypot((double)was[e], (double)was[e + 4]), TOL_4ULP);
            if (e >= 8)
                assert_true(is[e] == was[e]);
        }
        turn(both[b], &r, -1.0f);
        K_CLOSE(r.x, x, 17 * 48, TOL_4ULP);
        k_done();
    }
}

/* Pair (i, i + R/2) by the angle of position 1: (1, 0) becomes (cos, sin). */
static void test_quarter_of_the_plane(void **state)
{
    const sl_ops *both[] = { k_ref(), k_cpu() };

    (void)state;
    for (size_t b = 0; b < 2; b++) {
        rope r = make(1, 1, 4, 4, K_ZERO);

        r.position[0] = 1;
        r.x[0] = 1.0f;
        r.x[3] = 1.0f;
        turn(both[b], &r, 1.0f);
        T_CLOSE(r.x[0], cos(1.0), TOL_4ULP);
        T_CLOSE(r.x[2], sin(1.0), TOL_4ULP);
        T_CLOSE(r.x[1], -sin(0.01), TOL_4ULP);
        T_CLOSE(r.x[3], cos(0.01), TOL_4ULP);
        k_done();
    }
}

static void bench(void)
{
    rope r = make(900, 4, 12, 12, K_NORMAL), l = make(512, 9, 64, 64, K_NORMAL);

    k_bench("rope T 900 H 4 R 12", fwd, &r, 0, 8.0 * 900 * 48);
    k_bench("rope T 512 H 9 R 64", fwd, &l, 0, 8.0 * 512 * 576);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_backends_agree),
    cmocka_unit_test(test_inverse_is_identity),
    cmocka_unit_test(test_quarter_of_the_plane),
};
K_MAIN(tests, bench)
