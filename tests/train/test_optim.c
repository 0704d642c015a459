/* The optimizer against torch's AdamW formulas in double: clipping, decay of matrices alone, bias
 * correction, group norms, and a gradient that is not finite. */
#include "harness/harness.h"
#include "train/optim.h"
#include "train/session.h"
#include <stdlib.h>
#include <string.h>

enum { STEPS = 4 };
static const sl_optim_settings set = {
    .beta1 = 0.9, .beta2 = 0.99, .eps = 1e-8, .weight_decay = 0.1, .clip = 1.0
};
static const double rate = 1e-2;

typedef struct bench {
    sl_session session;
    size_t n;
    double *p, *m, *v; /* (n) the same in double */
} bench;

static void open_bench(bench *b)
{
    static const char *const tiny[] = { "model.hidden=8",    "model.intermediate=8",
                                        "model.heads=2",     "model.kv_heads=2",
                                        "model.layers=1",    "method.name=sft",
                                        "train.prompts=8",   "train.batch=4",
                                        "measure.prompts=0", "record.probe_every=0" };
    const sl_backend *backend = NULL;
    sl_memory_plan plan;
    sl_recipe recipe = { 0 };

    T_OK(sl_yaml_defaults(&recipe, sl_recipe_keys, sl_recipe_key_count));
    for (size_t i = 0; i < sizeof tiny / sizeof tiny[0]; i++)
        T_OK(sl_yaml_set(&recipe, sl_recipe_keys, sl_recipe_key_count, tiny[i]));
    T_OK(sl_backend_open(&backend, "cpu", 1));
    T_OK(sl_session_open(&b->session, &recipe, backend, &plan));
    b->session.optim.settings = set;
    b->n = sl_model_tensors(b->session.policy)->floats;
    b->p = calloc(b->n, sizeof *b->p);
    b->m = calloc(b->n, sizeof *b->m);
    b->v = calloc(b->n, sizeof *b->v);
    for (size_t i = 0; i < b->n; i++)
        b->p[i] = (double)sl_model_parameters(b->session.policy)[i];
}

static void close_bench(bench *b)
{
    sl_session_close(&b->session);
    free(b->p);
    free(b->m);
    free(b->v);
}

/* Fills the model's gradient; returns its norm. */
static double fill_gradient(bench *b, int step, float size)
{
    float *g = sl_model_gradients(b->session.policy);

    t_fill(g, b->n, size, (uint64_t)step);
    return sqrt(t_dot(g, g, b->n));
}

/* torch.optim.AdamW on the same gradient, clipped as torch.nn.utils.clip_grad_norm_ does. */
static void torch_step(bench *b, int step, double norm)
{
    const sl_tensors *table = sl_model_tensors(b->session.policy);
    const float *g = sl_model_gradients(b->session.policy);
    const double clip = fmin(1.0, set.clip / (norm + 1e-6));

    for (size_t r = 0; r < table->count; r++) {
        const sl_tensor *t = &table->row[r];

        for (size_t i = t->offset; i < t->offset + t->rows * t->cols; i++) {
            const double x = clip * (double)g[i];

            if (t->rank == 2)
                b->p[i] -= rate * set.weight_decay * b->p[i];
            b->m[i] = set.beta1 * b->m[i] + (1.0 - set.beta1) * x;
            b->v[i] = set.beta2 * b->v[i] + (1.0 - set.beta2) * x * x;
            b->p[i] -= rate * (b->m[i] / (1.0 - pow(set.beta1, step))) /
                       (sqrt(b->v[i] / (1.0 - pow(set.beta2, step))) + set.eps);
        }
    }
}

static void test_steps_are_those_of_torch(void **state)
{
    bench b;

    (void)state;
    open_bench(&b);
    for (int step = 1; step <= STEPS; step++) {
        const double norm = fill_gradient(&b, step, step % 2 ? 1.0f : 1e-4f);

        torch_step(&b, step, norm);
        T_OK(sl_optim_step(&b.session.optim, rate));
        T_CLOSE(b.session.optim.group[0].norm, norm, TOL_SUM(b.n));
        assert_true((b.session.optim.clip < 1.0) == (norm > 1.0)); /* both sides of the bound */
        for (size_t i = 0; i < b.n; i++)
            T_CLOSE(sl_model_parameters(b.session.policy)[i], b.p[i], 2e-6);
    }
    close_bench(&b);
}

static void test_groups_add_up_and_gradients_are_cleared(void **state)
{
    double norm = 0.0, update = 0.0;
    bench b;

    (void)state;
    open_bench(&b);
    fill_gradient(&b, 1, 1.0f);
    T_OK(sl_optim_step(&b.session.optim, rate));
    for (size_t g = 1; g < b.session.optim.group_count; g++) {
        norm += b.session.optim.group[g].norm * b.session.optim.group[g].norm;
        update += b.session.optim.group[g].update_norm * b.session.optim.group[g].update_norm;
    }
    T_CLOSE(sqrt(norm), b.session.optim.group[0].norm, TOL_SUM(b.n));
    T_CLOSE(sqrt(update), b.session.optim.group[0].update_norm, TOL_SUM(b.n));
    for (size_t i = 0; i < b.n; i++)
        assert_true(sl_model_gradients(b.session.policy)[i] == 0.0f);
    close_bench(&b);
}

static void test_a_bad_gradient_is_named_and_changes_nothing(void **state)
{
    static const float bad[] = { NAN, INFINITY };

    (void)state;
    for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
        const sl_tensors *table;
        bench b;

        open_bench(&b);
        table = sl_model_tensors(b.session.policy);
        fill_gradient(&b, 1, 1.0f);
        sl_model_gradients(b.session.policy)[table->row[2].offset + 1] = bad[k];
        T_FAILS(sl_optim_step(&b.session.optim, rate), SL_ENUMERIC, table->row[2].name);
        for (size_t i = 0; i < b.n; i++)
            assert_true((double)sl_model_parameters(b.session.policy)[i] == b.p[i]);
        close_bench(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps_are_those_of_torch),
        cmocka_unit_test(test_groups_add_up_and_gradients_are_cleared),
        cmocka_unit_test(test_a_bad_gradient_is_named_and_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
