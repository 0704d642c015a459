#include "analysis/seeds.h"
#include "analysis/table.h"
#include "base/alloc.h"

#include <math.h>
#include <string.h>

enum { BOUNDARY, MARGIN, GRADIENT }; /* in the order of tables[] */

static const struct {
    const char *name, *header;
    int is_share;
} tables[SL_SEEDS_SERIES] = {
    { "seed_boundary.tsv", "step\tmean\tsd\tlower\tupper\truns", 1 },
    { "seed_margin.tsv", "step\tmean\tsd\tlower\tupper\truns", 0 },
    { "seed_gradient.tsv", "step\tmean\tsd\tlower\tupper\truns", 0 },
};

/* --- one recipe ------------------------------------------------------------------------------ */

/* The first key in which two recipes differ, "section.key". */
static int find_difference(char where[128], const sl_json *a, const sl_json *b, const char *section)
{
    const char *key;
    sl_json *value;

    json_object_foreach((sl_json *)a, key, value)
    {
        const sl_json *other = json_object_get(b, key);

        if (json_equal(value, other))
            continue;
        if (json_is_object(value) && json_is_object(other))
            return find_difference(where, value, other, key);
        snprintf(where, 128, "%.60s%s%.60s", section, *section ? "." : "", key);
        return 1;
    }
    return 0;
}

/* What may differ: seeds, and the policies that other seeds led to. */
static void forget_seeds(sl_json *recipe)
{
    json_object_del(recipe, "seed");
    json_object_del(json_object_get(recipe, "world"), "seed");
    json_object_del(json_object_get(recipe, "model"), "policy");
    json_object_del(json_object_get(recipe, "model"), "reference");
}

static sl_status check_recipe(sl_seeds *s, const sl_reader *reader)
{
    sl_json *recipe = json_deep_copy(json_object_get(sl_reader_json(reader), "recipe"));
    char where[128] = "";
    int is_other;

    if (!recipe)
        return SL_FAIL(SL_EFORMAT, "want a recipe in run.json, found none");
    forget_seeds(recipe);
    if (!s->recipe) {
        s->recipe = recipe;
        return SL_OK;
    }
    is_other = find_difference(where, s->recipe, recipe, "") ||
               find_difference(where, recipe, s->recipe, "");
    sl_json_close(&recipe);
    if (!is_other)
        return SL_OK;
    return sl_err_hint(
        SL_FAIL(SL_EARG,
                "want runs that differ in seeds and start policies only, found another \"%s\"",
                where),
        "plot such runs one by one; report shows several on one page");
}

/* --- series ---------------------------------------------------------------------------------- */

static sl_status take(sl_seed_series *out, size_t count)
{
    SL_TRY(sl_take(&out->step, count + 1, sizeof *out->step));
    return sl_take(&out->value, count + 1, sizeof *out->value);
}

static sl_status read_boundary(sl_seed_series *out, sl_reader *reader)
{
    sl_run_analysis analysis = { 0 };
    sl_status st;

    SL_TRY(sl_run_analyze(&analysis, reader));
    st = take(out, analysis.count);
    for (size_t i = 0; st == SL_OK && i < analysis.count; i++) {
        out->step[i] = analysis.row[i].step;
        out->value[i] = analysis.row[i].derived.bs;
        out->count++;
    }
    sl_run_analysis_close(&analysis);
    return st;
}

static sl_status read_steps(sl_seed_series *margin, sl_seed_series *norm, sl_reader *reader)
{
    const sl_row_steps *rows;
    size_t count;

    SL_TRY(sl_reader_rows(reader, SL_TABLE_STEPS, &rows, &count));
    SL_TRY(take(margin, count));
    SL_TRY(take(norm, count));
    for (size_t i = 0; i < count; i++) {
        margin->step[i] = norm->step[i] = rows[i].step;
        margin->value[i] = rows[i].margin;
        norm->value[i] = rows[i].grad_norm;
    }
    margin->count = norm->count = count;
    return SL_OK;
}

static sl_status read_run(sl_seeds *s, sl_reader *reader)
{
    SL_TRY(check_recipe(s, reader));
    SL_TRY(read_boundary(&s->series[BOUNDARY][s->runs], reader));
    return read_steps(&s->series[MARGIN][s->runs], &s->series[GRADIENT][s->runs], reader);
}

sl_status sl_seeds_add(sl_seeds *s, const char *run_path)
{
    sl_reader *reader = NULL;
    sl_status st;

    if (s->runs == SL_SEEDS_MOST)
        return SL_FAIL(SL_EARG, "want at most %d runs, found more", SL_SEEDS_MOST);
    SL_TRY(sl_reader_open(&reader, run_path));
    st = sl_err_where(read_run(s, reader), "%s", run_path);
    s->runs++; /* also on failure: what was taken is given back by close */
    sl_reader_close(&reader);
    return st;
}

void sl_seeds_close(sl_seeds *s)
{
    for (size_t k = 0; k < SL_SEEDS_SERIES; k++)
        for (size_t r = 0; r < s->runs; r++) {
            sl_free(s->series[k][r].step);
            sl_free(s->series[k][r].value);
        }
    sl_json_close(&s->recipe);
    *s = (sl_seeds){ 0 };
}

/* --- tables ---------------------------------------------------------------------------------- */

/* The least step that a run has left; 0: none has any. */
static int next_step(int64_t *step, const sl_seed_series *run, const size_t *at, size_t runs)
{
    int is_there = 0;

    for (size_t r = 0; r < runs; r++)
        if (at[r] < run[r].count && (!is_there || run[r].step[at[r]] < *step)) {
            *step = run[r].step[at[r]];
            is_there = 1;
        }
    return is_there;
}

/* A row for every step at which at least two runs have a value. */
static void put_rows(sl_table_out *t, const sl_seed_series *run, size_t runs, int is_share)
{
    const double alpha = 0.05;
    size_t at[SL_SEEDS_MOST] = { 0 };
    double value[SL_SEEDS_MOST];
    int64_t step = 0;

    while (next_step(&step, run, at, runs)) {
        size_t n = 0;
        sl_interval interval;
        sl_mean mean;

        for (size_t r = 0; r < runs; r++)
            if (at[r] < run[r].count && run[r].step[at[r]] == step)
                value[n++] = run[r].value[at[r]++];
        mean = sl_mean_of(value, n);
        if (mean.used < 2)
            continue;
        interval = sl_student_interval(&mean, alpha);
        if (is_share)
            interval = sl_interval_clip(interval);
        sl_table_i64(t, step);
        sl_table_f64(t, mean.value);
        sl_table_f64(t, mean.sd);
        sl_table_f64(t, interval.lower);
        sl_table_f64(t, interval.upper);
        sl_table_i64(t, (int64_t)mean.used);
        sl_table_end_row(t);
    }
}

sl_status sl_seeds_tables(const char *folder, const sl_seeds *s)
{
    for (size_t k = 0; k < SL_SEEDS_SERIES; k++) {
        sl_table_out t;

        SL_TRY(sl_table_open(&t, folder, tables[k].name, tables[k].header));
        put_rows(&t, s->series[k], s->runs, tables[k].is_share);
        SL_TRY(sl_table_close(&t));
    }
    return SL_OK;
}
