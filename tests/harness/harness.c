#include "harness/harness.h"
#include "base/file.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void t_close(double got, double want, double tol, const char *what, const char *file, int line)
{
    const double size = fabs(want) > 1.0 ? fabs(want) : 1.0;

    if (got == want || (isnan(got) && isnan(want)))
        return;
    if (!isfinite(got) || !isfinite(want) || fabs(got - want) > tol * size) {
        print_error("%s: want %.9g, found %.9g, off by %.3g (tolerance %.3g)\n", what, want, got,
                    fabs(got - want), tol * size);
        _fail(file, line);
    }
}

void t_close_all(const float *got, const float *want, size_t n, double tol, const char *what,
                 const char *file, int line)
{
    double size = 1.0;

    for (size_t i = 0; i < n; i++)
        if (isfinite(want[i]) && fabs((double)want[i]) > size)
            size = fabs((double)want[i]);
    for (size_t i = 0; i < n; i++) {
        const double g = (double)got[i], w = (double)want[i];

        if (g == w || (isnan(g) && isnan(w)))
            continue;
        if (!isfinite(g) || !isfinite(w) || fabs(g - w) > tol * size) {
            print_error("%s[%zu of %zu]: want %.9g, found %.9g, off by %.3g (tolerance %.3g)\n",
                        what, i, n, w, g, fabs(g - w), tol * size);
            _fail(file, line);
        }
    }
}

void t_ok(sl_status st, const char *what, const char *file, int line)
{
    if (st == SL_OK)
        return;
    print_error("%s: %s: %s (%s)\n", what, sl_err_place(), sl_err_message(), sl_err_source());
    sl_err_clear();
    _fail(file, line);
}

void t_fails(sl_status st, sl_status code, const char *text, const char *what, const char *file,
             int line)
{
    char found[1200];

    snprintf(found, sizeof found, "%s: %s hint: %s", sl_err_place(), sl_err_message(),
             sl_err_hint_text());
    sl_err_clear();
    if (st == code && strstr(found, text))
        return;
    print_error("%s: want status %d with \"%s\", found %d \"%s\"\n", what, (int)code, text, (int)st,
                found);
    _fail(file, line);
}

double t_dot(const float *x, const float *y, size_t n)
{
    double sum = 0.0;

    for (size_t i = 0; i < n; i++)
        sum += (double)x[i] * (double)y[i];
    return sum;
}

void t_fill(float *x, size_t n, float std, uint64_t stream)
{
    sl_rng rng = sl_rng_at(7, sl_rng_substream(sl_rng_stream("test fill"), stream), 0);

    for (size_t i = 0; i < n; i++)
        x[i] = std * (float)sl_rng_normal(&rng);
}

const char *t_shared(const char *name)
{
    static char path[4096];
    const char *root = getenv("STAGELINE_SHARED");
    const char *source = getenv("STAGELINE_SOURCE");

    if (root)
        snprintf(path, sizeof path, "%s/%s", root, name);
    else
        snprintf(path, sizeof path, "%s/../shared/%s", source ? source : ".", name);
    return access(path, R_OK) == 0 ? path : NULL;
}

static char scratch[4096];

const char *t_scratch(void)
{
    const char *root = getenv("TMPDIR");

    snprintf(scratch, sizeof scratch, "%s/stageline-test-XXXXXX", root ? root : "/tmp");
    assert_non_null(mkdtemp(scratch));
    return scratch;
}

void t_scratch_remove(void)
{
    if (scratch[0])
        T_OK(sl_file_remove_tree(scratch));
    scratch[0] = 0;
}
