/* Training a reward model on the built-in world: the loss is Bradley-Terry's on its scores, the cut
 * of a batch does not matter, the split of the gradient adds up, and what it learns is the truth.
 */
#include "harness/harness.h"
#include "model/reward.h"
#include "train/step.h"
#include <stdlib.h>
#include <string.h>

static const char *const tiny[] = {
    "method.name=reward",
    "model.hidden=16",
    "model.intermediate=24",
    "model.heads=4",
    "model.kv_heads=4",
    "model.layers=2",
    "model.embed_std=0.3",
    "model.matrix_std=0.2",
    "train.batch=32",
    "train.prompts=12800",
    "optim.learning_rate=1.0e-2",
    "optim.schedule=constant",
    "optim.beta2=0.99",
};

static void open_session(sl_session *s, const char *const *set)
{
    const sl_backend *backend = NULL;
    sl_memory_plan plan;
    sl_recipe recipe = { 0 };

    T_OK(sl_yaml_defaults(&recipe, sl_recipe_keys, sl_recipe_key_count));
    for (size_t i = 0; i < sizeof tiny / sizeof tiny[0]; i++)
        T_OK(sl_yaml_set(&recipe, sl_recipe_keys, sl_recipe_key_count, tiny[i]));
    for (; set && *set; set++)
        T_OK(sl_yaml_set(&recipe, sl_recipe_keys, sl_recipe_key_count, *set));
    T_OK(sl_backend_open(&backend, "cpu", 1));
    T_OK(sl_session_open(s, &recipe, backend, NULL, &plan));
    sl_optim_reset(&s->optim);
    sl_feed_begin(&s->feed, 0);
}

static void test_the_loss_is_that_of_the_scores(void **state)
{
    static const char *const set[] = { "method.smoothing=0.1", "train.micro_batch=8", NULL };
    const sl_update *u;
    sl_session s;
    double sum = 0.0;

    (void)state;
    open_session(&s, set);
    assert_true(sl_model_config(s.policy)->is_scorer && !s.start && !s.reference);
    T_OK(sl_train_step(&s));
    u = &s.update;
    for (size_t i = 0; i < u->P; i++) {
        const double m = u->logp_c[i] - u->logp_r[i];
        const double loss = 0.9 * log1p(exp(-m)) + 0.1 * log1p(exp(m));

        T_CLOSE(u->margin[i], m, TOL_F64);
        T_CLOSE(u->loss[i], loss, TOL_F64);
        assert_true(m != 0.0);
        sum += loss / (double)u->P;
    }
    T_CLOSE(u->means.loss, sum, TOL_F64);
    sl_session_close(&s);
}

static void test_micro_batches(void **state)
{
    static const char *const cuts[] = { "train.micro_batch=32", "train.micro_batch=4" };
    float *moved[2];
    size_t n = 0;

    (void)state;
    for (int k = 0; k < 2; k++) {
        const char *const set[] = { cuts[k], "optim.name=sgd", NULL };
        sl_session s;

        open_session(&s, set);
        n = sl_model_tensors(s.policy)->floats;
        T_OK(sl_train_step(&s));
        T_OK(sl_train_step(&s));
        moved[k] = malloc(n * sizeof *moved[k]);
        memcpy(moved[k], sl_model_parameters(s.policy), n * sizeof *moved[k]);
        sl_session_close(&s);
    }
    T_CLOSE_ALL(moved[1], moved[0], n, 1e-5);
    free(moved[0]);
    free(moved[1]);
}

static void test_splits_add_up(void **state)
{
    const sl_fed *fed;
    size_t count;
    sl_update *u;
    sl_session s;
    double norm[16];
    int more;

    (void)state;
    open_session(&s, NULL);
    u = &s.update;
    T_OK(sl_feed_next(&fed, &count, &s.feed, 0, 0));
    sl_update_begin(u, fed, count);
    sl_gradsplit_begin(&s.split, 1, 1);
    for (T_OK(sl_update_pack(u, &more)); more; T_OK(sl_update_pack(u, &more))) {
        T_OK(sl_model_forward(s.policy, s.work, &u->packer.packed));
        T_OK(sl_update_logp(u, s.policy, s.work));
        T_OK(sl_update_coef(u, s.loss));
        T_OK(sl_gradsplit_backward(&s.split, u, s.work));
    }
    sl_gradsplit_end(&s.split, u);
    sl_group_norms(norm, s.policy, sl_model_gradients(s.policy));
    for (size_t g = 0; g < s.split.group_count; g++) {
        const sl_gradsplit_row *r = &s.split.row[g];
        const double sum = r->norm_c * r->norm_c + r->norm_r * r->norm_r;

        assert_true(fabs(sum + 2.0 * r->norm_c * r->norm_r * r->cos_c_r - norm[g] * norm[g]) <=
                    1e-3 * sum);
    }
    sl_session_close(&s);
}

/* Labels of the world are drawn by sigmoid of the true difference: most pairs can be learned. */
static void test_it_learns_the_truth(void **state)
{
    double first = 0.0, last = 0.0;
    sl_session s;

    (void)state;
    open_session(&s, NULL);
    for (int step = 0; step < 400; step++) {
        T_OK(sl_train_step(&s));
        if (step < 10)
            first += s.update.means.accuracy / 10.0;
        if (step >= 360)
            last += s.update.means.accuracy / 40.0;
    }
    assert_true(first < 0.65); /* fresh pairs all the time: nothing can be learned by heart */
    assert_true(last > 0.72);
    sl_session_close(&s);
}

static void test_refusals(void **state)
{
    static const char *const bad[][2] = { { "policy.source=on-policy", "policy.source static" },
                                          { "model.reference=x", "no model.reference" } };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        sl_recipe recipe = { 0 };

        T_OK(sl_yaml_defaults(&recipe, sl_recipe_keys, sl_recipe_key_count));
        T_OK(sl_yaml_set(&recipe, sl_recipe_keys, sl_recipe_key_count, "method.name=reward"));
        T_OK(sl_yaml_set(&recipe, sl_recipe_keys, sl_recipe_key_count, bad[i][0]));
        T_FAILS(sl_recipe_check(&recipe), SL_EARG, bad[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_loss_is_that_of_the_scores),
        cmocka_unit_test(test_micro_batches),
        cmocka_unit_test(test_splits_add_up),
        cmocka_unit_test(test_it_learns_the_truth),
        cmocka_unit_test(test_refusals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
