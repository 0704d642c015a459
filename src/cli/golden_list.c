#include "cli/golden_list.h"
#include "base/alloc.h"
#include "cli/print.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { DEPTH_MAX = 8 }; /* of groups: hard links may form a ring */

sl_status sl_golden_open(sl_golden *out, const char *path)
{
    *out = (sl_golden){ .tests = json_array(), .seen = json_object() };
    if (!out->tests || !out->seen)
        return SL_FAIL(SL_ENOMEM, "want memory for a list of tests, found none");
    return sl_arrays_open(&out->file, path);
}

void sl_golden_close(sl_golden *golden)
{
    sl_arrays_close(&golden->file);
    sl_json_close(&golden->tests);
    sl_json_close(&golden->seen);
}

sl_status sl_golden_input(sl_golden *golden, const char *name)
{
    if (json_object_set_new(golden->seen, name, json_true()) != 0)
        return SL_FAIL(SL_ENOMEM, "want memory for a name, found none");
    return SL_OK;
}

sl_status sl_golden_add(sl_golden *golden, const char *name, double error, double tolerance)
{
    const int is_passed = error <= tolerance;
    sl_json *test = json_pack("{s:s, s:b, s:o, s:f}", "name", name, "pass", is_passed, "max_error",
                              sl_json_number(error), "tolerance", tolerance);

    if (!test || json_array_append_new(golden->tests, test) != 0)
        return SL_FAIL(SL_ENOMEM, "want memory for a test, found none");
    golden->passed += (size_t)is_passed;
    golden->failed += (size_t)!is_passed;
    return sl_golden_input(golden, name);
}

/* NaN in either wins, so that it fails. */
static double worse(double a, double b)
{
    return isnan(a) || isnan(b) ? NAN : fmax(a, b);
}

sl_status sl_golden_doubles(sl_golden *golden, const char *name, const double *got, size_t count,
                            double tolerance, int is_relative)
{
    double *want = NULL, error = 0.0, scale = 1.0;
    size_t found = 0;

    SL_TRY(sl_arrays_read(&want, &found, NULL, golden->file, name, SL_ARRAY_F64));
    for (size_t i = 0; i < found && i < count; i++) {
        error = worse(error, fabs(got[i] - want[i]));
        scale = is_relative ? fmax(scale, fabs(want[i])) : 1.0;
    }
    sl_free(want);
    return sl_golden_add(golden, name, found == count ? error / scale : NAN, tolerance);
}

sl_status sl_golden_floats(sl_golden *golden, const char *name, const float *got, size_t count,
                           double tolerance, int is_relative)
{
    double *wide = NULL;
    sl_status st;

    SL_TRY(sl_take(&wide, count ? count : 1, sizeof *wide));
    for (size_t i = 0; i < count; i++)
        wide[i] = (double)got[i];
    st = sl_golden_doubles(golden, name, wide, count, tolerance, is_relative);
    sl_free(wide);
    return st;
}

sl_status sl_golden_number(sl_golden *golden, const char *name, double got, double tolerance)
{
    double want = 0.0;

    SL_TRY(sl_arrays_scalar(&want, golden->file, name));
    return sl_golden_add(golden, name, fabs(got - want) / (want != 0.0 ? fabs(want) : 1.0),
                         tolerance);
}

sl_status sl_golden_distance(sl_golden *golden, const char *name, const float *got, size_t count,
                             double tolerance)
{
    double *want = NULL, apart = 0.0, size = 0.0;
    size_t found = 0;

    SL_TRY(sl_arrays_read(&want, &found, NULL, golden->file, name, SL_ARRAY_F64));
    for (size_t i = 0; i < found && i < count; i++) {
        const double d = (double)got[i] - want[i];

        apart += d * d;
        size += want[i] * want[i];
    }
    sl_free(want);
    apart = sqrt(apart) / (size > 0.0 ? sqrt(size) : 1.0);
    return sl_golden_add(golden, name, found == count ? apart : NAN, tolerance);
}

static sl_status count_unknown(sl_golden *golden, const char *group, int depth);

static sl_status count_one(sl_golden *golden, const char *name, int depth)
{
    sl_json *test;

    if (json_object_get(golden->seen, name))
        return SL_OK;
    if (sl_arrays_is_group(golden->file, name))
        return count_unknown(golden, name, depth + 1);
    golden->unknown++;
    test = json_pack("{s:s, s:b, s:n, s:s}", "name", name, "pass", 0, "max_error", "why",
                     "nothing here computes it");
    if (!test || json_array_append_new(golden->tests, test) != 0)
        return SL_FAIL(SL_ENOMEM, "want memory for a test, found none");
    return SL_OK;
}

static sl_status count_unknown(sl_golden *golden, const char *group, int depth)
{
    char *names = NULL, path[2 * SL_ARRAY_NAME];
    size_t count = 0;
    sl_status st = SL_OK;

    if (depth > DEPTH_MAX)
        return SL_FAIL(SL_EFORMAT, "want groups at most %d deep, found deeper", DEPTH_MAX);
    SL_TRY(sl_arrays_list(&names, &count, golden->file, group));
    for (size_t i = 0; i < count; i++) {
        if (!strcmp(group, "/"))
            (void)snprintf(path, sizeof path, "%s", names + i * SL_ARRAY_NAME);
        else
            (void)snprintf(path, sizeof path, "%s/%s", group, names + i * SL_ARRAY_NAME);
        SL_TRY_OUT(count_one(golden, path, depth));
    }
out:
    sl_free(names);
    return st;
}

sl_status sl_golden_finish(sl_golden *golden, const char *path)
{
    sl_json *document;
    sl_status st;

    SL_TRY(count_unknown(golden, "/", 0));
    document = json_pack("{s:s, s:O, s:I, s:I, s:I}", "schema", "stageline.golden/1", "tests",
                         golden->tests, "passed", (json_int_t)golden->passed, "failed",
                         (json_int_t)golden->failed, "unknown", (json_int_t)golden->unknown);
    if (!document)
        return SL_FAIL(SL_ENOMEM, "want memory for the document, found none");
    st = sl_print_json(document);
    sl_json_close(&document);
    SL_TRY(st);
    if (!golden->failed && !golden->unknown && golden->passed)
        return SL_OK;
    return sl_err_where(SL_FAIL(SL_EFORMAT,
                                "want every test to pass, found %zu passed, %zu failed and %zu "
                                "that nothing computes",
                                golden->passed, golden->failed, golden->unknown),
                        "%s", path);
}
