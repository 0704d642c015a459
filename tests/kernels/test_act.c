#include "kernels_test.h"
#include <stdio.h>

static const sl_act acts[] = { SL_ACT_SILU, SL_ACT_GELU_ERF, SL_ACT_GELU_TANH };
static const char *const names[] = { "silu", "gelu_erf", "gelu_tanh" };

typedef struct gated {
    size_t T, F;
    float *gate_up, *y, *dy, *dgate_up; /* (T,2F), (T,F), (T,F), (T,2F) */
    sl_act act;
} gated;

static gated make(size_t T, size_t F, k_kind kind, sl_act act)
{
    gated g = { T,
                F,
                k_rand(T * 2 * F, kind, 1),
                k_new(T * F),
                k_rand(T * F, K_NORMAL, 2),
                k_new(T * 2 * F),
                act };

    for (size_t i = 0; kind == K_NORMAL && i < T * 2 * F; i++)
        g.gate_up[i] *= 4.0f; /* into the tails */
    return g;
}

static void gated_fwd(const sl_ops *ops, void *at)
{
    gated *g = at;

    ops->gated_fwd(g->y, g->gate_up, g->T, g->F, g->act);
}

static void gated_bwd(const sl_ops *ops, void *at)
{
    gated *g = at;

    ops->gated_bwd(g->dgate_up, g->dy, g->gate_up, g->T, g->F, g->act);
}

static void act_fwd(const sl_ops *ops, void *at)
{
    gated *g = at;

    ops->act_fwd(g->y, g->gate_up, g->T * g->F, g->act);
}

static void act_bwd(const sl_ops *ops, void *at)
{
    gated *g = at;

    ops->act_bwd(g->dgate_up, g->dy, g->gate_up, g->T * g->F, g->act);
}

/* The exponent of the tail is rounded before exp: its error grows with it, up to about 9 terms. */
#define TOL_ACT TOL_SUM(9)

static void compare(size_t T, size_t F, k_kind kind, sl_act act)
{
    gated r = make(T, F, kind, act), c = make(T, F, kind, act);

    k_label("act %s T %zu F %zu kind %d", names[act], T, F, (int)kind);
    gated_fwd(k_ref(), &r);
    gated_fwd(k_cpu(), &c);
    K_CLOSE(c.y, r.y, T * F, TOL_ACT);
    act_fwd(k_ref(), &r);
    act_fwd(k_cpu(), &c);
    K_CLOSE(c.y, r.y, T * F, TOL_ACT);
    gated_bwd(k_ref(), &r);
    gated_bwd(k_cpu(), &c);
    K_CLOSE(c.dgate_up, r.dgate_up, T * 2 * F, TOL_ACT);
    act_bwd(k_ref(), &r);
    act_bwd(k_cpu(), &c);
    K_CLOSE(c.dgate_up, r.dgate_up, T * F, TOL_ACT);
    k_done();
}

static void test_backends_agree(void **state)
{
    (void)state;
    for (size_t a = 0; a < 3; a++)
        for (size_t t = 0; t < K_SIZES; t++)
            for (size_t f = 0; f < K_SIZES; f++)
                for (int kind = 0; kind < K_KINDS; kind++)
                    compare(k_sizes[t], k_sizes[f], (k_kind)kind, acts[a]);
}

/* y may be x, dx may be dy. */
static void test_in_place(void **state)
{
    const sl_ops *both[] = { k_ref(), k_cpu() };

    (void)state;
    for (size_t b = 0; b < 2; b++) {
        gated g = make(17, 129, K_NORMAL, SL_ACT_GELU_TANH);
        float *x = k_copy(g.gate_up, 17 * 129), *d = k_copy(g.dy, 17 * 129);

        k_label("act in place, backend %zu", b);
        act_fwd(both[b], &g);
        both[b]->act_fwd(x, x, 17 * 129, g.act);
        K_CLOSE(x, g.y, 17 * 129, TOL_EXACT);
        act_bwd(both[b], &g);
        both[b]->act_bwd(d, d, g.gate_up, 17 * 129, g.act);
        K_CLOSE(d, g.dgate_up, 17 * 129, TOL_EXACT);
        k_done();
    }
}

/* Values of the definitions, computed in double. */
static void test_known_values(void **state)
{
    static const float x[3] = { -2.0f, 0.5f, 3.0f };
    static const double want[3][3] = {
        { -0.238405844044234, 0.311229665600927, 2.85772238047298 },
        { -0.0455002638963584, 0.345731230637007, 2.99595030590511 },
        { -0.0454023059122249, 0.345714009825144, 2.99636260791823 },
    };
    const sl_ops *both[] = { k_ref(), k_cpu() };

    (void)state;
    for (size_t b = 0; b < 2; b++)
        for (size_t a = 0; a < 3; a++) {
            float y[3];

            both[b]->act_fwd(y, x, 3, acts[a]);
            for (size_t i = 0; i < 3; i++)
                T_CLOSE(y[i], want[a][i], TOL_4ULP);
        }
}

/* <dy, act(gate + h v) (up + h v)>. */
typedef struct probe {
    gated g;
    const float *v;
} probe;

static double value(void *at, float h)
{
    const probe *p = at;
    gated g = p->g;
    const size_t n = g.T * 2 * g.F;

    g.gate_up = k_copy(g.gate_up, n);
    for (size_t i = 0; i < n; i++)
        g.gate_up[i] += h * p->v[i];
    gated_fwd(sl_ref_ops(), &g);
    return t_dot(g.dy, g.y, g.T * g.F);
}

static double plain_value(void *at, float h)
{
    const probe *p = at;
    gated g = p->g;
    const size_t n = g.T * g.F;

    g.gate_up = k_copy(g.gate_up, 2 * n);
    for (size_t i = 0; i < n; i++)
        g.gate_up[i] += h * p->v[i];
    act_fwd(sl_ref_ops(), &g);
    return t_dot(g.dy, g.y, n);
}

static void test_backward_is_the_derivative(void **state)
{
    (void)state;
    for (size_t a = 0; a < 3; a++) {
        probe p = { make(5, 17, K_TIES, acts[a]), k_rand(5 * 34, K_NORMAL, 3) };

        gated_bwd(sl_ref_ops(), &p.g);
        T_CLOSE(t_dot(p.g.dgate_up, p.v, 5 * 34), k_slope(value, &p), TOL_FD);
        act_bwd(sl_ref_ops(), &p.g);
        T_CLOSE(t_dot(p.g.dgate_up, p.v, 5 * 17), k_slope(plain_value, &p), TOL_FD);
        k_done();
    }
}

static void bench(void)
{
    for (size_t a = 0; a < 3; a++) {
        gated g = make(900, 128, K_NORMAL, acts[a]);
        char name[64];

        snprintf(name, sizeof name, "gated_fwd %s T 900 F 128", names[a]);
        k_bench(name, gated_fwd, &g, 0, 12.0 * 900 * 128);
        snprintf(name, sizeof name, "gated_bwd %s T 900 F 128", names[a]);
        k_bench(name, gated_bwd, &g, 0, 20.0 * 900 * 128);
        snprintf(name, sizeof name, "act_fwd %s n 115200", names[a]);
        k_bench(name, act_fwd, &g, 0, 8.0 * 900 * 128);
        snprintf(name, sizeof name, "act_bwd %s n 115200", names[a]);
        k_bench(name, act_bwd, &g, 0, 12.0 * 900 * 128);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_backends_agree),
    cmocka_unit_test(test_in_place),
    cmocka_unit_test(test_known_values),
    cmocka_unit_test(test_backward_is_the_derivative),
};
K_MAIN(tests, bench)
