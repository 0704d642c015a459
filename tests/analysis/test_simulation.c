/* What the tests promise, by simulation with fixed seeds: error rates, votes needed, coverage. The
 * reference numbers of votes come from 8000 runs of another implementation (numpy), capped at 2000
 * prompts. */
#include "analysis/boundary.h"
#include "harness/harness.h"
#include <stdio.h>

enum { CAP = 2000, RUNS = 4000 };

/* One prompt mean: `votes` votes that share a probability drawn from a Beta law with intraclass
 * correlation .3 (p fixed for one vote). A Beta(a, b) draw by ranks of uniforms would need whole
 * parameters; here it is a ratio of gamma variates (Marsaglia and Tsang, ACM TOMS 26, 2000). */
static double gamma_draw(sl_rng *rng, double shape)
{
    const double d = shape + (shape < 1.0 ? 1.0 : 0.0) - 1.0 / 3.0, c = 1.0 / sqrt(9.0 * d);

    for (;;) {
        const double x = sl_rng_normal(rng), v = pow(1.0 + c * x, 3.0);
        const double u = 1.0 - sl_rng_uniform(rng);

        if (v > 0.0 && log(u) < 0.5 * x * x + d - d * v + d * log(v))
            return shape < 1.0 ? d * v * pow(1.0 - sl_rng_uniform(rng), 1.0 / shape) : d * v;
    }
}

static double prompt_mean(sl_rng *rng, double p, int votes)
{
    const double size = 1.0 / 0.3 - 1.0; /* a + b for ICC .3 */
    double wins = 0.0, a, b;

    if (votes == 1)
        return sl_rng_uniform(rng) < p;
    a = gamma_draw(rng, p * size);
    b = gamma_draw(rng, (1.0 - p) * size);
    for (int k = 0; k < votes; k++)
        wins += sl_rng_uniform(rng) < a / (a + b);
    return wins / votes;
}

typedef struct outcome {
    double error, mean_prompts;
} outcome;

static outcome simulate(double p, int votes)
{
    const sl_boundary_settings set = sl_boundary_defaults();
    const sl_side wrong = p < 0.5 ? SL_SIDE_ABOVE : SL_SIDE_BELOW;
    outcome o = { 0 };

    for (uint64_t r = 0; r < RUNS; r++) {
        sl_rng rng = sl_rng_at(r, sl_rng_stream("simulation"), (uint64_t)votes);
        sl_kelly test;
        sl_side side = SL_SIDE_NONE;
        int n = 0;

        T_OK(sl_kelly_open(&test, set.tau, set.delta, set.lambda, set.grid));
        while (n < CAP && side == SL_SIDE_NONE) {
            sl_kelly_add(&test, prompt_mean(&rng, p, votes));
            n++;
            side = sl_kelly_side(&test, set.alpha);
        }
        o.error += (side == wrong) / (double)RUNS;
        o.mean_prompts += n / (double)RUNS;
    }
    return o;
}

static const struct {
    double p;
    int votes;
    double mean_prompts; /* of the reference */
} cases[] = {
    { 0.40, 1, 84 }, { 0.45, 1, 177 }, { 0.55, 1, 177 }, { 0.66, 1, 44 },
    { 0.40, 4, 45 }, { 0.45, 4, 92 },  { 0.55, 4, 92 },  { 0.66, 4, 25 },
};

/* The promise: at most alpha beyond the zone, also at its ends .45 and .55, also when votes of one
 * prompt are correlated. */
static void test_errors_and_votes_of_the_default_test(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const outcome o = simulate(cases[i].p, cases[i].votes);

        if (!(o.error <= 0.05))
            fail_msg("p %g, %d votes: want an error of at most .05, found %g", cases[i].p,
                     cases[i].votes, o.error);
        if (!(fabs(o.mean_prompts / cases[i].mean_prompts - 1.0) <= 0.1))
            fail_msg("p %g, %d votes: want %g prompts, found %g", cases[i].p, cases[i].votes,
                     cases[i].mean_prompts, o.mean_prompts);
    }
}

/* The share of runs whose confidence sequence misses p at any of the looks; a band of 3 standard
 * errors is not needed: the sequence is conservative. */
static double miss_rate(double p, int votes)
{
    enum { SEQUENCES = 400, LENGTH = 400 };
    static const size_t looks[] = { 10, 25, 50, 100, 200, 400 };
    static double y[LENGTH], lambda[LENGTH];
    double missed = 0.0;

    for (uint64_t r = 0; r < SEQUENCES; r++) {
        sl_rng rng = sl_rng_at(r, sl_rng_stream("coverage"), (uint64_t)votes);
        int is_missed = 0;

        for (size_t i = 0; i < LENGTH; i++)
            y[i] = prompt_mean(&rng, p, votes);
        sl_bet_series(lambda, y, LENGTH, 0.05);
        for (size_t k = 0; k < sizeof looks / sizeof looks[0]; k++) {
            const sl_interval cs = sl_bet_interval(y, lambda, looks[k], 0.05);

            is_missed |= p < cs.lower || p > cs.upper;
        }
        missed += is_missed / (double)SEQUENCES;
    }
    return missed;
}

static void test_coverage_of_the_confidence_sequence(void **state)
{
    static const double p[] = { 0.1, 0.45, 0.5, 0.66 };

    (void)state;
    for (size_t i = 0; i < sizeof p / sizeof p[0]; i++)
        for (int votes = 1; votes <= 4; votes += 3) {
            const double missed = miss_rate(p[i], votes);

            if (!(missed <= 0.05))
                fail_msg("p %g, %d votes: want 95 %% coverage at every look, found %g", p[i], votes,
                         1.0 - missed);
        }
}

/* Sanity of the simulation itself: mean p and the intraclass correlation that it promises. */
static void test_simulated_votes_are_correlated_as_said(void **state)
{
    enum { N = 200000 };
    sl_rng rng = sl_rng_at(1, sl_rng_stream("icc"), 0);
    double sum = 0.0, squares = 0.0, var;

    (void)state;
    for (int i = 0; i < N; i++) {
        const double y = prompt_mean(&rng, 0.45, 4);

        sum += y / N;
        squares += y * y / N;
    }
    var = squares - sum * sum;
    assert_true(fabs(sum - 0.45) < 0.003);
    /* var = p q (1 + 3 rho)/4 */
    assert_true(fabs(var / (0.45 * 0.55) - (1.0 + 3.0 * 0.3) / 4.0) < 0.005);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_simulated_votes_are_correlated_as_said),
        cmocka_unit_test(test_errors_and_votes_of_the_default_test),
        cmocka_unit_test(test_coverage_of_the_confidence_sequence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
