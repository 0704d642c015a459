#include "cli/demo_table.h"
#include "analysis/table.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Gains closer than this are a tie: data order and labels alone move the difference of gains by .03
 * to .13 (docs/math.md, "The branch test"). */
#define CLEAR_DIFFERENCE 0.13
enum { PAPER_PROMPTS = 2000 };

static const char *const source_words[] = { "keep", "static", "on-policy", "mix", "stop" };

/* The value of the eval NAME that fits, NaN when there is none. */
static sl_status find_eval(double *out, sl_reader *reader, const char *want, int64_t step,
                           int64_t measurement)
{
    const sl_row_evals *e;
    size_t count;

    *out = NAN;
    SL_TRY(sl_reader_rows(reader, SL_TABLE_EVALS, &e, &count));
    for (size_t i = 0; i < count; i++) {
        const char *name = NULL;

        SL_TRY(sl_reader_name(reader, SL_NAME_EVAL, e[i].eval, &name));
        if (name && !strcmp(name, want) && (step < 0 || e[i].step == step) &&
            (measurement < 0 || e[i].measurement == measurement))
            *out = e[i].value;
    }
    return SL_OK;
}

sl_status sl_demo_table_add(sl_demo_table *table, const char *start,
                            const sl_run_analysis *analysis, sl_reader *reader)
{
    for (size_t i = 0; i < analysis->count; i++) {
        const sl_measurement *m = &analysis->row[i];
        sl_demo_row *r = &table->row[table->count];

        if (table->count == SL_DEMO_ROWS)
            return SL_FAIL(SL_EINTERNAL, "bug: more than %d measurements", SL_DEMO_ROWS);
        table->count++;
        *r = (sl_demo_row){ .iteration = m->iteration,
                            .bs = m->derived.bs,
                            .lower = m->derived.lower,
                            .upper = m->derived.upper,
                            .votes = m->derived.votes,
                            .prompts = m->derived.prompts,
                            .max_votes = m->derived.prompts
                                             ? PAPER_PROMPTS * m->derived.votes / m->derived.prompts
                                             : 0,
                            .stage = m->derived.stage,
                            .action = m->decided.step < 0 ? -1 : m->decided.action };
        snprintf(r->start, sizeof r->start, "%s", start);
        SL_TRY(find_eval(&r->bs_fixed, reader, "bs_fixed", m->step, -1));
        SL_TRY(find_eval(&r->gain_chosen, reader, "gain", -1, m->measurement));
        SL_TRY(find_eval(&r->gain_other, reader, "gain_branch", -1, m->measurement));
    }
    return SL_OK;
}

static const char *judge(const sl_demo_row *r)
{
    const double d = r->gain_chosen - r->gain_other;

    if (r->action < 0)
        return "end of the run";
    if (!isfinite(d))
        return "not compared";
    if (fabs(d) < CLEAR_DIFFERENCE)
        return "either: gains too close to call";
    return d > 0.0 ? "right" : "WRONG: the other source gained more";
}

static sl_status write_table(const sl_demo_table *table, const char *out)
{
    sl_table_out t;

    SL_TRY(sl_table_open(&t, out, "summary.tsv",
                         "start\titeration\tbs_fixed\tbs\tlower\tupper\tprompts\tvotes\tstage\t"
                         "chosen\tgain_chosen\tgain_other\tverdict"));
    for (size_t i = 0; i < table->count; i++) {
        const sl_demo_row *r = &table->row[i];

        sl_table_text(&t, r->start);
        sl_table_i64(&t, r->iteration + 1);
        sl_table_f64(&t, r->bs_fixed);
        sl_table_f64(&t, r->bs);
        sl_table_f64(&t, r->lower);
        sl_table_f64(&t, r->upper);
        sl_table_i64(&t, r->prompts);
        sl_table_i64(&t, r->votes);
        sl_table_text(&t, sl_stage_name(r->stage));
        sl_table_text(&t, r->action < 0 ? "-" : source_words[r->action]);
        sl_table_f64(&t, r->gain_chosen);
        sl_table_f64(&t, r->gain_other);
        sl_table_text(&t, judge(r));
        sl_table_end_row(&t);
    }
    return sl_table_close(&t);
}

static void print_gain(double gain)
{
    if (isfinite(gain))
        printf(" %8.2f", gain);
    else
        printf(" %8s", "-");
}

static void print_cost(const sl_demo_table *table)
{
    double votes = 0.0, paper = 0.0, prompts = 0.0;
    size_t wrong = 0, decided = 0;

    for (size_t i = 0; i < table->count; i++) {
        votes += table->row[i].votes;
        prompts += table->row[i].prompts;
        paper += table->row[i].max_votes;
        decided += table->row[i].action >= 0;
        wrong += !strncmp(judge(&table->row[i]), "WRONG", 5);
    }
    printf("\nA verdict took %.0f votes on %.0f prompts on average; the paper's fixed sample of %d "
           "prompts would take %.0f votes.\n",
           votes / (double)table->count, prompts / (double)table->count, PAPER_PROMPTS,
           paper / (double)table->count);
    printf("%zu of %zu decisions were wrong by the true gain in exact reward.\n", wrong, decided);
}

sl_status sl_demo_table_print(const sl_demo_table *table, const char *out)
{
    SL_TRY(write_table(table, out));
    printf("start   before     BS of 1000  BS at the early stop       votes  stage        data "
           "next   true gain in exact reward\n"
           "        iteration  prompts                                                          "
           "       chosen    other   verdict\n");
    for (size_t i = 0; i < table->count; i++) {
        const sl_demo_row *r = &table->row[i];

        printf("%-7s ", r->start);
        if (r->action < 0)
            printf("%-10s", "(end)");
        else
            printf("%-10lld", (long long)r->iteration + 1);
        printf(" %-11.3f %.3f [%.3f, %.3f] %10u  %-12s %-10s", r->bs_fixed, r->bs, r->lower,
               r->upper, r->votes, sl_stage_name(r->stage),
               r->action < 0 ? "-" : source_words[r->action]);
        print_gain(r->gain_chosen);
        print_gain(r->gain_other);
        printf("   %s\n", judge(r));
    }
    print_cost(table);
    printf("\nRecords: %s/run-*/run.h5   tables and figures: %s/figures-*/   page: "
           "%s/report.html\n",
           out, out, out);
    return SL_OK;
}
