#include "cli/analyze_branch.h"
#include "base/alloc.h"
#include <stdio.h>

static const char *const winners[] = { "undecided", "static", "on-policy" }; /* by stage */

static sl_status no_memory(void)
{
    return SL_FAIL(SL_ENOMEM, "want memory for the branch tests, found none");
}

void sl_analyze_branches_close(sl_analyze_branches *all)
{
    sl_free(all->test);
    sl_json_close(&all->recipe);
}

/* --- tests of a run -------------------------------------------------------------------------- */

static sl_json *test_json(const sl_run_branch *b)
{
    const sl_branch_verdict *v = &b->verdict;

    return json_pack(
        "{s:I, s:I, s:o, s:b, s:I, s:o, s:o, s:{s:o, s:o, s:o, s:o}, s:s, s:o}", "measurement",
        (json_int_t)b->measurement, "step", (json_int_t)b->step, "bs", sl_json_number(b->score),
        "fixed_sample", b->is_fixed, "replicates", (json_int_t)b->replicates, "static",
        sl_json_number(v->off), "on_policy", sl_json_number(v->on), "difference", "value",
        sl_json_number(v->difference.value), "se", sl_json_number(v->difference.se), "lower",
        sl_json_number(v->interval.lower), "upper", sl_json_number(v->interval.upper), "winner",
        winners[v->winner], "agrees",
        b->accord == SL_ACCORD_UNKNOWN ? json_null() : json_boolean(b->accord == SL_ACCORD_SAME));
}

static void print_test(const sl_run_branch *b)
{
    static const char *const accords[] = { "", ", as the score says", ": the score misleads here" };
    const sl_branch_verdict *v = &b->verdict;

    printf("branch test at step %lld, score %.3f: gains %+.3f static, %+.3f on-policy; difference "
           "%+.3f (se %.3f over %zu replicates): ",
           (long long)b->step, b->score, v->off, v->on, v->difference.value, v->difference.se,
           b->replicates);
    if (v->winner == SL_STAGE_UNDECIDED)
        puts("undecided");
    else
        printf("%s data win now%s\n", winners[v->winner], accords[b->accord]);
}

static sl_status put_test(sl_json *list, const sl_run_branch *b)
{
    if (!list)
        print_test(b);
    else if (json_array_append_new(list, test_json(b)))
        return no_memory();
    return SL_OK;
}

/* Tests of one recipe belong together. */
static sl_status take_recipe(sl_analyze_branches *all, const sl_json *run, const char *path)
{
    sl_json *recipe = json_object_get(run, "recipe");
    char key[80];

    if (!all->recipe) {
        all->recipe = recipe ? json_deep_copy(recipe) : json_object();
        snprintf(all->first, sizeof all->first, "%s", path);
        return all->recipe ? SL_OK : no_memory();
    }
    sl_recipe_difference(key, sizeof key, all->recipe, recipe);
    if (key[0] && !all->differs[0])
        snprintf(all->differs, sizeof all->differs,
                 "%s is another in %.500s than in %.500s: a threshold belongs to one recipe", key,
                 path, all->first);
    return SL_OK;
}

static sl_status take(sl_analyze_branches *all, const sl_run_branch *b, sl_json *list)
{
    SL_TRY(put_test(list, b));
    SL_TRY(sl_grow(&all->test, &all->capacity, all->n + 1, sizeof *all->test));
    all->test[all->n++] = (sl_threshold_test){ .score = b->score,
                                               .difference = b->verdict.difference.value,
                                               .sd = b->verdict.difference.sd,
                                               .replicates = (double)b->replicates };
    return SL_OK;
}

sl_status sl_analyze_branches_add(sl_analyze_branches *all, sl_json *document,
                                  const sl_run_analysis *analysis, sl_reader *reader,
                                  const char *path)
{
    sl_json *list = all && document ? json_array() : NULL;
    sl_run_branch *test = NULL;
    size_t count;
    sl_status st = SL_OK;

    if (!all)
        return SL_OK;
    if (document && json_object_set_new(document, "branch_tests", list))
        return no_memory();
    SL_TRY(sl_run_branches(&test, &count, analysis, reader));
    if (count)
        SL_TRY_OUT(take_recipe(all, sl_reader_json(reader), path));
    for (size_t i = 0; i < count; i++)
        SL_TRY_OUT(take(all, &test[i], list));
out:
    sl_free(test);
    return st;
}

/* --- the threshold --------------------------------------------------------------------------- */

static sl_json *threshold_json(const sl_threshold *t)
{
    return json_pack("{s:s, s:I, s:o, s:o, s:o, s:f, s:o, s:o, s:b, s:s}", "kind",
                     sl_threshold_names[t->kind], "tests", (json_int_t)t->tests, "value",
                     sl_json_number(t->value), "lower", sl_json_number(t->interval.lower), "upper",
                     sl_json_number(t->interval.upper), "level", 0.95, "lowest",
                     sl_json_number(t->low), "highest", sl_json_number(t->high), "excludes_half",
                     t->excludes_half, "reason", t->reason);
}

static void print_threshold(const sl_threshold *t)
{
    if (t->kind == SL_THRESHOLD_NONE)
        printf("no threshold: %s\n", t->reason);
    else
        printf("threshold of this recipe: %.3f [%.3f, %.3f] from %zu branch tests: %s\n", t->value,
               t->interval.lower, t->interval.upper, t->tests, t->reason);
}

sl_status sl_analyze_threshold(sl_json *document, sl_analyze_branches *all)
{
    sl_threshold t = { 0 };
    sl_json *found = NULL;

    if (all->n && !all->differs[0])
        SL_TRY(sl_threshold_of(&t, all->test, all->n));
    if (!document && all->differs[0])
        printf("no threshold: %s\n", all->differs);
    else if (!document && all->n)
        print_threshold(&t);
    if (!document)
        return SL_OK;
    if (all->differs[0])
        found = json_pack("{s:n, s:s}", "kind", "reason", all->differs);
    else
        found = all->n ? threshold_json(&t) : json_null();
    return found && !json_object_set_new(document, "threshold", found) ? SL_OK : no_memory();
}
