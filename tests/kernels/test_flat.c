/* add, scale, sum_sq, dot, max_abs, adamw. */
#include "kernels_test.h"

typedef struct flat {
    size_t n;
    float *p, *m, *v, *g; /* (n) */
    sl_adamw s;
    double sum;
} flat;

static const sl_adamw usual = { 1e-3f, 0.9f, 0.999f, 1e-8f, 0.1f, 0.5f, 1 };

static flat make(size_t n, k_kind kind)
{
    flat f = { n,
               k_rand(n, K_NORMAL, 1),
               k_rand(n, K_NORMAL, 2),
               k_rand(n, K_NORMAL, 3),
               k_rand(n, kind, 4),
               usual,
               0.0 };

    for (size_t i = 0; i < n; i++)
        f.v[i] *= f.v[i];
    return f;
}

static void adamw(const sl_ops *ops, void *at)
{
    flat *f = at;

    ops->adamw(f->p, f->m, f->v, f->g, f->n, &f->s);
}

static void add(const sl_ops *ops, void *at)
{
    flat *f = at;

    ops->add(f->p, f->g, f->n);
}

static void scale(const sl_ops *ops, void *at)
{
    flat *f = at;

    ops->scale(f->p, f->n, 1.0f);
}

static void sum_sq(const sl_ops *ops, void *at)
{
    flat *f = at;

    f->sum = ops->sum_sq(f->g, f->n);
}

static void dot(const sl_ops *ops, void *at)
{
    flat *f = at;

    f->sum = ops->dot(f->g, f->p, f->n);
}

static void max_abs(const sl_ops *ops, void *at)
{
    flat *f = at;
    uint32_t bad = 0;

    f->sum = (double)ops->max_abs(f->g, f->n, &bad) + (double)bad;
}

static void compare(size_t n, k_kind kind)
{
    flat r = make(n, kind), c = make(n, kind);

    k_label("flat n %zu kind %d", n, (int)kind);
    sum_sq(k_ref(), &r);
    sum_sq(k_cpu(), &c);
    T_CLOSE(c.sum, r.sum, TOL_F64);
    dot(k_ref(), &r);
    dot(k_cpu(), &c);
    T_CLOSE(c.sum, r.sum, TOL_F64 * sqrt((double)n) * (kind == K_HUGE ? 1e3 : 1.0));
    max_abs(k_ref(), &r);
    max_abs(k_cpu(), &c);
    T_CLOSE(c.sum, r.sum, TOL_EXACT);
    adamw(k_ref(), &r);
    adamw(k_cpu(), &c);
    K_CLOSE(c.p, r.p, n, TOL_4ULP);
    K_CLOSE(c.m, r.m, n, TOL_4ULP);
    K_CLOSE(c.v, r.v, n, TOL_4ULP);
    memcpy(c.p, r.p, n * sizeof(float));
    add(k_ref(), &r);
    add(k_cpu(), &c);
    K_CLOSE(c.p, r.p, n, TOL_EXACT);
    k_ref()->scale(r.p, n, 0.3f);
    k_cpu()->scale(c.p, n, 0.3f);
    K_CLOSE(c.p, r.p, n, TOL_EXACT);
    k_done();
}

static void test_backends_agree(void **state)
{
    (void)state;
    for (int kind = 0; kind < K_KINDS; kind++) {
        for (size_t n = 0; n < K_SIZES; n++)
            compare(k_sizes[n], (k_kind)kind);
        compare(100003, (k_kind)kind); /* more than one part and thread */
    }
}

/* First step from m = v = 0: mhat = g, vhat = g^2, so p moves by lr * sign(g), after the decay. */
static void test_first_step_of_adamw(void **state)
{
    const sl_ops *both[] = { k_ref(), k_cpu() };

    (void)state;
    for (size_t b = 0; b < 2; b++) {
        flat f = make(129, K_NORMAL);
        const float *p = k_copy(f.p, 129);

        memset(f.m, 0, 129 * sizeof(float));
        memset(f.v, 0, 129 * sizeof(float));
        f.g[7] = 0.0f; /* then only the decay */
        adamw(both[b], &f);
        for (size_t i = 0; i < 129; i++) {
            const double g = 0.5 * (double)f.g[i];
            const double want = (double)p[i] * (1 - 1e-3 * 0.1) - 1e-3 * g / (fabs(g) + 1e-8);

            T_CLOSE(f.p[i], want, TOL_4ULP);
            T_CLOSE(f.m[i], 0.1 * g, TOL_4ULP);
            T_CLOSE(f.v[i], 0.001 * g * g, TOL_4ULP);
        }
        k_done();
    }
}

/* Constant gradient: the corrected moments stay g and g^2, so every step moves by lr. */
static void test_constant_gradient(void **state)
{
    const sl_ops *both[] = { k_ref(), k_cpu() };

    (void)state;
    for (size_t b = 0; b < 2; b++) {
        float p = 0.0f, m = 0.0f, v = 0.0f, g = 0.25f;
        sl_adamw s = usual;

        s.weight_decay = 0.0f;
        for (s.update = 1; s.update <= 100; s.update++)
            both[b]->adamw(&p, &m, &v, &g, 1, &s);
        T_CLOSE(p, -100 * 1e-3, TOL_SUM(100));
    }
}

static void test_bad_elements_are_counted(void **state)
{
    const sl_ops *both[] = { k_ref(), k_cpu() };

    (void)state;
    for (size_t b = 0; b < 2; b++) {
        flat f = make(129, K_NORMAL);
        uint32_t bad = 9;

        f.g[0] = NAN;
        f.g[64] = INFINITY;
        f.g[128] = -INFINITY;
        f.g[5] = -77.0f;
        T_CLOSE(both[b]->max_abs(f.g, 129, &bad), 77.0, TOL_EXACT);
        assert_int_equal(bad, 3);
        T_CLOSE(both[b]->max_abs(f.g, 0, &bad), 0.0, TOL_EXACT);
        assert_int_equal(bad, 0);
        k_done();
    }
}

/* Sums do not depend on the number of threads. */
static void test_sums_ignore_threads(void **state)
{
    const sl_ops *ops = k_cpu();
    flat f = make(100003, K_NORMAL);
    double sums[2];

    (void)state;
    for (int threads = 1; threads <= 2; threads++) {
        const sl_backend *cpu = NULL; /* only for its number of threads */

        T_OK(sl_backend_open(&cpu, "cpu", threads));
        sums[threads - 1] = ops->sum_sq(f.g, f.n);
    }
    assert_memory_equal(&sums[0], &sums[1], sizeof sums[0]);
    k_done();
}

static void bench(void)
{
    flat tiny = make(100000, K_NORMAL), large = make(1u << 23, K_NORMAL);

    k_bench("adamw n 100000", adamw, &tiny, 0, 28e5);
    k_bench("add n 100000", add, &tiny, 0, 12e5);
    k_bench("sum_sq n 100000", sum_sq, &tiny, 0, 4e5);
    k_bench("dot n 100000", dot, &tiny, 0, 8e5);
    k_bench("max_abs n 100000", max_abs, &tiny, 0, 4e5);
    k_bench("adamw n 8388608", adamw, &large, 0, 28.0 * (1u << 23));
    k_bench("scale n 8388608", scale, &large, 0, 8.0 * (1u << 23));
    k_bench("sum_sq n 8388608", sum_sq, &large, 0, 4.0 * (1u << 23));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_backends_agree),      cmocka_unit_test(test_first_step_of_adamw),
    cmocka_unit_test(test_constant_gradient),   cmocka_unit_test(test_bad_elements_are_counted),
    cmocka_unit_test(test_sums_ignore_threads),
};
K_MAIN(tests, bench)
