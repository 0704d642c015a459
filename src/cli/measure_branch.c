/* What `measure` says of a branch test. */
#include "cli/measure_branch.h"
#include "analysis/threshold.h"
#include <math.h>
#include <stdio.h>

static const double LEVEL = 0.95;

static const char *const units[] = { "win-rate", "exact-reward" };
static const char *const unit_words[] = { "share of votes against the fork, less 1/2",
                                          "exact reward" };
static const char *const winners[] = { "undecided", "static", "on-policy" }; /* by stage */

static void gains_of(double *out, const sl_branch *b, size_t source)
{
    for (size_t r = 0; r < b->replicates; r++)
        out[r] = b->row[source][r].gain;
}

void sl_measured_branch_verdict(sl_branch_verdict *out, const sl_branch *b)
{
    double off[SL_BRANCH_MOST], on[SL_BRANCH_MOST], paired[SL_BRANCH_MOST];

    gains_of(off, b, 0);
    gains_of(on, b, 1);
    sl_branch_verdict_of(out, paired, off, on, b->replicates, 1.0 - LEVEL);
}

/* --- JSON ------------------------------------------------------------------------------------ */

/* NULL: no memory. */
static sl_json *source_json(const sl_branch *b, size_t source, double mean)
{
    sl_json *list = json_array();

    for (size_t r = 0; r < b->replicates; r++) {
        const sl_branch_gain *g = &b->row[source][r];

        json_array_append_new(list,
                              json_pack("{s:o, s:o, s:I, s:I}", "gain", sl_json_number(g->gain),
                                        "se", sl_json_number(g->se), "prompts", (json_int_t)g->used,
                                        "dropped", (json_int_t)g->dropped));
    }
    return json_pack("{s:o, s:o}", "gain", sl_json_number(mean), "replicates", list);
}

sl_json *sl_measured_branch_json(const sl_branch *b, sl_stage score, size_t votes_alone)
{
    sl_branch_verdict v;
    sl_branch_accord accord;

    sl_measured_branch_verdict(&v, b);
    accord = sl_branch_accord_of(score, v.winner);
    return json_pack(
        "{s:I, s:I, s:s, s:o, s:o, s:{s:o, s:o, s:o, s:o, s:f, s:s}, s:s, s:o, s:{s:I, s:I, s:I, "
        "s:f, s:I}}",
        "updates", (json_int_t)b->updates, "replicates", (json_int_t)b->replicates, "unit",
        units[b->is_exact], "static", source_json(b, 0, v.off), "on_policy",
        source_json(b, 1, v.on), "difference", "value", sl_json_number(v.difference.value), "se",
        sl_json_number(v.difference.se), "lower", sl_json_number(v.interval.lower), "upper",
        sl_json_number(v.interval.upper), "level", LEVEL, "method", "student", "winner",
        winners[v.winner], "agrees",
        accord == SL_ACCORD_UNKNOWN ? json_null() : json_boolean(accord == SL_ACCORD_SAME), "cost",
        "updates", (json_int_t)(b->updates * SL_BRANCH_SOURCES) * (json_int_t)b->replicates,
        "answers", (json_int_t)b->answers, "votes", (json_int_t)b->votes, "seconds", b->seconds,
        "votes_alone", (json_int_t)votes_alone);
}

/* --- text ------------------------------------------------------------------------------------ */

static void print_source(const char *name, const sl_branch *b, size_t source, double mean)
{
    printf("  %-9s data gain %+.3f (", name, mean);
    for (size_t r = 0; r < b->replicates; r++)
        printf("%s%+.3f", r ? " " : "", b->row[source][r].gain);
    printf(")\n");
}

static const char *const verdicts[] = {
    "undecided: the gains differ by less than two standard errors", "static data win now",
    "on-policy data win now"
};

static void print_accord(sl_branch_accord accord, sl_stage score, double tau)
{
    if (accord == SL_ACCORD_SAME)
        printf("  the boundary score says the same\n");
    else if (accord == SL_ACCORD_OPPOSITE)
        printf("  BS = %.3g misleads here: the boundary score names the other source\n", tau);
    else if (score == SL_STAGE_UNDECIDED)
        printf("  the boundary score is undecided\n");
    else
        printf("  the boundary score says %s, which the branches neither confirm nor refute\n",
               winners[score]);
}

void sl_measured_branch_text(const sl_branch *b, sl_stage score, double tau, size_t votes_alone)
{
    sl_branch_verdict v;

    sl_measured_branch_verdict(&v, b);
    printf("branch test: %zu replicates of %lld updates on each source; gains in %s\n",
           b->replicates, (long long)b->updates, unit_words[b->is_exact]);
    print_source("static", b, 0, v.off);
    print_source("on-policy", b, 1, v.on);
    printf("  difference %+.3f, standard error over replicates %.3f, [%+.3f, %+.3f] by Student's t "
           "with %zu degrees of freedom\n",
           v.difference.value, v.difference.se, v.interval.lower, v.interval.upper,
           v.difference.used ? v.difference.used - 1 : 0);
    printf("  %s\n", verdicts[v.winner]);
    print_accord(sl_branch_accord_of(score, v.winner), score, tau);
    printf("  cost: %lld updates, %lld answers, %lld votes, %.1f s; the boundary score alone took "
           "%zu votes and no update\n",
           (long long)(b->updates * SL_BRANCH_SOURCES) * (long long)b->replicates,
           (long long)b->answers, (long long)b->votes, b->seconds, votes_alone);
    printf("  measured with --out at %d or more checkpoints, stageline analyze RUN... gives the "
           "threshold of this recipe\n",
           SL_THRESHOLD_TESTS);
}
