/* Parts of the report: numbers, tables, figures, warnings, trees, and data as links. */
#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/report_int.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TABLE_BYTES_MOST = 1 << 28,
    FIGURE_BYTES_MOST = 1 << 28,
    LINK_BYTES_MOST = 2 << 20, /* of a table that the page carries */
    ROWS_SHOWN = 40
};

void sl_report_number(sl_page *page, double value)
{
    if (isfinite(value))
        sl_page_print(page, "%.3f", value);
    else
        sl_page_html(page, "undefined");
}

void sl_report_interval(sl_page *page, double value, double lower, double upper)
{
    sl_report_number(page, value);
    sl_page_html(page, " [");
    sl_report_number(page, lower);
    sl_page_html(page, ", ");
    sl_report_number(page, upper);
    sl_page_html(page, "]");
}

/* --- tables ----------------------------------------------------------------------------------- */

/* A cell: whole numbers and words as they are, others with 4 digits, undefined as a dash. */
static void put_cell(sl_page *page, const char *tag, sl_span field)
{
    char text[256], *end;
    const size_t bytes = field.bytes < sizeof text ? field.bytes : sizeof text - 1;
    double value;

    memcpy(text, field.at, bytes);
    text[bytes] = 0;
    value = strtod(text, &end);
    if (*text && !*end && isnan(value))
        snprintf(text, sizeof text, "–");
    else if (*text && !*end && strpbrk(text, ".e"))
        snprintf(text, sizeof text, "%.4g", value);
    sl_page_element(page, tag, text);
}

static void put_row(sl_page *page, const char *tag, sl_span line)
{
    const char *end = line.at + line.bytes;

    sl_page_html(page, "<tr>");
    for (const char *at = line.at; at <= end;) {
        const char *tab = memchr(at, '\t', (size_t)(end - at));
        const char *stop = tab ? tab : end;

        put_cell(page, tag, (sl_span){ at, (size_t)(stop - at) });
        at = stop + 1;
    }
    sl_page_html(page, "</tr>\n");
}

static void put_lines(sl_page *page, const char *title, sl_span rest)
{
    sl_span line;
    size_t rows = 0;

    sl_page_html(page, "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"");
    sl_page_text(page, title);
    sl_page_html(page, "\"><table>\n<thead>");
    if (sl_text_line(&line, &rest))
        put_row(page, "th", line);
    sl_page_html(page, "</thead>\n<tbody>\n");
    for (; sl_text_line(&line, &rest); rows++)
        if (rows < ROWS_SHOWN)
            put_row(page, "td", line);
    sl_page_html(page, "</tbody>\n</table></div>\n");
    if (rows > ROWS_SHOWN) {
        sl_page_html(page, "<p class=\"note\">");
        sl_page_print(page, "%zu rows more.", rows - ROWS_SHOWN);
        sl_page_html(page, "</p>\n");
    }
}

static void put_link(sl_page *page, const char *name, const char *text, size_t bytes)
{
    if (bytes <= LINK_BYTES_MOST)
        sl_page_data(page, name, "text/tab-separated-values", text, bytes);
    else
        sl_page_print(page, "%s, %.0f MiB, is too large for a page: stageline analyze writes it",
                      name, (double)bytes / 1048576.0);
}

/* *text NULL: there is no such table, or it has no rows below its header. */
static sl_status read_table(char **text, size_t *bytes, const sl_report_place *at, const char *name)
{
    char path[PATH_MAX];

    *text = NULL;
    SL_TRY(sl_file_join(path, sizeof path, at->folder, name));
    if (!sl_file_exists(path))
        return SL_OK;
    SL_TRY(sl_file_read(text, bytes, path, TABLE_BYTES_MOST));
    if (*bytes && memchr(*text, '\n', *bytes) != *text + *bytes - 1)
        return SL_OK;
    sl_free(*text);
    *text = NULL;
    return SL_OK;
}

/* Links to tables (NULL: none) that have rows. */
static sl_status put_links(sl_page *page, const sl_report_place *at, const char *name,
                           const char *also)
{
    const char *const names[] = { name, also };
    const char *before = "<p class=\"data\">Data: ";

    for (size_t i = 0; i < 2 && names[i]; i++) {
        char *text;
        size_t bytes;

        SL_TRY(read_table(&text, &bytes, at, names[i]));
        if (!text)
            continue;
        sl_page_html(page, before);
        put_link(page, names[i], text, bytes);
        sl_free(text);
        before = ", ";
    }
    sl_page_html(page, "</p>\n");
    return SL_OK;
}

sl_status sl_report_table(sl_page *page, const sl_report_place *at, const char *title,
                          const char *name)
{
    char *text;
    size_t bytes;

    SL_TRY(read_table(&text, &bytes, at, name));
    if (!text)
        return SL_OK;
    sl_page_element(page, "h4", title);
    put_lines(page, title, (sl_span){ text, bytes });
    sl_free(text);
    return put_links(page, at, name, NULL);
}

/* --- figures ---------------------------------------------------------------------------------- */

static sl_status put_svg(sl_page *page, const sl_report_place *at, const sl_figure *figure)
{
    char path[PATH_MAX], name[64], *svg = NULL;
    size_t bytes;

    snprintf(name, sizeof name, "%s.svg", figure->name);
    SL_TRY(sl_file_join(path, sizeof path, at->folder, name));
    SL_TRY(sl_file_read(&svg, &bytes, path, FIGURE_BYTES_MOST));
    snprintf(name, sizeof name, "s%zu-%s-", at->index, figure->name);
    sl_page_svg(page, svg, name, figure->title);
    sl_free(svg);
    return SL_OK;
}

sl_status sl_report_figure(sl_page *page, size_t *drawn, const sl_report_place *at,
                           const sl_figure *figure)
{
    static const sl_figure_form form = { "svg", "page" };
    char *table;
    size_t bytes;
    int is_drawn;

    SL_TRY(read_table(&table, &bytes, at, figure->table));
    if (!table)
        return SL_OK;
    sl_free(table);
    SL_TRY(sl_figure_draw(&is_drawn, figure, at->folder, at->folder, &form));
    if (!is_drawn)
        return SL_OK;
    sl_page_html(page, (*drawn)++ ? "" : "<h3>Figures</h3>\n");
    sl_page_html(page, "<figure>\n<div class=\"wide\">");
    SL_TRY(put_svg(page, at, figure));
    sl_page_html(page, "</div>\n<figcaption>");
    sl_page_element(page, "strong", figure->title);
    sl_page_html(page, ". ");
    sl_page_text(page, figure->caption);
    sl_page_html(page, "</figcaption>\n");
    SL_TRY(put_links(page, at, figure->table, figure->also));
    sl_page_html(page, "</figure>\n");
    return SL_OK;
}

/* --- warnings --------------------------------------------------------------------------------- */

void sl_report_warnings_begin(sl_page *page)
{
    sl_page_html(page, "<h3>Warnings</h3>\n");
}

void sl_report_warning(sl_page *page, size_t *count, const char *text)
{
    sl_page_html(page, (*count)++ ? "" : "<ul class=\"warning\">\n");
    sl_page_element(page, "li", text);
    sl_page_html(page, "\n");
}

void sl_report_warnings_end(sl_page *page, size_t count, int has_looked)
{
    sl_page_html(page, count ? "</ul>\n"
                       : has_looked
                           ? "<p>None: no effect of length, cut answers, disagreeing judges "
                             "or falling chosen answers was found.</p>\n"
                           : "<p>None; there are neither votes nor pairs to look at.</p>\n");
}

void sl_report_warn_votes(sl_page *page, size_t *count, const sl_json *document)
{
    const sl_json *warning;
    size_t i;

    json_array_foreach(json_object_get(document, "warnings"), i, warning)
    {
        if (json_is_string(warning))
            sl_report_warning(page, count, json_string_value(warning));
    }
}

/* --- trees ------------------------------------------------------------------------------------ */

/* A leaf of a tree as text; reals with as few digits as give the same number. */
static sl_status put_leaf(sl_page *page, const sl_json *leaf)
{
    char *text = NULL;

    if (json_is_string(leaf)) {
        sl_page_text(page, json_string_value(leaf));
        return SL_OK;
    }
    if (json_is_real(leaf)) {
        const double value = json_real_value(leaf);
        char digits[40];

        snprintf(digits, sizeof digits, "%.15g", value);
        if (strtod(digits, NULL) != value)
            snprintf(digits, sizeof digits, "%.17g", value);
        sl_page_text(page, digits);
        return SL_OK;
    }
    SL_TRY(sl_json_dump(&text, leaf, 0));
    sl_page_text(page, text);
    sl_free(text);
    return SL_OK;
}

/* A row for every leaf, objects by dots: method.beta. Trees of run.json are some levels deep; the
 * bound is against damage. */
static sl_status put_leaves(sl_page *page, const char *prefix, const sl_json *tree, int depth)
{
    const char *key;
    sl_json *value;

    json_object_foreach((sl_json *)tree, key, value)
    {
        char name[512];

        snprintf(name, sizeof name, "%s%s%s", prefix, *prefix ? "." : "", key);
        if (json_is_object(value) && json_object_size(value) && depth < 8) {
            SL_TRY(put_leaves(page, name, value, depth + 1));
            continue;
        }
        sl_page_html(page, "<tr>");
        sl_page_element(page, "th", name);
        sl_page_html(page, "<td>");
        SL_TRY(put_leaf(page, value));
        sl_page_html(page, "</td></tr>\n");
    }
    return SL_OK;
}

sl_status sl_report_tree(sl_page *page, const char *title, const sl_json *tree)
{
    sl_page_html(page, "<details>\n");
    sl_page_element(page, "summary", title);
    sl_page_html(page, "\n<table class=\"keys\">\n<tbody>\n");
    SL_TRY(put_leaves(page, "", tree, 0));
    sl_page_html(page, "</tbody>\n</table>\n</details>\n");
    return SL_OK;
}
