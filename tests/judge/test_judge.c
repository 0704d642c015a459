/* The table of judges, the truth judge and the labels drawn from votes. */
#include "datasets/world.h"
#include "harness/harness.h"
#include "judge/judge.h"

static void test_truth_is_sigmoid_of_the_reward_difference(void **state)
{
    const sl_world_settings set = sl_world_defaults();
    const sl_judge_settings truth = sl_judge_defaults();
    int32_t token[SL_WORLD_PROMPT + 2 * SL_WORLD_ANSWER];
    sl_judge *judge = NULL;
    sl_data *data = NULL;

    (void)state;
    T_OK(sl_data_open_world(&data, &set));
    T_OK(sl_judge_open(&judge, &truth, data));
    for (uint64_t i = 0; i < 50; i++) {
        sl_vote ab, ba;
        sl_pair p;

        T_OK(sl_data_static_pair(&p, token, data, 0, i));
        T_OK(sl_judge_votes(&ab, judge, &p.prompt, &p.chosen, &p.rejected, 1));
        T_OK(sl_judge_votes(&ba, judge, &p.prompt, &p.rejected, &p.chosen, 1));
        T_CLOSE(ab.p + ba.p, 1.0, TOL_F64); /* no order bias */
        T_CLOSE(log(ab.p / ba.p),
                sl_world_reward(p.prompt.token, p.chosen.token) -
                    sl_world_reward(p.prompt.token, p.rejected.token),
                1e-9);
    }
    sl_judge_close(&judge);
    sl_data_close(&data);
}

/* Noise: votes are 0 or 1, as often as the law says at that temperature; the same contest has the
 * same winner however it is asked. */
static void check_noise(double temperature)
{
    enum { CONTESTS = 4000 };
    const sl_world_settings set = sl_world_defaults();
    sl_judge_settings noisy = sl_judge_defaults();
    int32_t token[SL_WORLD_PROMPT + 2 * SL_WORLD_ANSWER];
    double off = 0.0, spread = 0.0, unsure = 0.0;
    sl_judge *judge = NULL;
    sl_data *data = NULL;

    noisy.is_noisy = 1;
    noisy.temperature = temperature;
    noisy.seed = 7;
    T_OK(sl_data_open_world(&data, &set));
    T_OK(sl_judge_open(&judge, &noisy, data));
    for (uint64_t i = 0; i < CONTESTS; i++) {
        sl_vote ab, ba;
        sl_pair p;
        double law;

        T_OK(sl_data_static_pair(&p, token, data, 0, i));
        T_OK(sl_judge_votes(&ab, judge, &p.prompt, &p.chosen, &p.rejected, 1));
        T_OK(sl_judge_votes(&ba, judge, &p.prompt, &p.rejected, &p.chosen, 1));
        assert_true(ab.p == 0.0 || ab.p == 1.0);
        T_CLOSE(ab.p + ba.p, 1.0, TOL_EXACT);
        assert_true(isnan(ab.score_a) && isnan(ab.score_b)); /* who draws does not tell the score */
        law = 1.0 / (1.0 + exp((sl_world_reward(p.prompt.token, p.rejected.token) -
                                sl_world_reward(p.prompt.token, p.chosen.token)) /
                               temperature));
        off += ab.p - law;
        spread += law * (1.0 - law);
        unsure += fmin(law, 1.0 - law);
    }
    assert_true(fabs(off) <= 5.0 * sqrt(spread));
    assert_true(unsure > 0.02 * CONTESTS); /* there was something to draw */
    sl_judge_close(&judge);
    sl_data_close(&data);
}

static void test_noise_is_that_of_bradley_and_terry(void **state)
{
    (void)state;
    check_noise(1.0);
    check_noise(4.0);
}

/* An answer of another length has no reward: refused, never read past its end. */
static void test_truth_wants_answers_of_the_world(void **state)
{
    const sl_world_settings set = sl_world_defaults();
    const sl_judge_settings truth = sl_judge_defaults();
    int32_t token[SL_WORLD_PROMPT + 2 * SL_WORLD_ANSWER];
    sl_judge *judge = NULL;
    sl_data *data = NULL;
    sl_vote vote;
    sl_pair p;

    (void)state;
    T_OK(sl_data_open_world(&data, &set));
    T_OK(sl_judge_open(&judge, &truth, data));
    T_OK(sl_data_static_pair(&p, token, data, 0, 0));
    p.rejected.count--;
    T_FAILS(sl_judge_votes(&vote, judge, &p.prompt, &p.chosen, &p.rejected, 1), SL_ESHAPE,
            "want 8 prompt and 10 answer tokens, found 8, 10 and 9");
    sl_judge_close(&judge);
    sl_data_close(&data);
}

static void test_sure_votes_stay_sure(void **state)
{
    sl_rng rng = sl_rng_at(1, sl_rng_stream("test sure"), 0);

    (void)state;
    for (int i = 0; i < 200; i++) {
        const sl_vote yes = { .p = 1.0 }, no = { .p = 0.0 };
        double label_p = NAN;

        assert_true(sl_judge_label(&label_p, &yes, 2.0, &rng) == 1 && label_p == 1.0);
        assert_true(sl_judge_label(&label_p, &no, 2.0, &rng) == 0 && label_p == 1.0);
    }
}

static void test_labels_follow_the_vote(void **state)
{
    enum { DRAWS = 20000 };
    const sl_vote vote = { .p = 0.8 };
    sl_rng rng = sl_rng_at(1, sl_rng_stream("test labels"), 0);
    double wins = 0.0, sharp = 0.0, label_p;

    (void)state;
    for (int i = 0; i < DRAWS; i++) {
        const int a = sl_judge_label(&label_p, &vote, 1.0, &rng);

        T_CLOSE(label_p, a ? 0.8 : 0.2, 1e-12);
        wins += a;
        sharp += sl_judge_label(&label_p, &vote, 0.5, &rng); /* odds squared: 16/17 */
    }
    T_CLOSE(wins / DRAWS, 0.8, 4.0 * sqrt(0.8 * 0.2 / DRAWS));
    T_CLOSE(sharp / DRAWS, 16.0 / 17.0, 4.0 * sqrt(16.0 / 17.0 / 17.0 / DRAWS));
}

static void test_unknown_judge(void **state)
{
    const sl_world_settings set = sl_world_defaults();
    sl_judge_settings typo = sl_judge_defaults();
    sl_judge *judge = NULL;
    sl_data *data = NULL;

    (void)state;
    typo.name = "thruth";
    T_OK(sl_data_open_world(&data, &set));
    T_FAILS(sl_judge_open(&judge, &typo, data), SL_EARG, "did you mean \"truth\"");
    assert_null(judge);
    sl_data_close(&data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_truth_is_sigmoid_of_the_reward_difference),
        cmocka_unit_test(test_noise_is_that_of_bradley_and_terry),
        cmocka_unit_test(test_truth_wants_answers_of_the_world),
        cmocka_unit_test(test_labels_follow_the_vote),
        cmocka_unit_test(test_sure_votes_stay_sure),
        cmocka_unit_test(test_unknown_judge),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
