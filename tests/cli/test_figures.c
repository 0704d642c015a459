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

static const sl_figure_form svg_form = { "svg", "screen" };

static const struct {
    const char *format, *magic;
} formats[] = { { "svg", "<?xml" }, { "pdf", "%PDF-" }, { "png", "\x89PNG" } };
static const char *const widths[] = { "screen", "one-column" };
enum { FORMATS = sizeof formats / sizeof formats[0], WIDTHS = sizeof widths / sizeof widths[0] };

/* Every figure in every form, each form in a folder of its own. */
static void draw_all(const char *prefix)
{
    for (size_t i = 0; i < (size_t)FORMATS * WIDTHS; i++) {
        const sl_figure_form form = { formats[i % FORMATS].format, widths[i / FORMATS] };
        char name[64], out[PATH_MAX];

        snprintf(name, sizeof name, "%s-%zu", prefix, i);
        new_folder(out, name);
        T_OK(sl_figures_make(fixtures, out, &form, NULL));
    }
}

static void compare_figure(size_t form, const char *figure_name)
{
    char folder[PATH_MAX], path[64], name[64], *a, *b;
    size_t a_bytes, b_bytes;

    snprintf(name, sizeof name, "%s.%s", figure_name, formats[form % FORMATS].format);
    snprintf(path, sizeof path, "once-%zu", form);
    T_OK(sl_file_join(folder, sizeof folder, scratch, path));
    a = read_all(folder, name, &a_bytes);
    snprintf(path, sizeof path, "again-%zu", form);
    T_OK(sl_file_join(folder, sizeof folder, scratch, path));
    b = read_all(folder, name, &b_bytes);
    assert_int_equal(a_bytes, b_bytes);
    assert_memory_equal(a, b, a_bytes);
    assert_memory_equal(a, formats[form % FORMATS].magic, strlen(formats[form % FORMATS].magic));
    assert_true(a_bytes < 200000);
    sl_free(a);
    sl_free(b);
}

static void test_same_tables_same_bytes(void **state)
{
    (void)state;
    draw_all("once");
    sleep(1); /* a time of day in a file would differ now */
    draw_all("again");
    for (size_t form = 0; form < (size_t)FORMATS * WIDTHS; form++)
        for (size_t i = 0; i < sl_figure_count; i++)
            compare_figure(form, sl_figures[i].name);
}

/* 3.25 and 6.75 inches: at 96 pixels an inch in SVG, at 72 points an inch in PDF. */
static void test_columns_of_latex_are_as_wide_as_they_say(void **state)
{
    static const struct {
        const char *width;
        int pixels;
    } rows[] = { { "one-column", 312 }, { "two-column", 648 } };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const sl_figure_form svg = { "svg", rows[i].width };
        char out[PATH_MAX], want[64], *text;
        size_t bytes;
        int is_drawn;

        new_folder(out, rows[i].width);
        T_OK(sl_figure_draw(&is_drawn, figure("rewards"), fixtures, out, &svg));
        text = read_all(out, "rewards.svg", &bytes);
        snprintf(want, sizeof want, "width=\"%d\"", rows[i].pixels);
        assert_non_null(strstr(text, want));
        sl_free(text);
    }
}

/* A hundred thousand updates and three groups of parameters stay below 200 KB. */
static void test_long_runs_stay_small(void **state)
{
    enum { UPDATES = 100000, GROUPS = 3, ROW_BYTES = 48 };
    const sl_figure_form form = { "svg", "screen" };
    char out[PATH_MAX], *text = NULL, *svg;
    size_t used = 0, bytes;
    int is_drawn;

    (void)state;
    new_folder(out, "long");
    T_OK(sl_take(&text, (size_t)UPDATES * GROUPS * ROW_BYTES, 1));
    used += (size_t)sprintf(text, "step\tmargin\tchosen_reward\trejected_reward\n");
    for (int i = 1; i <= UPDATES; i++)
        used +=
            (size_t)sprintf(text + used, "%d\t%.6f\t%.6f\t%.6f\n", i, sin(i), cos(i), sin(2 * i));
    write_text(out, "margins.tsv", text);
    T_OK(sl_figure_draw(&is_drawn, figure("rewards"), out, out, &form));
    svg = read_all(out, "rewards.svg", &bytes);
    assert_true(bytes < 200000);
    sl_free(svg);
    used = (size_t)sprintf(text, "step\tgroup\tname\tnorm\n");
    for (int i = 1; i <= UPDATES; i++)
        for (int g = 0; g < GROUPS; g++)
            used += (size_t)sprintf(text + used, "%d\t%d\tg%d\t%.6f\n", i, g, g, 2 + sin(i + g));
    write_text(out, "gradients.tsv", text);
    T_OK(sl_figure_draw(&is_drawn, figure("gradients"), out, out, &form));
    svg = read_all(out, "gradients.svg", &bytes);
    assert_true(bytes < 200000);
    sl_free(svg);
    sl_free(text);
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
    T_OK(sl_figure_draw(&is_drawn, figure("boundary"), fixtures, out, &svg_form));
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
    T_OK(sl_figure_draw(&is_drawn, figure("gains"), out, out, &svg_form));
    assert_false(is_drawn);
    write_text(out, "margins.tsv", "step\tmargin\tchosen_reward\trejected_reward\n1\tnan\t1\t2\n");
    T_OK(sl_figure_draw(&is_drawn, figure("rewards"), out, out, &svg_form));
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
    T_FAILS(sl_figure_draw(&is_drawn, figure("gains"), out, out, &svg_form), SL_EFORMAT,
            "want column \"gain\", found none");
    write_text(out, "gains.tsv", "");
    T_FAILS(sl_figure_draw(&is_drawn, figure("gains"), out, out, &svg_form), SL_EFORMAT,
            "want a header line");
    T_FAILS(sl_figure_draw(&is_drawn, figure("rewards"), out, out, &svg_form), SL_EIO, "");
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
        T_OK(sl_figure_draw(&is_drawn, figure("gains"), names[i], names[i], &svg_form));
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
    T_FAILS(sl_figure_draw(&is_drawn, figure("gains"), fixtures, out, &svg_form), SL_EIO,
            "undefined variable: nonsense");
    write_text(out, "fig_gains.gp", "x = 1\n");
    T_FAILS(sl_figure_draw(&is_drawn, figure("gains"), fixtures, out, &svg_form), SL_EIO, "");
    unsetenv("STAGELINE_PLOTS");
    assert_false(is_there(out, "gains.svg"));
    assert_false(is_there(out, "gains.svg.part"));

    setenv("PATH", out, 1);
    assert_int_equal(sl_figure_draw(&is_drawn, figure("gains"), fixtures, out, &svg_form), SL_EIO);
    assert_non_null(strstr(sl_err_message(), "want gnuplot on the PATH, found none"));
    assert_non_null(strstr(sl_err_hint_text(), "install the package gnuplot"));
    sl_err_clear();
    setenv("PATH", path, 1);
    free(path);
}

static void test_names_are_checked(void **state)
{
    (void)state;
    T_OK(sl_figures_check(&(sl_figure_form){ "pdf", "one-column" }, NULL));
    T_OK(sl_figures_check(&(sl_figure_form){ "png", "screen" }, "gains"));
    T_FAILS(sl_figures_check(&(sl_figure_form){ "jpg", "screen" }, NULL), SL_EUSAGE,
            "found \"jpg\"");
    T_FAILS(sl_figures_check(&(sl_figure_form){ "svg", "one-colum" }, NULL), SL_EUSAGE,
            "want a width");
    assert_int_equal(sl_figures_check(&svg_form, "gain"), SL_EUSAGE);
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
        cmocka_unit_test(test_columns_of_latex_are_as_wide_as_they_say),
        cmocka_unit_test(test_long_runs_stay_small),
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
