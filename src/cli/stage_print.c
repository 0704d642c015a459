#include "cli/stage_print.h"
#include "analysis/stages_table.h"
#include "base/alloc.h"
#include "cli/figures.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const sl_figure figures[] = {
    { .name = "stage_effect",
      .script = "fig_stage_effect.gp",
      .table = "stage_effect.tsv",
      .needs = { "strength", "off", "on" } },
    { .name = "stage_path",
      .script = "fig_stage_path.gp",
      .table = "stage_path.tsv",
      .needs = { "iteration", "bs" } },
    { .name = "stage_orders",
      .script = "fig_stage_orders.gp",
      .table = "stage_orders.tsv",
      .needs = { "strength", "on_on" } },
    { .name = "stage_data",
      .script = "fig_stage_data.gp",
      .table = "stage_data.tsv",
      .needs = { "hamming", "gain" } },
};

const sl_stage_asked sl_stage_asked_at[SL_STAGE_ASKED] = {
    { SL_PLACE_START, NULL },
    { SL_PLACE_OFF, "- after off" },
    { SL_PLACE_ON, "- after on" },
};

size_t sl_stage_view_pick(const sl_stage_view *v, const char *variant, const char *method)
{
    const sl_stage_filter f = { variant, method, NAN, NAN };

    return sl_stage_select(v->of, v->cell, v->n, &f);
}

/* --- the gains of the plain row -------------------------------------------------------------- */

#define PLACE(at, member) ((sl_stage_value)SL_STAGE_MEMBER(place[SL_PLACE_##at].member))

static double mean(const sl_stage_view *v, size_t n, sl_stage_value value)
{
    return sl_stage_band_of(v->of, n, value).mean;
}

static void print_start(const sl_stage_view *v, size_t n)
{
    const sl_stage_band d =
        sl_stage_band_of(v->of, n, (sl_stage_value){ .of = sl_stage_difference });

    printf("%-8s %5g %7.2f  %.3f %8.2f %8.2f %9.2f [%5.2f, %5.2f] ", v->of[0]->method,
           v->of[0]->strength, mean(v, n, PLACE(START, reward)), mean(v, n, PLACE(START, bs)),
           mean(v, n, PLACE(OFF, gain)), mean(v, n, PLACE(ON, gain)), d.mean, d.low, d.high);
    for (size_t i = 0; i < n; i++) {
        const double ratio = sl_stage_ratio(v->of[i]);

        if (isnan(ratio))
            printf("%6s", "-");
        else
            printf("%6.2f", ratio);
    }
    printf("   %.3f %.3f\n", mean(v, n, PLACE(OFF, bs)), mean(v, n, PLACE(ON, bs)));
}

static void print_gains(const sl_stage_view *v)
{
    const size_t strengths = sl_stage_strengths(v->number, v->cell, v->n);

    printf("One iteration, means over seeds; brackets: least and largest; on/static by seed, \"-\" "
           "where static data do not help\n"
           "method   start  reward     BS   static  on-pol. on-pol. - static            on/static"
           "  BS after static, on-policy\n");
    for (size_t m = 0; m < SL_STAGE_METHODS; m++)
        for (size_t s = 0; s < strengths; s++) {
            const sl_stage_filter f = { "plain", sl_stage_methods[m], NAN, v->number[s] };
            const size_t n = sl_stage_select(v->of, v->cell, v->n, &f);

            if (n)
                print_start(v, n);
        }
}

/* --- two iterations and rules ---------------------------------------------------------------- */

static void print_orders(const sl_stage_view *v)
{
    const size_t strengths = sl_stage_strengths(v->number, v->cell, v->n);

    printf("\nTwo iterations, total gain, means over seeds\n"
           "method   start  off,off  off,on  on,off   on,on  guided   BS after off; off,off\n");
    for (size_t m = 0; m < SL_STAGE_METHODS; m++)
        for (size_t s = 0; s < strengths; s++) {
            const sl_stage_filter f = { "plain", sl_stage_methods[m], NAN, v->number[s] };
            const size_t n = sl_stage_select(v->of, v->cell, v->n, &f);
            double sum[SL_PLACE_COUNT] = { 0 }, guided = 0.0, bs = 0.0;

            for (size_t i = 0; i < n; i++) {
                for (size_t at = SL_PLACE_OFF_OFF; at < SL_PLACE_COUNT; at++)
                    sum[at] += v->of[i]->place[at].gain / (double)n;
                guided += sl_stage_gain(v->of[i], SL_STAGE_GUIDED, 2) / (double)n;
                bs += v->of[i]->place[SL_PLACE_OFF_OFF].bs / (double)n;
            }
            if (n)
                printf("%-8s %5g %8.2f %7.2f %7.2f %7.2f %7.2f   %.3f; %.3f\n", sl_stage_methods[m],
                       f.strength, sum[SL_PLACE_OFF_OFF], sum[SL_PLACE_OFF_ON],
                       sum[SL_PLACE_ON_OFF], sum[SL_PLACE_ON_ON], guided,
                       mean(v, n, PLACE(OFF, bs)), bs);
        }
}

static void print_rules(const sl_stage_view *v, int iterations)
{
    printf("\nRules, mean total gain of %d iteration%s over starts and seeds; regret: against the "
           "best of all orders\n"
           "method   rule                       gain  regret  best in\n",
           iterations, iterations > 1 ? "s" : "");
    for (size_t m = 0; m < SL_STAGE_METHODS; m++) {
        const size_t n = sl_stage_view_pick(v, "plain", sl_stage_methods[m]);

        for (int r = 0; r < SL_STAGE_RULES; r++) {
            const sl_stage_rule_sum s = sl_stage_rule_of(v->of, n, (sl_stage_rule)r, iterations);

            if (s.of)
                printf("%-8s %-24s %6.2f %7.2f  %zu of %zu\n", sl_stage_methods[m],
                       sl_stage_rule_names[r], s.gain, s.regret, s.best, s.of);
        }
    }
}

/* --- verdicts -------------------------------------------------------------------------------- */

static void print_count(const sl_stage_count *c)
{
    printf(" %4zu of %-4zu %.3f [%.3f, %.3f]", c->right, c->of, c->share, c->interval.lower,
           c->interval.upper);
}

static void print_verdict(const char *row, const char *method, const sl_stage_verdicts *v)
{
    printf("%-14s %-8s", row, method ? method : "both");
    print_count(&v->all);
    print_count(&v->clear);
    printf("  %3zu %3zu %3zu %3zu", v->confusion[0][0], v->confusion[0][1], v->confusion[1][0],
           v->confusion[1][1]);
    if (isnan(v->wrong_low))
        printf("  -\n");
    else
        printf("  %.2f to %.2f\n", v->wrong_low, v->wrong_high);
}

static void print_crossings(const sl_stage_view *v, const char *row, const char *method)
{
    double seed[64];
    size_t n = sl_stage_view_pick(v, row, method), seeds;

    if (!n || n > sizeof seed / sizeof seed[0])
        return;
    seeds = sl_stage_seeds(seed, v->of, n);
    printf("%-14s %-8s", row, method);
    for (size_t s = 0; s < seeds; s++) {
        const sl_stage_filter f = { row, method, seed[s], NAN };
        const double x = sl_stage_crossing(v->of, sl_stage_select(v->of, v->cell, v->n, &f));

        if (isfinite(x))
            printf("  %.2f", x);
        else
            printf("  %s", x < 0.0 ? "everywhere" : "nowhere");
    }
    printf("\n");
}

static void print_row_verdicts(const sl_stage_view *v, const sl_stage_variant *row,
                               const sl_stage_asked *asked)
{
    for (size_t m = 0; m <= SL_STAGE_METHODS; m++) {
        const char *method = m < SL_STAGE_METHODS ? sl_stage_methods[m] : NULL;
        const size_t n = sl_stage_view_pick(v, row->name, method);
        const sl_stage_verdicts verdicts = sl_stage_verdicts_of(v->of, n, asked->at);

        if (verdicts.all.of)
            print_verdict(asked->name ? asked->name : row->name, method, &verdicts);
    }
}

static void print_verdicts(const sl_stage_view *v)
{
    printf("\nScore below 1/2: static data next, else on-policy data. Right by the exact gains; "
           "clear: they differ by more than %.1f.\n"
           "row            method    right, all cells             right, clear cells          "
           "s>s s>o o>s o>o  wrong at BS\n",
           SL_STAGE_CLEAR);
    for (size_t i = 0; i < sl_stage_variant_count; i++)
        for (size_t a = 0; a < SL_STAGE_ASKED; a++)
            print_row_verdicts(v, &sl_stage_variants[i], &sl_stage_asked_at[a]);
    printf("s>o: the score said static, on-policy gained more; and so on.\n"
           "\nThe score at which on-policy data begin to win, by seed\n");
    for (size_t i = 0; i < sl_stage_variant_count; i++)
        for (size_t m = 0; m < SL_STAGE_METHODS; m++)
            print_crossings(v, sl_stage_variants[i].name, sl_stage_methods[m]);
}

static void print_votes(const sl_stage_view *v)
{
    const size_t n = sl_stage_view_pick(v, "plain", NULL);
    const sl_stage_votes s = sl_stage_votes_of(v->of, n);

    printf("\nVotes: %.0f on average by the sequential test, %.0f by the whole sample. Of %zu "
           "measurements %zu stay undecided, %zu answer the other side than the whole sample. Of "
           "%zu clear cells the test is wrong in %zu, the whole sample in %zu.\n",
           s.votes, s.fixed_votes, s.of, s.undecided, s.other_side, s.clear, s.wrong,
           s.fixed_wrong);
}

/* --- other rows ------------------------------------------------------------------------------ */

static void print_row(const sl_stage_view *v, const sl_stage_variant *row, const char *method)
{
    const size_t strengths = sl_stage_strengths(v->number, v->cell, v->n);

    if (!sl_stage_view_pick(v, row->name, method))
        return;
    printf("%-14s %-8s", row->name, method);
    for (size_t s = 0; s < strengths; s++) {
        const sl_stage_filter f = { row->name, method, NAN, v->number[s] };
        const size_t n = sl_stage_select(v->of, v->cell, v->n, &f);

        if (n)
            printf("  %5.2f %5.2f (%.2f)", mean(v, n, PLACE(OFF, gain)),
                   mean(v, n, PLACE(ON, gain)), mean(v, n, PLACE(START, bs)));
    }
    printf("%s\n", row->is_stress ? "  stress" : "");
}

static void print_rows(const sl_stage_view *v)
{
    printf(
        "\nRows of settings: gain by static data, by on-policy data (score of the start), starts "
        "from weak to strong, means over seeds\n");
    for (size_t i = 0; i < sl_stage_variant_count; i++)
        for (size_t m = 0; m < SL_STAGE_METHODS; m++)
            print_row(v, &sl_stage_variants[i], sl_stage_methods[m]);
    for (size_t i = 0; i < sl_stage_variant_count; i++)
        if (sl_stage_view_pick(v, sl_stage_variants[i].name, NULL))
            printf("%s: %s%s\n", sl_stage_variants[i].name, sl_stage_variants[i].what,
                   sl_stage_variants[i].is_stress
                       ? " (stress: outside the conditions the score is meant for)"
                       : "");
}

static void print_checks(const sl_stage_view *v)
{
    printf("\nAcceptance (docs/stage-benchmark.md)\n");
    for (size_t i = 0; i < v->checks; i++) {
        const sl_stage_check *c = &v->check[i];

        printf("point %d ", c->point);
        if (isnan(c->seed))
            printf("all seeds");
        else
            printf("seed %-4g", c->seed);
        printf(" %-8s %-8s %s\n", c->method ? c->method : "both", c->is_held ? "held" : "NOT HELD",
               c->text);
    }
}

static void print_time(const sl_stage_view *v)
{
    const sl_stage_show *s = v->show;

    printf("\nTime: %zu of %zu cells in this call: %.1f s on %zu processes. All cells: %.1f s of "
           "processor time, %.0f GFLOP of matrix products: %.1f GFLOP/s, %.0f %% of the %.1f that "
           "one processor reaches in a large product (sgemm), measured in this call.\n",
           s->measured, v->n, s->wall_s, s->processes, v->cpu_s, v->flops / 1e9,
           v->flops / v->cpu_s / 1e9, 100.0 * v->flops / v->cpu_s / s->flops_peak,
           s->flops_peak / 1e9);
    printf("Cells: %s/cells.jsonl; tables and figures: %s/stage_*\n", s->out, s->out);
}

sl_status sl_stage_print_text(const sl_stage_view *v)
{
    printf("%s world: %s\n\n", v->show->world->name, v->show->world->what);
    print_gains(v);
    if (v->show->world->iterations > 1) {
        print_orders(v);
        print_rules(v, 2);
    }
    print_rules(v, 1);
    print_verdicts(v);
    print_votes(v);
    SL_TRY(sl_stage_print_branches(v));
    print_rows(v);
    print_checks(v);
    print_time(v);
    return SL_OK;
}

static sl_status draw_figures(const char *out)
{
    const sl_figure_form form = { .format = "svg", .width = "screen" };

    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++) {
        int is_drawn; /* 0: a world of one iteration has no orders */

        SL_TRY(sl_figure_draw(&is_drawn, &figures[i], out, out, &form));
    }
    return SL_OK;
}

sl_status sl_stage_show_all(const sl_stage_show *show)
{
    sl_stage_view v = { .show = show, .n = show->file->count };
    sl_status st = SL_OK;

    SL_TRY_OUT(sl_take(&v.cell, v.n + 1, sizeof *v.cell));
    SL_TRY_OUT(sl_take(&v.of, v.n + 1, sizeof *v.of));
    SL_TRY_OUT(sl_take(&v.number, v.n + 1, sizeof *v.number));
    SL_TRY_OUT(sl_take(&v.check, SL_STAGE_CHECKS, sizeof *v.check));
    for (size_t i = 0; i < v.n; i++) {
        v.cell[i] = &show->file->row[i].cell;
        v.cpu_s += v.cell[i]->cpu_s;
        v.flops += v.cell[i]->flops;
    }
    SL_TRY_OUT(sl_stage_accept(v.check, &v.checks, SL_STAGE_CHECKS, v.cell, v.n));
    SL_TRY_OUT(sl_stage_tables(show->out, v.cell, v.n));
    SL_TRY_OUT(draw_figures(show->out));
    st = show->is_json ? sl_stage_print_document(&v) : sl_stage_print_text(&v);
out:
    sl_free(v.cell);
    sl_free(v.of);
    sl_free(v.number);
    sl_free(v.check);
    return st;
}
