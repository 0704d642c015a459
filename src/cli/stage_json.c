/* The document of `bench stage --json`: docs/documents.md. */
#include "analysis/stages_branch.h"
#include "base/alloc.h"
#include "cli/print.h"
#include "cli/stage_print.h"
#include <math.h>

static sl_status no_memory(void)
{
    return SL_FAIL(SL_ENOMEM, "want memory for the document, found none");
}

/* Puts a value, which is consumed, at the end of an array. */
static sl_status append(sl_json *list, sl_json *value)
{
    return value && !json_array_append_new(list, value) ? SL_OK : no_memory();
}

static sl_json *count_json(const sl_stage_count *c)
{
    return json_pack("{s:I, s:I, s:o, s:f, s:f}", "right", (json_int_t)c->right, "of",
                     (json_int_t)c->of, "share", sl_json_number(c->share), "lower",
                     c->interval.lower, "upper", c->interval.upper);
}

static sl_json *verdict_json(const char *row, sl_place at, const char *method,
                             const sl_stage_verdicts *v)
{
    return json_pack("{s:s, s:s, s:s?, s:o, s:o, s:o, s:[[I,I],[I,I]], s:o, s:o}", "row", row, "at",
                     sl_place_names[at], "method", method, "all", count_json(&v->all), "clear",
                     count_json(&v->clear), "outside", count_json(&v->outside), "confusion",
                     (json_int_t)v->confusion[0][0], (json_int_t)v->confusion[0][1],
                     (json_int_t)v->confusion[1][0], (json_int_t)v->confusion[1][1], "wrong_low",
                     sl_json_number(v->wrong_low), "wrong_high", sl_json_number(v->wrong_high));
}

static sl_status row_verdicts(sl_json *list, const sl_stage_view *v, const char *row, sl_place at)
{
    for (size_t m = 0; m <= SL_STAGE_METHODS; m++) {
        const char *method = m < SL_STAGE_METHODS ? sl_stage_methods[m] : NULL;
        const size_t n = sl_stage_view_pick(v, row, method);
        const sl_stage_verdicts found = sl_stage_verdicts_of(v->of, n, at);

        if (found.all.of)
            SL_TRY(append(list, verdict_json(row, at, method, &found)));
    }
    return SL_OK;
}

static sl_status verdicts(sl_json *list, const sl_stage_view *v)
{
    for (size_t i = 0; i < sl_stage_variant_count; i++)
        for (size_t a = 0; a < SL_STAGE_ASKED; a++)
            SL_TRY(row_verdicts(list, v, sl_stage_variants[i].name, sl_stage_asked_at[a].at));
    return SL_OK;
}

static sl_status rules(sl_json *list, const sl_stage_view *v)
{
    for (int iterations = 1; iterations <= v->show->world->iterations; iterations++)
        for (size_t m = 0; m < SL_STAGE_METHODS; m++)
            for (int r = 0; r < SL_STAGE_RULES; r++) {
                const size_t n = sl_stage_view_pick(v, "plain", sl_stage_methods[m]);
                const sl_stage_rule_sum s =
                    sl_stage_rule_of(v->of, n, (sl_stage_rule)r, iterations);

                if (s.of)
                    SL_TRY(append(list, json_pack("{s:s, s:s, s:i, s:f, s:f, s:I, s:I}", "rule",
                                                  sl_stage_rule_names[r], "method",
                                                  sl_stage_methods[m], "iterations", iterations,
                                                  "gain", s.gain, "regret", s.regret, "best",
                                                  (json_int_t)s.best, "of", (json_int_t)s.of)));
            }
    return SL_OK;
}

static sl_json *branches_json(const char *row, const char *method, const sl_stage_branches *b)
{
    return json_pack("{s:s?, s:s?, s:I, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:{s:f, s:f, s:f, s:f}}",
                     "row", row, "method", method, "tests", (json_int_t)b->of, "all",
                     count_json(&b->all), "clear", count_json(&b->clear), "decided",
                     count_json(&b->decided), "misled", count_json(&b->misled), "misled_undecided",
                     (json_int_t)b->misled_open, "regret", sl_json_number(b->regret),
                     "score_regret", sl_json_number(b->score_regret), "cost", "updates", b->updates,
                     "answers", b->answers, "votes", b->votes, "cpu_s", b->cpu_s);
}

/* By row and method, then over all rows. */
static sl_status branches(sl_json *list, const sl_stage_view *v)
{
    for (size_t i = 0; i <= sl_stage_variant_count; i++)
        for (size_t m = 0; m <= SL_STAGE_METHODS; m++) {
            const sl_stage_filter f = { i < sl_stage_variant_count ? sl_stage_variants[i].name
                                                                   : NULL,
                                        m < SL_STAGE_METHODS ? sl_stage_methods[m] : NULL, NAN,
                                        NAN };
            const sl_stage_branches b = sl_stage_branches_of(v->cell, v->n, &f);

            if (b.of)
                SL_TRY(append(list, branches_json(f.variant, f.method, &b)));
        }
    return SL_OK;
}

static sl_json *threshold_json(const sl_stage_filter *f, const sl_stage_calibrated *c)
{
    return json_pack("{s:s, s:s, s:I, s:s, s:o, s:o, s:o, s:b, s:o, s:o, s:I}", "row", f->variant,
                     "method", f->method, "tests", (json_int_t)c->all.tests, "kind",
                     sl_threshold_names[c->all.kind], "value", sl_json_number(c->all.value),
                     "lower", sl_json_number(c->all.interval.lower), "upper",
                     sl_json_number(c->all.interval.upper), "excludes_half", c->all.excludes_half,
                     "half", count_json(&c->half), "others", count_json(&c->tau), "replaced",
                     (json_int_t)c->replaced);
}

static sl_status thresholds(sl_json *list, const sl_stage_view *v)
{
    for (size_t i = 0; i < sl_stage_variant_count; i++)
        for (size_t m = 0; m < SL_STAGE_METHODS; m++) {
            const sl_stage_filter f = { sl_stage_variants[i].name, sl_stage_methods[m], NAN, NAN };
            sl_stage_calibrated c;

            SL_TRY(sl_stage_calibrate(&c, v->cell, v->n, &f));
            if (c.all.tests)
                SL_TRY(append(list, threshold_json(&f, &c)));
        }
    return SL_OK;
}

static sl_json *votes_json(const sl_stage_view *v)
{
    const sl_stage_votes s = sl_stage_votes_of(v->of, sl_stage_view_pick(v, "plain", NULL));

    return json_pack("{s:f, s:f, s:I, s:I, s:I, s:I, s:I, s:I}", "votes", s.votes, "fixed_votes",
                     s.fixed_votes, "measurements", (json_int_t)s.of, "undecided",
                     (json_int_t)s.undecided, "other_side", (json_int_t)s.other_side, "clear",
                     (json_int_t)s.clear, "wrong", (json_int_t)s.wrong, "fixed_wrong",
                     (json_int_t)s.fixed_wrong);
}

static sl_status checks(sl_json *list, const sl_stage_view *v)
{
    for (size_t i = 0; i < v->checks; i++) {
        const sl_stage_check *c = &v->check[i];

        SL_TRY(append(list, json_pack("{s:i, s:o, s:s?, s:b, s:s}", "point", c->point, "seed",
                                      sl_json_number(c->seed), "method", c->method, "held",
                                      c->is_held, "found", c->text)));
    }
    return SL_OK;
}

static sl_status cells(sl_json *list, const sl_stage_view *v)
{
    for (size_t i = 0; i < v->n; i++) {
        sl_json *tree = NULL;

        SL_TRY(sl_stage_row_json(&tree, &v->show->file->row[i]));
        SL_TRY(append(list, tree));
    }
    return SL_OK;
}

static sl_status add_list(sl_json *tree, const char *key,
                          sl_status (*fill)(sl_json *, const sl_stage_view *),
                          const sl_stage_view *v)
{
    sl_json *list = json_array();

    if (!list || json_object_set_new(tree, key, list))
        return no_memory();
    return fill(list, v);
}

sl_status sl_stage_print_document(const sl_stage_view *v)
{
    const sl_stage_show *s = v->show;
    sl_json *tree = json_pack("{s:s, s:s, s:f, s:f, s:f, s:o, s:I, s:I, s:o}", "schema",
                              "stageline.bench_stage/1", "world", s->world->name, "wall_s",
                              s->wall_s, "cpu_s", v->cpu_s, "sgemm_flops_per_s", s->flops_peak,
                              "share_of_sgemm", sl_json_number(v->flops / v->cpu_s / s->flops_peak),
                              "measured", (json_int_t)s->measured, "processes",
                              (json_int_t)s->processes, "votes", votes_json(v));
    sl_status st = SL_OK;

    if (!tree)
        return no_memory();
    SL_TRY_OUT(add_list(tree, "acceptance", checks, v));
    SL_TRY_OUT(add_list(tree, "verdicts", verdicts, v));
    SL_TRY_OUT(add_list(tree, "rules", rules, v));
    SL_TRY_OUT(add_list(tree, "branch_tests", branches, v));
    SL_TRY_OUT(add_list(tree, "thresholds", thresholds, v));
    SL_TRY_OUT(add_list(tree, "cells", cells, v));
    st = sl_print_json(tree);
out:
    sl_json_close(&tree);
    return st;
}
