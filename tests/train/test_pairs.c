/* On-policy pairs: the rules on scores by hand and in frequency, scores fitted to votes, drops and
 * their counts, whose answers a refill holds. */
#include "datasets/world.h"
#include "harness/harness.h"
#include "train/sampling.h"
#include <string.h>

/* --- rules ----------------------------------------------------------------------------------- */

static sl_pick pick(sl_pair_rule rule, sl_labels labels, double margin, const double *score,
                    const uint64_t *id, size_t n, uint64_t draw)
{
    const sl_pair_settings set = {
        .rule = rule, .labels = labels, .margin = margin, .temperature = 1.0
    };
    sl_rng rng = sl_rng_at(5, sl_rng_stream("test pick"), draw);

    return sl_pair_pick(&set, score, id, n, &rng);
}

static void check_pick(sl_pick p, size_t chosen, size_t rejected)
{
    assert_int_equal(p.fate, SL_PAIR_KEPT);
    assert_int_equal(p.chosen, chosen);
    assert_int_equal(p.rejected, rejected);
}

static void test_the_best_and_the_worst(void **state)
{
    static const double score[] = { 1.0, 4.0, 4.0, -2.0, 3.0, -2.0 };
    static const uint64_t id[] = { 11, 12, 13, 14, 15, 16 };
    sl_pick p;

    (void)state;
    p = pick(SL_RULE_BEST_WORST, SL_LABELS_BEST, 6.0, score, id, 6, 0);
    check_pick(p, 1, 3); /* the first of equals, at both ends */
    T_CLOSE(p.label_p, 1.0 / (1.0 + exp(-6.0)), TOL_F64);
    assert_int_equal(pick(SL_RULE_BEST_WORST, SL_LABELS_BEST, 6.1, score, id, 6, 0).fate,
                     SL_PAIR_CLOSE);
    check_pick(pick(SL_RULE_TWO, SL_LABELS_BEST, 0.0, score, id, 2, 0), 1, 0);
    check_pick(pick(SL_RULE_TWO, SL_LABELS_BEST, 0.0, score + 2, id, 2, 0), 0, 1);
}

static void test_equal_answers_and_equal_scores(void **state)
{
    static const double score[] = { 5.0, 5.0, 1.0, 5.0 };
    static const uint64_t id[] = { 7, 7, 9, 7 };

    (void)state;
    for (int rule = SL_RULE_BEST_WORST; rule <= SL_RULE_MARGIN; rule++) {
        const sl_pick p = pick((sl_pair_rule)rule, SL_LABELS_BEST, 0.0, score, id, 4, 0);

        check_pick(p, 0, 2);
        assert_int_equal(p.duplicates, 2);
        assert_int_equal(pick((sl_pair_rule)rule, SL_LABELS_BEST, 0.0, score, id, 2, 0).fate,
                         SL_PAIR_SAME);
        assert_int_equal(pick((sl_pair_rule)rule, SL_LABELS_DRAWN, 0.0, score, id, 2, 0).fate,
                         SL_PAIR_SAME);
    }
    /* different answers with one score: nobody is best, but a label can be drawn */
    assert_int_equal(pick(SL_RULE_TWO, SL_LABELS_BEST, 0.0, score, (uint64_t[]){ 1, 2 }, 2, 0).fate,
                     SL_PAIR_CLOSE);
    assert_true(pick(SL_RULE_TWO, SL_LABELS_DRAWN, 0.0, score, (uint64_t[]){ 1, 2 }, 2, 0).is_tie);
}

enum { DRAWS = 20000 };

/* A count of a binomial lies within 5 standard deviations: wrong once in 1.7 million. */
static void check_share(size_t count, double p)
{
    const double sd = sqrt(DRAWS * p * (1.0 - p));

    assert_true(fabs((double)count - DRAWS * p) <= 5.0 * sd);
}

static void test_labels_follow_the_judge(void **state)
{
    static const double score[] = { 0.3, 1.2, -0.5 };
    static const uint64_t id[] = { 1, 2, 3 };
    const double first = 1.0 / (1.0 + exp(score[1] - score[0])); /* 0 beats 1 */
    double sum = 0.0;
    size_t two = 0, ends = 0, best[3] = { 0 };

    (void)state;
    for (uint64_t i = 0; i < DRAWS; i++) {
        two += pick(SL_RULE_TWO, SL_LABELS_DRAWN, 0.0, score, id, 2, i).chosen == 0;
        ends += pick(SL_RULE_BEST_WORST, SL_LABELS_DRAWN, 0.0, score, id, 2, i).chosen == 0;
        best[pick(SL_RULE_BEST_WORST, SL_LABELS_DRAWN, 0.0, score, id, 3, i).chosen]++;
    }
    check_share(two, first);
    check_share(ends, first); /* of two, the best and the worst are the plain pair */
    for (size_t k = 0; k < 3; k++)
        sum += exp(score[k]);
    for (size_t k = 0; k < 3; k++)
        check_share(best[k], exp(score[k]) / sum); /* Luce */
}

static void test_random_partners_are_uniform(void **state)
{
    static const double score[] = { 0.0, 1.0, 3.0, 3.5 };
    static const uint64_t id[] = { 1, 2, 3, 4 };
    size_t rejected[4] = { 0 }, pair[4][4] = { { 0 } };

    (void)state;
    for (uint64_t i = 0; i < DRAWS; i++) {
        const sl_pick r = pick(SL_RULE_BEST_RANDOM, SL_LABELS_BEST, 0.0, score, id, 4, i);
        const sl_pick m = pick(SL_RULE_MARGIN, SL_LABELS_BEST, 2.0, score, id, 4, i);

        assert_int_equal(r.chosen, 3);
        rejected[r.rejected]++;
        pair[m.chosen][m.rejected]++;
    }
    for (size_t k = 0; k < 3; k++)
        check_share(rejected[k], 1.0 / 3.0);
    check_share(pair[2][0], 0.25);
    check_share(pair[3][0], 0.25);
    check_share(pair[2][1], 0.25);
    check_share(pair[3][1], 0.25);
    assert_int_equal(pick(SL_RULE_MARGIN, SL_LABELS_BEST, 4.0, score, id, 4, 0).fate,
                     SL_PAIR_CLOSE);
}

/* --- drawing --------------------------------------------------------------------------------- */

static const char *const tiny[] = {
    "model.hidden=16",        "model.intermediate=24",   "model.heads=4",
    "model.kv_heads=2",       "model.layers=2",          "model.embed_std=0.3",
    "model.matrix_std=0.2",   "train.prompts=64",        "train.batch=16",
    "measure.prompts=0",      "policy.source=on-policy", "policy.candidates=5",
    "policy.labels=best",     "policy.pair=best-worst",  "optim.learning_rate=1.0e-2",
    "policy.sample_batch=35", "record.probe_every=0",
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
    sl_feed_begin(&s->feed, 0);
    s->feed.mix = s->mix;
}

/* What the sink was told. */
typedef struct heard {
    size_t prompts, votes;
    double least_gap; /* between the two of a pair that was kept */
    sl_drawn_counts counts;
    int is_truth; /* scores are the world's rewards and the pair its ends */
} heard;

static sl_status hear(void *state, const sl_drawn_prompt *d)
{
    heard *h = state;
    size_t best = 0, worst = 0;

    h->prompts++;
    h->votes += d->votes;
    for (size_t i = 0; i < d->each; i++) {
        const sl_drawn *a = &d->drawn[i];
        double sum = 0.0;

        for (uint32_t t = 0; t < a->answer.count; t++)
            sum += (double)a->tok_logp[t];
        T_CLOSE(sum, a->logp, TOL_F64);
        h->is_truth &= d->score[i] == sl_world_reward(d->prompt->token, a->answer.token);
        best = d->score[i] > d->score[best] ? i : best;
        worst = d->score[i] < d->score[worst] ? i : worst;
    }
    h->is_truth &=
        d->pick->fate != SL_PAIR_KEPT || (d->pick->chosen == best && d->pick->rejected == worst);
    if (d->pick->fate == SL_PAIR_KEPT)
        h->least_gap = fmin(h->least_gap, d->score[d->pick->chosen] - d->score[d->pick->rejected]);
    return SL_OK;
}

static sl_status hear_counts(void *state, const sl_drawn_counts *counts)
{
    ((heard *)state)->counts = *counts;
    return SL_OK;
}

static void test_candidates_are_scored_and_ranked(void **state)
{
    heard h = { .is_truth = 1, .least_gap = INFINITY };
    const sl_fed *fed;
    sl_session s;
    size_t count;

    (void)state;
    open_session(&s, NULL);
    s.feed.sink = (sl_feed_sink){ &h, hear, hear_counts };
    T_OK(sl_feed_next(&fed, &count, &s.feed, 0, 0));
    assert_int_equal(h.prompts, 64);
    assert_int_equal(h.votes, 64 * 3); /* a judge that scores names 5 answers in 3 votes */
    assert_true(h.is_truth);
    assert_int_equal(h.counts.answers, 64 * 5);
    for (size_t i = 0; i < count; i++)
        assert_true(fed[i].pair.chosen.score > fed[i].pair.rejected.score);
    sl_session_close(&s);
}

/* Chunks of 7 prompts (above), of 64 and of one give the same pairs. */
static void test_chunks_change_nothing(void **state)
{
    static const char *const whole[] = { "policy.sample_batch=320", NULL };
    static const char *const single[] = { "policy.sample_batch=5", NULL };
    static const char *const *const sets[] = { NULL, whole, single };
    uint64_t id[3][16];

    (void)state;
    for (size_t k = 0; k < 3; k++) {
        const sl_fed *fed;
        sl_session s;
        size_t count;

        open_session(&s, sets[k]);
        T_OK(sl_feed_next(&fed, &count, &s.feed, 2, 0));
        assert_int_equal(count, 16);
        for (size_t i = 0; i < count; i++)
            id[k][i] = fed[i].pair.id;
        sl_session_close(&s);
    }
    assert_memory_equal(id[0], id[1], sizeof id[0]);
    assert_memory_equal(id[0], id[2], sizeof id[0]);
}

enum { EACH = 5, PROMPTS = 7 };

/* A judge that compares without scores: the fit gives back the log-odds that its votes come from,
 * up to their mean. */
static void test_scores_are_fitted_to_votes(void **state)
{
    const sl_judge_settings truth = sl_judge_defaults();
    const sl_judge_settings both[2] = { truth, truth };
    sl_judge_settings set = truth;
    sl_prompt_text prompt[PROMPTS];
    int32_t token[PROMPTS][SL_WORLD_PROMPT];
    uint64_t stream[PROMPTS * EACH];
    sl_rng rng[PROMPTS];
    sl_judge *judge = NULL;
    sl_session s;
    sl_draw *d;

    (void)state;
    open_session(&s, NULL);
    d = &s.feed.draw;
    set.name = "ensemble"; /* of two equal members: their p, no scores */
    set.member = both;
    set.member_count = 2;
    T_OK(sl_judge_open(&judge, &set, s.data));
    for (size_t p = 0; p < PROMPTS; p++)
        T_OK(sl_data_prompt(&prompt[p], token[p], s.data, SL_SPLIT_TRAIN, 0, p));
    for (size_t i = 0; i < PROMPTS * EACH; i++)
        stream[i] = i;
    memset(rng, 0, sizeof rng);
    T_OK(sl_draw_prompts(d, &s.door, judge, prompt, stream, rng, PROMPTS));
    for (size_t p = 0; p < PROMPTS; p++) {
        double reward[EACH], mean = 0.0;

        assert_int_equal(d->votes[p], EACH * (EACH - 1) / 2);
        for (size_t i = 0; i < EACH; i++) {
            reward[i] = sl_world_reward(token[p], d->drawn[p * EACH + i].answer.token);
            mean += reward[i] / EACH;
        }
        for (size_t i = 0; i < EACH; i++)
            T_CLOSE(d->score[p * EACH + i], reward[i] - mean, 1e-9);
    }
    sl_judge_close(&judge);
    sl_session_close(&s);
}

/* --- drops ----------------------------------------------------------------------------------- */

static void test_close_pairs_are_dropped_and_counted(void **state)
{
    static const char *const far[] = { "policy.margin=4", "policy.candidates=3", NULL };
    heard h = { .least_gap = INFINITY };
    size_t all = 0;
    sl_session s;

    (void)state;
    open_session(&s, far);
    s.feed.sink = (sl_feed_sink){ &h, hear, hear_counts };
    for (int64_t u = 0; u < 4; u++) {
        const sl_fed *fed;
        size_t count;

        T_OK(sl_feed_next(&fed, &count, &s.feed, u, 0));
        assert_true(count > 0 && count <= 16);
        for (size_t i = 0; i < count; i++) {
            assert_true(fed[i].pair.chosen.score - fed[i].pair.rejected.score >= 4.0f);
            assert_true(isfinite(fed[i].ref_logp_c) && isfinite(fed[i].ref_logp_r));
        }
        all += count;
    }
    assert_true(h.least_gap >= 4.0);
    assert_true(h.counts.close > 0 && all > 4);
    assert_int_equal(all + h.counts.close + h.counts.same, 64);
    sl_session_close(&s);
}

static void test_nothing_left_is_said(void **state)
{
    static const char *const far[] = { "policy.margin=1000", NULL };
    static const char *const cold[] = { "policy.temperature=0.01", NULL };
    const sl_fed *fed;
    sl_session s;
    size_t count;

    (void)state;
    open_session(&s, far);
    T_FAILS(sl_feed_next(&fed, &count, &s.feed, 0, 0), SL_EARG, "64 too close");
    sl_session_close(&s);
    open_session(&s, cold); /* nearly greedy: all answers of a prompt are one */
    if (sl_feed_next(&fed, &count, &s.feed, 0, 0) != SL_OK)
        sl_err_clear();
    assert_true(s.feed.counts.duplicates > 64 * 2);
    sl_session_close(&s);
}

/* --- whose answers --------------------------------------------------------------------------- */

static void walk_off(sl_session *s)
{
    float *p = sl_model_parameters(s->policy);
    sl_rng rng = sl_rng_at(9, sl_rng_stream("test walk"), 0);

    for (size_t i = 0; i < sl_model_tensors(s->policy)->floats; i++)
        p[i] += 0.05f * (float)sl_rng_normal(&rng);
}

/* Answers drawn for update u while the policy has walked off its start; ids of the pairs. */
static void pairs_of(uint64_t id[16], const char *const *set, int64_t u, int walks)
{
    const sl_fed *fed;
    sl_session s;
    size_t count;

    open_session(&s, set);
    if (walks)
        walk_off(&s);
    s.sampler.model = sl_session_drawer(&s);
    T_OK(sl_feed_next(&fed, &count, &s.feed, u, 0));
    assert_int_equal(count, 16);
    for (size_t i = 0; i < count; i++)
        id[i] = fed[i].pair.id;
    sl_session_close(&s);
}

/* Fresh each step: the policy as it stands; each iteration: that of the start, wherever the policy
 * is. */
static void test_fresh_is_of_the_policy_now(void **state)
{
    static const char *const step[] = { "policy.refill=1", NULL };
    uint64_t still[16], walked[16];
    size_t same = 0;

    (void)state;
    pairs_of(still, NULL, 1, 0);
    pairs_of(walked, NULL, 1, 1);
    assert_memory_equal(still, walked, sizeof still);
    pairs_of(walked, step, 1, 1);
    for (size_t i = 0; i < 16; i++)
        same += still[i] == walked[i];
    assert_true(same < 4);
}

static void test_refusals(void **state)
{
    static const char *const three[] = { "policy.pair=two", NULL };
    sl_recipe recipe = { 0 };

    (void)state;
    T_OK(sl_yaml_defaults(&recipe, sl_recipe_keys, sl_recipe_key_count));
    for (size_t i = 0; i < sizeof tiny / sizeof tiny[0]; i++)
        T_OK(sl_yaml_set(&recipe, sl_recipe_keys, sl_recipe_key_count, tiny[i]));
    T_OK(sl_recipe_check(&recipe));
    T_OK(sl_yaml_set(&recipe, sl_recipe_keys, sl_recipe_key_count, three[0]));
    T_FAILS(sl_recipe_check(&recipe), SL_EARG, "policy.candidates 2");
    T_FAILS(sl_yaml_set(&recipe, sl_recipe_keys, sl_recipe_key_count, "policy.candidates=65"),
            SL_EUSAGE, "from 2 up to 64");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_best_and_the_worst),
        cmocka_unit_test(test_equal_answers_and_equal_scores),
        cmocka_unit_test(test_labels_follow_the_judge),
        cmocka_unit_test(test_random_partners_are_uniform),
        cmocka_unit_test(test_candidates_are_scored_and_ranked),
        cmocka_unit_test(test_chunks_change_nothing),
        cmocka_unit_test(test_scores_are_fitted_to_votes),
        cmocka_unit_test(test_close_pairs_are_dropped_and_counted),
        cmocka_unit_test(test_nothing_left_is_said),
        cmocka_unit_test(test_fresh_is_of_the_policy_now),
        cmocka_unit_test(test_refusals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
