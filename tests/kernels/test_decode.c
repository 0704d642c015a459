#include "kernels_test.h"

#define CACHE 400

typedef struct decode {
    sl_decode d;
    sl_decode_row *row;
    float *o, *q, *k, *v; /* (B,H,E), (B, token_stride), (CACHE,K,E) twice */
} decode;

/* Sequence b: a prefix shared by groups of 4, then 1 + b % 19 own rows. */
static decode make(size_t B, size_t H, size_t K, size_t E, uint32_t window, uint32_t prefix)
{
    decode c = { .row = k_bytes(B * sizeof(sl_decode_row)) };

    for (size_t b = 0; b < B; b++)
        c.row[b] = (sl_decode_row){ (uint32_t)(b / 4 * 7 % 50), prefix, (uint32_t)(b * 11 % 350),
                                    (uint32_t)(1 + b % 19) };
    c.d = (sl_decode){ c.row, B, H, K, E, (H + 2 * K) * E, E, window, 1.0f / sqrtf((float)E) };
    c.o = k_new(B * H * E);
    c.q = k_rand(B * c.d.token_stride, K_NORMAL, 1);
    c.k = k_rand(CACHE * K * E, K_NORMAL, 2);
    c.v = k_rand(CACHE * K * E, K_NORMAL, 3);
    return c;
}

static void run(const sl_ops *ops, void *at)
{
    decode *c = at;

    ops->attention_decode(c->o, c->q, c->k, c->v, &c->d);
}

static void test_backends_agree(void **state)
{
    static const uint32_t windows[] = { 0, 1, 5, 18, 40 }, prefixes[] = { 0, 8, 16, 45 };
    static const size_t heads[][3] = { { 4, 4, 12 }, { 4, 2, 17 }, { 3, 1, 64 }, { 2, 2, 257 } };

    (void)state;
    for (size_t w = 0; w < 5; w++)
        for (size_t p = 0; p < 4; p++)
            for (size_t h = 0; h < 4; h++)
                for (size_t b = 0; b < K_SIZES; b++) {
                    decode c = make(k_sizes[b], heads[h][0], heads[h][1], heads[h][2], windows[w],
                                    prefixes[p]);
                    float *want = NULL;
                    const size_t n = c.d.B * c.d.H * c.d.E;

                    k_label("decode B %zu H %zu K %zu E %zu window %u prefix %u", c.d.B, c.d.H,
                            c.d.K, c.d.E, windows[w], prefixes[p]);
                    run(k_ref(), &c);
                    want = k_copy(c.o, n);
                    run(k_cpu(), &c);
                    K_CLOSE(c.o, want, n, TOL_SUM(64 * c.d.E));
                    k_done();
                }
}

/* The same bits for a sequence alone and in a batch, whatever the number of threads. */
static void test_batch_invariance(void **state)
{
    decode c = make(129, 4, 2, 12, 0, 8);
    const float *all = NULL;
    const sl_decode_row *row = c.row;
    const float *q = c.q;
    const sl_ops *ops = k_cpu();
    const sl_backend *one = NULL; /* only for its number of threads */

    (void)state;
    run(k_cpu(), &c);
    all = k_copy(c.o, 129 * 48);
    c.d.B = 1;
    for (size_t b = 0; b < 129; b++) {
        c.d.row = row + b;
        c.q = (float *)(uintptr_t)(q + b * c.d.token_stride);
        run(k_cpu(), &c);
        assert_memory_equal(c.o, all + b * 48, 48 * sizeof(float));
    }
    c.d.B = 129;
    c.d.row = row;
    c.q = (float *)(uintptr_t)q;
    T_OK(sl_backend_open(&one, "cpu", 1));
    run(ops, &c);
    assert_memory_equal(c.o, all, 129 * 48 * sizeof(float));
    k_done();
}

/* The last row of a segment in the packed form. */
static void test_decode_equals_attention(void **state)
{
    const sl_ops *both[] = { k_ref(), k_cpu() };

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        const uint32_t window = i / 2 ? 6 : 0;
        const sl_segment segment[] = { { -1, 0, 8, 0 }, { 0, 8, 10, 8 } };
        const sl_decode_row row = { 0, 8, 8, 10 };
        decode c = make(1, 4, 4, 12, window, 8);
        float *o = k_new(18 * 48), *lse = k_new(18 * 4), *q = k_rand(18 * 48, K_NORMAL, 5);
        const sl_attention a = { segment, 2, 18, 4, 4, 12, 48, 12, window, c.d.scale };

        k_label("decode against attention, case %zu", i);
        c.d.row = &row;
        c.q = q + 17 * 48;
        run(both[i % 2], &c);
        both[i % 2]->attention_fwd(o, lse, q, c.k, c.v, &a);
        K_CLOSE(c.o, o + 17 * 48, 48, TOL_SUM(18 * 12));
        k_done();
    }
}

static void bench(void)
{
    decode tiny = make(2000, 4, 4, 12, 0, 8), large = make(64, 9, 3, 64, 0, 300);

    k_bench("decode B 2000 H 4 E 12 prefix 8", run, &tiny, 4.0 * 2000 * 48 * 18, 0);
    k_bench("decode B 64 H 9 K 3 E 64 prefix 300", run, &large, 4.0 * 64 * 576 * 310, 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_backends_agree),
    cmocka_unit_test(test_batch_invariance),
    cmocka_unit_test(test_decode_equals_attention),
};
K_MAIN(tests, bench)
