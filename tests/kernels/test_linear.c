#include "kernels_test.h"
#include <stdio.h>
#include <string.h>

typedef struct linear {
    size_t T, O, I;
    const float *x, *w, *b, *dy; /* (T,I), (O,I), (O) or NULL, (T,O) */
    float *y, *dx, *dw, *db;
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
                     k_rand(T * I, kind, 5),
                     k_rand(O * I, K_NORMAL, 6),
                     k_rand(O, K_NORMAL, 7) };
}

static void fwd(const sl_ops *ops, void *at)
{
    const linear *l = at;

    ops->linear_fwd(l->y, l->x, l->w, l->b, l->T, l->O, l->I);
}

static void bwd_x(const sl_ops *ops, void *at)
{
    const linear *l = at;

    ops->linear_bwd_x(l->dx, l->dy, l->w, l->T, l->O, l->I, 0);
}

static void bwd_w(const sl_ops *ops, void *at)
{
    const linear *l = at;

    ops->linear_bwd_w(l->dw, l->db, l->dy, l->x, l->T, l->O, l->I);
}

static void compare(size_t T, size_t O, size_t I, k_kind kind, int with_bias)
{
    linear r = make(T, O, I, kind), c = make(T, O, I, kind);

    k_label("linear T %zu O %zu I %zu kind %d bias %d", T, O, I, (int)kind, with_bias);
    if (!with_bias)
        r.b = c.b = NULL;
    fwd(k_ref(), &r);
    fwd(k_cpu(), &c);
    K_CLOSE(c.y, r.y, T * O, TOL_SUM(I));
    k_ref()->linear_bwd_x(r.dx, r.dy, r.w, T, O, I, 1);
    k_cpu()->linear_bwd_x(c.dx, c.dy, c.w, T, O, I, 1);
    K_CLOSE(c.dx, r.dx, T * I, TOL_SUM(O));
    bwd_x(k_ref(), &r);
    bwd_x(k_cpu(), &c);
    K_CLOSE(c.dx, r.dx, T * I, TOL_SUM(O));
    if (!with_bias)
        r.db = c.db = NULL;
    bwd_w(k_ref(), &r);
    bwd_w(k_cpu(), &c);
    K_CLOSE(c.dw, r.dw, O * I, TOL_SUM(T));
    if (with_bias)
        K_CLOSE(c.db, r.db, O, TOL_SUM(T));
    k_done();
}

static void test_backends_agree(void **state)
{
    (void)state;
    for (size_t t = 0; t < K_SIZES; t++)
        for (size_t o = 0; o < K_SIZES; o++)
            for (size_t i = 0; i < K_SIZES; i++)
                for (int kind = 0; kind < K_KINDS; kind++)
                    compare(k_sizes[t], k_sizes[o], k_sizes[i], (k_kind)kind, kind % 2 == 0);
    compare(900, 144, 48, K_NORMAL, 1);  /* split over threads */
    compare(512, 512, 600, K_NORMAL, 1); /* OpenBLAS's own threads */
}

/* (X W^T) v = X (W^T v): one product against two products with a vector. */
static void test_product_times_vector(void **state)
{
    const size_t T = 17, O = 129, I = 33;
    const linear l = make(T, O, I, K_NORMAL);
    const float *v = k_rand(O, K_NORMAL, 9);
    float *left = k_new(T), *wv = k_new(I), *right = k_new(T);

    (void)state;
    k_label("product times vector");
    k_cpu()->linear_fwd(l.y, l.x, l.w, NULL, T, O, I);
    k_cpu()->linear_fwd(left, l.y, v, NULL, T, 1, O);
    k_cpu()->linear_bwd_x(wv, v, l.w, 1, O, I, 0);
    k_cpu()->linear_fwd(right, l.x, wv, NULL, T, 1, I);
    K_CLOSE(left, right, T, TOL_SUM(O * I));
    k_done();
}

/* <dy, fwd(x + h vx, w + h vw, b + h vb)>. */
typedef struct probe {
    linear l;
    const float *vx, *vw, *vb;
} probe;

static double value(void *at, float h)
{
    const probe *p = at;
    const linear *l = &p->l;
    float *x = k_copy(l->x, l->T * l->I), *w = k_copy(l->w, l->O * l->I), *b = k_copy(l->b, l->O);

    for (size_t i = 0; i < l->T * l->I; i++)
        x[i] += h * p->vx[i];
    for (size_t i = 0; i < l->O * l->I; i++)
        w[i] += h * p->vw[i];
    for (size_t i = 0; i < l->O; i++)
        b[i] += h * p->vb[i];
    sl_ref_ops()->linear_fwd(l->y, x, w, b, l->T, l->O, l->I);
    return t_dot(l->dy, l->y, l->T * l->O);
}

static void test_backward_is_the_derivative(void **state)
{
    const size_t T = 7, O = 5, I = 9;
    probe p = { make(T, O, I, K_NORMAL), k_rand(T * I, K_NORMAL, 11), k_rand(O * I, K_NORMAL, 12),
                k_rand(O, K_NORMAL, 13) };
    float *dw = k_new(O * I), *db = k_new(O);

    (void)state;
    bwd_x(sl_ref_ops(), &p.l);
    sl_ref_ops()->linear_bwd_w(dw, db, p.l.dy, p.l.x, T, O, I);
    T_CLOSE(t_dot(p.l.dx, p.vx, T * I) + t_dot(dw, p.vw, O * I) + t_dot(db, p.vb, O),
            k_slope(value, &p), TOL_FD);
    k_done();
}

/* The same call twice gives the same bits. */
static void test_deterministic(void **state)
{
    linear a = make(900, 144, 48, K_NORMAL), b = make(900, 144, 48, K_NORMAL);

    (void)state;
    for (int i = 0; i < 5; i++) {
        memset(a.dw, 0, 144 * 48 * sizeof(float));
        memset(b.dw, 0, 144 * 48 * sizeof(float));
        bwd_w(k_cpu(), &a);
        bwd_w(k_cpu(), &b);
        assert_memory_equal(a.dw, b.dw, 144 * 48 * sizeof(float));
    }
    k_done();
}

static void bench(void)
{
    static const size_t shapes[][3] = { { 900, 144, 48 }, { 900, 256, 48 }, { 900, 48, 128 },
                                        { 900, 27, 48 },  { 256, 144, 48 }, { 2000, 144, 48 },
                                        { 64, 1536, 576 } };

    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        linear l = make(shapes[i][0], shapes[i][1], shapes[i][2], K_NORMAL);
        const double flops = 2.0 * (double)l.T * (double)l.O * (double)l.I;
        char name[64];

        snprintf(name, sizeof name, "linear_fwd T %zu O %zu I %zu", l.T, l.O, l.I);
        k_bench(name, fwd, &l, flops, 0);
        memcpy(name + 7, "b_x", 3);
        k_bench(name, bwd_x, &l, flops, 0);
        memcpy(name + 7, "b_w", 3);
        k_bench(name, bwd_w, &l, flops, 0);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_backends_agree),
    cmocka_unit_test(test_product_times_vector),
    cmocka_unit_test(test_backward_is_the_derivative),
    cmocka_unit_test(test_deterministic),
};
K_MAIN(tests, bench)
