/* Losses: closed forms, slopes, the golden checkpoints' values; schedules and the optimizer's
 * steps. */
#include "harness/harness.h"
#include "train/loss.h"
#include "train/schedule.h"
#include <string.h>

enum { P = 7 };
static const sl_loss_settings set = { .beta = 0.1, .delta = 1.0, .lambda = 0.1 };

typedef struct table {
    double logp_c[P], logp_r[P], ref_c[P], ref_r[P], loss[P], margin[P], coef_c[P], coef_r[P];
} table;

static void fill(table *t)
{
    sl_rng rng = sl_rng_at(5, sl_rng_stream("test loss"), 0);

    for (int i = 0; i < P; i++) {
        t->logp_c[i] = -10.0 + 4.0 * sl_rng_normal(&rng);
        t->logp_r[i] = -10.0 + 4.0 * sl_rng_normal(&rng);
        t->ref_c[i] = -10.0 + 4.0 * sl_rng_normal(&rng);
        t->ref_r[i] = -10.0 + 4.0 * sl_rng_normal(&rng);
    }
}

static void compute(table *t, const sl_loss *loss)
{
    loss->pairs(&(sl_loss_out){ t->loss, t->margin, t->coef_c, t->coef_r },
                &(sl_loss_in){ t->logp_c, t->logp_r, t->ref_c, t->ref_r }, P, &set);
}

static const sl_loss *find(const char *name)
{
    const sl_loss *loss = NULL;

    T_OK(sl_loss_find(&loss, name));
    return loss;
}

static void test_closed_forms(void **state)
{
    table t;

    (void)state;
    fill(&t);
    compute(&t, find("dpo"));
    for (int i = 0; i < P; i++) {
        const double d = 0.1 * ((t.logp_c[i] - t.ref_c[i]) - (t.logp_r[i] - t.ref_r[i]));

        T_CLOSE(t.margin[i], d, TOL_F64);
        T_CLOSE(t.loss[i], -log(1.0 / (1.0 + exp(-d))), TOL_F64);
    }
    compute(&t, find("slic-hf"));
    for (int i = 0; i < P; i++)
        T_CLOSE(t.loss[i], fmax(0.0, 1.0 - t.logp_c[i] + t.logp_r[i]) - 0.1 * t.logp_c[i], TOL_F64);
}

/* coef is the slope of the loss in each log-probability. */
static void test_coefficients_are_slopes(void **state)
{
    const double h = 1e-6;

    (void)state;
    for (const char *const *name = sl_loss_names(); *name; name++) {
        const sl_loss *loss = find(*name);
        table at, up, down;

        fill(&at);
        compute(&at, loss);
        for (int side = 0; side < 2; side++) {
            up = down = at;
            for (int i = 0; i < P; i++) {
                (side ? up.logp_r : up.logp_c)[i] += h;
                (side ? down.logp_r : down.logp_c)[i] -= h;
            }
            compute(&up, loss);
            compute(&down, loss);
            for (int i = 0; i < P; i++)
                T_CLOSE((side ? at.coef_r : at.coef_c)[i], (up.loss[i] - down.loss[i]) / (2 * h),
                        1e-6);
        }
    }
}

static void test_identity_and_swap(void **state)
{
    const sl_loss *dpo = find("dpo");
    table t, swapped;

    (void)state;
    fill(&t);
    memcpy(t.ref_c, t.logp_c, sizeof t.ref_c);
    memcpy(t.ref_r, t.logp_r, sizeof t.ref_r);
    compute(&t, dpo);
    for (int i = 0; i < P; i++) {
        T_CLOSE(t.loss[i], log(2.0), TOL_F64);
        T_CLOSE(t.loss[i], dpo->identity_loss, TOL_F64);
        T_CLOSE(t.margin[i], 0.0, TOL_EXACT);
    }
    fill(&t);
    swapped = t;
    memcpy(swapped.logp_c, t.logp_r, sizeof t.logp_r);
    memcpy(swapped.logp_r, t.logp_c, sizeof t.logp_c);
    memcpy(swapped.ref_c, t.ref_r, sizeof t.ref_r);
    memcpy(swapped.ref_r, t.ref_c, sizeof t.ref_c);
    compute(&t, dpo);
    compute(&swapped, dpo);
    for (int i = 0; i < P; i++)
        T_CLOSE(swapped.margin[i], -t.margin[i], TOL_F64);
}

static void test_finite_at_any_margin(void **state)
{
    static const double sizes[] = { 1e3, 1e5, 1e8 };

    (void)state;
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        table t = { .logp_c = { sizes[k], -sizes[k] } };

        compute(&t, find("dpo"));
        T_CLOSE(t.loss[0], 0.0, 1e-40);
        T_CLOSE(t.loss[1], 0.1 * sizes[k], TOL_F64);
        T_CLOSE(t.coef_c[1], -0.1, TOL_F64);
    }
}

static void test_refusals(void **state)
{
    const sl_loss *loss = NULL;
    sl_loss_settings bad = set;

    (void)state;
    T_FAILS(sl_loss_find(&loss, "dpoo"), SL_EARG, "did you mean \"dpo\"");
    bad.beta = NAN;
    T_FAILS(sl_loss_check(find("dpo"), &bad), SL_EARG, "beta");
    bad.beta = 0.0;
    T_FAILS(sl_loss_check(find("dpo"), &bad), SL_EARG, "beta");
}

static void test_schedules(void **state)
{
    sl_schedule s = { .peak = 2.0, .warmup = 4, .total = 12 };

    (void)state;
    for (int shape = 0; shape < 3; shape++) {
        s.shape = (sl_schedule_shape)shape;
        T_CLOSE(sl_schedule_rate(&s, 1), 0.5, TOL_F64);
        T_CLOSE(sl_schedule_rate(&s, 4), 2.0, TOL_F64);
        T_CLOSE(sl_schedule_rate(&s, 5), 2.0, TOL_F64);
    }
    s.shape = SL_SCHEDULE_CONSTANT;
    T_CLOSE(sl_schedule_rate(&s, 12), 2.0, TOL_F64);
    s.shape = SL_SCHEDULE_LINEAR;
    T_CLOSE(sl_schedule_rate(&s, 9), 1.0, TOL_F64);
    T_CLOSE(sl_schedule_rate(&s, 12), 0.25, TOL_F64);
    s.shape = SL_SCHEDULE_COSINE;
    T_CLOSE(sl_schedule_rate(&s, 9), 1.0, TOL_F64);
    s.warmup = 0;
    T_CLOSE(sl_schedule_rate(&s, 1), 2.0, TOL_F64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_closed_forms),      cmocka_unit_test(test_coefficients_are_slopes),
        cmocka_unit_test(test_identity_and_swap), cmocka_unit_test(test_finite_at_any_margin),
        cmocka_unit_test(test_refusals),          cmocka_unit_test(test_schedules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
