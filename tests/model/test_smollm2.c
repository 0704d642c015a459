/* A real model of 134,515,008 parameters against its golden numbers. The checkpoint is not part of
 * the goldens: STAGELINE_SMOLLM2 names its folder. usage: test_smollm2 BACKEND */
#include "golden_file.h"
#include "model/sample.h"
#include "model_test.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME = 256, GREEDY = 40, TOP = 64, PAIRS = 2, SAMPLES = 16 };

/* Deviation of two right programs: 1.4e-4 of logits near 30, 3e-5 of tensor norms. */
#define TOL_LOGITS TOL_SUM(4096)

static const sl_backend *backend;
static sl_model *model;
static t_batch batch;

static char *join(char *out, const char *prefix, const char *name)
{
    (void)snprintf(out, NAME, "%s/%s", prefix, name);
    return out;
}

static sl_work *open_work(int with_backward)
{
    const sl_packed_limits limits = t_batch_limits(&batch);
    sl_work *work = NULL;

    T_OK(sl_work_open(&work, sl_model_config(model), backend, &limits, with_backward));
    T_OK(sl_model_forward(model, work, &batch.packed));
    return work;
}

/* Statistics of every position and the best logits of the last. */
static void check_rows(const char *prefix)
{
    char name[NAME];
    size_t n = 0, rest = 0;
    int32_t *ids = t_golden_ids(join(name, prefix, "ids"), &n);
    float *lse = t_golden_floats(join(name, prefix, "logsumexp"), &rest);
    float *logps = t_golden_floats(join(name, prefix, "token_logps"), &rest);
    int32_t *top_ids = t_golden_ids(join(name, prefix, "top/ids"), &rest);
    float *top_logits = t_golden_floats(join(name, prefix, "top/logits"), &rest);
    float *logp = malloc(n * sizeof *logp), *found_logp = malloc(n * TOP * sizeof *found_logp);
    int32_t *found = malloc(n * TOP * sizeof *found);
    sl_row_stats *stats = malloc(n * sizeof *stats);
    sl_topk top = { TOP, found, found_logp };
    sl_work *work = NULL;

    t_batch_begin(&batch);
    t_batch_every_row(&batch, ids, n);
    work = open_work(0);
    T_OK(sl_model_logp(logp, stats, &top, model, work, &batch.packed));
    for (size_t i = 0; i < n; i++)
        T_CLOSE(stats[i].lse, lse[i], TOL_LOGITS);
    T_CLOSE_ALL(logp, logps, n - 1, TOL_LOGITS);
    for (size_t i = 0; i < TOP; i++) {
        const size_t at = (n - 1) * TOP + i;

        T_CLOSE(found_logp[at] + stats[n - 1].lse, top_logits[i], TOL_LOGITS);
        if (i == 0)
            assert_int_equal(found[at], top_ids[i]);
    }
    sl_work_close(&work);
    free(stats);
    free(found);
    free(found_logp);
    free(logp);
    free(top_logits);
    free(top_ids);
    free(logps);
    free(lse);
    free(ids);
}

/* Tokens up to the first gap between the two best that rounding could close. */
static void check_greedy(const char *prefix)
{
    char name[NAME];
    size_t n = 0, count = 0;
    int32_t *ids = t_golden_ids(join(name, prefix, "ids"), &n);
    int32_t *want = t_golden_ids(join(name, prefix, "greedy/tokens"), &count);
    float *gap = t_golden_floats(join(name, prefix, "greedy/logit_gap"), &count);
    int32_t out[GREEDY];
    float logp[GREEDY];
    const sl_prompt prompt = { ids, (uint32_t)n };
    sl_candidate c = { .token = out, .logp = logp };
    const sl_generate settings = { .law = { .temperature = 0.0f, .top_p = 1.0f },
                                   .max_new = GREEDY };
    sl_generator *g = NULL;

    assert_int_equal(count, GREEDY);
    T_OK(sl_generator_open(&g, sl_model_config(model), backend, 1, prompt.count, GREEDY));
    T_OK(sl_model_sample(&c, g, model, &prompt, 1, 1, &settings));
    for (size_t i = 0; i < GREEDY && gap[i] > 1e-3f; i++)
        assert_int_equal(out[i], want[i]);
    sl_generator_close(&g);
    free(gap);
    free(want);
    free(ids);
}

static void test_prompts(void **state)
{
    static const char *const prompts[] = { "prompts/capital/plain", "prompts/capital/chat",
                                           "prompts/journal/chat", "prompts/languages/chat" };

    (void)state;
    for (size_t i = 0; i < sizeof prompts / sizeof prompts[0]; i++) {
        check_rows(prompts[i]);
        check_greedy(prompts[i]);
    }
}

/* Policy = reference: the loss is log 2, coefficients are -+ 0.1 / 2 a sequence. */
static void make_pairs(float *coef)
{
    char name[NAME];

    t_batch_begin(&batch);
    for (size_t i = 0; i < PAIRS; i++) {
        size_t n = 0;
        int32_t prompt = 0, *ids = NULL;

        (void)snprintf(name, sizeof name, "dpo/prompt/%zu", i);
        ids = t_golden_ids(name, &n);
        prompt = t_batch_prompt(&batch, ids, n);
        free(ids);
        for (size_t s = 0; s < 2; s++) {
            const size_t first = batch.packed.N;

            (void)snprintf(name, sizeof name, "dpo/%s/%zu", s ? "rejected" : "chosen", i);
            ids = t_golden_ids(name, &n);
            t_batch_answer(&batch, prompt, ids, n);
            free(ids);
            for (size_t k = first; k < batch.packed.N; k++)
                coef[k] = (s ? 0.05f : -0.05f) / PAIRS;
        }
    }
}

static void check_token_logps(const float *logp)
{
    for (size_t b = 0; b < batch.packed.B; b++) {
        char name[NAME];
        size_t n = 0;
        float *want = NULL;

        (void)snprintf(name, sizeof name, "dpo/token_logps/%s/%zu", b % 2 ? "rejected" : "chosen",
                       b / 2);
        want = t_golden_floats(name, &n);
        assert_int_equal(n, batch.seq_first[b + 1] - batch.seq_first[b]);
        T_CLOSE_ALL(logp + batch.seq_first[b], want, n, TOL_LOGITS);
        free(want);
    }
}

/* Norms by tensor; the goldens' order is that of the checkpoint's modules, as is the table's, but
 * for what the table keeps together: compare sorted. */
static int ascending(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;

    return x < y ? -1 : x > y;
}

static void check_norms(const float *gradients)
{
    const sl_tensors *table = sl_model_tensors(model);
    size_t n = 0;
    float *want = t_golden_floats("dpo/tensor_grad_norm", &n);
    float *found = malloc(n * sizeof *found);

    assert_int_equal(n, table->count);
    for (size_t i = 0; i < n; i++) {
        const float *g = gradients + table->row[i].offset;

        found[i] = (float)sqrt(t_dot(g, g, table->row[i].rows * table->row[i].cols));
    }
    qsort(found, n, sizeof *found, ascending);
    qsort(want, n, sizeof *want, ascending);
    for (size_t i = 0; i < n; i++)
        T_CLOSE(found[i] / want[i], 1.0, TOL_GOLDEN);
    free(found);
    free(want);
}

static void test_dpo(void **state)
{
    static const size_t rows[] = { 0, 1, 2, 198 };
    float coef[T_ROWS], logp[T_ROWS];
    const float *gradients = sl_model_gradients(model);
    const size_t floats = sl_model_tensors(model)->floats, D = sl_model_config(model)->D;
    size_t n = 0;
    float *want = t_golden_floats("dpo/embedding_row_grad_norm", &n);
    sl_work *work = NULL;

    (void)state;
    make_pairs(coef);
    work = open_work(1);
    T_OK(sl_model_logp(logp, NULL, NULL, model, work, &batch.packed));
    check_token_logps(logp);
    T_OK(sl_model_backward(model, work, &batch.packed, coef));
    T_CLOSE(sqrt(t_dot(gradients, gradients, floats)) / t_golden_scalar("dpo/grad_norm"), 1.0,
            TOL_GOLDEN);
    check_norms(gradients);
    assert_int_equal(n, sizeof rows / sizeof rows[0]);
    for (size_t i = 0; i < n; i++) {
        const float *g = gradients + rows[i] * D; /* the embedding stands first */

        T_CLOSE(sqrt(t_dot(g, g, D)), want[i], TOL_GOLDEN * fmax(1e-3, want[i]));
    }
    sl_work_close(&work);
    free(want);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prompts),
        cmocka_unit_test(test_dpo),
    };
    const char *folder = getenv("STAGELINE_SMOLLM2"), *path = t_shared("goldens/smollm2.h5");
    int red = 0;

    if (!folder || !path)
        return T_SKIP;
    t_golden_open(path);
    T_OK(sl_backend_open(&backend, argc == 2 ? argv[1] : "cpu", 0));
    T_OK(sl_model_load(&model, folder, backend, 1));
    red = cmocka_run_group_tests(tests, NULL, NULL);
    sl_model_close(&model);
    t_golden_close();
    return red;
}
