/* The count sketch: the published hash, linear, independent of threads, unbiased within its bound.
 */
#include "kernels_test.h"

enum { M = 64, PARTS_MOST = SL_SKETCH_PARTS * 4096 };
static double parts[PARTS_MOST];

typedef struct sketch {
    size_t n, m;
    float *x;    /* (n) */
    double *out; /* (m) */
} sketch;

static void run(const sl_ops *ops, void *at)
{
    sketch *s = at;

    memset(s->out, 0, s->m * sizeof *s->out);
    ops->count_sketch(s->out, parts, s->x, s->n, 0, s->m, 0);
}

/* The test vector "sketches" of the shared metrics, seed 12345. */
static void test_published_vector(void **state)
{
    static const float x[] = { 0.5f, -1.25f, 2, 0, 0.75f, -0.1f, 3.5f, 1, -2, 0.25f };
    static const double want[] = { 2.25, 2.0, 3.4, -2.5 };
    const sl_ops *both[] = { k_ref(), k_cpu() };

    (void)state;
    for (size_t b = 0; b < 2; b++) {
        double out[4] = { 0 };

        both[b]->count_sketch(out, parts, x, 10, 0, 4, 12345);
        for (size_t k = 0; k < 4; k++)
            T_CLOSE(out[k], want[k], 4 * FLT_EPSILON); /* -.1 is rounded to a float */
    }
}

static void check_same(const double *a, const double *b, size_t m, double tol)
{
    for (size_t k = 0; k < m; k++)
        T_CLOSE(a[k], b[k], tol);
}

static void test_backends_agree(void **state)
{
    static const size_t sizes[] = { 1, 3, 17, 129, 513, 40000, 100003 };
    double r[M], c[M];

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        float *x = k_rand(sizes[i], K_NORMAL, i + 1);

        run(k_ref(), &(sketch){ sizes[i], M, x, r });
        run(k_cpu(), &(sketch){ sizes[i], M, x, c });
        check_same(c, r, M, TOL_F64 * sqrt((double)sizes[i]));
        k_done();
    }
}

/* Pieces by their first index add up to the whole; sketches of a sum are sums of sketches. */
static void test_linear(void **state)
{
    enum { N = 50021, CUT = 40007 };
    float *x = k_rand(N, K_NORMAL, 1), *y = k_rand(N, K_NORMAL, 2), *z = k_copy(x, N);
    double whole[M], pieces[M] = { 0 }, sum[M];

    (void)state;
    run(k_cpu(), &(sketch){ N, M, x, whole });
    k_cpu()->count_sketch(pieces, parts, x, CUT, 0, M, 0);
    k_cpu()->count_sketch(pieces, parts, x + CUT, N - CUT, CUT, M, 0);
    check_same(pieces, whole, M, 1e-10);
    k_cpu()->count_sketch(pieces, parts, y, N, 0, M, 0); /* adds */
    k_cpu()->add(z, y, N);
    run(k_cpu(), &(sketch){ N, M, z, sum });
    check_same(sum, pieces, M, TOL_SUM(N));
    k_done();
}

static void test_threads_change_nothing(void **state)
{
    float *x = k_rand(100003, K_NORMAL, 3);
    double sums[2][M];

    (void)state;
    for (int threads = 1; threads <= 2; threads++) {
        const sl_backend *cpu = NULL; /* only for its number of threads */

        T_OK(sl_backend_open(&cpu, "cpu", threads));
        run(k_cpu(), &(sketch){ 100003, M, x, sums[threads - 1] });
    }
    assert_memory_equal(sums[0], sums[1], sizeof sums[0]);
    k_done();
}

/* Over seeds the mean of <Sx, Sy> is <x, y>, its variance at most (|x|^2|y|^2 + <x,y>^2)/m. Both
 * within five standard errors of what 4000 draws give (the fourth moment taken as normal). */
static void test_unbiased_within_the_bound(void **state)
{
    enum { N = 500, SEEDS = 4000 };
    float *x = k_rand(N, K_NORMAL, 4), *y = k_rand(N, K_NORMAL, 5);
    const double xy = t_dot(x, y, N);
    const double bound = (t_dot(x, x, N) * t_dot(y, y, N) + xy * xy) / M;
    double mean = 0.0, square = 0.0;

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        double sx[M] = { 0 }, sy[M] = { 0 }, d = 0.0;

        k_cpu()->count_sketch(sx, parts, x, N, 0, M, seed << 32);
        k_cpu()->count_sketch(sy, parts, y, N, 0, M, seed << 32);
        for (size_t k = 0; k < M; k++)
            d += sx[k] * sy[k];
        mean += (d - xy) / SEEDS;
        square += (d - xy) * (d - xy) / SEEDS;
    }
    assert_true(fabs(mean) <= 5.0 * sqrt(bound / SEEDS));
    assert_true(square <= bound * (1.0 + 5.0 * sqrt(2.0 / SEEDS)));
    assert_true(square >= 0.5 * bound);
    k_done();
}

static void bench(void)
{
    static double out[4096];
    sketch s = { 15000000, 4096, k_rand(15000000, K_NORMAL, 1), out };

    k_bench("count_sketch n 15000000 m 4096", run, &s, 0, 6e7);
    k_done();
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_published_vector),
    cmocka_unit_test(test_backends_agree),
    cmocka_unit_test(test_linear),
    cmocka_unit_test(test_threads_change_nothing),
    cmocka_unit_test(test_unbiased_within_the_bound),
};

K_MAIN(tests, bench)
