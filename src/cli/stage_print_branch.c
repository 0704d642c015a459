/* The branch tests of the stage benchmark beside its score, in text. */
#include "analysis/stages_branch.h"
#include "cli/stage_print.h"
#include <math.h>
#include <stdio.h>

static const char *const sources[] = { "undecided", "static", "on-policy" }; /* by stage */

static void print_count(const sl_stage_count *c)
{
    if (c->of)
        printf(" %4zu of %-4zu", c->right, c->of);
    else
        printf(" %4s    %-4s", "-", "");
}

static void print_row(const sl_stage_view *v, const char *row, const char *method)
{
    const sl_stage_filter f = { row, method, NAN, NAN };
    const sl_stage_branches b = sl_stage_branches_of(v->cell, v->n, &f);

    if (!b.of)
        return;
    printf("%-14s %-8s", row ? row : "all rows", method ? method : "both");
    print_count(&b.all);
    print_count(&b.clear);
    print_count(&b.decided);
    print_count(&b.misled);
    printf("  %-9zu %6.3f %6.3f\n", b.misled_open, b.score_regret, b.regret);
}

static void print_counts(const sl_stage_view *v)
{
    printf("\nBranch tests beside the score: whole iterations on other data from the same start. "
           "Right: the source that gained more in the test gained more in the cell.\n"
           "row            method     all cells  clear cells beyond 2 SE  score wrong  undecided "
           "regret: score tests\n");
    for (size_t i = 0; i < sl_stage_variant_count; i++)
        for (size_t m = 0; m < SL_STAGE_METHODS; m++)
            print_row(v, sl_stage_variants[i].name, sl_stage_methods[m]);
    for (size_t m = 0; m <= SL_STAGE_METHODS; m++)
        print_row(v, NULL, m < SL_STAGE_METHODS ? sl_stage_methods[m] : NULL);
    printf("Beyond 2 SE: of the clear cells, those in which the test decides; score wrong: of the "
           "clear cells in which 1/2 misleads, those in which the test is right, and how many it "
           "leaves undecided. "
           "Regret: mean gain lost against the better source, guided by the score and by the "
           "tests.\n");
}

static int is_misled(const sl_stage_cell *c)
{
    const double d = sl_stage_difference(c);

    return fabs(d) > SL_STAGE_CLEAR && sl_stage_says_on_policy(c, SL_PLACE_START) != (d > 0.0) &&
           c->branch.replicates >= 2.0;
}

static void print_misled_cell(const sl_stage_view *v, const sl_stage_cell *c)
{
    const sl_stage_tested t = sl_stage_tested_of(c, v->cell, v->n);
    const double d = sl_stage_difference(c);

    printf("%-14s %-8s %4g %5g  %.3f %-9s %+7.2f  %+7.2f (%.2f) [%+.2f, %+.2f]  %-9s %s\n",
           c->variant, c->method, c->seed, c->strength, c->place[SL_PLACE_START].bs,
           sources[1 + sl_stage_says_on_policy(c, SL_PLACE_START)], d, t.difference, t.se,
           t.interval.lower, t.interval.upper, sources[t.winner],
           (t.difference > 0.0) == (d > 0.0) ? "right" : "wrong");
}

static void print_misled(const sl_stage_view *v)
{
    printf("\nWhere 1/2 misleads: clear cells in which the score names the other source. D: gain "
           "on-policy - gain static, in the cell and in the test (SE) [.95]\n"
           "row            method   seed start     BS says      D cell  D test                     "
           "      decides   larger gain\n");
    for (size_t i = 0; i < v->n; i++)
        if (is_misled(v->cell[i]))
            print_misled_cell(v, v->cell[i]);
}

static sl_status print_threshold(const sl_stage_view *v, const char *row, const char *method)
{
    const sl_stage_filter f = { row, method, NAN, NAN };
    sl_stage_calibrated c;

    SL_TRY(sl_stage_calibrate(&c, v->cell, v->n, &f));
    if (!c.all.tests)
        return SL_OK;
    printf("%-14s %-8s %5zu  ", row, method, c.all.tests);
    if (c.all.kind == SL_THRESHOLD_NONE)
        printf("%-22s  -  ", "-");
    else
        printf("%5.2f [%5.2f, %5.2f]    %-3s", c.all.value, c.all.interval.lower,
               c.all.interval.upper, c.all.excludes_half ? "no" : "yes");
    print_count(&c.half);
    print_count(&c.tau);
    printf("  %zu\n", c.replaced);
    return SL_OK;
}

static sl_status print_thresholds(const sl_stage_view *v)
{
    printf("\nThe threshold by branch tests [.95] (infinite: no crossing). Each seed judged by the "
           "tests of the others, which replace 1/2 only where their interval excludes it; clear "
           "cells.\n"
           "row            method   tests  threshold        1/2 inside  right: 1/2  others' tau  "
           "replaced\n");
    for (size_t i = 0; i < sl_stage_variant_count; i++)
        for (size_t m = 0; m < SL_STAGE_METHODS; m++)
            SL_TRY(print_threshold(v, sl_stage_variants[i].name, sl_stage_methods[m]));
    return SL_OK;
}

sl_status sl_stage_print_branches(const sl_stage_view *v)
{
    const sl_stage_filter any = sl_stage_any();
    const sl_stage_branches b = sl_stage_branches_of(v->cell, v->n, &any);

    if (!b.of)
        return SL_OK;
    print_counts(v);
    print_misled(v);
    printf("\nCost of a branch test: %.0f updates, %.0f answers, %.0f votes, %.1f s of processor "
           "time; the score took %.0f votes and no update.\n",
           b.updates, b.answers, b.votes, b.cpu_s, sl_stage_votes_of(v->cell, v->n).votes);
    return print_thresholds(v);
}
