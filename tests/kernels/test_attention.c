#include "kernels_test.h"
#include <stdio.h>
#include <string.h>

typedef struct shape {
    size_t H, K, E;
    uint32_t window;
    int is_fused; /* q, k, v of a head side by side (head stride 3E) instead of one after another */
} shape;

/* q, k, v stand in one buffer of T rows. */
typedef struct attention {
    sl_attention a;
    sl_segment segment[512];
    size_t k_at, v_at;
    float *qkv, *dqkv;             /* (T, token_stride) */
    float *o, *lse, *delta, *dout; /* (T,H,E), (T,H), (T,H), (T,H,E) */
} attention;

/* A batch of roots with children: root_rows[i] rows, children[i] segments of child_rows[i]. */
typedef struct family {
    uint32_t root_rows, children, child_rows;
} family;

static void add_segment(attention *at, int32_t parent, uint32_t count)
{
    sl_attention *a = &at->a;
    const sl_segment *p = parent >= 0 ? &at->segment[parent] : NULL;

    assert_true(a->S < 512);
    at->segment[a->S++] =
        (sl_segment){ parent, (uint32_t)a->T, count, p ? p->position + p->count : 0 };
    a->T += count;
}

static attention *make(const family *f, size_t families, shape s, k_kind kind)
{
    attention *at = k_bytes(sizeof *at);
    sl_attention *a = &at->a;

    *a = (sl_attention){
        .H = s.H, .K = s.K, .E = s.E, .window = s.window, .scale = 1.0f / sqrtf((float)s.E)
    };
    for (size_t i = 0; i < families; i++) {
        const int32_t root = (int32_t)a->S;

        add_segment(at, -1, f[i].root_rows);
        for (uint32_t c = 0; c < f[i].children; c++)
            add_segment(at, root, f[i].child_rows);
    }
    a->segment = at->segment;
    a->token_stride = (s.H + 2 * s.K) * s.E;
    a->head_stride = s.is_fused ? 3 * s.E : s.E;
    at->k_at = s.is_fused ? s.E : s.H * s.E;
    at->v_at = s.is_fused ? 2 * s.E : (s.H + s.K) * s.E;
    at->qkv = k_rand(a->T * a->token_stride, kind, 1);
    at->dqkv = k_rand(a->T * a->token_stride, K_NORMAL, 2);
    at->o = k_new(a->T * s.H * s.E);
    at->lse = k_new(a->T * s.H);
    at->delta = k_new(a->T * s.H);
    at->dout = k_rand(a->T * s.H * s.E, K_NORMAL, 3);
    return at;
}

static void fwd(const sl_ops *ops, void *x)
{
    attention *at = x;

    ops->attention_fwd(at->o, at->lse, at->qkv, at->qkv + at->k_at, at->qkv + at->v_at, &at->a);
}

static void bwd(const sl_ops *ops, void *x)
{
    attention *at = x;

    ops->attention_bwd(at->dqkv, at->dqkv + at->k_at, at->dqkv + at->v_at, at->delta, at->dout,
                       at->qkv, at->qkv + at->k_at, at->qkv + at->v_at, at->o, at->lse, &at->a);
}

static const shape shapes[] = {
    { 4, 4, 12, 0, 0 }, { 4, 2, 12, 0, 0 },  { 4, 1, 16, 5, 0 },  { 3, 3, 1, 0, 1 },
    { 2, 2, 17, 1, 1 }, { 6, 3, 33, 20, 0 }, { 1, 1, 129, 0, 0 }, { 2, 1, 257, 3, 0 },
};
static const family tiny[] = { { 8, 2, 10 }, { 8, 2, 10 }, { 1, 0, 0 }, { 3, 3, 1 } };
static const family longer[] = { { 17, 3, 3 }, { 129, 1, 17 }, { 1, 2, 33 } };

#define COUNT(x) (sizeof(x) / sizeof *(x))

static void compare(const family *f, size_t families, shape s, k_kind kind)
{
    attention *r = make(f, families, s, kind), *c = make(f, families, s, kind);
    const size_t T = r->a.T, keys = 200;

    k_label("attention T %zu S %zu H %zu K %zu E %zu window %u kind %d", T, r->a.S, s.H, s.K, s.E,
            s.window, (int)kind);
    fwd(k_ref(), r);
    fwd(k_cpu(), c);
    K_CLOSE(c->o, r->o, T * s.H * s.E, TOL_SUM(keys * s.E));
    K_CLOSE(c->lse, r->lse, T * s.H, TOL_SUM(keys));
    memcpy(c->o, r->o, T * s.H * s.E * sizeof(float));
    memcpy(c->lse, r->lse, T * s.H * sizeof(float));
    bwd(k_ref(), r);
    bwd(k_cpu(), c);
    K_CLOSE(c->dqkv, r->dqkv, T * r->a.token_stride, TOL_SUM(keys * s.E));
    k_done();
}

static void test_backends_agree(void **state)
{
    static const k_kind kinds[] = { K_NORMAL, K_ZERO, K_DENORMAL, K_TIES };

    (void)state;
    for (size_t i = 0; i < COUNT(shapes); i++)
        for (size_t k = 0; k < COUNT(kinds); k++) {
            compare(tiny, COUNT(tiny), shapes[i], kinds[k]);
            if (kinds[k] == K_NORMAL)
                compare(longer, COUNT(longer), shapes[i], kinds[k]);
        }
}

/* Scores so large that one key takes all: no overflow, the value of the best key. */
static void test_large_scores(void **state)
{
    attention *at = make(tiny, COUNT(tiny), shapes[0], K_NORMAL);

    (void)state;
    for (size_t i = 0; i < at->a.T * at->a.token_stride; i++)
        at->qkv[i] *= 1e4f;
    fwd(k_cpu(), at);
    for (size_t i = 0; i < at->a.T * 4 * 12; i++)
        assert_true(isfinite(at->o[i]));
    k_done();
}

static void test_one_key_returns_its_value(void **state)
{
    static const family one[] = { { 1, 0, 0 }, { 1, 0, 0 }, { 1, 0, 0 } };
    const sl_ops *both[] = { k_ref(), k_cpu() };

    (void)state;
    for (size_t b = 0; b < 2; b++) {
        attention *at = make(one, 3, shapes[0], K_NORMAL);

        k_label("one key, backend %zu", b);
        fwd(both[b], at);
        for (size_t t = 0; t < 3; t++)
            K_CLOSE(at->o + t * 48, at->qkv + t * at->a.token_stride + at->v_at, 48, TOL_4ULP);
        k_done();
    }
}

/* A child's rows in the packed batch equal those of a segment that holds prompt and answer. */
static void test_packed_equals_unshared(void **state)
{
    static const family shared[] = { { 8, 3, 10 } }, apart[] = { { 18, 0, 0 } };
    const sl_ops *both[] = { k_ref(), k_cpu() };

    (void)state;
    for (size_t b = 0; b < 6; b++) {
        const shape s = shapes[b / 2];
        attention *p = make(shared, 1, s, K_NORMAL);

        k_label("packed against unshared, backend %zu, window %u", b % 2, s.window);
        fwd(both[b % 2], p);
        for (size_t child = 0; child < 3; child++) {
            attention *u = make(apart, 1, s, K_NORMAL);
            const size_t stride = p->a.token_stride, HE = s.H * s.E, first = 8 + 10 * child;

            memcpy(u->qkv, p->qkv, 8 * stride * sizeof(float));
            memcpy(u->qkv + 8 * stride, p->qkv + first * stride, 10 * stride * sizeof(float));
            fwd(both[b % 2], u);
            K_CLOSE(p->o + first * HE, u->o + 8 * HE, 10 * HE, TOL_SUM(18 * s.E));
            K_CLOSE(p->o, u->o, 8 * HE, TOL_SUM(18 * s.E));
        }
        k_done();
    }
}

/* What a token may not see (later rows, siblings, rows behind the window) does not change it. */
static void test_unseen_rows_change_nothing(void **state)
{
    static const family f[] = { { 8, 2, 10 } };
    const shape s = shapes[2]; /* window 5 */
    attention *p = make(f, 1, s, K_NORMAL);
    const size_t row = 8 + 6, HE = s.H * s.E, stride = p->a.token_stride; /* position 14 */
    float *before = NULL;

    (void)state;
    fwd(k_cpu(), p);
    before = k_copy(p->o + row * HE, HE);
    for (size_t t = 0; t < p->a.T; t++)
        for (size_t i = 0; (t < row - 4 || t > row) && i < stride; i++)
            p->qkv[t * stride + i] = 99.0f;
    fwd(k_cpu(), p);
    assert_memory_equal(before, p->o + row * HE, HE * sizeof(float));
    p->qkv[(row - 4) * stride + p->v_at] += 1.0f; /* the last that it does see */
    fwd(k_cpu(), p);
    assert_memory_not_equal(before, p->o + row * HE, HE * sizeof(float));
    k_done();
}

/* <dout, fwd(qkv + h v)>. */
typedef struct probe {
    attention *at;
    const float *v;
} probe;

static double value(void *x, float h)
{
    const probe *p = x;
    attention at = *p->at;
    const size_t n = at.a.T * at.a.token_stride;

    at.qkv = k_copy(at.qkv, n);
    for (size_t i = 0; i < n; i++)
        at.qkv[i] += h * p->v[i];
    fwd(sl_ref_ops(), &at);
    return t_dot(at.dout, at.o, at.a.T * at.a.H * at.a.E);
}

static void test_backward_is_the_derivative(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        attention *at = make(tiny, COUNT(tiny), shapes[i], K_NORMAL);
        const size_t n = at->a.T * at->a.token_stride;
        probe p = { at, k_rand(n, K_NORMAL, 5) };
        const double slope = k_slope(value, &p);

        fwd(sl_ref_ops(), at);
        memset(at->dqkv, 0, n * sizeof(float));
        bwd(sl_ref_ops(), at);
        T_CLOSE(t_dot(at->dqkv, p.v, n), slope, TOL_FD);
        k_done();
    }
}

static void test_deterministic(void **state)
{
    attention *a = make(longer, COUNT(longer), shapes[1], K_NORMAL);
    const size_t n = a->a.T * a->a.token_stride;
    const float *start = k_copy(a->dqkv, n);
    float *first = NULL;

    (void)state;
    fwd(k_cpu(), a);
    for (int i = 0; i < 8; i++) {
        memcpy(a->dqkv, start, n * sizeof(float));
        bwd(k_cpu(), a);
        if (!first)
            first = k_copy(a->dqkv, n);
        assert_memory_equal(first, a->dqkv, n * sizeof(float));
    }
    k_done();
}

static void bench(void)
{
    static const family pair[] = { { 8, 2, 10 } }, text[] = { { 512, 0, 0 } };
    family many[32];
    attention *at;

    for (size_t i = 0; i < COUNT(many); i++)
        many[i] = pair[0];
    at = make(many, 32, shapes[0], K_NORMAL);
    /* multiply-adds: rows x mean keys seen x heads x E, scores and values */
    const double tiny_flops = 4.0 * 48 * 32 * (8 * 4.5 + 2 * 10 * 13.5);

    k_bench("attention_fwd T 896 S 96 H 4 E 12", fwd, at, tiny_flops, 0);
    k_bench("attention_bwd T 896 S 96 H 4 E 12", bwd, at, 2.5 * tiny_flops, 0);
    at = make(text, 1, (shape){ 9, 3, 64, 0, 0 }, K_NORMAL);
    k_bench("attention_fwd T 512 S 1 H 9 K 3 E 64", fwd, at, 4.0 * 576 * 512 * 256.5, 0);
    k_bench("attention_bwd T 512 S 1 H 9 K 3 E 64", bwd, at, 10.0 * 576 * 512 * 256.5, 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_backends_agree),
    cmocka_unit_test(test_large_scores),
    cmocka_unit_test(test_one_key_returns_its_value),
    cmocka_unit_test(test_packed_equals_unshared),
    cmocka_unit_test(test_unseen_rows_change_nothing),
    cmocka_unit_test(test_backward_is_the_derivative),
    cmocka_unit_test(test_deterministic),
};
K_MAIN(tests, bench)
