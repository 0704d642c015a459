/* Gradients of pairs against passes of their own: they add up to the gradient of the update, norms,
 * cosines and sketches are those of the vectors, noise is the covariance of shards; and taking them
 * allocates nothing. */
#include "base/alloc.h"
#include "base/noise.h"
#include "run/run.h"
#include "train/train_test.h"
#include <string.h>

enum { FLOATS = 1 << 15, PAIRS = 16, MICRO = 4, GROUPS = 8, M = 256 };

/* Of the first update: of every pair and side by one more pass of the packed micro-batch. */
static float by_pass[PAIRS][2][FLOATS];
static float whole[FLOATS], sum[FLOATS], mean[FLOATS];

static const char *const dpo[] = { "train.micro_batch=4", "record.level=3", "record.sketch=256",
                                   NULL };
static const char *const all_at_once[] = { "record.level=3", "record.sketch=256", NULL };
static const char *const target[] = { "record.level=3", "record.sketch=256",
                                      "method.loss=slic-hf-target", "method.lambda=0.5", NULL };
static const char *const sft[] = { "record.level=3", "record.sketch=256", "method.name=sft",
                                   "policy.source=static", NULL };
static const char *const reward[] = { "record.level=3", "record.sketch=256", "method.name=reward",
                                      "policy.source=static", NULL };
static const char *const *const settings[] = { dpo, all_at_once, target, sft, reward };
#define SETTINGS (sizeof settings / sizeof settings[0])

/* Coefficients of one side of one pair of the micro-batch; what SFT imitates counts as chosen. */
static void pick(sl_update *u, size_t pair, size_t side)
{
    const sl_packed *b = &u->packer.packed;

    for (size_t s = 0; s < b->B; s++) {
        const int is_in = s / u->sides == pair && (s % u->sides == 1) == (side == 1);
        const uint32_t first = u->is_reward ? (uint32_t)s : b->seq_first[s];
        const uint32_t end = u->is_reward ? (uint32_t)s + 1 : b->seq_first[s + 1];

        for (uint32_t n = first; n < end; n++)
            u->split_coef[n] = is_in ? u->coef[n] * (float)u->P : 0.0f;
    }
}

static void pass_of_each(sl_session *s)
{
    sl_update *u = &s->update;

    for (size_t i = 0; i < u->count; i++)
        for (size_t side = 0; side < 2; side++) {
            float *into = by_pass[u->first + i][side];

            memset(into, 0, tr_floats(s) * sizeof *into);
            if (side == 1 && u->sides == 1)
                continue;
            pick(u, i, side);
            sl_model_gradients_into(s->policy, into);
            T_OK(sl_update_backward(u, s->policy, s->work, u->split_coef));
            sl_model_gradients_into(s->policy, NULL);
        }
}

/* The first update up to the optimizer, its gradient in `whole`. */
static void begin(sl_session *s, const char *device, const char *const *set)
{
    sl_update *u = &s->update;
    const sl_fed *fed;
    size_t count;
    int more;

    tr_open(s, device, set);
    assert_true(tr_floats(s) <= FLOATS);
    T_OK(sl_feed_next(&fed, &count, &s->feed, 0, 0));
    assert_int_equal(count, PAIRS);
    tr_walk_off(s);
    sl_update_begin(u, fed, count);
    sl_gradsplit_begin(&s->split, s->loss != NULL, 1);
    for (T_OK(sl_update_pack(u, &more)); more; T_OK(sl_update_pack(u, &more))) {
        T_OK(sl_model_forward(s->policy, s->work, &u->packer.packed));
        T_OK(sl_update_logp(u, s->policy, s->work));
        T_OK(sl_update_coef(u, s->loss));
        T_OK(sl_gradsplit_backward(&s->split, u, s->work));
        pass_of_each(s);
    }
    sl_update_end(u);
    sl_gradsplit_end(&s->split, u);
    memcpy(whole, sl_model_gradients(s->policy), tr_floats(s) * sizeof *whole);
    sl_pairgrad_begin(&s->pairgrad, u, &s->split);
}

static void add(float *to, const float *x, size_t n, float factor)
{
    for (size_t i = 0; i < n; i++)
        to[i] += factor * x[i];
}

/* sum = the gradient of pair i, by its own passes. */
static void pair_by_pass(const sl_session *s, size_t i)
{
    memcpy(sum, by_pass[i][0], tr_floats(s) * sizeof *sum);
    add(sum, by_pass[i][1], tr_floats(s), 1.0f);
}

static double norm(const float *x, size_t n)
{
    return sqrt(t_dot(x, x, n));
}

static double cosine(const float *x, const float *y, size_t n)
{
    return t_dot(x, y, n) / (norm(x, n) * norm(y, n));
}

static void test_pairs_add_up_to_the_update(void **state)
{
    (void)state;
    for (size_t k = 0; k < SETTINGS; k++) {
        sl_session s;

        begin(&s, k % 2 ? "cpu" : "ref", settings[k]);
        memset(mean, 0, sizeof mean);
        for (size_t i = 0; i < PAIRS; i++) {
            T_OK(sl_pairgrad_pair(&s.pairgrad, &s.update, i, s.work));
            add(mean, s.pairgrad.sum, tr_floats(&s), 1.0f / PAIRS);
        }
        if (tr_distance(mean, whole, tr_floats(&s)) > 1e-5)
            fail_msg("setting %zu: want the gradient of the update, found it %g away", k,
                     tr_distance(mean, whole, tr_floats(&s)));
        sl_session_close(&s);
    }
}

/* mean = the sum of the pairs of one source over the number of all. */
static void source_by_pass(const sl_session *s, sl_source source)
{
    memset(mean, 0, sizeof mean);
    for (size_t i = 0; i < PAIRS; i++)
        if (s->update.fed[i].pair.source == source) {
            pair_by_pass(s, i);
            add(mean, sum, tr_floats(s), 1.0f / PAIRS);
        }
}

static void check_groups(const sl_session *s, const float *pair)
{
    const sl_tensors *table = sl_model_tensors(s->policy);
    double want[GROUPS], dots[GROUPS], square[GROUPS];

    assert_true(table->group_count <= GROUPS);
    sl_group_norms(want, s->policy, pair);
    sl_group_norms(square, s->policy, whole);
    sl_group_dots(dots, s->policy, pair, whole);
    for (size_t g = 0; g < table->group_count; g++) {
        T_CLOSE(s->pairgrad.group_norm[g], want[g], 1e-5);
        T_CLOSE(s->pairgrad.group_cos[g], dots[g] / (want[g] * square[g]), 1e-5);
    }
}

static void test_norms_are_those_of_a_pass_of_its_own(void **state)
{
    (void)state;
    for (size_t k = 0; k < SETTINGS; k++) {
        sl_session s;
        size_t n;

        begin(&s, "cpu", settings[k]);
        n = tr_floats(&s);
        for (size_t i = 0; i < PAIRS; i++) {
            const sl_row_pair_grad *r = &s.pairgrad.row;

            T_OK(sl_pairgrad_pair(&s.pairgrad, &s.update, i, s.work));
            assert_true(r->pair_id == s.update.fed[i].pair.id);
            T_CLOSE(r->norm_c, norm(by_pass[i][0], n), 1e-5);
            T_CLOSE(r->norm_r, s.update.sides > 1 ? norm(by_pass[i][1], n) : NAN, 1e-5);
            pair_by_pass(&s, i);
            T_CLOSE(r->norm, norm(sum, n), 1e-5);
            T_CLOSE(r->cos_batch, cosine(sum, whole, n), 1e-5);
            check_groups(&s, sum);
        }
        sl_session_close(&s);
    }
}

static void test_sources(void **state)
{
    sl_session s;
    size_t n;

    (void)state;
    begin(&s, "ref", dpo);
    n = tr_floats(&s);
    assert_true(s.update.means.pairs_on > 0 && s.update.means.pairs_on < PAIRS);
    for (int source = SL_SOURCE_STATIC; source <= SL_SOURCE_ON_POLICY; source++) {
        const sl_gradsplit_row *r = &s.split.row[0];

        source_by_pass(&s, (sl_source)source);
        T_CLOSE(source == SL_SOURCE_STATIC ? r->norm_static : r->norm_on, norm(mean, n), 1e-4);
        for (size_t i = 0; i < PAIRS; i++) {
            T_OK(sl_pairgrad_pair(&s.pairgrad, &s.update, i, s.work));
            pair_by_pass(&s, i);
            T_CLOSE(source == SL_SOURCE_STATIC ? s.pairgrad.row.cos_static : s.pairgrad.row.cos_on,
                    cosine(sum, mean, n), 1e-4);
        }
    }
    sl_session_close(&s);
}

/* An update of one source: its mean gradient is the whole, the other's is undefined. */
static void test_one_source(void **state)
{
    static const char *const fresh[] = { "record.level=3", "policy.source=on-policy", NULL };
    sl_session s;

    (void)state;
    begin(&s, "cpu", fresh);
    T_OK(sl_pairgrad_pair(&s.pairgrad, &s.update, 0, s.work));
    assert_true(isnan(s.pairgrad.row.cos_static));
    T_CLOSE(s.pairgrad.row.cos_on, s.pairgrad.row.cos_batch, TOL_EXACT);
    assert_int_equal(s.pairgrad.row.source, SL_ORIGIN_ON_POLICY);
    sl_session_close(&s);
}

static void sketch_of(double *out, const sl_session *s, const float *x)
{
    memset(out, 0, M * sizeof *out);
    s->backend->ops->count_sketch(out, s->pairgrad.parts, x, tr_floats(s), 0, M, SL_PAIRGRAD_SEED);
}

static double largest(const double *x, size_t n)
{
    double most = 0.0;

    for (size_t k = 0; k < n; k++)
        most = fmax(most, fabs(x[k]));
    return most;
}

static void check_sketch(const float *found, const double *want)
{
    for (size_t k = 0; k < M; k++)
        assert_true(fabs((double)found[k] - want[k]) <= 2e-5 * largest(want, M));
}

/* The sketch of the update is the mean of the sketches; that of a pair is the sum of its answers'
 * by their coefficients. */
static void test_sketches_are_linear(void **state)
{
    (void)state;
    for (size_t k = 0; k < SETTINGS; k++) {
        double want[M];
        float added[M] = { 0 };
        sl_session s;

        begin(&s, "cpu", settings[k]);
        for (size_t i = 0; i < PAIRS; i++) {
            const sl_pairgrad *pg = &s.pairgrad;

            T_OK(sl_pairgrad_pair(&s.pairgrad, &s.update, i, s.work));
            add(added, pg->sketch, M, 1.0f / PAIRS);
            pair_by_pass(&s, i);
            sketch_of(want, &s, sum);
            check_sketch(pg->sketch, want);
            if (s.update.sides != 2)
                continue;
            for (size_t j = 0; j < M; j++)
                want[j] = s.update.coef_c[i] * (double)pg->sketch_c[j] +
                          s.update.coef_r[i] * (double)pg->sketch_r[j];
            check_sketch(pg->sketch, want);
        }
        sketch_of(want, &s, whole);
        check_sketch(added, want);
        sl_session_close(&s);
    }
}

/* From the sketches of one beta those of another, by that one's coefficients. */
static void test_another_beta_from_the_same_sketches(void **state)
{
    static const char *const other[] = { "train.micro_batch=4", "record.level=3",
                                         "record.sketch=256", "method.beta=2", NULL };
    static float c[PAIRS][M], r[PAIRS][M];
    sl_session s;

    (void)state;
    begin(&s, "ref", dpo);
    for (size_t i = 0; i < PAIRS; i++) {
        T_OK(sl_pairgrad_pair(&s.pairgrad, &s.update, i, s.work));
        memcpy(c[i], s.pairgrad.sketch_c, sizeof c[i]);
        memcpy(r[i], s.pairgrad.sketch_r, sizeof r[i]);
    }
    sl_session_close(&s);
    begin(&s, "ref", other);
    for (size_t i = 0; i < PAIRS; i++) {
        double want[M];

        T_OK(sl_pairgrad_pair(&s.pairgrad, &s.update, i, s.work));
        for (size_t k = 0; k < M; k++)
            want[k] = s.update.coef_c[i] * (double)c[i][k] + s.update.coef_r[i] * (double)r[i][k];
        check_sketch(s.pairgrad.sketch, want);
    }
    sl_session_close(&s);
}

/* S = b times the trace of the covariance (ddof 1) of shards that make up the update; G2 = its
 * squared norm less S/B (arXiv 1812.06162, A.1). */
static void check_noise(const sl_gradsplit *split, size_t b, size_t n)
{
    const double big = t_dot(whole, whole, n);
    const size_t shards = PAIRS / b;
    const sl_noise_scale found =
        sl_noise_scale_of(split->row[0].sq_small, big, (double)split->pairs, PAIRS);
    double trace = 0.0, S;

    assert_int_equal(split->pairs, b);
    for (size_t k = 0; k < shards; k++) {
        memset(mean, 0, sizeof mean);
        for (size_t i = k * b; i < (k + 1) * b; i++) {
            add(mean, by_pass[i][0], n, 1.0f / (float)b);
            add(mean, by_pass[i][1], n, 1.0f / (float)b);
        }
        add(mean, whole, n, -1.0f);
        trace += t_dot(mean, mean, n) / (double)(shards - 1);
    }
    S = (double)b * trace;
    T_CLOSE(found.noise / S, 1.0, 1e-4);
    T_CLOSE((found.squared_gradient - (big - S / PAIRS)) / big, 0.0, 1e-3);
}

static void test_noise_of_shards_and_of_pairs(void **state)
{
    sl_session s;

    (void)state;
    begin(&s, "ref", dpo);
    assert_int_equal(s.split.shards, PAIRS / MICRO);
    check_noise(&s.split, MICRO, tr_floats(&s));
    sl_pairgrad_end(&s.pairgrad, &s.split); /* leaves shards alone */
    check_noise(&s.split, MICRO, tr_floats(&s));
    sl_session_close(&s);
    begin(&s, "ref", all_at_once); /* the micro-batch is the update: no shards */
    assert_true(isnan(s.split.row[0].sq_small) && !s.split.pairs);
    for (size_t i = 0; i < PAIRS; i++)
        T_OK(sl_pairgrad_pair(&s.pairgrad, &s.update, i, s.work));
    sl_pairgrad_end(&s.pairgrad, &s.split);
    check_noise(&s.split, 1, tr_floats(&s));
    sl_session_close(&s);
}

/* A NaN is counted in its layer group and in all, and the step is left out. */
static void test_a_bad_group_is_counted(void **state)
{
    const sl_tensors *table;
    sl_session s;
    size_t at;

    (void)state;
    begin(&s, "cpu", dpo);
    table = sl_model_tensors(s.policy);
    at = table->count - 1;
    memcpy(mean, sl_model_parameters(s.policy), tr_floats(&s) * sizeof *mean);
    sl_model_gradients(s.policy)[table->row[at].offset] = NAN;
    sl_model_gradients(s.policy)[table->row[at].offset + 1] = INFINITY;
    T_FAILS(sl_optim_step(&s.optim, 0.1), SL_ENUMERIC, table->row[at].name);
    for (size_t g = 0; g < table->group_count; g++)
        assert_int_equal(s.optim.group[g].bad, g == 0 || g == table->row[at].group ? 2 : 0);
    assert_memory_equal(mean, sl_model_parameters(s.policy), tr_floats(&s) * sizeof *mean);
    sl_session_close(&s);
}

static void open_run(sl_session *s, const char *folder)
{
    sl_run_settings set = sl_run_settings_defaults();
    sl_json *facts = json_object();
    char path[512];

    (void)snprintf(path, sizeof path, "%s/run", folder);
    set.level = SL_PAIRGRAD_LEVEL;
    set.k = (uint32_t)s->update.top_k;
    set.vocab = (uint32_t)sl_model_config(s->policy)->V;
    set.groups = (uint32_t)sl_model_tensors(s->policy)->group_count;
    set.sketch = (uint32_t)s->pairgrad.m;
    set.min_free_bytes = 0;
    T_OK(sl_run_create(&s->run, path, facts, facts, &set));
    sl_json_close(&facts);
    s->recorder.run = s->run;
}

/* Of every update; the threads of the record allocate, so steps are counted between two syncs. */
static void test_no_allocation_with_all_of_it(void **state)
{
    static const char *const set[] = { "train.micro_batch=4",  "record.level=3",
                                       "record.sketch=256",    "record.pair_grad_every=1",
                                       "record.probe_every=1", NULL };
    size_t after_2;
    uint64_t rows[SL_TABLE_COUNT];
    sl_session s;

    (void)state;
    tr_open(&s, "cpu", set);
    open_run(&s, t_scratch());
    for (int i = 0; i < 2; i++)
        T_OK(sl_train_step(&s));
    T_OK(sl_run_sync(s.run));
    after_2 = sl_alloc_count();
    for (int i = 2; i < 4; i++)
        T_OK(sl_train_step(&s));
    T_OK(sl_run_sync(s.run));
    assert_int_equal(sl_alloc_count(), after_2);
    sl_run_rows(s.run, rows);
    assert_true(s.probe.count > 0);
    assert_int_equal(rows[SL_TABLE_PAIR_GRAD], 4 * (PAIRS + s.probe.count));
    assert_true(s.spent.pairgrad > 0.0 && s.spent.split > 0.0 && s.spent.norms > 0.0);
    assert_true(s.spent.pairgrad + s.spent.split + s.spent.norms < s.spent.step);
    T_OK(sl_run_close(&s.run, SL_ENDED_COMPLETE));
    sl_session_close(&s);
    t_scratch_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs_add_up_to_the_update),
        cmocka_unit_test(test_norms_are_those_of_a_pass_of_its_own),
        cmocka_unit_test(test_sources),
        cmocka_unit_test(test_one_source),
        cmocka_unit_test(test_sketches_are_linear),
        cmocka_unit_test(test_another_beta_from_the_same_sketches),
        cmocka_unit_test(test_noise_of_shards_and_of_pairs),
        cmocka_unit_test(test_a_bad_group_is_counted),
        cmocka_unit_test(test_no_allocation_with_all_of_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
