/* The section about a file of votes: the document of `analyze --json` as a page. */
#include "analysis/table.h"
#include "cli/analyze.h"
#include "cli/document.h"
#include "cli/report_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* "name, step 8, judge" as far as the rows say. */
static void label_of(char label[256], const sl_json *point)
{
    const char *judge = sl_doc_text(point, "judge", "");
    char step[40] = "";

    if (sl_json_has(point, "step"))
        snprintf(step, sizeof step, ", step %lld",
                 (long long)json_integer_value(json_object_get(point, "step")));
    snprintf(label, 256, "%.100s%s%s%.100s", sl_doc_text(point, "name", "votes"), step,
             *judge ? ", judge " : "", judge);
    for (char *at = label; *at; at++)
        if ((unsigned char)*at < 0x20)
            *at = '?'; /* a tab would be a column */
}

static const sl_json *points_of(const sl_json *document)
{
    return json_object_get(document, "points");
}

/* --- verdict ---------------------------------------------------------------------------------- */

static void put_point_verdict(sl_page *page, const sl_json *point)
{
    const sl_json *bs = json_object_get(point, "bs");
    const char *stage = sl_doc_text(point, "stage", "undecided");
    char label[256];

    label_of(label, point);
    sl_page_text(page, label);
    sl_page_html(page, ": ");
    if (!strcmp(stage, "undecided"))
        sl_page_html(page, "<strong>undecided</strong>");
    else
        sl_page_print(page, "preference %s", stage);
    sl_page_html(page, "; on-policy answers win ");
    sl_report_interval(page, sl_doc_number(bs, "value"), sl_doc_number(bs, "lower"),
                       sl_doc_number(bs, "upper"));
    sl_page_print(page, " of the votes (%.0f %% interval, %.0f prompts)",
                  100.0 * sl_doc_number(bs, "level"), sl_doc_number(point, "prompts"));
}

/* One sentence: of several checkpoints where they cross, of one where it stands. */
static void put_verdict(sl_page *page, const sl_json *document)
{
    const sl_json *points = points_of(document), *boundary = json_object_get(document, "boundary");
    const sl_json *bracket = json_object_get(boundary, "bracket");
    const size_t count = json_array_size(points);

    if (!count) {
        sl_page_html(page, "This file holds no vote.");
        return;
    }
    if (count > 1 && json_is_object(boundary))
        sl_page_print(page,
                      "%s: %s. The last point: ", sl_doc_text(boundary, "verdict", "undecided"),
                      sl_doc_text(boundary, "reason", "no reason is given"));
    if (json_is_array(bracket))
        sl_page_print(page, "the boundary lies between step %.6g and step %.6g; ",
                      json_number_value(json_array_get(bracket, 0)),
                      json_number_value(json_array_get(bracket, 1)));
    put_point_verdict(page, json_array_get(points, count - 1));
    sl_page_html(page, ".");
}

/* --- the table behind figure and page --------------------------------------------------------- */

static void put_row(sl_table_out *t, size_t index, const sl_json *point)
{
    const sl_json *bs = json_object_get(point, "bs"), *always = json_object_get(point, "sequence");
    char label[256];

    label_of(label, point);
    sl_table_i64(t, (int64_t)index + 1);
    sl_table_text(t, label);
    sl_table_f64(t, sl_doc_number(point, "step"));
    sl_table_f64(t, sl_doc_number(bs, "value"));
    sl_table_f64(t, sl_doc_number(bs, "se"));
    sl_table_f64(t, sl_doc_number(bs, "lower"));
    sl_table_f64(t, sl_doc_number(bs, "upper"));
    sl_table_f64(t, sl_doc_number(always, "lower"));
    sl_table_f64(t, sl_doc_number(always, "upper"));
    sl_table_i64(t, json_integer_value(json_object_get(point, "prompts")));
    sl_table_i64(t, json_integer_value(json_object_get(point, "votes")));
    sl_table_i64(t, json_integer_value(json_object_get(point, "ties")));
    sl_table_text(t, sl_doc_text(point, "stage", "undecided"));
    sl_table_f64(t, sl_doc_number(json_object_get(point, "length"), "lc_bs"));
    sl_table_end_row(t);
}

static sl_status write_table(const char *folder, const sl_json *points)
{
    sl_table_out t;
    const sl_json *point;
    size_t i;

    SL_TRY(sl_table_open(&t, folder, "scores.tsv",
                         "point\tlabel\tstep\tbs\tse\tlower\tupper\tanytime_lower\t"
                         "anytime_upper\tprompts\tvotes\tties\tstage\tlc_bs"));
    json_array_foreach(points, i, point)
    {
        put_row(&t, i, point);
    }
    return sl_table_close(&t);
}

/* --- the section ------------------------------------------------------------------------------ */

static void put_input(sl_page *page, const sl_json *document)
{
    const sl_json *in = json_array_get(json_object_get(document, "inputs"), 0);

    sl_page_html(page, "<p class=\"note\">");
    sl_page_print(page, "%.0f rows, %.0f without a vote, %.0f bad and left out; SHA-256 %s",
                  sl_doc_number(in, "rows"), sl_doc_number(in, "dropped"), sl_doc_number(in, "bad"),
                  sl_doc_text(in, "sha256", "unknown"));
    sl_page_html(page, "</p>\n");
}

static void put_warnings(sl_page *page, const sl_json *document)
{
    size_t count = 0;

    sl_report_warnings_begin(page);
    sl_report_warn_votes(page, &count, document);
    if (json_is_true(
            json_object_get(json_array_get(json_object_get(document, "inputs"), 0), "cut_off")))
        sl_report_warning(page, &count, "the file is cut off before its end");
    sl_report_warnings_end(page, count, 1);
}

static sl_status put_section(sl_page *page, const sl_json *document, const sl_report_place *at)
{
    size_t drawn = 0;

    put_input(page, document);
    sl_page_html(page, "<p>");
    put_verdict(page, document);
    sl_page_html(page, "</p>\n");
    put_warnings(page, document);
    SL_TRY(sl_report_figure(page, &drawn, at, &sl_figure_scores));
    SL_TRY(sl_report_table(page, at, "Points", "scores.tsv"));
    sl_page_html(page, "<h3>Provenance</h3>\n");
    SL_TRY(sl_report_tree(page, "Input", json_array_get(json_object_get(document, "inputs"), 0)));
    return sl_report_tree(page, "Boundary", json_object_get(document, "boundary"));
}

sl_status sl_report_votes(sl_page *head, sl_page *page, const sl_report_place *at)
{
    const sl_analyze_votes_opts as_is = { 0 };
    sl_json *document = NULL;
    sl_status st;

    SL_TRY(sl_analyze_vote_files(&document, &at->path, 1, &as_is));
    st = write_table(at->folder, points_of(document));
    if (st == SL_OK) {
        put_verdict(head, document);
        st = put_section(page, document, at);
    }
    sl_json_close(&document);
    return st;
}
