/* Votes from files become points, points a boundary. */
#include "analysis/report.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/analyze.h"
#include "cli/document.h"
#include "cli/print.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

static sl_status read_run(sl_vote_set *set, const char *path)
{
    sl_reader *reader = NULL;
    sl_status st;

    SL_TRY(sl_reader_open(&reader, path));
    st = sl_votes_read_run(set, reader, path);
    sl_reader_close(&reader);
    return st;
}

int sl_analyze_is_run(const char *path)
{
    struct stat s;

    return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

sl_status sl_analyze_read(sl_vote_set *set, const char *path)
{
    return sl_analyze_is_run(path) ? read_run(set, path) : sl_votes_read(set, path);
}

sl_status sl_analyze_baselines(sl_vote_set *set, const char *path)
{
    size_t filled;

    return path ? sl_votes_baselines(&filled, set, path) : SL_OK;
}

static sl_status settings_of(sl_votes_settings *out, const sl_analyze_votes_opts *o)
{
    int64_t seed;

    *out = sl_votes_settings_defaults();
    if (!o->seed)
        return SL_OK;
    if (sl_err_where(sl_text_i64(&seed, o->seed), "--seed") != SL_OK)
        return SL_EUSAGE;
    out->is_shuffled = 1;
    out->seed = (uint64_t)seed;
    return SL_OK;
}

sl_status sl_analyze_limit(sl_rows_limit *out, const char *allow_bad)
{
    *out = sl_rows_limit_defaults();
    if (!allow_bad)
        return SL_OK;
    out->is_given = 1;
    if (sl_err_where(sl_text_f64(&out->share, allow_bad), "--allow-bad") != SL_OK)
        return SL_EUSAGE;
    if (out->share < 0.0 || out->share > 1.0)
        return SL_FAIL(SL_EUSAGE, "want --allow-bad in [0,1], found %s", allow_bad);
    return SL_OK;
}

/* What the votes hold; the same for the same votes, unlike the peak of a process. */
static sl_status put_memory(sl_json *document, const sl_vote_set *set)
{
    size_t votes = 0;
    sl_json *memory;

    for (size_t i = 0; i < set->points; i++)
        votes += set->point[i].count;
    memory = json_pack("{s:I, s:f}", "votes_bytes", (json_int_t)sl_votes_bytes(set),
                       "bytes_per_vote", votes ? (double)sl_votes_bytes(set) / (double)votes : 0.0);
    if (!memory || json_object_set_new(document, "memory", memory) != 0)
        return SL_FAIL(SL_ENOMEM, "want memory for a document, found none");
    return SL_OK;
}

sl_status sl_analyze_vote_files(sl_json **document, const char *const *path, size_t count,
                                const sl_analyze_votes_opts *o)
{
    sl_rows_limit limit;
    sl_vote_set set = { .is_soft = o->is_soft, .limit = &limit };
    sl_votes_settings settings;
    sl_status st = SL_OK;

    *document = NULL;
    SL_TRY(settings_of(&settings, o));
    SL_TRY(sl_analyze_limit(&limit, o->allow_bad));
    for (size_t i = 0; i < count; i++)
        SL_TRY_OUT(sl_analyze_read(&set, path[i]));
    SL_TRY_OUT(sl_analyze_baselines(&set, o->baselines));
    SL_TRY_OUT(sl_analyze_votes(document, &set, &settings));
    st = put_memory(*document, &set);
out:
    if (st != SL_OK)
        sl_json_close(document);
    sl_votes_close(&set);
    return st;
}

/* --- sentences ------------------------------------------------------------------------------- */

static void print_bad_row(const sl_json *bad)
{
    if (sl_json_has(bad, "line"))
        printf("  bad row, line %lld: ", sl_doc_whole(bad, "line"));
    else
        printf("  bad row, element %lld: ", sl_doc_whole(bad, "element"));
    sl_print_text(sl_doc_text(bad, "reason", "?"));
    putchar('\n');
}

void sl_analyze_print_input(const sl_json *in)
{
    const sl_json *bad;
    size_t i;

    sl_print_text(sl_doc_text(in, "path", "?"));
    printf(": %lld rows", sl_doc_whole(in, "rows"));
    if (sl_json_has(in, "dropped"))
        printf(", %lld without a vote", sl_doc_whole(in, "dropped"));
    if (sl_doc_whole(in, "bad"))
        printf(", %lld bad and left out", sl_doc_whole(in, "bad"));
    puts(json_is_true(json_object_get(in, "cut_off")) ? ", cut off before its end" : "");
    json_array_foreach(json_object_get(in, "bad_rows"), i, bad)
    {
        print_bad_row(bad);
    }
}

static void print_name(const sl_json *point)
{
    sl_print_text(sl_doc_text(point, "name", "votes"));
    if (sl_json_has(point, "step"))
        printf(" at step %lld", sl_doc_whole(point, "step"));
    if (sl_json_has(point, "judge")) {
        fputs(", judge ", stdout);
        sl_print_text(sl_doc_text(point, "judge", "?"));
    }
}

void sl_analyze_print_point(const sl_json *point)
{
    const sl_json *bs = json_object_get(point, "bs"), *test = json_object_get(point, "test");
    const sl_json *length = json_object_get(point, "length");
    const char *certified = sl_doc_text(point, "certified", NULL);

    print_name(point);
    printf(": boundary score %.4f (se %.4f) [%.3f, %.3f] from %lld votes on %lld prompts: %s",
           sl_doc_number(bs, "value"), sl_doc_number(bs, "se"), sl_doc_number(bs, "lower"),
           sl_doc_number(bs, "upper"), sl_doc_whole(point, "votes"), sl_doc_whole(point, "prompts"),
           sl_doc_text(point, "stage", "?"));
    if (strcmp(sl_doc_text(point, "stage", ""), "undecided") != 0)
        printf(", settled by the first %lld prompts (%lld votes)",
               sl_doc_whole(test, "prompts_used"), sl_doc_whole(test, "votes_used"));
    printf(certified ? "; certified on its side of the threshold\n" : "\n");
    if (sl_json_has(length, "lc_bs"))
        printf("  with lengths controlled: %.4f (se %.4f); characters %.0f against %.0f\n",
               sl_doc_number(length, "lc_bs"), sl_doc_number(length, "lc_se"),
               sl_doc_number(length, "on_mean"), sl_doc_number(length, "off_mean"));
}

/* Steps at which change points lie, where there are some. */
static void print_changes(const sl_json *estimate)
{
    const sl_json *step;
    size_t i;

    json_array_foreach(json_object_get(estimate, "changes"), i, step)
    {
        printf("%s%g", i ? ", " : "; changes at ", json_number_value(step));
    }
}

static void print_estimates(const sl_json *boundary)
{
    const sl_json *estimate;
    size_t i;

    json_array_foreach(json_object_get(boundary, "estimates"), i, estimate)
    {
        printf("  %s:", sl_doc_text(estimate, "method", "?"));
        if (!sl_json_has(estimate, "value"))
            fputs(" none", stdout);
        if (sl_json_has(estimate, "value"))
            printf(" step %g", sl_doc_number(estimate, "value"));
        if (sl_json_has(estimate, "lower") && sl_json_has(estimate, "upper"))
            printf(" [%g, %g]", sl_doc_number(estimate, "lower"), sl_doc_number(estimate, "upper"));
        print_changes(estimate);
        if (sl_json_has(estimate, "note"))
            printf(" (%s)", sl_doc_text(estimate, "note", ""));
        putchar('\n');
    }
}

static void print_boundary(const sl_json *boundary)
{
    const sl_json *bracket = json_object_get(boundary, "bracket");

    printf("boundary of ");
    sl_print_text(sl_doc_text(boundary, "name", "?"));
    if (sl_json_has(boundary, "judge")) {
        fputs(", judge ", stdout);
        sl_print_text(sl_doc_text(boundary, "judge", "?"));
    }
    printf(": %s", sl_doc_text(boundary, "verdict", "?"));
    if (json_array_size(bracket) == 2)
        printf(" at step %g, between %g and %g", sl_doc_number(boundary, "value"),
               json_number_value(json_array_get(bracket, 0)),
               json_number_value(json_array_get(bracket, 1)));
    printf(": %s\n", sl_doc_text(boundary, "reason", ""));
    print_estimates(boundary);
}

static void print_memory(const sl_json *memory)
{
    struct rusage use;

    getrusage(RUSAGE_SELF, &use);
    printf("memory: %.1f MiB of votes (%.0f bytes each), %.1f MiB at most in all\n",
           sl_doc_number(memory, "votes_bytes") / 0x1p20, sl_doc_number(memory, "bytes_per_vote"),
           (double)use.ru_maxrss / 0x1p10);
}

void sl_analyze_print_votes(const sl_json *document)
{
    const sl_json *list = json_object_get(document, "boundaries"), *row;
    size_t i;

    json_array_foreach(json_object_get(document, "inputs"), i, row)
    {
        sl_analyze_print_input(row);
    }
    json_array_foreach(json_object_get(document, "points"), i, row)
    {
        sl_analyze_print_point(row);
    }
    json_array_foreach(json_object_get(document, "warnings"), i, row)
    {
        fputs("warning: ", stdout);
        sl_print_text(json_string_value(row));
        putchar('\n');
    }
    json_array_foreach(list, i, row)
    {
        print_boundary(row);
    }
    printf("rule: %s\n", sl_doc_text(json_array_get(list, 0), "rule", ""));
    print_memory(json_object_get(document, "memory"));
}
