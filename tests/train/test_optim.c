/* The optimizers against torch's formulas in double: clipping, decay of matrices or of all, bias
 * correction, momentum, group norms, and a gradient that is not finite. */
#include "harness/harness.h"
#include "train/optim.h"
#include "train/session.h"
#include <stdlib.h>
#include <string.h>

enum { STEPS = 4 };
static const double rate = 1e-2;

typedef struct bench {
    sl_session session;
    size_t n;
    double *p, *m, *v; /* (n) the same in double */
} bench;

/* set: recipe keys, NULL-terminated, or NULL. */
static void open_bench(bench *b, const char *const *set)
{
    static const char *const tiny[] = {
        "model.hidden=8",    "model.intermediate=8", "model.heads=2",    "model.kv_heads=2",
        "model.layers=1",    "method.name=sft",      "train.prompts=8",  "train.batch=4",
        "measure.prompts=0", "record.probe_every=0", "optim.beta2=0.99", "optim.weight_decay=0.1",
    };
    const sl_backend *backend = NULL;
    sl_memory_plan plan;
    sl_recipe recipe = { 0 };

    T_OK(sl_yaml_defaults(&recipe, sl_recipe_keys, sl_recipe_key_count));
    for (size_t i = 0; i < sizeof tiny / sizeof tiny[0]; i++)
        T_OK(sl_yaml_set(&recipe, sl_recipe_keys, sl_recipe_key_count, tiny[i]));
    for (; set && *set; set++)
        T_OK(sl_yaml_set(&recipe, sl_recipe_keys, sl_recipe_key_count, *set));
    T_OK(sl_backend_open(&backend, "cpu", 1));
    T_OK(sl_session_open(&b->session, &recipe, backend, NULL, &plan));
    sl_optim_reset(&b->session.optim);
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

/* One element by torch's formulas: p, m, v and the clipped gradient x; decay 0: none. */
typedef void (*formula)(double *p, double *m, double *v, double x, double decay, int step);

static void adamw(double *p, double *m, double *v, double x, double decay, int step)
{
    *p -= rate * decay * *p;
    *m = 0.9 * *m + 0.1 * x;
    *v = 0.99 * *v + 0.01 * x * x;
    *p -= rate * (*m / (1.0 - pow(0.9, step))) / (sqrt(*v / (1.0 - pow(0.99, step))) + 1e-8);
}

static void rmsprop(double *p, double *m, double *v, double x, double decay, int step)
{
    const double g = x + decay * *p;

    (void)m, (void)step;
    *v = 0.95 * *v + 0.05 * g * g;
    *p -= rate * g / (sqrt(*v) + 1e-6);
}

static void sgd(double *p, double *m, double *v, double x, double decay, int step)
{
    (void)m, (void)v, (void)step;
    *p -= rate * (x + decay * *p);
}

static void sgd_momentum(double *p, double *m, double *v, double x, double decay, int step)
{
    const double g = x + decay * *p;

    (void)v;
    *m = step == 1 ? g : 0.8 * *m + g;
    *p -= rate * *m;
}

/* All tensors on the same gradient, clipped as torch.nn.utils.clip_grad_norm_ does. */
static void torch_step(bench *b, formula of, int decays_all, int step, double norm)
{
    const sl_tensors *table = sl_model_tensors(b->session.policy);
    const float *g = sl_model_gradients(b->session.policy);
    const double clip = fmin(1.0, 1.0 / (norm + 1e-6));

    for (size_t r = 0; r < table->count; r++) {
        const sl_tensor *t = &table->row[r];
        const double decay = decays_all || t->rank == 2 ? 0.1 : 0.0;

        for (size_t i = t->offset; i < t->offset + t->rows * t->cols; i++)
            of(&b->p[i], &b->m[i], &b->v[i], clip * (double)g[i], decay, step);
    }
}

static void check_steps(formula of, int decays_all, size_t moments, const char *const *set)
{
    bench b;

    open_bench(&b, set);
    assert_int_equal(sl_optim_moments(&b.session.optim.settings), moments);
    for (int step = 1; step <= STEPS; step++) {
        const double norm = fill_gradient(&b, step, step % 2 ? 1.0f : 1e-2f);

        torch_step(&b, of, decays_all, step, norm);
        T_OK(sl_optim_step(&b.session.optim, rate));
        T_CLOSE(b.session.optim.group[0].norm, norm, TOL_SUM(b.n));
        assert_true((b.session.optim.clip < 1.0) == (norm > 1.0)); /* both sides of the bound */
        for (size_t i = 0; i < b.n; i++)
            T_CLOSE(sl_model_parameters(b.session.policy)[i], b.p[i], 2e-6);
    }
    close_bench(&b);
}

static void test_steps_are_those_of_torch(void **state)
{
    static const char *const all[] = { "optim.decay=all", NULL };
    static const char *const rms[] = { "optim.name=rmsprop", "optim.alpha=0.95", "optim.eps=1e-6",
                                       NULL };
    static const char *const plain[] = { "optim.name=sgd", "optim.decay=all", NULL };
    static const char *const momentum[] = { "optim.name=sgd", "optim.momentum=0.8", NULL };

    (void)state;
    check_steps(adamw, 0, 2, NULL);
    check_steps(adamw, 1, 2, all);
    check_steps(rmsprop, 0, 1, rms);
    check_steps(sgd, 1, 0, plain);
    check_steps(sgd_momentum, 0, 1, momentum);
}

static void test_groups_add_up_and_gradients_are_cleared(void **state)
{
    double norm = 0.0, update = 0.0;
    bench b;

    (void)state;
    open_bench(&b, NULL);
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

        open_bench(&b, NULL);
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
