/* One tiny checkpoint against its golden numbers: logits, losses, every gradient, greedy tokens.
 * usage: test_golden FOLDER BACKEND. The goldens come from another program; see their README. */
#include "model/sample.h"
#include "golden_file.h"
#include "model_test.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 3, LENGTH = 41, PAIRS = 4, GREEDY = 24, NAME = 256 };

/* Deviation of two right programs in float is 2e-5 of logits near 6; an eps times ten moves them by
 * 7e-5 and more. */
#define TOL_LOGITS TOL_SUM(256)

/* What a backend may differ by: logits and log-probabilities (for float32 each, else all by their
 * norm), gradients (of each tensor, else all together). For bf16 that is what rounding the operands
 * of every linear layer does to these small random models: the same rounding in torch moves logits
 * by 1 to 1.7 % of their norm, single ones by up to .23, and gradients are the end of a chain twice
 * as long. That each product is right is held by tests/kernels/test_linear_bf16.c. Greedy tokens of
 * nearly equal logits are float32's only, and so is the eps of a wrong model. */
typedef struct precision {
    const char *backend;
    double logits, gradient;
    int is_float32;
} precision;
static const char *folder_name;
static precision tol;
static char folder[4096];
static const sl_backend *backend;
static sl_model *model;
static t_batch batch;

static sl_work *open_work(void)
{
    const sl_packed_limits limits = t_batch_limits(&batch);
    sl_work *work = NULL;

    T_OK(sl_work_open(&work, sl_model_config(model), backend, &limits, 1));
    return work;
}

/* Gradients of sum coef*logp, against the datasets under prefix; returns the largest distance. */
static void check_gradients(sl_work *work, const float *coef, const char *prefix)
{
    const sl_tensors *table = sl_model_tensors(model);
    float *gradients = sl_model_gradients(model);
    float *all = calloc(table->floats, sizeof *all);

    assert_non_null(all);
    memset(gradients, 0, table->floats * sizeof *gradients);
    T_OK(sl_model_backward(model, work, &batch.packed, coef));
    for (size_t i = 0; i < table->count; i++) {
        const sl_tensor *t = &table->row[i];
        char name[NAME];
        size_t n = 0;
        float *want = NULL;

        (void)snprintf(name, sizeof name, "%s/grad/%s", prefix, t->name);
        assert_true(t_golden_has(name));
        want = t_golden_floats(name, &n);
        assert_int_equal(n, t->rows * t->cols);
        if (tol.is_float32)
            T_CLOSE(t_distance(gradients + t->offset, want, n), 0.0, tol.gradient);
        memcpy(all + t->offset, want, n * sizeof *want);
        free(want);
    }
    T_CLOSE(t_distance(gradients, all, table->floats), 0.0, tol.gradient);
    free(all);
}

/* Norms per tensor, for the losses whose full gradients are not stored. */
static void check_gradient_norm(sl_work *work, const float *coef, const char *prefix)
{
    const sl_tensors *table = sl_model_tensors(model);
    float *gradients = sl_model_gradients(model);
    char name[NAME];
    double want = 0.0;

    memset(gradients, 0, table->floats * sizeof *gradients);
    T_OK(sl_model_backward(model, work, &batch.packed, coef));
    (void)snprintf(name, sizeof name, "%s/grad_norm", prefix);
    want = t_golden_scalar(name);
    T_CLOSE(sqrt(t_dot(gradients, gradients, table->floats)) / want, 1.0, tol.gradient);
}

static void make_rows(void)
{
    size_t n = 0;
    int32_t *ids = t_golden_ids("ids", &n);

    assert_int_equal(n, ROWS * LENGTH);
    t_batch_begin(&batch);
    for (size_t i = 0; i < ROWS; i++)
        t_batch_every_row(&batch, ids + i * LENGTH, LENGTH);
    free(ids);
}

static float *compute_logits(void)
{
    float *z = malloc(ROWS * LENGTH * sl_model_config(model)->V * sizeof *z);
    sl_work *work = open_work();

    T_OK(sl_model_forward(model, work, &batch.packed));
    T_OK(sl_model_logits(z, model, work, &batch.packed));
    sl_work_close(&work);
    return z;
}

static void test_logits(void **state)
{
    size_t n = 0;
    float *want = t_golden_floats("logits_f64", &n), *z = NULL;

    (void)state;
    make_rows();
    z = compute_logits();
    if (tol.is_float32)
        T_CLOSE_ALL(z, want, n, TOL_LOGITS);
    T_CLOSE(t_distance(z, want, n), 0.0, tol.logits);
    free(z);
    free(want);
}

/* The same comparison must notice the smallest mistake: eps ten times too large. */
static void test_wrong_model_turns_red(void **state)
{
    float worst = 0.0f, size = 1.0f, *z = NULL;
    size_t n = 0;
    float *want = t_golden_floats("logits_f64", &n);
    sl_model *right = model;
    sl_config config;

    (void)state;
    T_OK(sl_config_load(&config, folder));
    config.eps *= 10.0f;
    T_OK(sl_model_create(&model, &config, backend, &(sl_init){ .seed = 1 }, 0));
    T_OK(sl_model_copy(model, right));
    make_rows();
    z = compute_logits();
    for (size_t i = 0; i < n; i++) {
        worst = fmaxf(worst, fabsf(z[i] - want[i]));
        size = fmaxf(size, fabsf(want[i]));
    }
    assert_true(worst > TOL_LOGITS * size);
    sl_model_close(&model);
    model = right;
    free(z);
    free(want);
}

static void test_sft(void **state)
{
    float *logp = NULL, *coef = NULL;
    sl_work *work = NULL;
    double loss = 0.0;
    const size_t targets = ROWS * (LENGTH - 1);

    (void)state;
    make_rows();
    work = open_work();
    logp = malloc(batch.packed.N * sizeof *logp);
    coef = calloc(batch.packed.N, sizeof *coef);
    T_OK(sl_model_forward(model, work, &batch.packed));
    T_OK(sl_model_logp(logp, NULL, NULL, model, work, &batch.packed));
    for (size_t i = 0; i < batch.packed.N; i++) {
        if (i % LENGTH == LENGTH - 1)
            continue; /* the last row has no next token */
        loss -= logp[i] / (double)targets;
        coef[i] = -1.0f / (float)targets;
    }
    T_CLOSE(loss, t_golden_scalar("sft/loss"), tol.logits);
    check_gradients(work, coef, "sft");
    sl_work_close(&work);
    free(coef);
    free(logp);
}

/* A pair's answers: summed log-probabilities under policy and reference, tokens. */
typedef struct pair {
    double c[2], r[2], n[2]; /* chosen, rejected */
} pair;

static const char *const sides[2] = { "chosen", "rejected" };

/* Sequences in the order pair 0 chosen, pair 0 rejected, pair 1 chosen, ...; prompts shared, also
 * that of pairs 0 and 3. */
static void make_pairs(void)
{
    size_t n = 0;
    int32_t *prompt_len = t_golden_ids("pairs/prompt_len", &n), prompt[PAIRS];

    t_batch_begin(&batch);
    for (size_t i = 0; i < PAIRS; i++) {
        for (size_t s = 0; s < 2; s++) {
            const size_t m = (size_t)prompt_len[i];
            char name[NAME];
            int32_t *ids = NULL;

            (void)snprintf(name, sizeof name, "pairs/%s/%zu", sides[s], i);
            ids = t_golden_ids(name, &n);
            if (s == 0)
                prompt[i] = i == 3 ? prompt[0] : t_batch_prompt(&batch, ids, m);
            t_batch_answer(&batch, prompt[i], ids + m, n - m);
            free(ids);
        }
    }
    free(prompt_len);
}

static double sigmoid(double x)
{
    return 1.0 / (1.0 + exp(-x));
}

/* A loss per pair and its derivatives by the summed log-probabilities of the policy. */
typedef double loss_function(double d[2], const pair *p);

static double dpo(double d[2], const pair *p)
{
    const double x = 0.1 * ((p->c[0] - p->r[0]) - (p->c[1] - p->r[1]));

    d[0] = -0.1 * sigmoid(-x);
    d[1] = -d[0];
    return log1p(exp(-x));
}

static double cdpo(double d[2], const pair *p)
{
    const double x = 0.1 * ((p->c[0] - p->r[0]) - (p->c[1] - p->r[1])), e = 0.1;

    d[0] = -(1 - e) * 0.1 * sigmoid(-x) + e * 0.1 * sigmoid(x);
    d[1] = -d[0];
    return (1 - e) * log1p(exp(-x)) + e * log1p(exp(x));
}

static double hinge(double d[2], const pair *p)
{
    const double x = 0.1 * ((p->c[0] - p->r[0]) - (p->c[1] - p->r[1]));

    d[0] = x < 1 ? -0.1 : 0.0;
    d[1] = -d[0];
    return fmax(0.0, 1.0 - x);
}

static double ipo(double d[2], const pair *p)
{
    const double x = (p->c[0] - p->r[0]) - (p->c[1] - p->r[1]) - 5.0;

    d[0] = 2.0 * x;
    d[1] = -d[0];
    return x * x;
}

static double ipo_avg(double d[2], const pair *p)
{
    const double x = (p->c[0] - p->r[0]) / p->n[0] - (p->c[1] - p->r[1]) / p->n[1] - 5.0;

    d[0] = 2.0 * x / p->n[0];
    d[1] = -2.0 * x / p->n[1];
    return x * x;
}

static double slic(double d[2], const pair *p)
{
    const double x = 1.0 - p->c[0] + p->c[1];

    d[0] = (x > 0 ? -1.0 : 0.0) - 0.1;
    d[1] = x > 0 ? 1.0 : 0.0;
    return fmax(0.0, x) - 0.1 * p->c[0];
}

static double simpo(double d[2], const pair *p)
{
    const double m = 2.0 * (p->c[0] / p->n[0] - p->c[1] / p->n[1]) - 1.0;

    d[0] = -2.0 * sigmoid(-m) / p->n[0];
    d[1] = 2.0 * sigmoid(-m) / p->n[1];
    return log1p(exp(-m));
}

static const struct {
    const char *name;
    loss_function *loss;
} losses[] = {
    { "dpo", dpo },         { "cdpo", cdpo }, { "hinge", hinge }, { "ipo", ipo },
    { "ipo_avg", ipo_avg }, { "slic", slic }, { "simpo", simpo },
};

static void check_loss(const char *name, loss_function *loss, const pair *pairs, sl_work *work)
{
    float coef[T_ROWS];
    double sum = 0.0;
    char prefix[NAME / 2], path[NAME];

    for (size_t i = 0; i < PAIRS; i++) {
        double d[2];

        sum += loss(d, &pairs[i]) / PAIRS;
        for (size_t s = 0; s < 2; s++) {
            for (size_t k = batch.seq_first[2 * i + s]; k < batch.seq_first[2 * i + s + 1]; k++)
                coef[k] = (float)(d[s] / PAIRS);
        }
    }
    (void)snprintf(prefix, sizeof prefix, "pairs/%s", name);
    (void)snprintf(path, sizeof path, "%s/loss", prefix);
    T_CLOSE(sum / t_golden_scalar(path), 1.0, TOL_GOLDEN);
    check_gradient_norm(work, coef, prefix);
    (void)snprintf(path, sizeof path, "%s/grad", prefix);
    if (t_golden_has(path))
        check_gradients(work, coef, prefix);
}

/* Log-probabilities of all answers under m, against the goldens per answer. */
static void sum_logps(double c[PAIRS][2], double n[PAIRS][2], const sl_model *m, sl_work *work,
                      const char *golden_of)
{
    float logp[T_ROWS];

    T_OK(sl_model_forward(m, work, &batch.packed));
    T_OK(sl_model_logp(logp, NULL, NULL, m, work, &batch.packed));
    for (size_t b = 0; b < batch.packed.B; b++) {
        c[b / 2][b % 2] = 0.0;
        n[b / 2][b % 2] = batch.seq_first[b + 1] - batch.seq_first[b];
        for (size_t k = batch.seq_first[b]; k < batch.seq_first[b + 1]; k++)
            c[b / 2][b % 2] += logp[k];
    }
    for (size_t s = 0; s < 2; s++) {
        char name[NAME];
        size_t count = 0;
        float *want = NULL;

        (void)snprintf(name, sizeof name, "pairs/%s/%s", golden_of, sides[s]);
        want = t_golden_floats(name, &count);
        for (size_t i = 0; i < PAIRS; i++) {
            T_CLOSE(c[i][s] / want[i], 1.0, tol.logits);
            if (!tol.is_float32) /* else a pair at the kink of hinge or slic may change its side */
                c[i][s] = want[i];
        }
        free(want);
    }
}

static void test_pairs(void **state)
{
    pair pairs[PAIRS];
    double c[PAIRS][2], r[PAIRS][2], n[PAIRS][2];
    char path[4200];
    sl_model *reference = NULL;
    sl_work *work = NULL;

    (void)state;
    make_pairs();
    work = open_work();
    (void)snprintf(path, sizeof path, "%s/ref", folder);
    T_OK(sl_model_load(&reference, path, backend, 0));
    sum_logps(r, n, reference, work, "ref_logps");
    sum_logps(c, n, model, work, "policy_logps");
    for (size_t i = 0; i < PAIRS; i++) {
        memcpy(pairs[i].c, c[i], sizeof c[i]);
        memcpy(pairs[i].r, r[i], sizeof r[i]);
        memcpy(pairs[i].n, n[i], sizeof n[i]);
    }
    for (size_t i = 0; i < sizeof losses / sizeof losses[0]; i++)
        check_loss(losses[i].name, losses[i].loss, pairs, work);
    sl_work_close(&work);
    sl_model_close(&reference);
}

/* The padding row gets nothing from the lookup; untied, that is exactly nothing. */
static void test_padding_row(void **state)
{
    const sl_config *c = sl_model_config(model);
    const float *gradient = sl_model_gradients(model);

    (void)state;
    if (c->pad_row < 0 || c->is_tied)
        return;
    for (size_t d = 0; d < c->D; d++)
        T_CLOSE(gradient[(size_t)c->pad_row * c->D + d], 0.0, TOL_EXACT);
}

static void test_greedy(void **state)
{
    size_t n = 0;
    int32_t *prompt_ids = t_golden_ids("greedy/prompt", &n), out[GREEDY];
    const sl_prompt prompt = { prompt_ids, (uint32_t)n };
    size_t total = 0;
    int32_t *want = t_golden_ids("greedy/tokens", &total);
    float logp[GREEDY];
    sl_candidate candidate = { .token = out, .logp = logp };
    const sl_generate settings = { .law = { .temperature = 0.0f, .top_p = 1.0f },
                                   .max_new = GREEDY };
    sl_generator *generator = NULL;

    (void)state;
    T_OK(sl_generator_open(&generator, sl_model_config(model), backend, 1, prompt.count, GREEDY));
    T_OK(sl_model_sample(&candidate, generator, model, &prompt, 1, 1, &settings));
    assert_int_equal(candidate.count, GREEDY);
    assert_int_equal(candidate.stop, SL_STOP_LENGTH);
    for (size_t i = 0; i < GREEDY; i++)
        assert_int_equal(out[i], want[n + i]);
    sl_generator_close(&generator);
    free(want);
    free(prompt_ids);
}

static int open_all(void **state)
{
    char path[4200];

    (void)state;
    (void)snprintf(path, sizeof path, "%s/golden.h5", folder);
    t_golden_open(path);
    T_OK(sl_backend_open(&backend, tol.backend, 0));
    T_OK(sl_model_load(&model, folder, backend, 1));
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    sl_model_close(&model);
    t_golden_close();
    return 0;
}

/* Of the backend with that name; without a name where there is none. */
static precision precision_of(const char *name)
{
    const precision all[] = {
        { "ref", TOL_LOGITS, TOL_GOLDEN, 1 },
        { "cpu", TOL_LOGITS, TOL_GOLDEN, 1 },
        { "cpu-bf16", 4.0 * TOL_BF16, 10.0 * TOL_BF16, 0 },
    };

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (strcmp(all[i].backend, name) == 0)
            return all[i];
    return (precision){ 0 };
}

int main(int argc, char **argv)
{
    const struct CMUnitTest any[] = {
        cmocka_unit_test(test_logits),
        cmocka_unit_test(test_sft),
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_padding_row),
    };
    const struct CMUnitTest float32[] = {
        cmocka_unit_test(test_wrong_model_turns_red),
        cmocka_unit_test(test_greedy),
    };
    char name[NAME];
    const char *found = NULL;
    int failed = 0;

    if (argc != 3)
        return 2;
    tol = precision_of(argv[2]);
    if (!tol.backend)
        return 2;
    folder_name = argv[1];
    (void)snprintf(name, sizeof name, "goldens/models/%s", folder_name);
    found = t_shared(name);
    if (!found)
        return T_SKIP;
    (void)snprintf(folder, sizeof folder, "%s", found);
    failed = cmocka_run_group_tests_name(folder_name, any, open_all, close_all);
    if (tol.is_float32)
        failed += cmocka_run_group_tests_name(folder_name, float32, open_all, close_all);
    return failed != 0;
}
