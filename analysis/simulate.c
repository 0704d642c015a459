#include "analysis/simulate.h"
#include "analysis/rule.h"
#include "analysis/special.h"
#include "base/alloc.h"
#include <math.h>
#include <string.h>

#define LIMIT_LEVEL 0.99

/* --- votes ----------------------------------------------------------------------------------- */

/* Marsaglia and Tsang, ACM TOMS 26 (2000). */
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

double sl_simulate_prompt(sl_rng *rng, double p, int votes)
{
    const double size = 1.0 / SL_SIMULATE_ICC - 1.0;
    double wins = 0.0, a, b;

    if (votes == 1)
        return sl_rng_uniform(rng) < p;
    a = gamma_draw(rng, p * size);
    b = gamma_draw(rng, (1.0 - p) * size);
    for (int k = 0; k < votes; k++)
        wins += sl_rng_uniform(rng) < a / (a + b);
    return wins / votes;
}

static sl_simulate_share share_of(size_t hits, size_t runs)
{
    const double k = (double)hits, n = (double)runs;

    return (sl_simulate_share){ .hits = hits,
                                .runs = runs,
                                .value = runs ? k / n : NAN,
                                .upper = !runs ? NAN
                                         : hits == runs
                                             ? 1.0
                                             : sl_beta_quantile(LIMIT_LEVEL, k + 1.0, n - k) };
}

/* --- rules ----------------------------------------------------------------------------------- */

#define ROW(rule, v, m40, m45, m55, m66, m50)                                                      \
    { rule, 0.40, v, m40 }, { rule, 0.45, v, m45 }, { rule, 0.55, v, m55 },                        \
        { rule, 0.66, v, m66 },                                                                    \
    {                                                                                              \
        rule, 0.50, v, m50                                                                         \
    }

const sl_simulate_case sl_simulate_cases[] = {
    ROW("kelly:n=2000", 1, 84, 177, 177, 44, 318),
    ROW("kelly:n=2000", 4, 45, 92, 92, 25, NAN),
    ROW("kelly:delta=.025,n=2000", 1, 120, 324, 325, 56, 1159),
    ROW("certified:n=2000", 1, 185, 712, 722, 74, NAN),
    ROW("certified:n=2000", 4, 96, 357, 359, 41, NAN),
    ROW("sprt:n=2000", 1, 74, 133, 138, 47, 227),
    ROW("sprt:delta=.025,n=2000", 1, 150, 294, 303, 95, 829),
    ROW("sprt:n=2000", 4, 64, 120, 119, 40, NAN),
    ROW("sprt-votes:n=2000", 4, NAN, NAN, NAN, NAN, NAN),
};
const size_t sl_simulate_case_count = sizeof sl_simulate_cases / sizeof sl_simulate_cases[0];

typedef struct votes_of_run {
    double mean[SL_SIMULATE_CAP];
    uint32_t votes[SL_SIMULATE_CAP];
} votes_of_run;

static void draw(votes_of_run *v, sl_rng *rng, const sl_simulate_case *c, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        v->mean[i] = sl_simulate_prompt(rng, c->p, c->votes);
        v->votes[i] = (uint32_t)c->votes;
    }
}

/* Most tests stop early: votes are drawn as far as they are asked for. */
static sl_status one_run(sl_rule_look *look, votes_of_run *v, const sl_rule *rule,
                         const sl_simulate_case *c, sl_rng rng)
{
    for (size_t have = 0; have < SL_SIMULATE_CAP;) {
        const size_t want = have ? SL_SIMULATE_CAP : SL_SIMULATE_CAP / 8;
        sl_rule_memory memory = { 0 };

        draw(v, &rng, c, have, want);
        have = want;
        SL_TRY(sl_rule_step(look, &memory, rule, &(sl_rule_votes){ v->mean, v->votes, have }));
        if (look->side != SL_STAGE_UNDECIDED)
            break;
    }
    return SL_OK;
}

sl_status sl_simulate_rule(sl_simulate_result *out, const sl_simulate_case *c, size_t runs,
                           uint64_t seed)
{
    const sl_stage wrong = c->p < 0.5 ? SL_STAGE_FINE_TUNING : SL_STAGE_INJECTION;
    const uint64_t stream = sl_rng_substream(sl_rng_stream("simulate rule"), (uint64_t)c->votes);
    votes_of_run *v = NULL;
    double *used = NULL;
    size_t errors = 0, undecided = 0;
    sl_rule rule;
    sl_status st = SL_OK;

    *out = (sl_simulate_result){ 0 };
    SL_TRY(sl_rule_parse(&rule, c->rule));
    SL_TRY_OUT(sl_take(&v, 1, sizeof *v));
    SL_TRY_OUT(sl_take(&used, runs + 1, sizeof *used));
    for (size_t r = 0; r < runs; r++) {
        sl_rule_look look;

        SL_TRY_OUT(one_run(&look, v, &rule, c, sl_rng_at(seed, stream, r)));
        used[r] = (double)look.prompts;
        undecided += look.side == SL_STAGE_UNDECIDED;
        errors += c->p == 0.5 ? look.side != SL_STAGE_UNDECIDED : look.side == wrong;
    }
    /* inside an indifference zone both answers are right */
    out->error = share_of(errors, c->p == 0.5 && rule.value[SL_RULE_DELTA] > 0.0 ? 0 : runs);
    out->undecided = share_of(undecided, runs);
    out->mean = sl_mean_of(used, runs).value;
    sl_sort_f64(used, runs);
    out->p95 = runs ? sl_quantile_sorted(used, runs, 0.95) : NAN;
out:
    sl_free(v);
    sl_free(used);
    return st;
}

/* --- sequences ------------------------------------------------------------------------------- */

const char *const sl_simulate_sequence_names[SL_SIMULATE_SEQUENCES] = { "betting", "bernstein" };

/* m is in the sequence as long as neither capital against it is large. */
static int betting_misses(const double *y, double *lambda, size_t n, double m, double alpha)
{
    double plus = 0.0, minus = 0.0;

    sl_bet_series(lambda, y, n, alpha);
    for (size_t i = 0; i < n; i++) {
        plus += sl_bet_log_plus(m, y + i, lambda + i, 1);
        minus += sl_bet_log_minus(m, y + i, lambda + i, 1);
        if (fmax(plus, minus) > log(2.0 / alpha))
            return 1;
    }
    return 0;
}

static int bernstein_misses(const double *y, double *lambda, size_t n, double m, double alpha)
{
    sl_bernstein b = { .centre = SL_BERNSTEIN_PAPER };

    (void)lambda;
    for (size_t i = 0; i < n; i++) {
        sl_interval interval;

        sl_bernstein_add(&b, y[i], alpha);
        interval = sl_bernstein_interval(&b, alpha);
        if (m < interval.lower || m > interval.upper)
            return 1;
    }
    return 0;
}

sl_status sl_simulate_misses(sl_simulate_share *out, sl_simulate_sequence kind, double p, int votes,
                             double alpha, size_t runs, uint64_t seed)
{
    static int (*const misses[])(const double *, double *, size_t, double,
                                 double) = { betting_misses, bernstein_misses };
    const uint64_t stream = sl_rng_substream(sl_rng_stream("simulate sequence"), (uint64_t)votes);
    double *y = NULL;
    size_t missed = 0;

    SL_TRY(sl_take(&y, (size_t)2 * SL_SIMULATE_CAP, sizeof *y));
    for (size_t r = 0; r < runs; r++) {
        sl_rng rng = sl_rng_at(seed, stream, r);

        for (size_t i = 0; i < SL_SIMULATE_CAP; i++)
            y[i] = sl_simulate_prompt(&rng, p, votes);
        missed += (size_t)misses[kind](y, y + SL_SIMULATE_CAP, SL_SIMULATE_CAP, p, alpha);
    }
    sl_free(y);
    *out = share_of(missed, runs);
    return SL_OK;
}

/* --- paths ----------------------------------------------------------------------------------- */

static double rise(double u)
{
    return 0.35 + 0.3 * u;
}

static double steep(double u)
{
    return 1.0 / (1.0 + exp(-8.0 * (u - 0.55)));
}

static double jump(double u)
{
    return u < 0.56 ? 0.38 : 0.62;
}

static double knee(double u)
{
    return u < 0.375 ? 0.38 : 0.38 + 0.4 * (u - 0.375);
}

static double flat(double u)
{
    (void)u;
    return 0.5;
}

const sl_simulate_path sl_simulate_paths[] = {
    { "rise", rise, 0.5, NAN },     { "steep", steep, 0.55, NAN }, { "jump", jump, 0.56, NAN },
    { "knee", knee, 0.675, 0.375 }, { "flat", flat, NAN, NAN },
};
const size_t sl_simulate_path_count = sizeof sl_simulate_paths / sizeof sl_simulate_paths[0];

/* What an estimate is of: the knee, or the crossing. */
static double truth_of(const sl_simulate_path *path, sl_crossing_method m)
{
    return m == SL_CROSSING_SEGMENTED ? path->knee : path->crossing;
}

static int is_outside(double x, double lower, double upper)
{
    return x < lower || x > upper;
}

typedef struct counts {
    size_t misses[SL_CROSSING_METHODS], with[SL_CROSSING_METHODS], bracket;
} counts;

/* An end that is not there is open: the e-detector gives a bound from above only. */
static void count(counts *n, sl_simulate_cover *out, const sl_crossing *c,
                  const sl_simulate_path *path)
{
    out->path[c->path]++;
    if (c->path == SL_PATH_CROSSED)
        n->bracket += isnan(path->crossing) || is_outside(path->crossing, c->low, c->high);
    for (int m = 0; m < SL_CROSSING_METHODS; m++) {
        const sl_estimate *e = &c->estimate[m];
        const double truth = truth_of(path, m);

        if (isnan(truth) || isnan(e->value) || (isnan(e->lower) && isnan(e->upper)))
            continue;
        n->with[m]++;
        n->misses[m] += is_outside(truth, isnan(e->lower) ? -INFINITY : e->lower,
                                   isnan(e->upper) ? INFINITY : e->upper);
    }
}

static sl_status one_path(sl_crossing *out, double *y, const sl_simulate_path *path, size_t prompts,
                          int votes, sl_rng rng)
{
    const sl_boundary_settings test = sl_boundary_defaults();
    sl_checkpoint at[SL_SIMULATE_CHECKPOINTS];

    for (size_t i = 0; i < SL_SIMULATE_CHECKPOINTS; i++) {
        const double u = (double)i / (SL_SIMULATE_CHECKPOINTS - 1);

        for (size_t k = 0; k < prompts; k++)
            y[i * prompts + k] = sl_simulate_prompt(&rng, path->bs(u), votes);
        at[i] = (sl_checkpoint){ u, y + i * prompts, prompts };
    }
    return sl_crossing_of(out, at, SL_SIMULATE_CHECKPOINTS, &test, 1);
}

sl_status sl_simulate_crossing(sl_simulate_cover *out, const sl_simulate_path *path, size_t prompts,
                               int votes, size_t runs, uint64_t seed)
{
    const uint64_t stream = sl_rng_substream(sl_rng_stream(path->name), (uint64_t)votes);
    counts n = { 0 };
    double *y = NULL;
    sl_status st = SL_OK;

    *out = (sl_simulate_cover){ 0 };
    SL_TRY(sl_take(&y, SL_SIMULATE_CHECKPOINTS * prompts, sizeof *y));
    for (size_t r = 0; r < runs; r++) {
        sl_crossing c;

        SL_TRY_OUT(one_path(&c, y, path, prompts, votes, sl_rng_at(seed, stream, r)));
        count(&n, out, &c, path);
    }
    out->bracket = share_of(n.bracket, out->path[SL_PATH_CROSSED]);
    for (int m = 0; m < SL_CROSSING_METHODS; m++)
        out->estimate[m] = share_of(n.misses[m], n.with[m]);
out:
    sl_free(y);
    return st;
}
