/* rmsnorm and layernorm. */
#include "kernels_test.h"
#include <stdio.h>

#define EPS 1e-5f

typedef struct norm {
    size_t T, D;
    const float *x, *g, *b, *dy;           /* (T,D), (D), (D), (T,D) */
    float *y, *mean, *rstd, *dx, *dg, *db; /* (T,D), (T), (T), (T,D), (D), (D) */
} norm;

static norm make(size_t T, size_t D, k_kind kind)
{
    return (norm){ T,
                   D,
                   k_rand(T * D, kind, 1),
                   k_rand(D, K_NORMAL, 2),
                   k_rand(D, K_NORMAL, 3),
                   k_rand(T * D, K_NORMAL, 4),
                   k_new(T * D),
                   k_new(T),
                   k_new(T),
                   k_rand(T * D, K_NORMAL, 5),
                   k_rand(D, K_NORMAL, 6),
                   k_rand(D, K_NORMAL, 7) };
}

static void rms_fwd(const sl_ops *ops, void *at)
{
    const norm *n = at;

    ops->rmsnorm_fwd(n->y, n->rstd, n->x, n->g, n->T, n->D, EPS);
}

static void rms_bwd(const sl_ops *ops, void *at)
{
    const norm *n = at;

    ops->rmsnorm_bwd(n->dx, n->dg, n->dy, n->x, n->g, n->rstd, n->T, n->D);
}

static void layer_fwd(const sl_ops *ops, void *at)
{
    const norm *n = at;

    ops->layernorm_fwd(n->y, n->mean, n->rstd, n->x, n->g, n->b, n->T, n->D, EPS);
}

static void layer_bwd(const sl_ops *ops, void *at)
{
    const norm *n = at;

    ops->layernorm_bwd(n->dx, n->dg, n->db, n->dy, n->x, n->g, n->mean, n->rstd, n->T, n->D);
}

typedef struct op_pair {
    const char *name;
    void (*fwd)(const sl_ops *ops, void *at);
    void (*bwd)(const sl_ops *ops, void *at);
} op_pair;

static const op_pair pairs[] = { { "rmsnorm", rms_fwd, rms_bwd },
                                 { "layernorm", layer_fwd, layer_bwd } };

static void compare(const op_pair *op, size_t T, size_t D, k_kind kind)
{
    norm r = make(T, D, kind), c = make(T, D, kind);

    k_label("%s T %zu D %zu kind %d", op->name, T, D, (int)kind);
    op->fwd(k_ref(), &r);
    op->fwd(k_cpu(), &c);
    K_CLOSE(c.y, r.y, T * D, TOL_SUM(D));
    K_CLOSE(c.mean, r.mean, T, TOL_4ULP);
    K_CLOSE(c.rstd, r.rstd, T, TOL_4ULP);
    c.mean = r.mean;
    c.rstd = r.rstd;
    op->bwd(k_ref(), &r);
    op->bwd(k_cpu(), &c);
    K_CLOSE(c.dx, r.dx, T * D, TOL_SUM(D));
    K_CLOSE(c.dg, r.dg, D, TOL_SUM(T));
    K_CLOSE(c.db, r.db, D, TOL_SUM(T));
    k_done();
}

static void test_backends_agree(void **state)
{
    (void)state;
    for (size_t p = 0; p < 2; p++)
        for (size_t t = 0; t < K_SIZES; t++)
            for (size_t d = 0; d < K_SIZES; d++)
                for (int kind = 0; kind < K_KINDS; kind++)
                    compare(&pairs[p], k_sizes[t], k_sizes[d], (k_kind)kind);
    compare(&pairs[0], 900, 48, K_NORMAL); /* more than one thread */
    compare(&pairs[1], 900, 48, K_NORMAL);
}

/* A row's result is the same bits alone and among others. */
static void test_rows_are_independent(void **state)
{
    (void)state;
    for (size_t p = 0; p < 2; p++) {
        norm all = make(900, 48, K_NORMAL), one = all;

        pairs[p].fwd(k_cpu(), &all);
        one.T = 1;
        one.x = all.x + 700 * 48;
        one.y = k_new(48);
        one.rstd = k_new(1);
        pairs[p].fwd(k_cpu(), &one);
        assert_memory_equal(one.y, all.y + 700 * 48, 48 * sizeof(float));
        k_done();
    }
}

/* The definition: without gain, rows have mean square 1 (rms), mean 0 and variance 1 (layer). */
static void test_rows_are_normal(void **state)
{
    const sl_ops *both[] = { k_ref(), k_cpu() };

    (void)state;
    for (size_t b = 0; b < 4; b++) {
        norm n = make(3, 129, K_NORMAL);
        float *one = k_new(129);
        double sum = 0.0;

        for (size_t d = 0; d < 129; d++)
            one[d] = 1.0f;
        n.g = one;
        n.b = k_new(129);
        pairs[b / 2].fwd(both[b % 2], &n);
        for (size_t d = 0; d < 129; d++)
            sum += (double)n.y[129 + d];
        T_CLOSE(t_dot(n.y + 129, n.y + 129, 129) / 129.0, 1.0, 1e-4); /* eps against variance 1 */
        if (b / 2 == 1)
            T_CLOSE(sum / 129.0, 0.0, TOL_SUM(129));
        k_done();
    }
}

/* <dy, fwd(x + h vx, g + h vg, b + h vb)>. */
typedef struct probe {
    norm n;
    const op_pair *op;
    const float *vx, *vg, *vb;
} probe;

static double value(void *at, float h)
{
    const probe *p = at;
    norm n = p->n;
    float *x = k_copy(n.x, n.T * n.D), *g = k_copy(n.g, n.D), *b = k_copy(n.b, n.D);

    for (size_t i = 0; i < n.T * n.D; i++)
        x[i] += h * p->vx[i];
    for (size_t i = 0; i < n.D; i++) {
        g[i] += h * p->vg[i];
        b[i] += h * p->vb[i];
    }
    n.x = x;
    n.g = g;
    n.b = b;
    p->op->fwd(sl_ref_ops(), &n);
    return t_dot(n.dy, n.y, n.T * n.D);
}

static void test_backward_is_the_derivative(void **state)
{
    const size_t T = 5, D = 17;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        probe p = { make(T, D, K_NORMAL), &pairs[i], k_rand(T * D, K_NORMAL, 11),
                    k_rand(D, K_NORMAL, 12), k_rand(D, K_NORMAL, 13) };
        const double slope = k_slope(value, &p);

        p.n.dx = k_new(T * D);
        p.n.dg = k_new(D);
        p.n.db = k_new(D);
        p.op->fwd(sl_ref_ops(), &p.n);
        p.op->bwd(sl_ref_ops(), &p.n);
        T_CLOSE(t_dot(p.n.dx, p.vx, T * D) + t_dot(p.n.dg, p.vg, D) + t_dot(p.n.db, p.vb, D), slope,
                TOL_FD);
        k_done();
    }
}

static void bench(void)
{
    static const size_t shapes[][2] = { { 900, 48 }, { 512, 576 } };

    for (size_t i = 0; i < 2; i++) {
        norm n = make(shapes[i][0], shapes[i][1], K_NORMAL);
        const double bytes = 4.0 * (double)(n.T * n.D);
        char name[64];

        for (size_t p = 0; p < 2; p++) {
            snprintf(name, sizeof name, "%s_fwd T %zu D %zu", pairs[p].name, n.T, n.D);
            k_bench(name, pairs[p].fwd, &n, 0, 2 * bytes);
            snprintf(name, sizeof name, "%s_bwd T %zu D %zu", pairs[p].name, n.T, n.D);
            k_bench(name, pairs[p].bwd, &n, 0, 4 * bytes);
        }
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_backends_agree),
    cmocka_unit_test(test_rows_are_independent),
    cmocka_unit_test(test_rows_are_normal),
    cmocka_unit_test(test_backward_is_the_derivative),
};
K_MAIN(tests, bench)
