#include "kernels_test.h"

/* Logits whose probabilities are exact in float: weights 8 4 2 1 1 (of 16), 0. */
#define V 6
static const float exact[V] = { 4.0f, 2.0f, 8.0f, 1.0f, 0.0f, 1.0f };
/* Draws of the grid u = (i + 1/2) / GRID. */
#define GRID 1024

typedef struct draws {
    size_t n, vocab;
    float *z, *u, *logp, *scratch;
    int32_t *token;
    sl_sample_settings s;
} draws;

static draws make(size_t n, size_t vocab, sl_sample_settings s)
{
    draws d = { n,
                vocab,
                k_rand(n * vocab, K_NORMAL, 1),
                k_new(n),
                k_new(n),
                k_new(2 * n * vocab),
                k_bytes(n * sizeof(int32_t)),
                s };

    for (size_t i = 0; i < n; i++)
        d.u[i] = ((float)i + 0.5f) / (float)n;
    return d;
}

static void run(const sl_ops *ops, void *at)
{
    draws *d = at;

    ops->sample(d->token, d->logp, d->z, d->u, d->n, d->vocab, &d->s, d->scratch);
}

static const sl_ops *both(size_t i)
{
    return i == 0 ? k_ref() : k_cpu();
}

typedef struct law {
    sl_sample_settings s;
    double p[V]; /* the law sampled from */
} law;

/* Temperature 1/2 squares the weights; top_k 3 keeps 8 4 2; top_k 4 the first of the two ones;
 * top_p 0.7 needs 8 and 4, 0.5 only 8; both: of 8 4 2, 0.8 needs 8 and 4. */
static const law laws[] = {
    { { 1.0f, 1.0f, 0 }, { 4 / 16.0, 2 / 16.0, 8 / 16.0, 1 / 16.0, 0, 1 / 16.0 } },
    { { 0.5f, 1.0f, 0 }, { 16 / 86.0, 4 / 86.0, 64 / 86.0, 1 / 86.0, 0, 1 / 86.0 } },
    { { 1.0f, 1.0f, 3 }, { 4 / 14.0, 2 / 14.0, 8 / 14.0, 0, 0, 0 } },
    { { 1.0f, 1.0f, 4 }, { 4 / 15.0, 2 / 15.0, 8 / 15.0, 1 / 15.0, 0, 0 } },
    { { 1.0f, 1.0f, 9 }, { 4 / 16.0, 2 / 16.0, 8 / 16.0, 1 / 16.0, 0, 1 / 16.0 } },
    { { 1.0f, 0.7f, 0 }, { 4 / 12.0, 0, 8 / 12.0, 0, 0, 0 } },
    { { 1.0f, 0.5f, 0 }, { 0, 0, 1, 0, 0, 0 } },
    { { 1.0f, 0.9f, 0 }, { 4 / 15.0, 2 / 15.0, 8 / 15.0, 1 / 15.0, 0, 0 } },
    { { 1.0f, 0.8f, 3 }, { 4 / 12.0, 0, 8 / 12.0, 0, 0, 0 } },
    { { 1.0f, 1.0f, 1 }, { 0, 0, 1, 0, 0, 0 } },
};

/* Over a grid of u each token is drawn as often as its probability says, to one draw; logp is that
 * of the law. */
static void test_frequencies_are_the_law(void **state)
{
    (void)state;
    for (size_t b = 0; b < 2; b++)
        for (size_t l = 0; l < sizeof laws / sizeof laws[0]; l++) {
            draws d = make(GRID, V, laws[l].s);
            size_t count[V] = { 0 };

            for (size_t i = 0; i < GRID * V; i++)
                d.z[i] = 3.0f + logf(exact[i % V]);
            run(both(b), &d);
            for (size_t i = 0; i < GRID; i++) {
                assert_true(d.token[i] >= 0 && d.token[i] < V);
                count[d.token[i]]++;
                T_CLOSE(d.logp[i], log(laws[l].p[d.token[i]]), TOL_SUM(16));
            }
            for (size_t v = 0; v < V; v++)
                if (fabs((double)count[v] - laws[l].p[v] * GRID) > 1.0)
                    fail_msg("backend %zu law %zu token %zu: want %.2f of %d, found %zu", b, l, v,
                             laws[l].p[v] * GRID, GRID, count[v]);
            k_done();
        }
}

/* Without top_p a larger u never gives a smaller id. */
static void test_walk_is_in_the_order_of_ids(void **state)
{
    (void)state;
    for (size_t b = 0; b < 4; b++) {
        draws d = make(257, 129, (sl_sample_settings){ 1.0f, 1.0f, b / 2 ? 20 : 0 });

        for (size_t i = 1; i < 257; i++)
            memcpy(d.z + i * 129, d.z, 129 * sizeof(float));
        run(both(b % 2), &d);
        for (size_t i = 1; i < 257; i++)
            assert_true(d.token[i] >= d.token[i - 1]);
        k_done();
    }
}

/* Greedy: the first of the largest, its log-probability under the model. */
static void test_greedy(void **state)
{
    (void)state;
    for (size_t b = 0; b < 2; b++) {
        draws d = make(1, V, (sl_sample_settings){ 0.0f, 0.5f, 2 });
        static const float tie[V] = { 0.0f, 1.0f, 0.0f, 1.0f, -INFINITY, 0.0f };

        memcpy(d.z, tie, sizeof tie);
        run(both(b), &d);
        assert_int_equal(d.token[0], 1);
        T_CLOSE(d.logp[0], 1.0 - log(2.0 * exp(1.0) + 3.0), TOL_4ULP);
        k_done();
    }
}

/* Equal weights: lower ids stay at the border. */
static void test_ties_at_the_border(void **state)
{
    static const sl_sample_settings s[] = { { 1.0f, 1.0f, 5 }, { 1.0f, 0.038f, 0 } };

    (void)state;
    for (size_t b = 0; b < 4; b++) {
        draws d = make(100, 129, s[b / 2]);

        memset(d.z, 0, 100 * 129 * sizeof(float));
        run(both(b % 2), &d);
        for (size_t i = 0; i < 100; i++)
            assert_int_equal(d.token[i], i / 20);
        k_done();
    }
}

static void test_rows_without_a_law(void **state)
{
    static const float bad[] = { NAN, INFINITY, -INFINITY };

    (void)state;
    for (size_t b = 0; b < 2; b++)
        for (size_t i = 0; i < 3; i++)
            for (size_t l = 0; l < sizeof laws / sizeof laws[0]; l++) {
                draws d = make(1, V, laws[l].s);

                for (size_t v = 0; v < V; v++)
                    d.z[v] = i == 2 || v == 3 ? bad[i] : 0.0f;
                run(both(b), &d);
                assert_true(isnan(d.logp[0]));
                assert_true(d.token[0] >= 0 && d.token[0] < V);
                k_done();
            }
}

/* u just below 1 and a vocabulary where sums round: always an id of positive weight. */
static void test_backends_agree_at_the_edge(void **state)
{
    (void)state;
    for (size_t l = 0; l < sizeof laws / sizeof laws[0]; l++) {
        draws r = make(17, 4099, laws[l].s), c = make(17, 4099, laws[l].s);
        size_t differ = 0;

        r.u[16] = c.u[16] = nextafterf(1.0f, 0.0f);
        r.u[0] = c.u[0] = 0.0f;
        run(k_ref(), &r);
        run(k_cpu(), &c);
        for (size_t i = 0; i < 17; i++) {
            differ += r.token[i] != c.token[i];
            assert_true(isfinite(c.logp[i]) && c.logp[i] <= 0.0f);
            if (r.token[i] == c.token[i])
                T_CLOSE(c.logp[i], r.logp[i], TOL_SUM(16));
        }
        assert_true(differ <= 1); /* a u within rounding of a border may fall to a neighbour */
        k_done();
    }
}

static void bench(void)
{
    draws tiny = make(2000, 27, (sl_sample_settings){ 1.0f, 1.0f, 0 });
    draws nucleus = make(2000, 27, (sl_sample_settings){ 0.7f, 0.9f, 0 });
    draws large = make(16, 49152, (sl_sample_settings){ 0.7f, 0.9f, 50 });

    k_bench("sample n 2000 V 27", run, &tiny, 0, 4.0 * 2000 * 27);
    k_bench("sample n 2000 V 27 top_p", run, &nucleus, 0, 4.0 * 2000 * 27);
    k_bench("sample n 16 V 49152 top_k top_p", run, &large, 0, 4.0 * 16 * 49152);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_frequencies_are_the_law),
    cmocka_unit_test(test_walk_is_in_the_order_of_ids),
    cmocka_unit_test(test_greedy),
    cmocka_unit_test(test_ties_at_the_border),
    cmocka_unit_test(test_rows_without_a_law),
    cmocka_unit_test(test_backends_agree_at_the_edge),
};
K_MAIN(tests, bench)
