/* embed_fwd, embed_bwd, gather, scatter_add: bitwise equal between backends, by contract. */
#include "kernels_test.h"
#include <stdio.h>

typedef struct embed {
    size_t T, D, V;
    float *table, *y; /* (V,D), (T,D) */
    int32_t *id;      /* (T) */
    int32_t pad_row;
} embed;

static embed make(size_t T, size_t D, size_t V, int32_t pad_row)
{
    embed e = { T,
                D,
                V,
                k_rand(V * D, K_NORMAL, 1),
                k_rand(T * D, K_NORMAL, 2),
                k_bytes(T * sizeof(int32_t)),
                pad_row };

    for (size_t t = 0; t < T; t++)
        e.id[t] = (int32_t)(t * t % V); /* many meet */
    return e;
}

static void fwd(const sl_ops *ops, void *at)
{
    embed *e = at;

    ops->embed_fwd(e->y, e->table, e->id, e->T, e->D);
}

static void bwd(const sl_ops *ops, void *at)
{
    embed *e = at;

    ops->embed_bwd(e->table, e->y, e->id, e->T, e->D, e->V, e->pad_row);
}

static void gather(const sl_ops *ops, void *at)
{
    embed *e = at;

    ops->gather(e->y, e->table, (const uint32_t *)e->id, e->T, e->D);
}

static void scatter(const sl_ops *ops, void *at)
{
    embed *e = at;

    ops->scatter_add(e->table, e->y, (const uint32_t *)e->id, e->T, e->D);
}

static void (*const all[])(const sl_ops *ops, void *at) = { fwd, bwd, gather, scatter };
static const char *const names[] = { "embed_fwd", "embed_bwd", "gather", "scatter_add" };

static void test_backends_agree(void **state)
{
    (void)state;
    for (size_t op = 0; op < 4; op++)
        for (size_t t = 0; t < K_SIZES; t++)
            for (size_t d = 0; d < K_SIZES; d++)
                for (size_t large = 0; large < 2; large++) {
                    const size_t T = large ? 900 : k_sizes[t], D = k_sizes[d];
                    embed r = make(T, D, 27, 3), c = make(T, D, 27, 3);

                    k_label("%s T %zu D %zu", names[op], T, D);
                    all[op](k_ref(), &r);
                    all[op](k_cpu(), &c);
                    K_CLOSE(c.y, r.y, T * D, TOL_EXACT);
                    K_CLOSE(c.table, r.table, 27 * D, TOL_EXACT);
                    k_done();
                }
}

/* <fwd(table), y> = <table, bwd(y)>: the lookup's transpose, without the padding row. */
static void test_backward_is_the_transpose(void **state)
{
    const sl_ops *both[] = { k_ref(), k_cpu() };

    (void)state;
    for (size_t b = 0; b < 2; b++) {
        embed e = make(129, 17, 27, -1);
        const float *dy = k_copy(e.y, 129 * 17), *table = k_copy(e.table, 27 * 17);
        float *dtable = k_new(27 * 17);

        fwd(both[b], &e);
        both[b]->embed_bwd(dtable, dy, e.id, 129, 17, 27, -1);
        T_CLOSE(t_dot(e.y, dy, 129 * 17), t_dot(table, dtable, 27 * 17), TOL_SUM(129 * 17));
        both[b]->embed_bwd(dtable, dy, e.id, 129, 17, 27, 0);
        const float row0 = dtable[0];

        both[b]->embed_bwd(dtable, dy, e.id, 129, 17, 27, 0);
        assert_true(dtable[0] == row0); /* the padding row stands still */
        assert_true(dtable[17] != 0.0f);
        k_done();
    }
}

static void bench(void)
{
    embed tiny = make(900, 48, 27, -1), large = make(512, 576, 4096, -1);

    for (size_t op = 0; op < 4; op++) {
        char name[64];

        snprintf(name, sizeof name, "%s T 900 D 48", names[op]);
        k_bench(name, all[op], &tiny, 0, (op % 2 ? 12.0 : 8.0) * 900 * 48);
        snprintf(name, sizeof name, "%s T 512 D 576", names[op]);
        k_bench(name, all[op], &large, 0, (op % 2 ? 12.0 : 8.0) * 512 * 576);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_backends_agree),
    cmocka_unit_test(test_backward_is_the_transpose),
};
K_MAIN(tests, bench)
