/* Losses: closed forms written anew, slopes by finite differences, identities between rows, extreme
 * margins, sums of rows, refusals; schedules. */
#include "harness/harness.h"
#include "train/objective.h"
#include "train/schedule.h"
#include <string.h>

enum { P = 7 };
static const sl_loss_settings set = {
    .beta = 0.1, .delta = 1.0, .lambda = 0.1, .gamma = 0.5, .smoothing = 0.1
};

typedef struct table {
    double logp_c[P], logp_r[P], ref_c[P], ref_r[P], loss[P], margin[P], coef_c[P], coef_r[P];
    double logp_t[P], coef_t[P];
    uint32_t tok_c[P], tok_r[P], tok_t[P];
} table;

static void fill(table *t)
{
    sl_rng rng = sl_rng_at(5, sl_rng_stream("test loss"), 0);

    for (uint32_t i = 0; i < P; i++) {
        t->logp_c[i] = -20.0 + 4.0 * sl_rng_normal(&rng);
        t->logp_r[i] = -20.0 + 4.0 * sl_rng_normal(&rng);
        t->ref_c[i] = -20.0 + 4.0 * sl_rng_normal(&rng);
        t->ref_r[i] = -20.0 + 4.0 * sl_rng_normal(&rng);
        t->logp_t[i] = -20.0 + 4.0 * sl_rng_normal(&rng);
        t->tok_t[i] = 5;
        t->tok_c[i] = 1 + i;
        t->tok_r[i] = 9 - i;
    }
}

static double mean_tok_c(const table *t)
{
    double sum = 0.0;

    for (int i = 0; i < P; i++)
        sum += t->tok_c[i];
    return sum / P;
}

static void compute(table *t, const char *text, const sl_loss_settings *settings)
{
    sl_objective o;

    T_OK(sl_objective_parse(&o, text));
    o.settings = *settings;
    sl_objective_pairs(&(sl_objective_out){ t->loss, t->margin, t->coef_c, t->coef_r, t->coef_t },
                       &(sl_objective_in){ t->logp_c, t->logp_r, t->ref_c, t->ref_r, t->tok_c,
                                           t->tok_r, mean_tok_c(t), t->logp_t, t->tok_t },
                       P, &o);
}

static const sl_loss *find(const char *name)
{
    const sl_loss *loss = NULL;

    T_OK(sl_loss_find(&loss, name));
    return loss;
}

static double s(double x)
{
    return 1.0 / (1.0 + exp(-x));
}

/* The equations again, as their papers have them. c, r: rewards without beta; W, L: log p. */
typedef struct known {
    const char *name;
    double (*loss)(const table *t, int i);
} known;

static double reward_c(const table *t, int i)
{
    return t->logp_c[i] - t->ref_c[i];
}

static double reward_r(const table *t, int i)
{
    return t->logp_r[i] - t->ref_r[i];
}

static double ahead(const table *t, int i)
{
    return reward_c(t, i) - reward_r(t, i);
}

static double by_length(const table *t, int i)
{
    return reward_c(t, i) / t->tok_c[i] - reward_r(t, i) / t->tok_r[i];
}

static double dpo(const table *t, int i)
{
    return -0.9 * log(s(0.1 * ahead(t, i))) - 0.1 * log(s(-0.1 * ahead(t, i)));
}

static double robust(const table *t, int i)
{
    return (-0.9 * log(s(0.1 * ahead(t, i))) + 0.1 * log(s(-0.1 * ahead(t, i)))) / 0.8;
}

static double dpo_norm(const table *t, int i)
{
    return -0.9 * log(s(0.1 * by_length(t, i))) - 0.1 * log(s(-0.1 * by_length(t, i)));
}

static double ipo(const table *t, int i)
{
    return pow(ahead(t, i) - 5.0, 2.0);
}

static double ipo_mean(const table *t, int i)
{
    return pow(by_length(t, i) - 5.0, 2.0);
}

static double hinge(const table *t, int i)
{
    return fmax(0.0, 1.0 - 0.1 * ahead(t, i));
}

static double cpo(const table *t, int i)
{
    const double m = 0.1 * (t->logp_c[i] - t->logp_r[i]);

    return -0.9 * log(s(m)) - 0.1 * log(s(-m));
}

static double cpo_hinge(const table *t, int i)
{
    return fmax(0.0, 1.0 - 0.1 * (t->logp_c[i] - t->logp_r[i]));
}

static double slic(const table *t, int i)
{
    return fmax(0.0, 1.0 - t->logp_c[i] + t->logp_r[i]) - 0.1 * t->logp_c[i];
}

static double slic_target(const table *t, int i)
{
    return fmax(0.0, 1.0 - t->logp_c[i] + t->logp_r[i]) - 0.1 * t->logp_t[i];
}

static double simpo(const table *t, int i)
{
    return -log(s(0.1 * t->logp_c[i] / t->tok_c[i] - 0.1 * t->logp_r[i] / t->tok_r[i] - 0.5));
}

static double orpo(const table *t, int i)
{
    const double p = exp(t->logp_c[i] / t->tok_c[i]), q = exp(t->logp_r[i] / t->tok_r[i]);
    const double ratio = p / (1.0 - p) / (q / (1.0 - q));

    return -t->logp_c[i] / t->tok_c[i] - 0.1 * log(s(log(ratio)));
}

static double apo_zero(const table *t, int i)
{
    return 1.0 - s(0.1 * reward_c(t, i)) + s(0.1 * reward_r(t, i));
}

static double apo_down(const table *t, int i)
{
    return s(0.1 * reward_c(t, i)) + 1.0 - s(0.1 * ahead(t, i));
}

static double sppo_hard(const table *t, int i)
{
    return pow(reward_c(t, i) - 5.0, 2.0) + pow(reward_r(t, i) + 5.0, 2.0);
}

static double sft(const table *t, int i)
{
    return -t->logp_c[i] * P / (mean_tok_c(t) * P);
}

static double nll(const table *t, int i)
{
    return -t->logp_c[i] / t->tok_c[i];
}

static double nll_sum(const table *t, int i)
{
    return -t->logp_c[i];
}

static const known equations[] = {
    { "dpo", dpo },
    { "cdpo", dpo },
    { "robust", robust },
    { "dpo-norm", dpo_norm },
    { "ipo", ipo },
    { "ipo-mean", ipo_mean },
    { "hinge", hinge },
    { "cpo", cpo },
    { "cpo-hinge", cpo_hinge },
    { "slic-hf", slic },
    { "slic-hf-target", slic_target },
    { "simpo", simpo },
    { "orpo", orpo },
    { "apo-zero", apo_zero },
    { "apo-down", apo_down },
    { "sppo-hard", sppo_hard },
    { "sft", sft },
    { "nll", nll },
    { "nll-sum", nll_sum },
};
enum { EQUATIONS = sizeof equations / sizeof equations[0] };

static void test_closed_forms(void **state)
{
    size_t count = 0;

    (void)state;
    for (const char *const *name = sl_loss_names(); *name; name++)
        count++;
    assert_int_equal(count, EQUATIONS); /* every row has its equation here */
    for (size_t k = 0; k < EQUATIONS; k++) {
        table t;

        fill(&t);
        compute(&t, equations[k].name, &set);
        for (int i = 0; i < P; i++)
            T_CLOSE(t.loss[i], equations[k].loss(&t, i), 1e-11);
    }
}

/* coef is the slope of the loss in each log-probability. */
static void test_coefficients_are_slopes(void **state)
{
    const double h = 1e-5;

    (void)state;
    for (const char *const *name = sl_loss_names(); *name; name++) {
        table at, up, down;

        fill(&at);
        compute(&at, *name, &set);
        for (int side = 0; side < 3; side++) {
            double *const moved_up[] = { up.logp_c, up.logp_r, up.logp_t };
            double *const moved_down[] = { down.logp_c, down.logp_r, down.logp_t };
            const double *const coef[] = { at.coef_c, at.coef_r, at.coef_t };

            up = down = at;
            for (int i = 0; i < P; i++) {
                moved_up[side][i] += h;
                moved_down[side][i] -= h;
            }
            compute(&up, *name, &set);
            compute(&down, *name, &set);
            for (int i = 0; i < P; i++)
                T_CLOSE(coef[side][i], (up.loss[i] - down.loss[i]) / (2 * h), 1e-7);
        }
    }
}

/* Lengths of one token make means of sums, so that margins are as large as the sums. */
static void test_finite_at_any_margin(void **state)
{
    static const double sizes[] = { 1e4, -1e4, 1e8, 0.0 };

    (void)state;
    for (const char *const *name = sl_loss_names(); *name; name++)
        for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
            table t = { .logp_c = { fmin(0.0, sizes[k]) }, .logp_r = { fmin(0.0, -sizes[k]) } };

            for (int i = 0; i < P; i++)
                t.tok_c[i] = t.tok_r[i] = t.tok_t[i] = 1;
            compute(&t, *name, &set);
            for (int i = 0; i < P; i++)
                assert_true(isfinite(t.loss[i]) && isfinite(t.coef_c[i]) && isfinite(t.coef_r[i]));
            assert_true(!find(*name)->is_pairwise || isfinite(t.margin[0]));
        }
}

static void test_a_wrong_pair_pushes_with_full_force(void **state)
{
    const sl_loss_settings plain = { .beta = 0.1 };
    table t = { .logp_c = { -1e5, 0.0 }, .logp_r = { 0.0, -1e5 } };

    (void)state;
    compute(&t, "dpo", &plain);
    T_CLOSE(t.loss[0], 1e4, TOL_F64);
    T_CLOSE(t.coef_c[0], -0.1, TOL_F64);
    T_CLOSE(t.loss[1], 0.0, 1e-40);
    T_CLOSE(t.coef_c[1], 0.0, 1e-40);
}

static void swap(table *t)
{
    table was = *t;

    memcpy(t->logp_c, was.logp_r, sizeof was.logp_r);
    memcpy(t->logp_r, was.logp_c, sizeof was.logp_c);
    memcpy(t->ref_c, was.ref_r, sizeof was.ref_r);
    memcpy(t->ref_r, was.ref_c, sizeof was.ref_c);
    memcpy(t->tok_c, was.tok_r, sizeof was.tok_r);
    memcpy(t->tok_r, was.tok_c, sizeof was.tok_c);
}

static void test_swapping_answers_negates_the_margin(void **state)
{
    (void)state;
    for (const char *const *name = sl_loss_names(); *name; name++) {
        table t, swapped;

        if (!find(*name)->is_pairwise)
            continue;
        fill(&t);
        swapped = t;
        swap(&swapped);
        compute(&t, *name, &set);
        compute(&swapped, *name, &set);
        for (int i = 0; i < P; i++)
            T_CLOSE(swapped.margin[i], -t.margin[i], TOL_F64);
    }
}

static void test_smoothing_of_one_half_does_not_see_the_label(void **state)
{
    static const char *const rows[] = { "dpo", "cdpo", "dpo-norm", "cpo" };
    const sl_loss_settings half = { .beta = 0.1, .smoothing = 0.5 };

    (void)state;
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        table t, swapped;

        fill(&t);
        swapped = t;
        swap(&swapped);
        compute(&t, rows[k], &half);
        compute(&swapped, rows[k], &half);
        for (int i = 0; i < P; i++) {
            T_CLOSE(swapped.loss[i], t.loss[i], TOL_F64);
            T_CLOSE(swapped.coef_c[i], t.coef_r[i], TOL_F64);
        }
    }
}

static void test_policy_at_the_reference(void **state)
{
    static const char *const rows[] = { "dpo", "cdpo", "robust", "dpo-norm" };
    table t;

    (void)state;
    fill(&t);
    memcpy(t.ref_c, t.logp_c, sizeof t.ref_c);
    memcpy(t.ref_r, t.logp_r, sizeof t.ref_r);
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        compute(&t, rows[k], &set);
        for (int i = 0; i < P; i++) {
            T_CLOSE(t.loss[i], log(2.0), TOL_F64);
            T_CLOSE(t.margin[i], 0.0, TOL_EXACT);
        }
    }
}

/* max(0, 1 - b x) = b max(0, 1/b - x) */
static void test_hinge_without_reference_is_slic(void **state)
{
    const sl_loss_settings as_slic = { .delta = 1.0 / 0.3 }, as_cpo = { .beta = 0.3 };
    table a, b;

    (void)state;
    fill(&a);
    b = a;
    compute(&a, "cpo-hinge", &as_cpo);
    compute(&b, "slic-hf", &as_slic);
    for (int i = 0; i < P; i++) {
        T_CLOSE(a.loss[i], 0.3 * b.loss[i], TOL_F64);
        T_CLOSE(a.coef_c[i], 0.3 * b.coef_c[i], TOL_F64);
        T_CLOSE(a.coef_r[i], 0.3 * b.coef_r[i], TOL_F64);
    }
    memset(b.ref_c, 0, sizeof b.ref_c);
    memset(b.ref_r, 0, sizeof b.ref_r);
    compute(&b, "hinge", &as_cpo); /* a reference that knows nothing is none */
    for (int i = 0; i < P; i++)
        T_CLOSE(a.loss[i], b.loss[i], TOL_F64);
}

/* A uniform reference gives every token log(1/V), so it cancels from means over tokens. */
static void test_dpo_norm_with_a_uniform_reference_is_simpo(void **state)
{
    const sl_loss_settings plain = { .beta = 2.0 };
    table a, b;

    (void)state;
    fill(&a);
    for (int i = 0; i < P; i++) {
        a.ref_c[i] = a.tok_c[i] * log(1.0 / 320.0);
        a.ref_r[i] = a.tok_r[i] * log(1.0 / 320.0);
    }
    b = a;
    compute(&a, "dpo-norm", &plain);
    compute(&b, "simpo", &plain);
    for (int i = 0; i < P; i++) {
        T_CLOSE(a.loss[i], b.loss[i], TOL_F64);
        T_CLOSE(a.coef_c[i], b.coef_c[i], TOL_F64);
        T_CLOSE(a.coef_r[i], b.coef_r[i], TOL_F64);
    }
}

static void test_sums_of_losses(void **state)
{
    table a, b, both;

    (void)state;
    fill(&a);
    b = both = a;
    compute(&a, "ipo-mean", &set);
    compute(&b, "sft", &set);
    compute(&both, "0.25*sft + 2 * ipo-mean", &set);
    for (int i = 0; i < P; i++) {
        T_CLOSE(both.loss[i], 2.0 * a.loss[i] + 0.25 * b.loss[i], TOL_F64);
        T_CLOSE(both.coef_c[i], 2.0 * a.coef_c[i] + 0.25 * b.coef_c[i], TOL_F64);
        T_CLOSE(both.coef_r[i], 2.0 * a.coef_r[i], TOL_F64);
        T_CLOSE(both.margin[i], a.margin[i], TOL_F64); /* of the term that has one */
        assert_true(isnan(b.margin[i]));
    }
}

static void test_the_form_says_it_all(void **state)
{
    char form[SL_OBJECTIVE_FORM];
    sl_objective o;

    (void)state;
    T_OK(sl_objective_parse(&o, "hinge + 0.5*nll-sum"));
    sl_objective_form(form, &o);
    assert_string_equal(form, "1*hinge (with reference, log-probabilities summed over answer "
                              "tokens) + 0.5*nll-sum (no reference, log-probabilities summed over "
                              "answer tokens), beta 0.1");
    T_OK(sl_objective_parse(&o, "simpo"));
    sl_objective_form(form, &o);
    assert_string_equal(form, "1*simpo (no reference, log-probabilities averaged over answer "
                              "tokens), beta 0.1, gamma 0.5");
}

static void test_refusals(void **state)
{
    static const struct {
        const char *text, *why;
    } bad[] = {
        { "dpoo", "did you mean \"dpo\"" },
        { "", "want the name of a loss" },
        { "dpo +", "want the name of a loss" },
        { "dpo sft", "want \"+\"" },
        { "0.2 dpo", "want \"*\"" },
        { "0*dpo", "want a weight > 0" },
        { "1e999*dpo", "want a weight > 0" },
        { "dpo+dpo+dpo+dpo+dpo+dpo+dpo+dpo+dpo", "want at most 8 terms" },
    };
    sl_loss_settings wrong = set;
    sl_objective o;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        T_FAILS(sl_objective_parse(&o, bad[i].text), SL_EARG, bad[i].why);
    wrong.beta = NAN;
    T_FAILS(sl_loss_check(find("dpo"), &wrong), SL_EARG, "beta");
    T_OK(sl_loss_check(find("slic-hf"), &wrong)); /* does not read it */
    wrong.beta = 0.0;
    T_FAILS(sl_loss_check(find("ipo"), &wrong), SL_EARG, "beta");
    wrong = set;
    wrong.smoothing = 0.5;
    T_OK(sl_loss_check(find("dpo"), &wrong));
    T_FAILS(sl_loss_check(find("robust"), &wrong), SL_EARG, "smoothing");
    wrong.smoothing = 0.0;
    T_FAILS(sl_loss_check(find("cdpo"), &wrong), SL_EARG, "smoothing");
}

static void test_schedules(void **state)
{
    sl_schedule rate = { .peak = 2.0, .warmup = 4, .total = 12 };

    (void)state;
    for (int shape = 0; shape < 3; shape++) {
        rate.shape = (sl_schedule_shape)shape;
        T_CLOSE(sl_schedule_rate(&rate, 1), 0.5, TOL_F64);
        T_CLOSE(sl_schedule_rate(&rate, 4), 2.0, TOL_F64);
        T_CLOSE(sl_schedule_rate(&rate, 5), 2.0, TOL_F64);
    }
    rate.shape = SL_SCHEDULE_CONSTANT;
    T_CLOSE(sl_schedule_rate(&rate, 12), 2.0, TOL_F64);
    rate.shape = SL_SCHEDULE_LINEAR;
    T_CLOSE(sl_schedule_rate(&rate, 9), 1.0, TOL_F64);
    T_CLOSE(sl_schedule_rate(&rate, 12), 0.25, TOL_F64);
    rate.shape = SL_SCHEDULE_COSINE;
    T_CLOSE(sl_schedule_rate(&rate, 9), 1.0, TOL_F64);
    rate.starts_at_zero = 1; /* transformers: lr * t/4 at t = 0, 1, ... */
    for (int t = 0; t < 4; t++)
        T_CLOSE(sl_schedule_rate(&rate, t + 1), 2.0 * t / 4.0, TOL_F64);
    T_CLOSE(sl_schedule_rate(&rate, 5), 2.0, TOL_F64);
    rate.warmup = 0;
    T_CLOSE(sl_schedule_rate(&rate, 1), 2.0, TOL_F64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_closed_forms),
        cmocka_unit_test(test_coefficients_are_slopes),
        cmocka_unit_test(test_finite_at_any_margin),
        cmocka_unit_test(test_a_wrong_pair_pushes_with_full_force),
        cmocka_unit_test(test_swapping_answers_negates_the_margin),
        cmocka_unit_test(test_smoothing_of_one_half_does_not_see_the_label),
        cmocka_unit_test(test_policy_at_the_reference),
        cmocka_unit_test(test_hinge_without_reference_is_slic),
        cmocka_unit_test(test_dpo_norm_with_a_uniform_reference_is_simpo),
        cmocka_unit_test(test_sums_of_losses),
        cmocka_unit_test(test_the_form_says_it_all),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_schedules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
