/* `bench coverage`: what the tests and intervals promise, at full size. */
#include "analysis/simulate.h"
#include "cli/bench.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SEED = 1, PATH_PROMPTS = 200 };
#define ALPHA 0.05

static sl_status add(sl_bench *bench, sl_json *row)
{
    if (!row || json_array_append_new(bench->rows, row) != 0)
        return SL_FAIL(SL_ENOMEM, "want memory for a result, found none");
    return SL_OK;
}

static void say(const sl_bench *bench, const char *line)
{
    if (bench->is_json)
        return;
    puts(line);
    (void)fflush(stdout);
}

static sl_json *share_json(const sl_simulate_share *s)
{
    return json_pack("{s:I, s:I, s:o, s:o}", "count", (json_int_t)s->hits, "of",
                     (json_int_t)s->runs, "value", sl_json_number(s->value), "upper_99",
                     sl_json_number(s->upper));
}

static sl_status rule(sl_bench *bench, const sl_simulate_case *c)
{
    sl_simulate_result r;
    char line[256], want[32] = "      ", error[48] = "       |       ";

    SL_TRY(sl_simulate_rule(&r, c, (size_t)bench->runs, SEED));
    if (r.error.runs)
        snprintf(error, sizeof error, "%.4f | %.4f", r.error.value, r.error.upper);
    if (isfinite(c->prompts))
        snprintf(want, sizeof want, "%6.0f", c->prompts);
    snprintf(line, sizeof line, "| %-22s | %d | %.2f | %6.1f | %s | %5.0f | %s | %.4f |", c->rule,
             c->votes, c->p, r.mean, want, r.p95, error, r.undecided.value);
    say(bench, line);
    return add(bench,
               json_pack("{s:s, s:s, s:s, s:i, s:f, s:o, s:o, s:o, s:o, s:o}", "bench", "coverage",
                         "kind", "rule", "name", c->rule, "votes", c->votes, "p", c->p, "prompts",
                         sl_json_number(r.mean), "prompts_expected", sl_json_number(c->prompts),
                         "prompts_95", sl_json_number(r.p95), "error", share_json(&r.error),
                         "undecided", share_json(&r.undecided)));
}

static sl_status rules(sl_bench *bench)
{
    say(bench, "Rules, at most 2000 prompts. At p = .5 a rule with a zone cannot err; without, any "
               "answer is one.");
    say(bench, "| rule                   | votes a prompt | p | mean prompts | expected | 95 % | "
               "error | its 99 % limit | undecided |");
    say(bench, "|---|---|---|---|---|---|---|---|---|");
    for (size_t i = 0; i < sl_simulate_case_count; i++)
        SL_TRY(rule(bench, &sl_simulate_cases[i]));
    return SL_OK;
}

static sl_status sequence(sl_bench *bench, sl_simulate_sequence kind, double p, int votes)
{
    const char *name = sl_simulate_sequence_names[kind];
    sl_simulate_share missed;
    char line[160];

    SL_TRY(sl_simulate_misses(&missed, kind, p, votes, ALPHA, (size_t)bench->runs, SEED));
    snprintf(line, sizeof line, "| %-9s | %d | %.2f | %.4f | %.4f |", name, votes, p, missed.value,
             missed.upper);
    say(bench, line);
    return add(bench,
               json_pack("{s:s, s:s, s:s, s:i, s:f, s:o}", "bench", "coverage", "kind", "sequence",
                         "name", name, "votes", votes, "p", p, "missed", share_json(&missed)));
}

static sl_status sequences(sl_bench *bench)
{
    static const double p[] = { 0.05, 0.40, 0.45, 0.50, 0.55, 0.66 };

    say(bench,
        "\nConfidence sequences, level .95: runs of 2000 prompts that leave p out at any look.");
    say(bench, "| sequence | votes a prompt | p | missed | its 99 % limit |");
    say(bench, "|---|---|---|---|---|");
    for (int kind = 0; kind < SL_SIMULATE_SEQUENCES; kind++)
        for (int votes = 1; votes <= 4; votes += 3)
            for (size_t i = 0; i < sizeof p / sizeof p[0]; i++)
                SL_TRY(sequence(bench, kind, p[i], votes));
    return SL_OK;
}

static sl_status estimate(sl_bench *bench, const char *path, int votes, const char *name,
                          const sl_simulate_share *missed, size_t runs)
{
    char line[200];

    if (!missed->runs)
        return SL_OK;
    snprintf(line, sizeof line, "| %-6s | %d | %-15s | %4zu of %zu | %.3f |", path, votes, name,
             missed->runs, runs, 1.0 - missed->value);
    say(bench, line);
    return add(bench, json_pack("{s:s, s:s, s:s, s:s, s:i, s:I, s:o}", "bench", "coverage", "kind",
                                "boundary", "path", path, "name", name, "votes", votes, "runs",
                                (json_int_t)runs, "missed", share_json(missed)));
}

static sl_status path(sl_bench *bench, const sl_simulate_path *p, int votes)
{
    const size_t runs = (size_t)bench->runs / 16;
    sl_simulate_cover c;

    SL_TRY(sl_simulate_crossing(&c, p, PATH_PROMPTS, votes, runs, SEED));
    SL_TRY(estimate(bench, p->name, votes, "bracket", &c.bracket, runs));
    for (int m = 0; m < SL_CROSSING_METHODS; m++)
        SL_TRY(estimate(bench, p->name, votes, sl_crossing_names[m], &c.estimate[m], runs));
    return SL_OK;
}

static sl_status boundaries(sl_bench *bench)
{
    say(bench, "\nBoundary estimates, level .95: paths of 9 checkpoints with 200 prompts each.");
    say(bench, "| path | votes a prompt | estimate | with an interval | coverage |");
    say(bench, "|---|---|---|---|---|");
    for (size_t i = 0; i < sl_simulate_path_count; i++)
        for (int votes = 1; votes <= 4; votes += 3)
            SL_TRY(path(bench, &sl_simulate_paths[i], votes));
    return SL_OK;
}

sl_status sl_bench_coverage(sl_bench *bench)
{
    SL_TRY(rules(bench));
    SL_TRY(sequences(bench));
    return boundaries(bench);
}
