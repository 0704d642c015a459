/* The reference: live or cached, first, previous or moving; moments over iterations; warm-up by
 * steps; micro-batches of objectives that look at the whole batch. */
#include "base/file.h"
#include "harness/harness.h"
#include "train/step.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const tiny[] = {
    "model.hidden=16",      "model.intermediate=24", "model.heads=4",
    "model.kv_heads=2",     "model.layers=2",        "model.embed_std=0.3",
    "model.matrix_std=0.2", "train.prompts=64",      "train.batch=16",
    "measure.prompts=0",    "policy.source=mix",     "optim.learning_rate=1.0e-2",
    "method.beta=0.5",      "optim.warmup=0",        "reference.every=2",
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
    s->feed.mix = s->mix;
}

static size_t floats_of(const sl_session *s)
{
    return sl_model_tensors(s->policy)->floats;
}

static float *copy_of(const sl_model *model)
{
    const size_t bytes = sl_model_tensors(model)->floats * sizeof(float);
    float *copy = malloc(bytes);

    memcpy(copy, sl_model_parameters_const(model), bytes);
    return copy;
}

static void test_live_is_cached(void **state)
{
    static const char *const live[] = { "reference.precompute=false", "train.epochs=2", NULL };
    static const char *const cached[] = { "train.epochs=2", NULL };
    sl_session a, b;

    (void)state;
    open_session(&a, live);
    open_session(&b, cached);
    for (int64_t u = 0; u < 8; u++) {
        const sl_fed *x, *y;
        size_t m, n;

        T_OK(sl_feed_next(&x, &m, &a.feed, u, 0));
        T_OK(sl_feed_next(&y, &n, &b.feed, u, 0));
        assert_int_equal(m, n);
        for (size_t i = 0; i < n; i++) {
            assert_true(x[i].pair.id == y[i].pair.id);
            T_CLOSE(x[i].ref_logp_c, y[i].ref_logp_c, 1e-6);
            T_CLOSE(x[i].ref_logp_r, y[i].ref_logp_r, 1e-6);
            T_CLOSE_ALL(x[i].ref_tok_c, y[i].ref_tok_c, x[i].pair.chosen.count, 1e-5);
            T_CLOSE_ALL(x[i].ref_tok_r, y[i].ref_tok_r, x[i].pair.rejected.count, 1e-5);
        }
    }
    sl_session_close(&a);
    sl_session_close(&b);
}

static void test_a_mixed_reference_moves_when_it_is_due(void **state)
{
    static const char *const mixed[] = { "reference.policy=mixed", "reference.precompute=false",
                                         "reference.alpha=0.25", NULL };
    sl_session s;

    (void)state;
    open_session(&s, mixed);
    for (int step = 1; step <= 4; step++) {
        float *before = copy_of(s.reference);
        const float *policy, *reference;

        T_OK(sl_train_step(&s));
        policy = sl_model_parameters_const(s.policy);
        reference = sl_model_parameters_const(s.reference);
        for (size_t i = 0; i < floats_of(&s); i++)
            T_CLOSE(reference[i],
                    step % 2 ? (double)before[i]
                             : 0.25 * (double)policy[i] + 0.75 * (double)before[i],
                    step % 2 ? TOL_EXACT : TOL_4ULP);
        free(before);
    }
    sl_session_close(&s);
}

/* With alpha 1 the reference is the policy after every move: the next margins are 0. */
static void test_a_moved_reference_is_what_the_loss_sees(void **state)
{
    static const char *const mixed[] = { "reference.policy=mixed", "reference.precompute=false",
                                         "reference.alpha=1", NULL };
    sl_session s;

    (void)state;
    open_session(&s, mixed);
    for (int step = 1; step <= 4; step++) {
        T_OK(sl_train_step(&s));
        if (step % 2)
            T_CLOSE(s.update.means.loss, log(2.0), 1e-5);
        else
            assert_true(fabs(s.update.means.loss - log(2.0)) > 1e-3);
    }
    sl_session_close(&s);
}

/* What the trainer does between two iterations. */
static void next_iteration(sl_session *s)
{
    s->iteration++;
    s->update_at = 0;
    T_OK(sl_model_copy(s->start, s->policy));
    sl_feed_begin(&s->feed, (uint64_t)s->iteration);
}

static void test_first_and_previous(void **state)
{
    static const char *const kinds[] = { "reference.policy=first", "reference.policy=previous" };

    (void)state;
    for (int k = 0; k < 2; k++) {
        const char *const set[] = { kinds[k], NULL };
        float *first;
        sl_session s;

        open_session(&s, set);
        first = copy_of(s.policy);
        T_OK(sl_train_step(&s));
        T_CLOSE(s.update.means.loss, log(2.0), 1e-5);
        T_OK(sl_train_step(&s));
        next_iteration(&s);
        T_OK(sl_train_step(&s)); /* first: the check of the start knows that they differ */
        assert_true((fabs(s.update.means.loss - log(2.0)) < 1e-5) == (k == 1));
        assert_true(!memcmp(first, sl_model_parameters_const(k ? s.start : s.reference),
                            floats_of(&s) * sizeof *first) == (k == 0));
        free(first);
        sl_session_close(&s);
    }
}

static void test_a_reference_on_request(void **state)
{
    static const char *const slic[] = { "method.loss=slic-hf", NULL };
    static const char *const both[] = { "method.loss=slic-hf", "reference.always=true", NULL };
    sl_session s;

    (void)state;
    open_session(&s, slic);
    T_OK(sl_train_step(&s));
    assert_true(isnan(s.update.ref_c[0]));
    sl_session_close(&s);
    open_session(&s, both);
    T_OK(sl_train_step(&s));
    T_CLOSE(s.update.ref_c[0], s.update.logp_c[0], 1e-5);
    sl_session_close(&s);
}

static void test_warm_up_by_steps(void **state)
{
    static const char *const three[] = { "optim.warmup_steps=3", "train.epochs=2", NULL };
    static const char *const many[] = { "optim.warmup_steps=99", NULL };
    sl_session s;

    (void)state;
    open_session(&s, three);
    assert_int_equal(s.schedule.warmup, 3);
    assert_int_equal(s.schedule.total, 8);
    sl_session_close(&s);
    open_session(&s, many);
    assert_int_equal(s.schedule.warmup, s.schedule.total);
    sl_session_close(&s);
}

/* Parameters after two updates do not depend on how the batch is cut. */
static void check_cuts(const char *loss)
{
    static const char *const cuts[] = { "train.micro_batch=16", "train.micro_batch=4",
                                        "train.micro_batch=1" };
    double mean[3];
    float *moved[3];
    size_t n = 0;

    for (int k = 0; k < 3; k++) {
        const char *const set[] = { loss, cuts[k], "optim.name=sgd", "optim.clip=0.5", NULL };
        sl_session s;

        open_session(&s, set);
        n = floats_of(&s);
        T_OK(sl_train_step(&s));
        T_OK(sl_train_step(&s));
        mean[k] = s.update.means.loss;
        moved[k] = copy_of(s.policy);
        sl_session_close(&s);
    }
    for (int k = 1; k < 3; k++) {
        T_CLOSE(mean[k], mean[0], 1e-5);
        T_CLOSE_ALL(moved[k], moved[0], n, 1e-5);
    }
    for (int k = 0; k < 3; k++)
        free(moved[k]);
}

static void test_micro_batches(void **state)
{
    static const char *const losses[] = {
        "method.loss=dpo + 0.5*sft",  "method.loss=ipo-mean",           "method.loss=slic-hf",
        "method.loss=slic-hf-target", "method.loss=orpo + 0.1*nll-sum", "method.name=sft"
    };

    (void)state;
    for (size_t i = 0; i < sizeof losses / sizeof losses[0]; i++)
        check_cuts(losses[i]);
}

/* SLiC-HF's regulariser on what SFT imitates: a third answer to each prompt. */
static void test_targets_of_sft(void **state)
{
    static const char *const slic[] = { "method.loss=slic-hf-target", "train.micro_batch=4",
                                        "method.delta=30", NULL };
    sl_session s;
    const sl_update *u;
    size_t on = 0;

    (void)state;
    open_session(&s, slic);
    T_OK(sl_train_step(&s));
    u = &s.update;
    for (size_t i = 0; i < u->P; i++) {
        const sl_pair *p = &u->fed[i].pair;
        const double rest = 30.0 - u->logp_c[i] + u->logp_r[i];

        T_CLOSE(u->loss[i], fmax(0.0, rest) - 0.1 * u->logp_t[i], TOL_F64);
        assert_true(u->fed[i].target.id != p->chosen.id && u->logp_t[i] < 0.0);
        on += p->source == SL_SOURCE_ON_POLICY;
    }
    assert_true(on > 0 && on < u->P);
    for (size_t n = 0; n < u->packer.packed.N; n++) {
        const size_t sequence = u->packer.packed.target[n].sequence;

        if (sequence % 3 == 2)
            T_CLOSE(u->coef[n], -0.1 / 16.0, TOL_4ULP);
    }
    sl_session_close(&s);
}

/* --- log-probabilities that stand in the data ------------------------------------------------- */

enum { STORED = 24 };

/* Pairs of ids; with their log-probabilities, each `off` nats from ref (STORED, 2), where given. */
static void write_pairs(const char *path, double (*ref)[2], double off)
{
    char text[STORED * 256];
    size_t n = 0;

    for (int i = 0; i < STORED; i++) {
        n += (size_t)snprintf(text + n, sizeof text - n,
                              "{\"prompt_ids\":[%d,%d,5],\"chosen_ids\":[%d,2],"
                              "\"rejected_ids\":[%d,9,%d]",
                              i % 11, 3 + i % 7, 1 + i, 12 + i % 5, i % 13);
        if (ref)
            n += (size_t)snprintf(text + n, sizeof text - n,
                                  ",\"ref_chosen_logps\":%.9g,\"ref_rejected_logps\":%.9g",
                                  ref[i][0] + off, ref[i][1] - off);
        n += (size_t)snprintf(text + n, sizeof text - n, "}\n");
    }
    T_OK(sl_file_write_atomic(path, text, n));
}

static void open_pairs(sl_session *s, const char *path, const char *const *more)
{
    char source[4200];
    const char *set[16] = { source,
                            "policy.source=static",
                            "data.probe_share=0",
                            "data.allow_eos_missing=true",
                            "train.prompts=0",
                            "train.batch=8" };
    size_t n = 6;

    (void)snprintf(source, sizeof source, "data.source=%s", path);
    for (; more && *more; more++)
        set[n++] = *more;
    open_session(s, set);
}

/* A run that reads them is the run that computes them; those of another reference are refused. */
static void test_stored_log_probabilities(void **state)
{
    static const char *const stored[] = { "reference.logps=stored", NULL };
    static const char *const taken[] = { "reference.logps=stored", "method.check_start=false",
                                         NULL };
    char path[4096];
    double ref[STORED][2];
    float *computed;
    size_t floats;
    sl_session s;

    (void)state;
    T_OK(sl_file_join(path, sizeof path, t_scratch(), "pairs.jsonl"));
    write_pairs(path, NULL, 0.0);
    open_pairs(&s, path, NULL);
    for (int step = 0; step < 3; step++) {
        T_OK(sl_train_step(&s));
        for (size_t i = 0; i < s.update.P; i++) {
            ref[s.update.fed[i].pair.line - 1][0] = s.update.ref_c[i];
            ref[s.update.fed[i].pair.line - 1][1] = s.update.ref_r[i];
        }
    }
    computed = copy_of(s.policy);
    floats = floats_of(&s);
    sl_session_close(&s);

    write_pairs(path, ref, 0.0);
    open_pairs(&s, path, stored);
    assert_null(s.feed.reference);
    for (int step = 0; step < 3; step++)
        T_OK(sl_train_step(&s));
    assert_true(isfinite(s.update.ref_c[0]));
    T_CLOSE_ALL(sl_model_parameters_const(s.policy), computed, floats, 1e-5);
    sl_session_close(&s);
    free(computed);

    write_pairs(path, ref, 0.5);
    open_pairs(&s, path, stored);
    T_FAILS(sl_train_step(&s), SL_ENUMERIC, "off by 0.25 nats a token"); /* of two tokens */
    sl_session_close(&s);
    open_pairs(&s, path, taken);
    T_OK(sl_train_step(&s));
    T_CLOSE(s.update.margin[0], 0.5 * (-0.5 - 0.5), 1e-5); /* beta (c' - r') */
    sl_session_close(&s);
    t_scratch_remove();
}

/* A pair that is cut has lost what was said of its whole answers. */
static void test_stored_log_probabilities_of_cut_pairs(void **state)
{
    const sl_backend *backend = NULL;
    double ref[STORED][2] = { { 0 } };
    char path[4096], source[4200];
    const char *const set[] = { source,
                                "reference.logps=stored",
                                "data.max_answer=2",
                                "data.probe_share=0",
                                "data.allow_eos_missing=true",
                                "measure.prompts=0" };
    sl_recipe recipe = { 0 };
    sl_memory_plan plan;
    sl_session s;

    (void)state;
    T_OK(sl_file_join(path, sizeof path, t_scratch(), "pairs.jsonl"));
    (void)snprintf(source, sizeof source, "data.source=%s", path);
    write_pairs(path, ref, 0.0);
    T_OK(sl_yaml_defaults(&recipe, sl_recipe_keys, sl_recipe_key_count));
    for (size_t i = 0; i < sizeof set / sizeof set[0]; i++)
        T_OK(sl_yaml_set(&recipe, sl_recipe_keys, sl_recipe_key_count, set[i]));
    T_OK(sl_backend_open(&backend, "cpu", 1));
    T_FAILS(sl_session_open(&s, &recipe, backend, NULL, &plan), SL_EFORMAT,
            "found 24 of 24 pairs without");
    t_scratch_remove();
}

static void refused(const char *const *set, const char *why)
{
    sl_recipe recipe = { 0 };

    T_OK(sl_yaml_defaults(&recipe, sl_recipe_keys, sl_recipe_key_count));
    for (; *set; set++)
        T_OK(sl_yaml_set(&recipe, sl_recipe_keys, sl_recipe_key_count, *set));
    T_FAILS(sl_recipe_check(&recipe), SL_EARG, why);
}

static void test_refusals(void **state)
{
    static const char *const cached[] = { "reference.policy=mixed", NULL };
    static const char *const branch[] = { "optim.keep_moments=true", "measure.counterfactual=true",
                                          NULL };
    static const char *const beta[] = { "method.loss=2*dpoo", NULL };
    static const char *const drawn[] = { "reference.logps=stored", "policy.source=mix", NULL };
    static const char *const later[] = { "reference.logps=stored", "train.iterations=2", NULL };
    static const char *const none[] = { "reference.logps=stored", "method.loss=simpo", NULL };

    (void)state;
    refused(cached, "want reference.precompute false");
    refused(branch, "want measure.counterfactual false with optim.keep_moments");
    refused(beta, "key \"method.loss\"");
    refused(drawn, "want policy.source static with reference.logps stored");
    refused(later, "want reference.policy first with reference.logps stored");
    refused(none, "want a loss with a reference");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_live_is_cached),
        cmocka_unit_test(test_a_mixed_reference_moves_when_it_is_due),
        cmocka_unit_test(test_a_moved_reference_is_what_the_loss_sees),
        cmocka_unit_test(test_first_and_previous),
        cmocka_unit_test(test_a_reference_on_request),
        cmocka_unit_test(test_warm_up_by_steps),
        cmocka_unit_test(test_micro_batches),
        cmocka_unit_test(test_targets_of_sft),
        cmocka_unit_test(test_stored_log_probabilities),
        cmocka_unit_test(test_stored_log_probabilities_of_cut_pairs),
        cmocka_unit_test(test_refusals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
