/* Reward models, for every axis: the score is the logit that a language model with the same row in
 * its head gives at the last token; its gradient is its slope; the form of the files.
 * usage: test_reward BACKEND */
#include "base/json.h"
#include "model/reward.h"
#include "model_test.h"
#include <stdio.h>
#include <string.h>

enum { ANSWERS = 4, V = 61, WORD = 7 };

static const sl_backend *backend;
static t_batch batch;

/* Two prompts with two answers each, of 1 to 6 tokens. */
static void make_batch(void)
{
    int32_t token[16];

    t_batch_begin(&batch);
    for (size_t i = 0; i < ANSWERS; i += 2) {
        int32_t prompt;

        t_tokens(token, 3 + i, V, 10 + i);
        prompt = t_batch_prompt(&batch, token, 3 + i);
        for (size_t k = 0; k < 2; k++) {
            const size_t n = i + k == 2 ? 1 : 4 + i / 2 + k;

            t_tokens(token, n, V, 20 + i + k);
            t_batch_answer(&batch, prompt, token, n);
        }
    }
}

static sl_model *make_policy(const char *json)
{
    const sl_init init = { .seed = 3 };
    sl_config c = t_config(json);
    sl_model *m = NULL;

    T_OK(sl_model_create(&m, &c, backend, &init, 0));
    return m;
}

static float *head_of(sl_model *m)
{
    const sl_tensors *table = sl_model_tensors(m);
    const sl_tensor *t = &table->row[table->count - 1];

    assert_string_equal(t->name, "score.weight");
    assert_int_equal(t->rows, 1);
    return sl_model_parameters(m) + t->offset;
}

static void rewards(float *out, sl_model *m, const float *coef)
{
    const sl_packed_limits limits = t_batch_limits(&batch);
    sl_work *work = NULL;

    T_OK(sl_work_open(&work, sl_model_config(m), backend, &limits, coef != NULL));
    T_OK(sl_model_forward(m, work, &batch.packed));
    T_OK(sl_model_rewards(out, m, work, &batch.packed));
    if (coef)
        T_OK(sl_model_rewards_backward(m, work, &batch.packed, coef));
    sl_work_close(&work);
}

/* Row WORD of the policy's head: of the embedding where they are tied. */
static void copy_row(float *to, const sl_model *policy)
{
    const sl_tensors *table = sl_model_tensors(policy);
    const sl_config *c = sl_model_config(policy);
    const sl_tensor *t = &table->row[0];

    for (size_t i = 0; i < table->count && !c->is_tied; i++)
        if (table->row[i].rank == 2 && table->row[i].group == c->L + 2)
            t = &table->row[i];
    memcpy(to, sl_model_parameters_const(policy) + t->offset + WORD * c->D, c->D * sizeof *to);
}

/* Logits of WORD at the last tokens, through targets put there. */
static void last_logits(float *out, const sl_model *policy)
{
    const sl_packed_limits limits = t_batch_limits(&batch);
    static float z[ANSWERS * V];
    sl_target target[ANSWERS];
    sl_packed at = batch.packed;
    sl_work *work = NULL;

    for (size_t s = 0, i = 0; s < at.S; s++)
        if (at.segment[s].parent >= 0) {
            target[i] =
                (sl_target){ at.segment[s].first + at.segment[s].count - 1, 0, (uint32_t)i };
            i++;
        }
    at.target = target;
    at.N = ANSWERS;
    T_OK(sl_work_open(&work, sl_model_config(policy), backend, &limits, 0));
    T_OK(sl_model_forward(policy, work, &at));
    T_OK(sl_model_logits(z, policy, work, &at));
    for (size_t i = 0; i < ANSWERS; i++)
        out[i] = z[i * V + WORD];
    sl_work_close(&work);
}

static void test_the_score_is_a_logit_of_the_last_token(void **state)
{
    (void)state;
    make_batch();
    for (const t_family *f = t_families; f->name; f++) {
        sl_model *policy = make_policy(f->json), *scorer = NULL;
        float got[ANSWERS], want[ANSWERS];

        T_OK(sl_model_scorer_of(&scorer, policy, 1, 0));
        copy_row(head_of(scorer), policy);
        rewards(got, scorer, NULL);
        last_logits(want, policy); /* a head's bias is 0 at the start */
        T_CLOSE_ALL(got, want, ANSWERS, TOL_SUM(24));
        sl_model_close(&scorer);
        sl_model_close(&policy);
    }
}

static double probe(sl_model *m, const float *at, const float *way, double h, const float *coef)
{
    const size_t n = sl_model_tensors(m)->floats;
    float *p = sl_model_parameters(m), r[ANSWERS];

    for (size_t i = 0; i < n; i++)
        p[i] = at[i] + (float)h * way[i];
    rewards(r, m, NULL);
    return t_dot(r, coef, ANSWERS);
}

static void test_backward_is_the_derivative(void **state)
{
    static const float coef[ANSWERS] = { 0.7f, -1.3f, 0.4f, 0.9f };
    static float at[1 << 15], way[1 << 15];
    const double h = 1e-3;

    (void)state;
    make_batch();
    for (const t_family *f = t_families; f->name; f++) {
        sl_model *policy = make_policy(f->json), *m = NULL;
        float r[ANSWERS];
        double slope;
        size_t n;

        T_OK(sl_model_scorer_of(&m, policy, 1, 1));
        n = sl_model_tensors(m)->floats;
        assert_true(n <= 1 << 15);
        memcpy(at, sl_model_parameters(m), n * sizeof *at);
        t_fill(way, n, 0.3f, 77);
        if (sl_model_config(m)->pad_row >= 0) /* that row has no gradient */
            memset(way + (size_t)sl_model_config(m)->pad_row * sl_model_config(m)->D, 0,
                   sl_model_config(m)->D * sizeof *way);
        rewards(r, m, coef);
        slope = (probe(m, at, way, h, coef) - probe(m, at, way, -h, coef)) / (2.0 * h);
        T_CLOSE(t_dot(sl_model_gradients(m), way, n), slope, TOL_FD);
        sl_model_close(&m);
        sl_model_close(&policy);
    }
}

/* What transformers wants to read: architectures, one label, score.weight, no head of words. */
static void test_files(void **state)
{
    const char *folder = t_scratch();

    (void)state;
    make_batch();
    for (const t_family *f = t_families; f->name; f++) {
        sl_model *policy = make_policy(f->json), *m = NULL, *back = NULL;
        float got[ANSWERS], want[ANSWERS];
        char path[1024];
        sl_json *tree = NULL;

        T_OK(sl_model_scorer_of(&m, policy, 1, 0));
        rewards(want, m, NULL);
        T_OK(sl_model_save(m, folder, 1));
        T_OK(sl_model_load(&back, folder, backend, 0));
        assert_true(sl_model_config(back)->is_scorer);
        rewards(got, back, NULL);
        assert_memory_equal(got, want, sizeof want);
        snprintf(path, sizeof path, "%s/config.json", folder);
        T_OK(sl_json_load(&tree, path, 1 << 20));
        assert_non_null(
            strstr(json_string_value(json_array_get(json_object_get(tree, "architectures"), 0)),
                   "ForSequenceClassification"));
        assert_int_equal(json_object_size(json_object_get(tree, "id2label")), 1);
        sl_json_close(&tree);
        sl_model_close(&back);
        sl_model_close(&m);
        sl_model_close(&policy);
    }
    t_scratch_remove();
}

static void test_refusals(void **state)
{
    static const char *const two[] = {
        "{\"model_type\":\"llama\",\"architectures\":[\"LlamaForSequenceClassification\"]}",
        "{\"model_type\":\"llama\",\"architectures\":[\"LlamaForSequenceClassification\"],"
        "\"num_labels\":3}",
    };
    const sl_packed_limits limits = t_batch_limits(&batch);
    sl_model *policy = make_policy(t_families[0].json), *m = NULL;
    sl_work *work = NULL;
    float r[T_ROWS];

    (void)state;
    for (size_t i = 0; i < sizeof two / sizeof two[0]; i++) {
        sl_json *tree = NULL;
        sl_config c;

        T_OK(sl_json_parse(&tree, two[i], strlen(two[i]), "test"));
        T_FAILS(sl_config_parse(&c, tree, "test"), SL_EUNSUPPORTED, "want a reward model with 1");
    }
    T_OK(sl_model_scorer_of(&m, policy, 1, 0));
    T_OK(sl_work_open(&work, sl_model_config(m), backend, &limits, 0));
    T_OK(sl_model_forward(m, work, &batch.packed));
    T_FAILS(sl_model_logp(r, NULL, NULL, m, work, &batch.packed), SL_EUNSUPPORTED,
            "want a language model");
    T_OK(sl_model_forward(policy, work, &batch.packed));
    T_FAILS(sl_model_rewards(r, policy, work, &batch.packed), SL_EARG, "want a reward model");
    sl_work_close(&work);
    sl_model_close(&m);
    sl_model_close(&policy);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_score_is_a_logit_of_the_last_token),
        cmocka_unit_test(test_backward_is_the_derivative),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_refusals),
    };

    T_OK(sl_backend_open(&backend, argc > 1 ? argv[1] : "ref", 1));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
