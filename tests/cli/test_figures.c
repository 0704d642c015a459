/* Figures from tables made by hand, and the pieces of the page. What a figure shows is checked by
 * geometry: where a row's mark must stand on the axes. */
#include "harness/harness.h"

#include "base/file.h"
#include "cli/figures.h"
#include "cli/page.h"
#include "base/alloc.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_BYTES = 1 << 26 };
#define TOL_PIXEL 2e-3 /* gnuplot rounds to tenths of a point */
static const char *scratch;
static char fixtures[PATH_MAX];

static char *read_all(const char *folder, const char *name, size_t *bytes)
{
    char path[PATH_MAX], *text = NULL;

    T_OK(sl_file_join(path, sizeof path, folder, name));
    T_OK(sl_file_read(&text, bytes, path, FILE_BYTES));
    return text;
}

static void write_text(const char *folder, const char *name, const char *text)
{
    char path[PATH_MAX];

    T_OK(sl_file_join(path, sizeof path, folder, name));
    T_OK(sl_file_write_atomic(path, text, strlen(text)));
}

static int is_there(const char *folder, const char *name)
{
    char path[PATH_MAX];

    T_OK(sl_file_join(path, sizeof path, folder, name));
    return sl_file_exists(path);
}

/* A folder in the scratch folder. */
static void new_folder(char out[PATH_MAX], const char *name)
{
    T_OK(sl_file_join(out, PATH_MAX, scratch, name));
    T_OK(sl_file_new_folder(out));
}

static const sl_figure *figure(const char *name)
{
    for (size_t i = 0; i < sl_figure_count; i++)
        if (!strcmp(sl_figures[i].name, name))
            return &sl_figures[i];
    fail_msg("want figure %s", name);
    return NULL;
}

static void test_same_tables_same_bytes(void **state)
{
    static const struct {
        const char *format, *magic;
    } formats[] = { { "svg", "<?xml" }, { "pdf", "%PDF-" }, { "png", "\x89PNG" } };
    char once[PATH_MAX], again[PATH_MAX];

    (void)state;
    new_folder(once, "once");
    new_folder(again, "again");
    for (size_t f = 0; f < sizeof formats / sizeof formats[0]; f++)
        T_OK(sl_figures_make(fixtures, once, formats[f].format, NULL));
    sleep(1); /* a time of day in a file would differ now */
    for (size_t f = 0; f < sizeof formats / sizeof formats[0]; f++) {
        T_OK(sl_figures_make(fixtures, again, formats[f].format, NULL));
        for (size_t i = 0; i < sl_figure_count; i++) {
            char name[64], *a, *b;
            size_t a_bytes, b_bytes;

            snprintf(name, sizeof name, "%s.%s", sl_figures[i].name, formats[f].format);
            a = read_all(once, name, &a_bytes);
            b = read_all(again, name, &b_bytes);
            assert_int_equal(a_bytes, b_bytes);
            assert_memory_equal(a, b, a_bytes);
            assert_memory_equal(a, formats[f].magic, strlen(formats[f].magic));
            assert_true(a_bytes < 200000);
            sl_free(a);
            sl_free(b);
        }
    }
}

/* x, y of the n-th mark of a shape in an SVG. */
static void mark_at(double *x, double *y, const char *svg, const char *shape, int n)
{
    char want[64];

    snprintf(want, sizeof want, "<use xlink:href='#%s' transform='translate(", shape);
    for (; n >= 0; n--) {
        svg = strstr(svg, want);
        assert_non_null(svg);
        svg += strlen(want);
    }
    assert_int_equal(sscanf(svg, "%lf,%lf", x, y), 2);
}

/* The upper panel stands between 0.125 and 0.945 of 560 points and between 0.40 and 0.89 of 360,
 * counted from below; its axes run from 0 to 1 and over 8 steps with 3 % to spare at both ends. */
static void test_scores_stand_where_they_belong(void **state)
{
    const double left = 560 * 0.125, right = 560 * 0.945, bottom = 360 * (1 - 0.40),
                 top = 360 * (1 - 0.89);
    static const struct {
        double step, bs;
    } rows[] = { { 0, 0.25 }, { 4, 0.75 } };
    char out[PATH_MAX], *svg;
    size_t bytes;
    int is_drawn;

    (void)state;
    new_folder(out, "places");
    T_OK(sl_figure_draw(&is_drawn, figure("boundary"), fixtures, out, "svg"));
    assert_true(is_drawn);
    svg = read_all(out, "boundary.svg", &bytes);
    for (int i = 0; i < 2; i++) {
        double x, y;

        mark_at(&x, &y, svg, "gpPt6", i); /* filled circles: the scores come first */
        T_CLOSE(x, left + (rows[i].step + 0.03 * 8) / (8 * 1.06) * (right - left), TOL_PIXEL);
        T_CLOSE(y, bottom + rows[i].bs * (top - bottom), TOL_PIXEL);
    }
    sl_free(svg);
}

static void test_no_rows_no_figure(void **state)
{
    char out[PATH_MAX];
    int is_drawn = 1;

    (void)state;
    new_folder(out, "none");
    write_text(out, "gains.tsv", "iteration\tstep\torigin\tchosen\tgain\tse\n");
    T_OK(sl_figure_draw(&is_drawn, figure("gains"), out, out, "svg"));
    assert_false(is_drawn);
    write_text(out, "margins.tsv", "step\tmargin\tchosen_reward\trejected_reward\n1\tnan\t1\t2\n");
    T_OK(sl_figure_draw(&is_drawn, figure("rewards"), out, out, "svg"));
    assert_false(is_drawn);
    assert_false(is_there(out, "gains.svg"));
    assert_false(is_there(out, "rewards.svg"));
}

static void test_damaged_tables_are_refused(void **state)
{
    char out[PATH_MAX];
    int is_drawn;

    (void)state;
    new_folder(out, "damaged");
    write_text(out, "gains.tsv", "iteration\tgian\n1\t2\n");
    T_FAILS(sl_figure_draw(&is_drawn, figure("gains"), out, out, "svg"), SL_EFORMAT,
            "want column \"gain\", found none");
    write_text(out, "gains.tsv", "");
    T_FAILS(sl_figure_draw(&is_drawn, figure("gains"), out, out, "svg"), SL_EFORMAT,
            "want a header line");
    T_FAILS(sl_figure_draw(&is_drawn, figure("rewards"), out, out, "svg"), SL_EIO, "");
}

/* Names that a shell or gnuplot's own quoting would read as something else. */
static void test_any_path(void **state)
{
    static const char *const names[] = {
        "two words", "it's \"quoted\"", "`touch x` $(touch y)", "|cat",
        "<ls",       "a\\nb",           "%s {Symbol b} \\$"
    };

    (void)state;
    assert_int_equal(chdir(scratch), 0); /* relative: the first byte is the name's */
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char out[PATH_MAX], *table;
        size_t bytes;
        int is_drawn;

        new_folder(out, names[i]);
        table = read_all(fixtures, "gains.tsv", &bytes);
        write_text(out, "gains.tsv", table);
        sl_free(table);
        T_OK(sl_figure_draw(&is_drawn, figure("gains"), names[i], names[i], "svg"));
        assert_true(is_drawn && is_there(out, "gains.svg"));
        assert_false(is_there(out, "gains.svg.part"));
    }
    assert_int_equal(chdir("/"), 0);
}

static void test_a_failing_gnuplot_says_why(void **state)
{
    char out[PATH_MAX], *path = strdup(getenv("PATH"));
    int is_drawn;

    (void)state;
    new_folder(out, "bad plots");
    write_text(out, "fig_gains.gp", "set output ARG2\nplot nonsense\n");
    setenv("STAGELINE_PLOTS", out, 1);
    T_FAILS(sl_figure_draw(&is_drawn, figure("gains"), fixtures, out, "svg"), SL_EIO,
            "undefined variable: nonsense");
    write_text(out, "fig_gains.gp", "x = 1\n");
    T_FAILS(sl_figure_draw(&is_drawn, figure("gains"), fixtures, out, "svg"), SL_EIO, "");
    unsetenv("STAGELINE_PLOTS");
    assert_false(is_there(out, "gains.svg"));
    assert_false(is_there(out, "gains.svg.part"));

    setenv("PATH", out, 1);
    assert_int_equal(sl_figure_draw(&is_drawn, figure("gains"), fixtures, out, "svg"), SL_EIO);
    assert_non_null(strstr(sl_err_message(), "want gnuplot on the PATH, found none"));
    assert_non_null(strstr(sl_err_hint_text(), "install the package gnuplot"));
    sl_err_clear();
    setenv("PATH", path, 1);
    free(path);
}

static void test_names_are_checked(void **state)
{
    (void)state;
    T_OK(sl_figures_check("pdf", NULL));
    T_OK(sl_figures_check("png", "gains"));
    T_FAILS(sl_figures_check("jpg", NULL), SL_EUSAGE, "found \"jpg\"");
    assert_int_equal(sl_figures_check("svg", "gain"), SL_EUSAGE);
    assert_non_null(strstr(sl_err_hint_text(), "did you mean \"gains\"?"));
    sl_err_clear();
}

static void page_is(sl_page *page, const char *want)
{
    assert_int_equal(page->status, SL_OK);
    assert_int_equal(page->bytes, strlen(want));
    assert_memory_equal(page->text, want, page->bytes);
    sl_page_close(page);
}

static void test_text_is_escaped(void **state)
{
    sl_page page = { 0 };

    (void)state;
    sl_page_element(&page, "td", "<script>&\"'</td>\x01 \xc3\xa9\n");
    page_is(&page, "<td>&lt;script&gt;&amp;&quot;&#39;&lt;/td&gt;? \xc3\xa9\n</td>");
    sl_page_text(&page, "\xff<");
    page_is(&page, "?&lt;");
    sl_page_print(&page, "%s=%d", "<a>", 3);
    page_is(&page, "&lt;a&gt;=3");
}

/* Ids are the page's: two figures must not share them. Text between tags is nobody's id. */
static void test_svg_ids_are_prefixed(void **state)
{
    sl_page page = { 0 };

    (void)state;
    sl_page_svg(
        &page,
        "<?xml version=\"1.0\"?><svg width=\"1\"><g id='a'/><use xlink:href='#a' id=\"b\"/>"
        "<path fill=\"url(#b)\" stroke='#ffffff' in='a'/><text> id='a' url(#a)</text></svg>",
        "p-", "it's \"one\"");
    page_is(&page,
            "<svg role=\"img\" aria-label=\"it&#39;s &quot;one&quot;\" width=\"1\"><g id='p-a'/>"
            "<use xlink:href='#p-a' id=\"p-b\"/><path fill=\"url(#p-b)\" stroke='#ffffff' in='a'/>"
            "<text> id='a' url(#a)</text></svg>");
    sl_page_svg(&page, "no figure", "p-", "");
    T_FAILS(page.status, SL_EFORMAT, "want an svg element");
    sl_page_close(&page);
}

static int setup(void **state)
{
    (void)state;
    scratch = t_scratch();
    return snprintf(fixtures, sizeof fixtures, "%s/tests/cli/fixtures",
                    getenv("STAGELINE_SOURCE")) < 0;
}

static int teardown(void **state)
{
    (void)state;
    t_scratch_remove();
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_tables_same_bytes),
        cmocka_unit_test(test_scores_stand_where_they_belong),
        cmocka_unit_test(test_no_rows_no_figure),
        cmocka_unit_test(test_damaged_tables_are_refused),
        cmocka_unit_test(test_any_path),
        cmocka_unit_test(test_a_failing_gnuplot_says_why),
        cmocka_unit_test(test_names_are_checked),
        cmocka_unit_test(test_text_is_escaped),
        cmocka_unit_test(test_svg_ids_are_prefixed),
    };

    if (!getenv("STAGELINE_SOURCE") || system("gnuplot --version >/dev/null 2>&1") != 0)
        return T_SKIP; /* nothing to draw with */
    return cmocka_run_group_tests(tests, setup, teardown);
}
