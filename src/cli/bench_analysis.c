/* `bench analysis`: functions of the analyzer beside what is usual in Python, in one run, one
 * thread, equal numbers. Python is asked for by tools/bench_analysis.py, where it is there. */
#include "analysis/interval.h"
#include "base/file.h"
#include "cli/bench.h"
#include "cli/bench_items.h"
#include "cli/recipes.h"
#include "train/clock.h"
#include <errno.h>
#include <math.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS_MOST = 5 + SL_BENCH_SIZES, NUMBER_BYTES = 24, ANSWER_BYTES = 64 << 20 };

/* Of both sides of an item. Seconds: median; NaN where there is none. */
typedef struct outcome {
    double ours, python, worst; /* worst: distance of two numbers, relative above 1 */
    char with[64];              /* what Python used, or why it did not run */
} outcome;

/* Processor time, as time on an idle machine: what others take meanwhile does not count; that of
 * processes that ended does. */
static double processor_s(void)
{
    struct rusage u = { 0 };

    (void)getrusage(RUSAGE_CHILDREN, &u);
    return sl_clock_cpu() + (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

/* --- Python ------------------------------------------------------------------------------------
 */

static const char *interpreter(void)
{
    const char *named = getenv("STAGELINE_PYTHON");

    return named && *named ? named : "python3";
}

/* *is_there = 0 when there is no such program. */
static sl_status call(int *is_there, char *const *argv)
{
    pid_t child, got;
    int how = 0, bad = posix_spawnp(&child, argv[0], NULL, NULL, argv, environ);

    *is_there = bad != ENOENT;
    if (bad)
        return *is_there ? SL_FAIL(SL_EIO, "want to start %s, found: %s", argv[0], strerror(bad))
                         : SL_OK;
    do
        got = waitpid(child, &how, 0);
    while (got < 0 && errno == EINTR);
    if (got < 0 || !WIFEXITED(how))
        return SL_FAIL(SL_EIO, "want %s to end by itself, found that it was ended", argv[0]);
    if (WEXITSTATUS(how) == 127) /* of a shell, or of a spawn that forks first */
        *is_there = 0;
    else if (WEXITSTATUS(how))
        return SL_FAIL(SL_EIO, "want numbers of %s, found exit %d", argv[1], WEXITSTATUS(how));
    return SL_OK;
}

static sl_status ask_python(int *is_there, const sl_bench *bench, const sl_bench_item *item,
                            const sl_bench_work *w)
{
    char script[PATH_MAX], number[SL_BENCH_SIZES + 1][NUMBER_BYTES];
    const char *word[WORDS_MOST + 1] = { interpreter(), script, w->folder, item->name };
    char *argv[WORDS_MOST + 1];
    size_t n = 4;

    SL_TRY(sl_tool_path(script, sizeof script, "bench_analysis.py"));
    snprintf(number[0], NUMBER_BYTES, "%lld", (long long)bench->repeat);
    word[n++] = number[0];
    for (size_t k = 0; k < SL_BENCH_SIZES && w->size[k]; k++) {
        snprintf(number[k + 1], NUMBER_BYTES, "%zu", w->size[k]);
        word[n++] = number[k + 1];
    }
    memcpy(argv, word, sizeof argv); /* exec's signature predates const; it changes nothing */
    return call(is_there, argv);
}

static double median_of(const sl_json *numbers)
{
    double x[101];
    size_t n = json_array_size(numbers);

    for (size_t i = 0; i < n && i < 101; i++)
        x[i] = json_number_value(json_array_get(numbers, i));
    sl_sort_f64(x, n);
    return n ? x[n / 2] : NAN;
}

/* The largest difference; +inf when one side has more numbers, NaN stays. */
static double worst_of(const sl_json *theirs, const double *ours, size_t count)
{
    double worst = 0.0;

    if (json_array_size(theirs) != count)
        return INFINITY;
    for (size_t i = 0; i < count; i++) {
        const double a = ours[i], b = json_number_value(json_array_get(theirs, i));
        const double d = fabs(a - b) / fmax(1.0, fmax(fabs(a), fabs(b)));

        if (!(d <= worst))
            worst = d;
    }
    return worst;
}

static sl_status take_answer(outcome *o, const sl_bench_work *w)
{
    char path[PATH_MAX];
    sl_json *tree = NULL;
    const char *text;
    sl_status st = SL_OK;

    SL_TRY(sl_file_join(path, sizeof path, w->folder, "python.json"));
    SL_TRY(sl_json_load(&tree, path, ANSWER_BYTES));
    if (sl_json_has(tree, "absent")) {
        SL_TRY_OUT(sl_json_text(&text, tree, "absent"));
        snprintf(o->with, sizeof o->with, "no %.50s", text);
        goto out;
    }
    SL_TRY_OUT(sl_json_text(&text, tree, "with"));
    snprintf(o->with, sizeof o->with, "%.60s", text);
    o->python = median_of(json_object_get(tree, "seconds"));
    o->worst = worst_of(json_object_get(tree, "result"), w->result, w->results);
out:
    sl_json_close(&tree);
    return st;
}

/* --- an item -----------------------------------------------------------------------------------
 */

/* Ours, theirs, ours again: what disturbs the machine for a while disturbs both. */
static sl_status measure(outcome *o, const sl_bench *bench, const sl_bench_item *item,
                         sl_bench_work *w)
{
    double before, after;
    int is_there;

    SL_TRY(item->open(w));
    SL_TRY(sl_bench_time(&before, bench, item->run, w));
    SL_TRY(ask_python(&is_there, bench, item, w));
    SL_TRY(sl_bench_time(&after, bench, item->run, w));
    o->ours = 0.5 * (before + after);
    if (is_there)
        return take_answer(o, w);
    snprintf(o->with, sizeof o->with, "no %.50s", interpreter());
    return SL_OK;
}

static void print(const sl_bench_item *item, const outcome *o)
{
    printf("| %-15s | %-40s | %10.3f |", item->name, item->what, 1e3 * o->ours);
    if (isnan(o->python))
        printf(" %10s | %7s | %4.0f | %s |\n", "", "", item->target, o->with);
    else
        printf(" %10.3f | %7.1f | %4.0f | %s |\n", 1e3 * o->python, o->python / o->ours,
               item->target, o->with);
    (void)fflush(stdout);
}

static sl_status keep(sl_bench *bench, const sl_bench_item *item, const outcome *o)
{
    const int has_run = !isnan(o->python);
    sl_json *row =
        json_pack("{s:s, s:s, s:s, s:f, s:o, s:o, s:f, s:s*, s:o, s:f}", "bench", "analysis",
                  "name", item->name, "what", item->what, "seconds", o->ours, "python_seconds",
                  sl_json_number(o->python), "ratio", sl_json_number(o->python / o->ours), "target",
                  item->target, has_run ? "with" : "skipped", o->with, "difference",
                  sl_json_number(o->worst), "tolerance", item->tolerance);

    if (!row || json_array_append_new(bench->rows, row) != 0)
        return SL_FAIL(SL_ENOMEM, "want memory for a result, found none");
    if (!bench->is_json)
        print(item, o);
    if (has_run && !(o->worst <= item->tolerance))
        return SL_FAIL(SL_ENUMERIC, "want the numbers of %s within %g, found a difference of %g",
                       o->with, item->tolerance, o->worst);
    return SL_OK;
}

static sl_status one(sl_bench *bench, const sl_bench_item *item)
{
    const char *root = getenv("TMPDIR");
    sl_bench_work w = { .ops = bench->backend->ops };
    outcome o = { NAN, NAN, NAN, "" };
    sl_status st;

    memcpy(w.size, bench->is_small ? item->small : item->size, sizeof w.size);
    SL_TRY(sl_file_join(w.folder, sizeof w.folder, root && *root ? root : "/tmp",
                        "stageline-bench-XXXXXX"));
    if (!mkdtemp(w.folder))
        return SL_FAIL(SL_EIO, "want a new folder %s, found: %s", w.folder, strerror(errno));
    st = measure(&o, bench, item, &w);
    sl_bench_work_close(&w);
    if (sl_file_remove_tree(w.folder) != SL_OK && st == SL_OK)
        st = sl_err_code();
    return st == SL_OK ? keep(bench, item, &o) : st;
}

static sl_status choose(const char *name)
{
    if (!name)
        return SL_OK;
    for (size_t i = 0; i < sl_bench_item_count; i++)
        if (!strcmp(name, sl_bench_items[i].name))
            return SL_OK;
    return sl_err_hint(SL_FAIL(SL_EUSAGE, "want --item of bench analysis, found \"%s\"", name),
                       "without --item all of them run and print their names");
}

sl_status sl_bench_analysis(sl_bench *bench)
{
    static const char *const threads[] = { "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS",
                                           "MKL_NUM_THREADS" };

    SL_TRY(choose(bench->item));
    SL_TRY(sl_backend_open(&bench->backend, bench->backend->name, 1));
    bench->clock = processor_s;
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++)
        if (setenv(threads[i], "1", 1))
            return SL_FAIL(SL_ENOMEM, "want memory for a variable, found none");
    if (!bench->is_json)
        printf("One thread, milliseconds of processor time, medians of %lld.\n"
               "| item | what | stageline | Python | ratio | want | with |\n"
               "|---|---|---|---|---|---|---|\n",
               (long long)bench->repeat);
    for (size_t i = 0; i < sl_bench_item_count; i++)
        if (!bench->item || !strcmp(bench->item, sl_bench_items[i].name))
            SL_TRY(sl_err_where(one(bench, &sl_bench_items[i]), "%s", sl_bench_items[i].name));
    return SL_OK;
}
