#include "analysis/golden.h"
#include "analysis/golden_int.h"
#include "base/alloc.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const sl_gold_row *const groups[] = { sl_gold_votes,      sl_gold_betting, sl_gold_text,
                                             sl_gold_signals,    sl_gold_fit,     sl_gold_vectors,
                                             sl_gold_series_rows };

static const sl_gold_row *find(const char *metric)
{
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++)
        for (const sl_gold_row *row = groups[i]; row->metric; row++)
            if (!strcmp(row->metric, metric))
                return row;
    return NULL;
}

/* --- comparison ------------------------------------------------------------------------------ */

typedef struct verdict {
    double tol, max_error;
    char why[256];
} verdict;

static int differ(verdict *v, const char *where, const char *what)
{
    if (!v->why[0])
        snprintf(v->why, sizeof v->why, "%s: %s", where[0] ? where : "/", what);
    return 0;
}

static int same_number(verdict *v, const char *where, const sl_json *got, const sl_json *want)
{
    const double g = json_number_value(got), w = json_number_value(want);
    const double error = fabs(g - w) / fmax(1.0, fabs(w));
    char what[96];

    if (!json_is_number(got))
        return differ(v, where, "want a number, found none");
    v->max_error = fmax(v->max_error, error);
    if (error <= v->tol && !(json_is_integer(want) && json_is_integer(got) && g != w))
        return 1;
    snprintf(what, sizeof what, "want %.17g, found %.17g", w, g);
    return differ(v, where, what);
}

static int same(verdict *v, const char *where, const sl_json *got, const sl_json *want);

static int same_object(verdict *v, const char *where, const sl_json *got, const sl_json *want)
{
    const char *key;
    json_t *value;
    int is_same = 1;

    if (!json_is_object(got))
        return differ(v, where, "want an object, found none");
    json_object_foreach((json_t *)want, key, value)
    {
        char below[192];

        if (!strncmp(key, "zlib", 4))
            continue;
        snprintf(below, sizeof below, "%.120s/%.64s", where, key);
        is_same &= same(v, below, json_object_get(got, key), value);
    }
    return is_same;
}

static int same_array(verdict *v, const char *where, const sl_json *got, const sl_json *want)
{
    int is_same = 1;

    if (!json_is_array(got) || json_array_size(got) != json_array_size(want))
        return differ(v, where, "want an array of another length");
    for (size_t i = 0; i < json_array_size(want); i++) {
        char below[192];

        snprintf(below, sizeof below, "%.150s[%zu]", where, i);
        is_same &= same(v, below, json_array_get(got, i), json_array_get(want, i));
    }
    return is_same;
}

static int same(verdict *v, const char *where, const sl_json *got, const sl_json *want)
{
    if (json_is_object(want))
        return same_object(v, where, got, want);
    if (json_is_array(want))
        return same_array(v, where, got, want);
    if (json_is_number(want))
        return same_number(v, where, got, want);
    return json_equal(got, want) ? 1 : differ(v, where, "want another value");
}

/* --- a test ---------------------------------------------------------------------------------- */

static void forget(sl_gold *g)
{
    for (size_t i = 0; i < g->held_count; i++)
        sl_free(g->held[i]);
    sl_free(g->held);
    sl_json_close(&g->out);
}

/* 1: passed. A failure of the metric is a failure of the test; running out of memory is not. */
static sl_status run_test(int *is_passed, verdict *v, const sl_gold_row *row, const sl_json *test)
{
    sl_gold g = { .inputs = json_object_get(test, "inputs"),
                  .params = json_object_get(test, "params"),
                  .out = json_object() };
    sl_status st = SL_OK;

    if (!g.out)
        return SL_FAIL(SL_ENOMEM, "want memory for a test, found none");
    st = row->run(&g);
    *is_passed = 0;
    if (st == SL_OK)
        *is_passed = same(v, "", g.out, json_object_get(test, "expected"));
    else if (st != SL_ENOMEM) {
        (void)differ(v, "", sl_err_message());
        sl_err_clear();
        st = SL_OK;
    }
    forget(&g);
    return st;
}

static sl_status add_test(sl_json *list, sl_golden_counts *counts, const sl_json *test)
{
    const char *name, *metric;
    const sl_gold_row *row;
    verdict v = { 0 };
    int is_passed = 0;
    sl_json *line;

    SL_TRY(sl_json_text(&name, test, "name"));
    SL_TRY(sl_err_where(sl_json_text(&metric, test, "metric"), "test \"%s\"", name));
    SL_TRY(sl_err_where(sl_json_f64(&v.tol, test, "tol"), "test \"%s\"", name));
    row = find(metric);
    if (row)
        SL_TRY(sl_err_where(run_test(&is_passed, &v, row, test), "test \"%s\"", name));
    else
        snprintf(v.why, sizeof v.why, "unknown metric \"%.64s\"", metric);
    counts->passed += (size_t)(is_passed != 0);
    counts->failed += (size_t)(row && !is_passed);
    counts->unknown += (size_t)(row == NULL);
    SL_TRY(sl_out_object(&line, list, NULL));
    SL_TRY(sl_out_text(line, "name", name));
    SL_TRY(sl_out_bool(line, "pass", is_passed));
    SL_TRY(sl_gold_put(line, "max_error", row ? v.max_error : NAN));
    return is_passed ? SL_OK : sl_out_text(line, "why", v.why);
}

static sl_status add_tests(sl_json *out, sl_golden_counts *counts, const sl_json *tests)
{
    sl_json *list;

    SL_TRY(sl_out_text(out, "schema", "stageline.golden/1"));
    SL_TRY(sl_out_list(&list, out, "tests"));
    for (size_t i = 0; i < json_array_size(tests); i++)
        SL_TRY(sl_err_where(add_test(list, counts, json_array_get(tests, i)), "tests[%zu]", i));
    SL_TRY(sl_out_i64(out, "passed", (int64_t)counts->passed));
    SL_TRY(sl_out_i64(out, "failed", (int64_t)counts->failed));
    return sl_out_i64(out, "unknown", (int64_t)counts->unknown);
}

sl_status sl_golden_run(sl_json **out, sl_golden_counts *counts, const sl_json *file)
{
    const sl_json *tests = json_object_get(file, "tests");
    sl_status st;

    *counts = (sl_golden_counts){ 0 };
    *out = NULL;
    if (!json_is_array(tests))
        return SL_FAIL(SL_EFORMAT, "want \"tests\" (an array), found none");
    *out = json_object();
    if (!*out)
        return SL_FAIL(SL_ENOMEM, "want memory for results, found none");
    st = add_tests(*out, counts, tests);
    if (st != SL_OK)
        sl_json_close(out);
    return st;
}
