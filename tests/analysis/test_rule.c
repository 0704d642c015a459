/* Rules over recorded votes: each against the published formula or test that it stands for. */
#include "analysis/rule.h"
#include "analysis/special.h"
#include "harness/harness.h"
#include <stdio.h>
#include <string.h>

enum { N = 3000 };
static double mean[N];
static uint32_t ones[N], fours[N];

static void fill(double p, uint64_t seed)
{
    sl_rng rng = sl_rng_at(seed, sl_rng_stream("rules"), 0);

    for (size_t i = 0; i < N; i++) {
        mean[i] = sl_rng_uniform(&rng) < p;
        ones[i] = 1;
        fours[i] = 4;
    }
}

static sl_rule rule_of(const char *text)
{
    sl_rule rule;

    T_OK(sl_rule_parse(&rule, text));
    return rule;
}

static sl_rule_look once(const char *text, size_t prompts)
{
    const sl_rule rule = rule_of(text);
    const sl_rule_votes votes = { mean, ones, prompts };
    sl_rule_memory memory = { 0 };
    sl_rule_look look;

    T_OK(sl_rule_step(&look, &memory, &rule, &votes));
    return look;
}

/* The default rule is the measurement's own test: same answer at the same prompt. */
static void test_kelly_is_the_test_of_a_measurement(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        const sl_boundary_settings set = sl_boundary_defaults();
        sl_boundary b;
        sl_verdict v;
        sl_rule_look look, certified;

        fill(seed % 2 ? 0.42 : 0.6, seed);
        T_OK(sl_boundary_begin(&b, &set));
        for (size_t i = 0; i < N; i++) {
            const sl_prompt_mean p = { .mean = mean[i], .votes = 1 };

            T_OK(sl_boundary_add(&b, &p));
        }
        T_OK(sl_boundary_verdict(&v, &b));
        look = once("kelly", N);
        certified = once("certified", N);
        assert_int_equal(look.side, v.stage);
        assert_int_equal(look.prompts, v.prompts_used);
        assert_int_equal(look.votes, v.prompts_used);
        assert_int_equal(certified.side, v.certified);
        sl_boundary_close(&b);
    }
}

/* Gambler's ruin: the symmetric ratio test stops at |wins - losses| = K. */
static void test_sprt_stops_at_its_barrier(void **state)
{
    const double barrier = sl_sprt_exact_of(0.6, 0.05, 0.05).barrier;
    double walk = 0.0;
    size_t stop = 0;
    sl_rule_look look;

    (void)state;
    fill(0.6, 3);
    while (fabs(walk) < barrier)
        walk += 2.0 * mean[stop++] - 1.0;
    look = once("sprt", N);
    assert_int_equal(look.prompts, stop);
    assert_int_equal(look.side, walk > 0 ? SL_STAGE_FINE_TUNING : SL_STAGE_INJECTION);
    assert_int_equal(once("sprt-votes", N).prompts, stop); /* one vote a prompt: the same */
}

/* Four votes a prompt as if independent: a quarter of the prompts, rounded up. */
static void test_sprt_votes_counts_every_vote(void **state)
{
    const sl_rule rule = rule_of("sprt-votes");
    const sl_rule_votes votes = { mean, fours, N };
    sl_rule_memory memory = { 0 };
    sl_rule_look look;

    (void)state;
    for (size_t i = 0; i < N; i++)
        mean[i] = 1.0;
    T_OK(sl_rule_step(&look, &memory, &rule, &votes));
    assert_int_equal(look.prompts, 4); /* barrier 15 */
    assert_int_equal(look.votes, 16);
}

static void test_fixed_samples(void **state)
{
    double sum = 0.0;
    sl_rule_look look;
    sl_interval wilson;

    (void)state;
    fill(0.52, 5);
    for (size_t i = 0; i < 2000; i++)
        sum += mean[i];
    look = once("fixed", N);
    T_CLOSE(look.score, sum / 2000.0, TOL_F64);
    assert_int_equal(look.prompts, 2000);
    assert_int_equal(look.side, sum >= 1000 ? SL_STAGE_FINE_TUNING : SL_STAGE_INJECTION);
    assert_int_equal(once("fixed:tau=.99", N).side, SL_STAGE_INJECTION);
    look = once("wilson", N);
    wilson = sl_wilson(sum, 2000.0, 0.05);
    T_CLOSE(look.lower, wilson.lower, TOL_F64);
    T_CLOSE(look.upper, wilson.upper, TOL_F64);
    look = once("fixed", 1999);
    assert_true(look.is_short);
    assert_int_equal(look.side, SL_STAGE_UNDECIDED);
    assert_int_equal(once("fixed:n=0", 1999).is_short, 0);
}

/* The rule stops at the first prompt at which the sequence leaves 1/2 out. */
static void test_sequence_stops_when_it_leaves_the_threshold_out(void **state)
{
    static double lambda[N];
    sl_rule_look look;
    size_t n = 0;

    (void)state;
    fill(0.7, 9);
    look = once("sequence", N);
    sl_bet_series(lambda, mean, N, 0.05);
    for (n = 1; n <= look.prompts; n++)
        assert_int_equal(sl_bet_interval(mean, lambda, n, 0.05).lower > 0.5, n == look.prompts);
    assert_int_equal(look.side, SL_STAGE_FINE_TUNING);
    assert_int_equal(once("bernstein", N).side, SL_STAGE_FINE_TUNING);
}

/* Measurements of n prompts each with `wins` wins. */
static sl_rule_look step(sl_rule_memory *memory, const sl_rule *rule, size_t wins, size_t n)
{
    const sl_rule_votes votes = { mean, ones, n };
    sl_rule_look look;

    for (size_t i = 0; i < n; i++) {
        mean[i] = i < wins;
        ones[i] = 1;
    }
    T_OK(sl_rule_step(&look, memory, rule, &votes));
    return look;
}

/* docs/math.md: two decided measurements in a row on the other side; an undecided one starts anew.
 */
static void test_hysteresis(void **state)
{
    static const struct {
        size_t wins;
        int state, is_switch;
    } path[] = { { 300, 1, 0 }, { 700, 1, 0 }, { 500, 1, 0 }, { 700, 1, 0 },
                 { 700, 2, 1 }, { 300, 2, 0 }, { 300, 1, 1 } };
    const sl_rule rule = rule_of("hysteresis");
    sl_rule_memory memory = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof path / sizeof path[0]; i++) {
        const sl_rule_look look = step(&memory, &rule, path[i].wins, 1000);

        assert_int_equal(look.state, path[i].state);
        assert_int_equal(look.is_switch, path[i].is_switch);
        T_CLOSE(look.weight, path[i].state - 1.0, TOL_EXACT);
    }
}

/* With equal scores the variance goes to eta/(2 - eta) of one score's. */
static void test_moving_average(void **state)
{
    const sl_rule rule = rule_of("ema:eta=.3");
    const double z = sl_normal_quantile(0.975);
    sl_rule_memory memory = { 0 };
    sl_rule_look look;

    (void)state;
    look = step(&memory, &rule, 400, 1000);
    T_CLOSE(look.score, 0.4, TOL_F64);
    T_CLOSE((look.upper - look.lower) / (2.0 * z), sqrt(0.24 / 999.0), TOL_F64);
    look = step(&memory, &rule, 600, 1000);
    T_CLOSE(look.score, 0.7 * 0.4 + 0.3 * 0.6, TOL_F64);
    for (int i = 0; i < 200; i++)
        look = step(&memory, &rule, 600, 1000);
    T_CLOSE(look.score, 0.6, TOL_F64);
    T_CLOSE(pow((look.upper - look.lower) / (2.0 * z), 2.0), 0.3 / 1.7 * 0.24 / 999.0, TOL_F64);
}

/* Shares move by at most `step` and stay off the ends. */
static void test_mixing(void **state)
{
    static const double linear[] = { 0.05, 0.3, 0.55, 0.8, 0.95, 0.95, 0.7 };
    static const size_t wins[] = { 300, 900, 900, 900, 900, 900, 100 };
    const sl_rule rule = rule_of("mix-linear"), free = rule_of("mix-linear:step=1,edge=0");
    const sl_rule posterior = rule_of("mix-posterior:step=1,edge=0,keep=.8");
    sl_rule_memory memory = { 0 }, other = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof wins / sizeof wins[0]; i++)
        T_CLOSE(step(&memory, &rule, wins[i], 1000).weight, linear[i], TOL_F64);
    memory = (sl_rule_memory){ 0 };
    T_CLOSE(step(&memory, &free, 520, 1000).weight, sl_mix_linear(0.52, 0.45, 0.55), TOL_F64);
    T_CLOSE(step(&other, &posterior, 9, 20).weight, sl_posterior_above_half(9, 11, 0.5), TOL_F64);
    T_CLOSE(step(&other, &posterior, 12, 20).weight,
            sl_posterior_above_half(0.8 * 9 + 12, 0.8 * 11 + 8, 0.5), TOL_F64);
}

static void test_texts(void **state)
{
    static const struct {
        const char *text, *message, *hint;
    } wrong[] = {
        { "kely", "found \"kely\"", "kelly" },
        { "kelly:dleta=.1", "found \"dleta\"", "delta" },
        { "kelly:delta", "want delta=NUMBER", NULL },
        { "kelly:delta=1x", "found \"1x\"", NULL },
        { "kelly:delta=.6", "want delta in [0, 0.5]", NULL },
        { "kelly:delta=.4,tau=.3", "want delta below 0.3", NULL },
        { "kelly:delta=.1,", "found \"\"", NULL },
        { "fixed:n=2.5", "whole number", NULL },
        { "fixed:n=-1", "want n in [0", NULL },
        { "sprt:delta=0", "want delta above 0", NULL },
        { "mix-linear:low=.6", "want low below high", NULL },
        { "wilson:alpha=0", "want alpha in (0, 1)", NULL },
        { "", "want a rule", NULL },
    };
    sl_rule rule;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(sl_rule_parse(&rule, wrong[i].text), SL_EUSAGE);
        if (!strstr(sl_err_message(), wrong[i].message))
            fail_msg("%s: want \"%s\", found \"%s\"", wrong[i].text, wrong[i].message,
                     sl_err_message());
        if (wrong[i].hint)
            assert_non_null(strstr(sl_err_hint_text(), wrong[i].hint));
        sl_err_clear();
    }
    /* the text of a rule is that rule again */
    for (size_t i = 0; i < sl_rule_count; i++) {
        const sl_rule first = rule_of(sl_rules[i].name), again = rule_of(first.text);

        assert_string_equal(again.text, first.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kelly_is_the_test_of_a_measurement),
        cmocka_unit_test(test_sprt_stops_at_its_barrier),
        cmocka_unit_test(test_sprt_votes_counts_every_vote),
        cmocka_unit_test(test_fixed_samples),
        cmocka_unit_test(test_sequence_stops_when_it_leaves_the_threshold_out),
        cmocka_unit_test(test_hysteresis),
        cmocka_unit_test(test_moving_average),
        cmocka_unit_test(test_mixing),
        cmocka_unit_test(test_texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
