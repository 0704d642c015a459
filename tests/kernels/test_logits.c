/* logp_fwd, logp_bwd, topk: rows of logits. */
#include "kernels_test.h"
#include <stdio.h>

typedef struct rows {
    size_t n, V, k;
    float *z, *logp, *coef, *lse; /* (n,V), (n), (n), (n) */
    sl_row_stats *stats;          /* (n) */
    int32_t *token, *id;          /* (n), (n,k) */
    float *top;                   /* (n,k) */
} rows;

/* K_KINDS: normal rows with holes of -inf. */
static rows make(size_t n, size_t V, int kind)
{
    rows r = { n,
               V,
               V < 7 ? V : 7,
               k_rand(n * V, kind == K_KINDS ? K_NORMAL : (k_kind)kind, 1),
               k_new(n),
               k_rand(n, K_NORMAL, 2),
               k_new(n),
               k_bytes(n * sizeof(sl_row_stats)),
               k_bytes(n * sizeof(int32_t)),
               k_bytes(n * 7 * sizeof(int32_t)),
               k_new(n * 7) };

    for (size_t i = 0; kind == K_KINDS && i < n * V; i++)
        if (i % 3 == 1)
            r.z[i] = -INFINITY;
    for (size_t i = 0; i < n; i++)
        r.token[i] = (int32_t)(i * 13 % V);
    return r;
}

static void fwd(const sl_ops *ops, void *at)
{
    rows *r = at;

    ops->logp_fwd(r->logp, r->stats, r->z, r->token, r->n, r->V);
}

static void bwd(const sl_ops *ops, void *at)
{
    rows *r = at;

    ops->logp_bwd(r->z, r->lse, r->token, r->coef, r->n, r->V);
}

static void topk(const sl_ops *ops, void *at)
{
    rows *r = at;

    ops->topk(r->id, r->top, r->z, r->stats, r->n, r->V, r->k);
}

static void compare(size_t n, size_t V, int kind)
{
    rows r = make(n, V, kind), c = make(n, V, kind);

    k_label("logits n %zu V %zu kind %d", n, V, kind);
    fwd(k_ref(), &r);
    fwd(k_cpu(), &c);
    K_CLOSE(c.logp, r.logp, n, TOL_SUM(V));
    K_CLOSE((float *)c.stats, (float *)r.stats, 3 * n, TOL_SUM(V));
    for (size_t i = 0; i < n; i++) {
        c.stats[i] = r.stats[i];
        c.lse[i] = r.lse[i] = r.stats[i].lse;
        assert_true(isnan(r.stats[i].entropy) || r.stats[i].entropy >= 0.0f);
    }
    topk(k_ref(), &r);
    topk(k_cpu(), &c);
    assert_memory_equal(r.id, c.id, n * r.k * sizeof(int32_t));
    K_CLOSE(c.top, r.top, n * r.k, TOL_4ULP);
    bwd(k_ref(), &r);
    bwd(k_cpu(), &c);
    K_CLOSE(c.z, r.z, n * V, TOL_SUM(9)); /* z - lse rounds before exp */
    k_done();
}

static void test_backends_agree(void **state)
{
    (void)state;
    for (size_t n = 0; n < K_SIZES; n++)
        for (size_t v = 0; v < K_SIZES; v++)
            for (int kind = 0; kind <= K_KINDS; kind++)
                compare(k_sizes[n], k_sizes[v], kind);
    compare(3, 49152, K_NORMAL);
    compare(2, 49152, K_KINDS);
}

/* Rows without a law give NaN, also beside good ones; nothing else is touched. */
static void test_rows_without_a_law(void **state)
{
    const sl_ops *both[] = { k_ref(), k_cpu() };

    (void)state;
    for (size_t b = 0; b < 2; b++) {
        rows r = make(4, 129, K_NORMAL);

        for (size_t v = 0; v < 129; v++)
            r.z[v] = -INFINITY;
        r.z[129 + 77] = NAN;
        r.z[2 * 129 + 77] = INFINITY;
        fwd(both[b], &r);
        for (size_t i = 0; i < 4; i++) {
            assert_int_equal(isnan(r.logp[i]) != 0, i < 3);
            assert_int_equal(isnan(r.stats[i].lse) != 0, i < 3);
            assert_int_equal(isnan(r.stats[i].entropy) != 0, i < 3);
        }
        both[b]->logp_fwd(r.logp, NULL, r.z, r.token, 4, 129);
        topk(both[b], &r);
        for (size_t j = 0; j < 7; j++) /* NaN stands last */
            assert_true(r.id[7 + j] != 77 && r.id[7 + j] < 129);
        k_done();
    }
}

/* softmax(z + c) = softmax(z); equal logits: log V, entropy log V; probabilities sum to one. */
static void test_laws_of_softmax(void **state)
{
    const sl_ops *both[] = { k_ref(), k_cpu() };

    (void)state;
    for (size_t b = 0; b < 2; b++) {
        rows r = make(3, 129, K_NORMAL), s = make(3, 129, K_NORMAL), e = make(3, 129, K_ZERO);
        double sum = 0.0;

        for (size_t i = 0; i < 3 * 129; i++) {
            r.z[i] = rintf(r.z[i] * 64.0f) / 64.0f; /* so that z + 1024 is exact */
            s.z[i] = r.z[i] + 1024.0f;
        }
        k_label("shift of softmax, backend %zu", b);
        fwd(both[b], &r);
        fwd(both[b], &s);
        fwd(both[b], &e);
        K_CLOSE(s.logp, r.logp, 3, TOL_SUM(129));
        T_CLOSE(e.logp[0], -log(129.0), TOL_SUM(129));
        T_CLOSE(e.stats[0].entropy, log(129.0), TOL_SUM(129));
        for (int32_t v = 0; v < 129; v++) {
            r.token[0] = v;
            both[b]->logp_fwd(r.logp, r.stats, r.z, r.token, 1, 129);
            sum += exp((double)r.logp[0]);
        }
        T_CLOSE(sum, 1.0, TOL_SUM(129));
        k_done();
    }
}

/* The stored order: descending, ties by id, all k different. */
static void test_topk_of_ties(void **state)
{
    const sl_ops *both[] = { k_ref(), k_cpu() };

    (void)state;
    for (size_t b = 0; b < 2; b++) {
        rows r = make(1, 129, K_ZERO);

        r.z[100] = r.z[70] = 2.0f;
        r.z[128] = 3.0f;
        fwd(both[b], &r);
        topk(both[b], &r);
        static const int32_t want[7] = { 128, 70, 100, 0, 1, 2, 3 };

        assert_memory_equal(r.id, want, sizeof want);
        k_done();
    }
}

/* coef * logp(z + h v). */
typedef struct probe {
    rows r;
    const float *v;
} probe;

static double value(void *at, float h)
{
    const probe *p = at;
    rows r = p->r;

    r.z = k_copy(r.z, r.n * r.V);
    for (size_t i = 0; i < r.n * r.V; i++)
        r.z[i] += h * p->v[i];
    fwd(sl_ref_ops(), &r);
    return t_dot(r.coef, r.logp, r.n);
}

static void test_backward_is_the_derivative(void **state)
{
    probe p = { make(5, 17, K_NORMAL), k_rand(5 * 17, K_NORMAL, 4) };
    const double slope = k_slope(value, &p);

    (void)state;
    fwd(sl_ref_ops(), &p.r);
    for (size_t i = 0; i < 5; i++)
        p.r.lse[i] = p.r.stats[i].lse;
    bwd(sl_ref_ops(), &p.r);
    T_CLOSE(t_dot(p.r.z, p.v, 5 * 17), slope, TOL_FD);
    k_done();
}

static void bench(void)
{
    static const size_t shapes[][2] = { { 900, 27 }, { 64, 49152 } };

    for (size_t i = 0; i < 2; i++) {
        rows r = make(shapes[i][0], shapes[i][1], K_NORMAL);
        const double bytes = 4.0 * (double)(r.n * r.V);
        char name[64];

        snprintf(name, sizeof name, "logp_fwd n %zu V %zu", r.n, r.V);
        k_bench(name, fwd, &r, 0, bytes);
        snprintf(name, sizeof name, "topk n %zu V %zu k 7", r.n, r.V);
        k_bench(name, topk, &r, 0, bytes);
        for (size_t j = 0; j < r.n; j++)
            r.lse[j] = 12.0f;
        snprintf(name, sizeof name, "logp_bwd n %zu V %zu", r.n, r.V);
        k_bench(name, bwd, &r, 0, 2 * bytes);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_backends_agree),
    cmocka_unit_test(test_rows_without_a_law),
    cmocka_unit_test(test_laws_of_softmax),
    cmocka_unit_test(test_topk_of_ties),
    cmocka_unit_test(test_backward_is_the_derivative),
};
K_MAIN(tests, bench)
