/* Properties of the whole model, for every axis: packed with shared prompts = one sequence at a
 * time; the future does not change the past; backward is the derivative; nothing is allocated.
 * usage: test_packed BACKEND */
#include "base/alloc.h"
#include "model_test.h"
#include <stdlib.h>
#include <string.h>

enum { PROMPTS = 3, EACH = 2, PROMPT_MAX = 11, ANSWER_MAX = 9 };

static const sl_backend *backend;
static t_batch packed, single;

typedef struct sequence {
    int32_t token[PROMPT_MAX + ANSWER_MAX];
    size_t prompt, count; /* of the prompt, of both */
} sequence;

static sl_model *make_model(const char *json, int is_trainable)
{
    const sl_init init = { .seed = 3 };
    sl_config c = t_config(json);
    sl_model *m = NULL;
    float *p = NULL;

    T_OK(sl_model_create(&m, &c, backend, &init, is_trainable));
    p = sl_model_parameters(m);
    /* biases and norm weights as random as the rest, so that each of them matters */
    for (size_t i = 0; i < sl_model_tensors(m)->count; i++) {
        const sl_tensor *t = &sl_model_tensors(m)->row[i];
        sl_rng rng = sl_rng_at(11, i, 0);

        for (size_t j = 0; t->rank == 1 && j < t->cols; j++)
            p[t->offset + j] += 0.2f * (float)sl_rng_normal(&rng);
    }
    return m;
}

/* PROMPTS prompts with EACH answers; lengths from one token up. */
static void make_sequences(sequence *s, size_t V)
{
    int32_t prompt[PROMPT_MAX];

    for (size_t i = 0; i < PROMPTS * EACH; i++) {
        const size_t p = i / EACH, n = p == 0 ? 1 : 5 * p + 1, m = i == 3 ? 1 : 4 + i;

        if (i % EACH == 0)
            t_tokens(prompt, n, V, 100 + p);
        memcpy(s[i].token, prompt, n * sizeof *prompt);
        t_tokens(s[i].token + n, m, V, 200 + i);
        s[i].prompt = n;
        s[i].count = n + m;
    }
}

static void pack(const sequence *s)
{
    int32_t prompt = 0;

    t_batch_begin(&packed);
    for (size_t i = 0; i < PROMPTS * EACH; i++) {
        if (i % EACH == 0)
            prompt = t_batch_prompt(&packed, s[i].token, s[i].prompt);
        t_batch_answer(&packed, prompt, s[i].token + s[i].prompt, s[i].count - s[i].prompt);
    }
}

static void run(float *logp, sl_model *m, const t_batch *b, const float *coef)
{
    const sl_packed_limits limits = t_batch_limits(b);
    sl_work *work = NULL;

    T_OK(sl_work_open(&work, sl_model_config(m), backend, &limits, coef != NULL));
    T_OK(sl_model_forward(m, work, &b->packed));
    T_OK(sl_model_logp(logp, NULL, NULL, m, work, &b->packed));
    if (coef)
        T_OK(sl_model_backward(m, work, &b->packed, coef));
    sl_work_close(&work);
}

/* Coefficient of a sequence's targets; one of them 0. */
static void fill_coef(float *coef, const t_batch *b, size_t first_sequence)
{
    for (size_t q = 0; q < b->packed.B; q++) {
        for (size_t n = b->seq_first[q]; n < b->seq_first[q + 1]; n++)
            coef[n] = 0.5f * (float)(first_sequence + q) - 1.0f;
    }
}

static void check_packed(const char *json)
{
    sequence s[PROMPTS * EACH];
    float logp[T_ROWS], alone[T_ROWS], coef[T_ROWS];
    sl_model *m = make_model(json, 1);
    const size_t floats = sl_model_tensors(m)->floats;
    float *gradients = sl_model_gradients(m), *kept = malloc(floats * sizeof *kept);
    size_t n = 0;

    make_sequences(s, sl_model_config(m)->V);
    pack(s);
    fill_coef(coef, &packed, 0);
    run(logp, m, &packed, coef);
    memcpy(kept, gradients, floats * sizeof *kept);
    memset(gradients, 0, floats * sizeof *gradients);
    for (size_t i = 0; i < PROMPTS * EACH; i++) {
        t_batch_begin(&single);
        t_batch_sequence(&single, s[i].token, s[i].count, s[i].prompt);
        fill_coef(coef, &single, i);
        run(alone + n, m, &single, coef);
        n += single.packed.N;
    }
    assert_int_equal(n, packed.packed.N);
    T_CLOSE_ALL(logp, alone, n, TOL_SUM(64));
    for (size_t i = 0; i < sl_model_tensors(m)->count; i++) {
        const sl_tensor *t = &sl_model_tensors(m)->row[i];

        T_CLOSE(t_distance(kept + t->offset, gradients + t->offset, t->rows * t->cols), 0.0,
                TOL_SUM(512));
    }
    free(kept);
    sl_model_close(&m);
}

static void test_packed_equals_one_at_a_time(void **state)
{
    (void)state;
    for (const t_family *f = t_families; f->name; f++)
        check_packed(f->json);
}

/* Another token in row t changes the logits of rows t.. and of no row before, bit for bit. */
static void test_the_future_is_unseen(void **state)
{
    enum { COUNT = 17, AT = 9 };

    (void)state;
    for (const t_family *f = t_families; f->name; f++) {
        int32_t token[COUNT];
        float logp[COUNT], other[COUNT];
        sl_model *m = make_model(f->json, 0);

        t_tokens(token, COUNT, sl_model_config(m)->V, 1);
        t_batch_begin(&single);
        t_batch_every_row(&single, token, COUNT);
        run(logp, m, &single, NULL);
        single.token[AT] = (single.token[AT] + 1) % (int32_t)sl_model_config(m)->V;
        run(other, m, &single, NULL);
        T_CLOSE_ALL(other, logp, AT, TOL_EXACT);
        assert_true(other[AT] != logp[AT]);
        sl_model_close(&m);
    }
}

/* sum coef*logp with the parameters moved by h along v. */
static double probe(sl_model *m, const float *kept, const float *v, const float *coef, double h)
{
    const size_t floats = sl_model_tensors(m)->floats;
    float *p = sl_model_parameters(m), logp[T_ROWS];

    for (size_t i = 0; i < floats; i++)
        p[i] = kept[i] + (float)h * v[i];
    run(logp, m, &packed, NULL);
    return t_dot(logp, coef, packed.packed.N);
}

static void check_derivative(const char *json)
{
    const double h = 1e-3;
    sequence s[PROMPTS * EACH];
    float coef[T_ROWS], logp[T_ROWS];
    sl_model *m = make_model(json, 1);
    const sl_config *c = sl_model_config(m);
    const size_t floats = sl_model_tensors(m)->floats;
    float *v = malloc(floats * sizeof *v), *kept = malloc(floats * sizeof *kept);
    double slope = 0.0, near = 0.0, far = 0.0;

    make_sequences(s, c->V);
    pack(s);
    t_fill(coef, packed.packed.N, 1.0f, 5);
    t_fill(v, floats, 1.0f, 6);
    if (c->pad_row >= 0) /* the lookup gives that row no gradient */
        memset(v + (size_t)c->pad_row * c->D, 0, c->D * sizeof *v);
    memcpy(kept, sl_model_parameters(m), floats * sizeof *kept);
    run(logp, m, &packed, coef);
    slope = t_dot(sl_model_gradients(m), v, floats);
    near = (probe(m, kept, v, coef, h) - probe(m, kept, v, coef, -h)) / (2 * h);
    far = (probe(m, kept, v, coef, 2 * h) - probe(m, kept, v, coef, -2 * h)) / (4 * h);
    T_CLOSE(slope / ((4.0 * near - far) / 3.0), 1.0, TOL_FD); /* Richardson: error h^4 */
    free(kept);
    free(v);
    sl_model_close(&m);
}

static void test_backward_is_the_derivative(void **state)
{
    (void)state;
    for (const t_family *f = t_families; f->name; f++)
        check_derivative(f->json);
}

/* Backward a second time with other coefficients: the kept activations must not have moved. */
static void test_backward_twice(void **state)
{
    (void)state;
    for (const t_family *f = t_families; f->name; f++) {
        sequence s[PROMPTS * EACH];
        float coef[T_ROWS], logp[T_ROWS];
        sl_model *m = make_model(f->json, 1);
        const size_t bytes = sl_model_tensors(m)->floats * sizeof(float);
        float *other = calloc(1, bytes);
        sl_packed_limits limits;
        sl_work *work = NULL;

        make_sequences(s, sl_model_config(m)->V);
        pack(s);
        limits = t_batch_limits(&packed);
        fill_coef(coef, &packed, 0);
        T_OK(sl_work_open(&work, sl_model_config(m), backend, &limits, 1));
        T_OK(sl_model_forward(m, work, &packed.packed));
        T_OK(sl_model_logp(logp, NULL, NULL, m, work, &packed.packed));
        T_OK(sl_model_backward(m, work, &packed.packed, coef));
        sl_model_gradients_into(m, other);
        T_OK(sl_model_backward(m, work, &packed.packed, coef));
        sl_model_gradients_into(m, NULL);
        assert_memory_equal(other, sl_model_gradients(m), bytes);
        sl_work_close(&work);
        sl_model_close(&m);
        free(other);
    }
}

static void test_a_step_allocates_nothing(void **state)
{
    (void)state;
    for (const t_family *f = t_families; f->name; f++) {
        sequence s[PROMPTS * EACH];
        float coef[T_ROWS], logp[T_ROWS];
        sl_row_stats stats[T_ROWS];
        sl_model *m = make_model(f->json, 1);
        sl_packed_limits limits;
        sl_work *work = NULL;
        size_t before = 0;

        make_sequences(s, sl_model_config(m)->V);
        pack(s);
        limits = t_batch_limits(&packed);
        fill_coef(coef, &packed, 0);
        T_OK(sl_work_open(&work, sl_model_config(m), backend, &limits, 1));
        before = sl_alloc_count();
        T_OK(sl_model_forward(m, work, &packed.packed));
        T_OK(sl_model_logp(logp, stats, NULL, m, work, &packed.packed));
        T_OK(sl_model_backward(m, work, &packed.packed, coef));
        assert_int_equal(sl_alloc_count(), before);
        sl_work_close(&work);
        sl_model_close(&m);
    }
}

/* Statistics, top-k and logp of one row are of the same logits. */
static void test_statistics_agree_with_logits(void **state)
{
    enum { COUNT = 13, K = 5 };
    int32_t token[COUNT], id[COUNT * K];
    float logp[COUNT], top_logp[COUNT * K], *z = NULL;
    sl_row_stats stats[COUNT];
    sl_topk top = { K, id, top_logp };
    sl_model *m = make_model(t_families[0].json, 0);
    const size_t V = sl_model_config(m)->V;
    sl_packed_limits limits;
    sl_work *work = NULL;

    (void)state;
    t_tokens(token, COUNT, V, 1);
    t_batch_begin(&single);
    t_batch_every_row(&single, token, COUNT);
    limits = t_batch_limits(&single);
    z = malloc(COUNT * V * sizeof *z);
    T_OK(sl_work_open(&work, sl_model_config(m), backend, &limits, 0));
    T_OK(sl_model_forward(m, work, &single.packed));
    T_OK(sl_model_logp(logp, stats, &top, m, work, &single.packed));
    T_OK(sl_model_logits(z, m, work, &single.packed));
    for (size_t n = 0; n < COUNT; n++) {
        double sum = 0.0, entropy = 0.0;

        for (size_t v = 0; v < V; v++)
            sum += exp((double)z[n * V + v]);
        for (size_t v = 0; v < V; v++)
            entropy -= exp(z[n * V + v]) / sum * (z[n * V + v] - log(sum));
        T_CLOSE(stats[n].lse, log(sum), TOL_SUM(V));
        T_CLOSE(stats[n].entropy, entropy, TOL_SUM(V));
        T_CLOSE(logp[n], z[n * V + (size_t)single.target[n].token] - log(sum), TOL_SUM(V));
        T_CLOSE(top_logp[n * K], stats[n].max_logit - log(sum), TOL_SUM(V));
    }
    sl_work_close(&work);
    sl_model_close(&m);
    free(z);
}

static void test_batches_are_checked(void **state)
{
    int32_t token[4] = { 1, 2, 3, 4 };
    sl_model *m = make_model(t_families[0].json, 0);
    sl_packed_limits limits;
    sl_work *work = NULL;

    (void)state;
    t_batch_begin(&single);
    t_batch_sequence(&single, token, 4, 1);
    limits = t_batch_limits(&single);
    T_OK(sl_work_open(&work, sl_model_config(m), backend, &limits, 0));
    single.token[2] = 61;
    T_FAILS(sl_model_forward(m, work, &single.packed), SL_ESHAPE, "vocab_size 61, found 61");
    single.token[2] = 3;
    single.position[3] = 4;
    T_FAILS(sl_model_forward(m, work, &single.packed), SL_ESHAPE, "positions below 4");
    single.position[3] = 3;
    single.segment[0].count = 3;
    T_FAILS(sl_model_forward(m, work, &single.packed), SL_ESHAPE, "together 4 rows");
    single.segment[0].count = 4;
    single.packed.T = 5;
    T_FAILS(sl_model_forward(m, work, &single.packed), SL_ESHAPE, "1..4 rows");
    sl_work_close(&work);
    sl_model_close(&m);
}

static int open_backend(void **state)
{
    T_OK(sl_backend_open(&backend, *state, 0));
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_packed_equals_one_at_a_time),
        cmocka_unit_test(test_the_future_is_unseen),
        cmocka_unit_test(test_backward_is_the_derivative),
        cmocka_unit_test(test_backward_twice),
        cmocka_unit_test(test_a_step_allocates_nothing),
        cmocka_unit_test(test_statistics_agree_with_logits),
        cmocka_unit_test(test_batches_are_checked),
    };
    void *name = argc == 2 ? argv[1] : "ref";

    return open_backend(&name) || cmocka_run_group_tests(tests, NULL, NULL);
}
