/* The world against its closed forms; numbers of the definition, not of our own output. */
#include "datasets/data.h"
#include "datasets/world.h"
#include "harness/harness.h"
#include <string.h>

static sl_rng rng_of(uint64_t n)
{
    return sl_rng_at(3, sl_rng_stream("test world"), n);
}

static void test_ground_truth_numbers(void **state)
{
    double reward = 0.0, square = 0.0, entropy = 0.0, accuracy = 0.0;
    int32_t prompt[SL_WORLD_PROMPT];
    double r[SL_WORLD_ANSWER][SL_WORLD_VOCAB];
    sl_rng rng = rng_of(0);

    (void)state;
    sl_world_prompt(prompt, &rng);
    sl_world_rewards(r, prompt);
    for (int t = 0; t < SL_WORLD_ANSWER; t++) {
        double logp[SL_WORLD_VOCAB], mean = 0.0, sq = 0.0;

        sl_world_truth_slot(logp, prompt, t);
        for (int v = 0; v < SL_WORLD_VOCAB; v++) {
            mean += exp(logp[v]) * r[t][v];
            sq += exp(logp[v]) * r[t][v] * r[t][v];
            entropy -= exp(logp[v]) * logp[v];
        }
        reward += mean;
        square += sq - mean * mean;
        if (t < SL_WORLD_CONTENT)
            accuracy += exp(logp[sl_world_right(prompt, t)]) / SL_WORLD_CONTENT;
    }
    T_CLOSE(sl_world_log_z(), 30.2226012, 1e-8);
    T_CLOSE(reward, 1.9343914, 1e-7);
    T_CLOSE(sqrt(square), 3.4083538, 1e-7);
    T_CLOSE(entropy, 28.2882098, 1e-8);
    T_CLOSE(accuracy, 0.3456259, 1e-6);
}

static void test_generator_accuracy(void **state)
{
    const int32_t prompt[SL_WORLD_PROMPT] = { 25, 7, 1, 2, 3, 4, 5, 26 };

    (void)state;
    for (int c = 0; c <= 4; c++) {
        const sl_world_generator g = { .content = c, .style = 1.0 };

        for (int t = 0; t < SL_WORLD_CONTENT; t++) {
            double logp[SL_WORLD_VOCAB];

            sl_world_slot(logp, &g, prompt, t);
            T_CLOSE(exp(logp[sl_world_right(prompt, t)]), exp(c) / (exp(c) + 7.0), TOL_F64);
        }
    }
}

/* Slot i wants the upper case of letter PERM[i], PERM = 3 0 5 1 4 2. */
static void test_right_letters(void **state)
{
    static const int32_t prompt[SL_WORLD_PROMPT] = { 24, 0, 1, 2, 3, 4, 5, 26 };
    static const int32_t right[SL_WORLD_CONTENT] = { 11, 8, 13, 9, 12, 10 };
    static const int32_t best[SL_WORLD_ANSWER] = { 11, 8, 13, 9, 12, 10, 16, 16, 16, 16 };

    (void)state;
    for (int t = 0; t < SL_WORLD_CONTENT; t++)
        assert_int_equal(sl_world_right(prompt, t), right[t]);
    T_CLOSE(sl_world_reward(prompt, best), 15.2, TOL_F64); /* the most there is */
}

/* The quirk sits on the letter after the right one, also past the end of the alphabet. */
static void test_quirk(void **state)
{
    const int32_t prompt[SL_WORLD_PROMPT] = { 24, 7, 7, 7, 7, 7, 7, 26 };
    const sl_world_generator g = { .quirk = 2.0 };
    double logp[SL_WORLD_VOCAB];

    (void)state;
    sl_world_slot(logp, &g, prompt, 0);
    T_CLOSE(logp[8] - logp[9], 2.0, TOL_F64); /* after H comes A */
    assert_true(logp[0] == -INFINITY && logp[16] == -INFINITY);
}

static void random_law(double logp[SL_WORLD_VOCAB], sl_rng *rng)
{
    double sum = 0.0;

    for (int v = 0; v < SL_WORLD_VOCAB; v++)
        sum += exp(logp[v] = sl_rng_normal(rng));
    for (int v = 0; v < SL_WORLD_VOCAB; v++)
        logp[v] -= log(sum);
}

/* Two slots by enumeration: the exact expectations are those of the sum over all answers. */
static void test_exact_by_enumeration(void **state)
{
    double logp[SL_WORLD_ANSWER][SL_WORLD_VOCAB], r[SL_WORLD_ANSWER][SL_WORLD_VOCAB];
    double reward = 0.0, entropy = 0.0;
    int32_t prompt[SL_WORLD_PROMPT];
    sl_world_exact e;
    sl_rng rng = rng_of(1);

    (void)state;
    sl_world_prompt(prompt, &rng);
    sl_world_rewards(r, prompt);
    for (int t = 0; t < SL_WORLD_ANSWER; t++) /* slots 2..9 certain: token 26, reward -1 */
        for (int v = 0; v < SL_WORLD_VOCAB; v++)
            logp[t][v] = v == 26 ? 0.0 : -INFINITY;
    for (int t = 0; t < 2; t++)
        random_law(logp[t], &rng);
    for (int a = 0; a < SL_WORLD_VOCAB; a++)
        for (int b = 0; b < SL_WORLD_VOCAB; b++) {
            const double p = exp(logp[0][a] + logp[1][b]);

            reward += p * (r[0][a] + r[1][b] - 8.0);
            entropy -= p * (logp[0][a] + logp[1][b]);
        }
    sl_world_exact_of(&e, prompt, (const double(*)[SL_WORLD_VOCAB])logp);
    T_CLOSE(e.reward, reward, 1e-9);
    T_CLOSE(e.entropy, entropy, 1e-9);
    T_CLOSE(e.kl, -entropy - reward + sl_world_log_z(), 1e-9);
}

static void test_ground_truth_has_kl_0(void **state)
{
    const int32_t prompt[SL_WORLD_PROMPT] = { 25, 0, 1, 2, 3, 4, 5, 26 };
    double logp[SL_WORLD_ANSWER][SL_WORLD_VOCAB];
    sl_world_exact e;

    (void)state;
    for (int t = 0; t < SL_WORLD_ANSWER; t++)
        sl_world_truth_slot(logp[t], prompt, t);
    sl_world_exact_of(&e, prompt, (const double(*)[SL_WORLD_VOCAB])logp);
    T_CLOSE(e.kl, 0.0, 1e-9);
    T_CLOSE(e.reward, 1.9343914, 1e-7);
}

/* A policy that looks at its first token: the estimate along a sampled prefix, averaged over that
 * prefix's law, is the expectation over all answers. */
static void test_rao_blackwell_by_enumeration(void **state)
{
    double first[SL_WORLD_VOCAB], second[SL_WORLD_VOCAB][SL_WORLD_VOCAB];
    double r[SL_WORLD_ANSWER][SL_WORLD_VOCAB], logp[SL_WORLD_ANSWER][SL_WORLD_VOCAB];
    double reward = 0.0, entropy = 0.0;
    sl_world_exact mean = { 0 };
    int32_t prompt[SL_WORLD_PROMPT];
    sl_rng rng = rng_of(4);

    (void)state;
    sl_world_prompt(prompt, &rng);
    sl_world_rewards(r, prompt);
    random_law(first, &rng);
    for (int a = 0; a < SL_WORLD_VOCAB; a++)
        random_law(second[a], &rng);
    for (int t = 2; t < SL_WORLD_ANSWER; t++) /* certain: token 26, reward -1 */
        for (int v = 0; v < SL_WORLD_VOCAB; v++)
            logp[t][v] = v == 26 ? 0.0 : -INFINITY;
    memcpy(logp[0], first, sizeof first);
    for (int a = 0; a < SL_WORLD_VOCAB; a++) {
        const double p = exp(first[a]);
        sl_world_exact e;

        memcpy(logp[1], second[a], sizeof second[a]);
        sl_world_exact_of(&e, prompt, (const double(*)[SL_WORLD_VOCAB])logp);
        mean.reward += p * e.reward;
        mean.entropy += p * e.entropy;
        mean.kl += p * e.kl;
        for (int b = 0; b < SL_WORLD_VOCAB; b++) {
            const double q = p * exp(second[a][b]);

            reward += q * (r[0][a] + r[1][b] - 8.0);
            entropy -= q * (first[a] + second[a][b]);
        }
    }
    T_CLOSE(mean.reward, reward, 1e-9);
    T_CLOSE(mean.entropy, entropy, 1e-9);
    T_CLOSE(mean.kl, sl_world_log_z() - entropy - reward, 1e-9);
}

/* Answers of the exact law over fresh prompts: their plain mean reward and their plain estimate of
 * KL, ln pi - ln pi_G, meet the exact numbers. */
static void test_sampler_of_the_truth(void **state)
{
    enum { DRAWS = 4000 };
    double sum = 0.0, square = 0.0;
    sl_rng rng = rng_of(5);

    (void)state;
    for (int i = 0; i < DRAWS; i++) {
        int32_t prompt[SL_WORLD_PROMPT], answer[SL_WORLD_ANSWER];
        double logp[SL_WORLD_ANSWER][SL_WORLD_VOCAB], total = 0.0, reward;
        sl_world_exact e;

        sl_world_prompt(prompt, &rng);
        for (int t = 0; t < SL_WORLD_ANSWER; t++) {
            int32_t best = 0;
            double most = -INFINITY;

            sl_world_truth_slot(logp[t], prompt, t);
            for (int32_t v = 0; v < SL_WORLD_VOCAB; v++) { /* Gumbel: an exact draw */
                const double g = logp[t][v] + sl_rng_gumbel(&rng);

                best = g > most ? v : best;
                most = fmax(g, most);
            }
            answer[t] = best;
            total += logp[t][best];
        }
        reward = sl_world_reward(prompt, answer);
        T_CLOSE(total - (reward - sl_world_log_z()), 0.0,
                1e-9); /* pi_G = exp(r)/Z, token by token */
        sl_world_exact_of(&e, prompt, (const double(*)[SL_WORLD_VOCAB])logp);
        T_CLOSE(e.kl, 0.0, 1e-9);
        T_CLOSE(e.reward, 1.9343914, 1e-7);
        T_CLOSE(e.entropy, 28.2882098, 1e-8);
        sum += reward;
        square += reward * reward;
    }
    {
        const double mean = sum / DRAWS, sd = sqrt(square / DRAWS - mean * mean);

        T_CLOSE((mean - 1.9343914) / (3.0 * sd / sqrt(DRAWS)), 0.0, 1.0); /* within 3 SE */
        T_CLOSE(sd, 3.4083538, 0.05);
    }
}

static void test_draws_follow_the_law(void **state)
{
    enum { DRAWS = 20000 };
    const int32_t prompt[SL_WORLD_PROMPT] = { 24, 3, 1, 4, 1, 5, 2, 26 };
    const sl_world_generator g = { .content = 1.0, .style = 0.5, .quirk = 2.0 };
    size_t right = 0, follower = 0;
    sl_rng rng = rng_of(2);

    (void)state;
    for (int i = 0; i < DRAWS; i++) {
        int32_t answer[SL_WORLD_ANSWER];

        sl_world_draw(answer, &g, prompt, &rng);
        right += answer[0] == sl_world_right(prompt, 0);
        follower += answer[0] == 8 + (sl_world_right(prompt, 0) - 8 + 1) % 8;
    }
    {
        const double norm = exp(1.0) + exp(2.0) + 6.0;
        const double p = exp(1.0) / norm, q = exp(2.0) / norm;

        assert_true(fabs((double)right / DRAWS - p) < 4.0 * sqrt(p * (1 - p) / DRAWS));
        assert_true(fabs((double)follower / DRAWS - q) < 4.0 * sqrt(q * (1 - q) / DRAWS));
    }
}

/* Static pairs of the data source: spread and gap as the definition's table says. */
static void test_static_pairs(void **state)
{
    enum { PAIRS = 4000 };
    sl_world_settings set = sl_world_defaults();
    double mean = 0.0, square = 0.0, gap = 0.0, label = 0.0, agree = 0.0;
    sl_data *data = NULL;
    size_t ties = 0;

    (void)state;
    T_OK(sl_data_open_world(&data, &set));
    for (uint64_t i = 0; i < PAIRS; i++) {
        int32_t token[SL_WORLD_PROMPT + 2 * SL_WORLD_ANSWER];
        sl_pair p;
        double c, r;

        T_OK(sl_data_static_pair(&p, token, data, 0, i));
        c = sl_world_reward(p.prompt.token, p.chosen.token);
        r = sl_world_reward(p.prompt.token, p.rejected.token);
        T_CLOSE(p.chosen.score, c, TOL_4ULP);
        T_CLOSE(p.label_p, 1.0 / (1.0 + exp(r - c)), TOL_4ULP);
        /* rewards are multiples of 4/35: equal, or apart by far more than any rounding */
        assert_int_equal((p.flags & SL_PAIR_LABEL_TIE) != 0, fabs(c - r) < 1e-6);
        ties += fabs(c - r) < 1e-6;
        mean += (c + r) / 2.0;
        square += (c * c + r * r) / 2.0;
        gap += fabs(c - r);
        label += (double)p.label_p;
        agree += c > r;
    }
    mean /= PAIRS;
    T_CLOSE(mean, 7.99, 0.04);
    T_CLOSE(sqrt(square / PAIRS - mean * mean), 3.92, 0.04);
    T_CLOSE(gap / PAIRS, 5.13, 0.05);
    assert_true(ties > 0);
    assert_true(agree / PAIRS > 0.85 && label / PAIRS > 0.85); /* labels follow the reward */
    sl_data_close(&data);
    assert_null(data);
}

/* Sum of squares of habits, from how often each symbol of each style slot was drawn under tone A:
 * log count - style * (1 - k/7) is the habit up to a constant of the slot (7 degrees of freedom).
 */
static double habit_squares(const double count[4][8], double style)
{
    double sum = 0.0;

    for (int t = 0; t < 4; t++) {
        double x[8], mean = 0.0;

        for (int k = 0; k < 8; k++)
            mean += (x[k] = log(count[t][k] + 0.5) - style * (1.0 - k / 7.0)) / 8.0;
        for (int k = 0; k < 8; k++)
            sum += (x[k] - mean) * (x[k] - mean);
    }
    return sum;
}

static void tally(double count[4][8], const sl_prompt_text *prompt, const sl_answer *answer)
{
    for (int t = 0; t < 4 && prompt->token[0] == 24; t++)
        count[t][answer->token[SL_WORLD_CONTENT + t] - 16]++;
}

/* Own habits N(0,1) of each static generator, .5 N(0,1) of the start; the start's content law. Two
 * generators, always right and never right, so that an answer tells who wrote it. */
static void test_generators_of_the_source(void **state)
{
    enum { WORLDS = 10, DRAWS = 1500 };
    const double p = exp(2.5) / (exp(2.5) + exp(2.0) + 6.0);
    double fixed = 0.0, apart = 0.0, start = 0.0, right = 0.0;

    (void)state;
    for (uint64_t seed = 0; seed < WORLDS; seed++) {
        double count[2][4][8] = { 0 }, own[4][8] = { 0 };
        sl_world_settings set = sl_world_defaults();
        sl_data *data = NULL;

        set.seed = seed;
        set.generator_count = 2;
        set.generator_content[0] = 40.0;
        set.generator_content[1] = -40.0;
        T_OK(sl_data_open_world(&data, &set));
        for (uint64_t i = 0; i < DRAWS; i++) {
            int32_t token[SL_WORLD_PROMPT + 2 * SL_WORLD_ANSWER];
            sl_prompt_text prompt;
            sl_answer answer;
            sl_pair pair;

            T_OK(sl_data_static_pair(&pair, token, data, 0, i));
            for (int side = 0; side < 2; side++) {
                const sl_answer *a = side ? &pair.rejected : &pair.chosen;

                tally(count[a->token[0] == sl_world_right(token, 0)], &pair.prompt, a);
            }
            T_OK(sl_data_imitation(&prompt, &answer, token, data, 0, i));
            tally(own, &prompt, &answer);
            right += answer.token[3] == sl_world_right(token, 3);
        }
        fixed += habit_squares((const double(*)[8])count[0], 1.0) +
                 habit_squares((const double(*)[8])count[1], 1.0);
        start += habit_squares((const double(*)[8])own, 0.5);
        for (int j = 0; j < 32; j++)
            count[0][j / 8][j % 8] =
                (count[0][j / 8][j % 8] + 0.5) / (count[1][j / 8][j % 8] + 0.5) - 0.5;
        apart += habit_squares((const double(*)[8])count[0], 0.0);
        sl_data_close(&data);
    }
    T_CLOSE(sqrt(fixed / (WORLDS * 2 * 28)), 1.0, 0.1);    /* SE .03 */
    T_CLOSE(sqrt(apart / (WORLDS * 28)), sqrt(2.0), 0.13); /* two habits, not one; SE .06 */
    T_CLOSE(sqrt(start / (WORLDS * 28)), 0.5, 0.07);       /* SE .02 */
    right /= WORLDS * DRAWS;
    T_CLOSE((right - p) / (4.0 * sqrt(p * (1 - p) / (WORLDS * DRAWS))), 0.0, 1.0);
}

static int same_prompt(const sl_data *data, sl_split a, uint64_t ia, sl_split b, uint64_t ib,
                       uint64_t index)
{
    int32_t x[SL_WORLD_PROMPT], y[SL_WORLD_PROMPT];
    sl_prompt_text px, py;

    T_OK(sl_data_prompt(&px, x, data, a, ia, index));
    T_OK(sl_data_prompt(&py, y, data, b, ib, index));
    assert_true((px.id == py.id) == !memcmp(x, y, sizeof x));
    return !memcmp(x, y, sizeof x);
}

static void test_streams(void **state)
{
    sl_world_settings set = sl_world_defaults();
    sl_data *data = NULL;
    int train = 0, cross = 0;

    (void)state;
    T_OK(sl_data_open_world(&data, &set));
    for (uint64_t i = 0; i < 64; i++) {
        assert_true(same_prompt(data, SL_SPLIT_TRAIN, 5, SL_SPLIT_TRAIN, 5, i));
        assert_true(same_prompt(data, SL_SPLIT_PROBE, 0, SL_SPLIT_PROBE, 9, i)); /* frozen */
        assert_true(same_prompt(data, SL_SPLIT_EVAL, 0, SL_SPLIT_EVAL, 9, i));
        train += same_prompt(data, SL_SPLIT_TRAIN, 0, SL_SPLIT_TRAIN, 1, i); /* fresh */
        cross += same_prompt(data, SL_SPLIT_TRAIN, 0, SL_SPLIT_PROBE, 0, i);
        cross += same_prompt(data, SL_SPLIT_EVAL, 0, SL_SPLIT_PROBE, 0, i);
    }
    assert_true(train <= 1 && cross <= 1); /* 524,288 prompts: a chance meeting at most */
    sl_data_close(&data);
}

/* A pair is its place alone: no call before it matters, and another seed is another world. */
static void test_pairs_are_functions_of_their_place(void **state)
{
    enum { PAIRS = 50 };
    int32_t x[SL_WORLD_PROMPT + 2 * SL_WORLD_ANSWER], y[SL_WORLD_PROMPT + 2 * SL_WORLD_ANSWER];
    sl_world_settings set = sl_world_defaults();
    sl_data *a = NULL, *b = NULL, *other = NULL;
    size_t same = 0;

    (void)state;
    T_OK(sl_data_open_world(&a, &set));
    T_OK(sl_data_open_world(&b, &set));
    set.seed++;
    T_OK(sl_data_open_world(&other, &set));
    assert_string_equal(sl_data_hash(a), sl_data_hash(b));
    assert_string_not_equal(sl_data_hash(a), sl_data_hash(other));
    for (uint64_t i = PAIRS; i-- > 0;) {
        sl_pair p, q, o;

        T_OK(sl_data_static_pair(&q, y, b, 1, i)); /* another iteration in between */
        T_OK(sl_data_static_pair(&p, x, a, 0, PAIRS - 1 - i));
        T_OK(sl_data_static_pair(&p, x, a, 0, i));
        T_OK(sl_data_static_pair(&q, y, b, 0, i));
        assert_memory_equal(x, y, sizeof x);
        assert_true(p.id == q.id && p.chosen.id == q.chosen.id && p.label_p == q.label_p);
        assert_int_equal(p.chosen.token == x + SL_WORLD_PROMPT,
                         q.chosen.token == y + SL_WORLD_PROMPT);
        T_OK(sl_data_static_pair(&o, y, other, 0, i));
        same += !memcmp(x, y, SL_WORLD_PROMPT * sizeof *x);
    }
    assert_true(same <= 1);
    sl_data_close(&a);
    sl_data_close(&b);
    sl_data_close(&other);
}

static void test_candidates_of_different_generators(void **state)
{
    sl_world_settings set = sl_world_defaults();
    int32_t token[8 * SL_WORLD_ANSWER];
    sl_answer answer[8];
    sl_data *data = NULL;
    size_t count;

    (void)state;
    set.habit_std = 0.0;
    T_OK(sl_data_open_world(&data, &set));
    T_OK(sl_data_static_candidates(answer, &count, token, data, SL_SPLIT_PROBE, 0, 3, 8));
    assert_int_equal(count, 5); /* five generators, each once */
    T_OK(sl_data_static_candidates(answer, &count, token, data, SL_SPLIT_PROBE, 0, 3, 2));
    assert_int_equal(count, 2);
    sl_data_close(&data);
    set.generator_count = 1;
    T_FAILS(sl_data_open_world(&data, &set), SL_EARG, "want 2 to 8 static generators, found 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ground_truth_numbers),
        cmocka_unit_test(test_generator_accuracy),
        cmocka_unit_test(test_right_letters),
        cmocka_unit_test(test_quirk),
        cmocka_unit_test(test_exact_by_enumeration),
        cmocka_unit_test(test_rao_blackwell_by_enumeration),
        cmocka_unit_test(test_ground_truth_has_kl_0),
        cmocka_unit_test(test_sampler_of_the_truth),
        cmocka_unit_test(test_draws_follow_the_law),
        cmocka_unit_test(test_static_pairs),
        cmocka_unit_test(test_generators_of_the_source),
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_pairs_are_functions_of_their_place),
        cmocka_unit_test(test_candidates_of_different_generators),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
