/* Votes from files become points, points a boundary. */
#include "analysis/report.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/analyze.h"
#include "cli/print.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
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

static sl_status read_one(sl_vote_set *set, const char *path)
{
    struct stat s;

    if (stat(path, &s) == 0 && S_ISDIR(s.st_mode))
        return read_run(set, path);
    return sl_votes_read(set, path);
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

sl_status sl_analyze_vote_files(sl_json **document, const char *const *path, size_t count,
                                const sl_analyze_votes_opts *o)
{
    sl_vote_set set = { .is_soft = o->is_soft };
    sl_votes_settings settings;
    sl_status st = SL_OK;

    *document = NULL;
    SL_TRY(settings_of(&settings, o));
    for (size_t i = 0; i < count; i++)
        SL_TRY_OUT(read_one(&set, path[i]));
    SL_TRY_OUT(sl_analyze_votes(document, &set, &settings));
out:
    sl_votes_close(&set);
    return st;
}

/* --- sentences ------------------------------------------------------------------------------- */

static double number(const sl_json *object, const char *key)
{
    const sl_json *value = json_object_get(object, key);

    return json_is_number(value) ? json_number_value(value) : NAN;
}

static long long whole(const sl_json *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

static const char *text_or(const sl_json *object, const char *key, const char *fallback)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : fallback;
}

static void print_input(const sl_json *in)
{
    sl_print_text(text_or(in, "path", "?"));
    printf(": %lld rows, %lld without a vote\n", whole(in, "rows"), whole(in, "dropped"));
}

static void print_name(const sl_json *point)
{
    sl_print_text(text_or(point, "name", "votes"));
    if (sl_json_has(point, "step"))
        printf(" at step %lld", whole(point, "step"));
    if (sl_json_has(point, "judge")) {
        fputs(", judge ", stdout);
        sl_print_text(text_or(point, "judge", "?"));
    }
}

static void print_point(const sl_json *point)
{
    const sl_json *bs = json_object_get(point, "bs"), *test = json_object_get(point, "test");
    const sl_json *length = json_object_get(point, "length");
    const char *certified = text_or(point, "certified", NULL);

    print_name(point);
    printf(": boundary score %.4f (se %.4f) [%.3f, %.3f] from %lld votes on %lld prompts: %s",
           number(bs, "value"), number(bs, "se"), number(bs, "lower"), number(bs, "upper"),
           whole(point, "votes"), whole(point, "prompts"), text_or(point, "stage", "?"));
    if (strcmp(text_or(point, "stage", ""), "undecided") != 0)
        printf(", settled by the first %lld prompts (%lld votes)", whole(test, "prompts_used"),
               whole(test, "votes_used"));
    printf(certified ? "; certified on its side of the threshold\n" : "\n");
    if (sl_json_has(length, "lc_bs"))
        printf("  with lengths controlled: %.4f (se %.4f); characters %.0f against %.0f\n",
               number(length, "lc_bs"), number(length, "lc_se"), number(length, "on_mean"),
               number(length, "off_mean"));
}

static void print_boundary(const sl_json *boundary)
{
    const sl_json *bracket = json_object_get(boundary, "bracket"), *estimate;
    size_t i;

    printf("boundary: %s", text_or(boundary, "verdict", "?"));
    if (json_array_size(bracket) == 2)
        printf(" between step %g and step %g", json_number_value(json_array_get(bracket, 0)),
               json_number_value(json_array_get(bracket, 1)));
    putchar('\n');
    json_array_foreach(json_object_get(boundary, "estimates"), i, estimate)
    {
        if (sl_json_has(estimate, "value"))
            printf("  %s: step %g [%g, %g]\n", text_or(estimate, "method", "?"),
                   number(estimate, "value"), number(estimate, "lower"), number(estimate, "upper"));
    }
}

void sl_analyze_print_votes(const sl_json *document)
{
    const sl_json *row;
    size_t i;

    json_array_foreach(json_object_get(document, "inputs"), i, row)
    {
        print_input(row);
    }
    json_array_foreach(json_object_get(document, "points"), i, row)
    {
        print_point(row);
    }
    print_boundary(json_object_get(document, "boundary"));
}
