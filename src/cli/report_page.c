/* The page about runs: what `report` writes. It derives everything from the records, through the
 * analyzer and the figures' own tables, and holds no date: same records, same page. */
#include "analysis/run_analysis.h"
#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/figures.h"
#include "cli/page.h"
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TABLE_BYTES_MOST = 1 << 28, FIGURE_BYTES_MOST = 1 << 28, ROWS_SHOWN = 100 };

static const char style[] =
    "body{font:16px/1.5 Helvetica,Arial,sans-serif;color:#222;background:#fff;max-width:60rem;"
    "margin:2rem auto;padding:0 1rem}\n"
    "h1,h2,h3{line-height:1.2}h2{margin-top:3rem;border-top:2px solid #222;padding-top:1rem;"
    "overflow-wrap:anywhere}\n"
    "figure{margin:1.5rem 0}figure svg{max-width:100%;height:auto}\n"
    "figure svg text,figure svg tspan{font-family:Arial,Helvetica,\"Liberation Sans\",sans-serif}\n"
    "figcaption,.note{color:#555;font-size:.9rem;max-width:45rem}\n"
    ".wide{overflow-x:auto}table{border-collapse:collapse;font-size:.85rem}\n"
    "th,td{padding:.2rem .7rem;text-align:right;border-bottom:1px solid #ddd}\n"
    "th{border-bottom:1px solid #222}\n"
    ".keys td,.keys th{text-align:left;overflow-wrap:anywhere;vertical-align:top}\n"
    ".warning{border-left:4px solid #d55e00;padding-left:1rem}\n"
    "summary{cursor:pointer;font-weight:bold}\n";

static void put_number(sl_page *page, double value)
{
    if (isfinite(value))
        sl_page_print(page, "%.3f", value);
    else
        sl_page_html(page, "undefined");
}

/* --- verdict: one sentence a measurement ------------------------------------------------------ */

/* A stage as people say it, in the order of SL_STAGE_. */
static const char *const stages[] = { "undecided", "preference injection",
                                      "preference fine-tuning" };
static const char *const sources[] = { "as before", "static", "on-policy", "mixed", "none: stop" };

static void put_measurement(sl_page *page, const sl_measurement *m)
{
    const sl_row_boundary *b = &m->derived;

    sl_page_html(page, "<li>");
    sl_page_print(page, "Step %lld: boundary score ", (long long)m->step);
    put_number(page, b->bs);
    sl_page_html(page, " [");
    put_number(page, b->lower);
    sl_page_html(page, ", ");
    put_number(page, b->upper);
    sl_page_print(page, "] after %lu votes on %lu prompts: ", (unsigned long)b->votes,
                  (unsigned long)b->prompts);
    sl_page_element(page, "strong", stages[b->stage]);
    if (m->decided.step < 0)
        sl_page_html(page, "; no decision follows.");
    else
        sl_page_print(page, "; data for iteration %lu: %s, share %.3g on-policy.",
                      (unsigned long)m->iteration + 1, sources[m->decided.action],
                      m->decided.mix_weight);
    sl_page_html(page, "</li>\n");
}

/* Where the stage changed, between decided measurements. */
static void put_crossings(sl_page *page, const sl_run_analysis *a)
{
    const sl_measurement *before = NULL;

    for (size_t i = 0; i < a->count; i++) {
        const sl_measurement *m = &a->row[i];

        if (m->derived.stage == SL_STAGE_UNDECIDED)
            continue;
        if (before && before->derived.stage != m->derived.stage) {
            sl_page_html(page, "<p>");
            sl_page_print(page, "The policy went from %s to %s between step %lld and step %lld.",
                          stages[before->derived.stage], stages[m->derived.stage],
                          (long long)before->step, (long long)m->step);
            sl_page_html(page, "</p>\n");
        }
        before = m;
    }
    if (!before)
        sl_page_html(page, "<p>No measurement was decided.</p>\n");
}

static void put_verdict(sl_page *page, const sl_run_analysis *a)
{
    const sl_run_cost cost = sl_run_cost_of(a);

    sl_page_html(page, "<h3>Verdict</h3>\n");
    if (!a->count) {
        sl_page_html(page, "<p>This run measured no boundary score.</p>\n");
        return;
    }
    put_crossings(page, a);
    sl_page_html(page, "<ul>\n");
    for (size_t i = 0; i < a->count; i++)
        put_measurement(page, &a->row[i]);
    sl_page_html(page, "</ul>\n<p>");
    sl_page_print(page,
                  "The measurements took %llu votes on %llu prompts; the fixed sample of arXiv "
                  "2508.10530 would have taken %.0f votes on %.0f prompts.",
                  (unsigned long long)cost.votes, (unsigned long long)cost.prompts,
                  cost.fixed_votes, cost.fixed_prompts);
    sl_page_html(page, "</p>\n");
    if (!a->differences)
        return;
    sl_page_html(page, "<p class=\"warning\">");
    sl_page_print(page,
                  "%zu of %zu looks that the run recorded differ from what its votes say. The "
                  "first: %s",
                  a->differences, a->looks, a->first_difference);
    sl_page_html(page, "</p>\n");
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

static void put_lines(sl_page *page, sl_span rest)
{
    sl_span line;
    size_t rows = 0;

    sl_page_html(page, "<div class=\"wide\"><table>\n<thead>");
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

static sl_status put_table(sl_page *page, const char *title, const char *tables, const char *name)
{
    char path[PATH_MAX], *text = NULL;
    size_t bytes;

    SL_TRY(sl_file_join(path, sizeof path, tables, name));
    SL_TRY(sl_file_read(&text, &bytes, path, TABLE_BYTES_MOST));
    if (memchr(text, '\n', bytes) != text + bytes - 1) { /* rows below the header */
        sl_page_element(page, "h4", title);
        put_lines(page, (sl_span){ text, bytes });
    }
    sl_free(text);
    return SL_OK;
}

static sl_status put_tables(sl_page *page, const char *tables)
{
    sl_page_html(page, "<h3>Tables</h3>\n");
    SL_TRY(put_table(page, "Measurements", tables, "boundary.tsv"));
    SL_TRY(put_table(page, "Diversity and quality", tables, "diversity.tsv"));
    return put_table(page, "True gains", tables, "gains.tsv");
}

/* --- figures ---------------------------------------------------------------------------------- */

static sl_status put_figure(sl_page *page, const sl_figure *figure, const char *tables, size_t run)
{
    char path[PATH_MAX], name[64], *svg = NULL;
    size_t bytes;
    int is_drawn;

    SL_TRY(sl_figure_draw(&is_drawn, figure, tables, tables, "svg"));
    if (!is_drawn)
        return SL_OK;
    snprintf(name, sizeof name, "%s.svg", figure->name);
    SL_TRY(sl_file_join(path, sizeof path, tables, name));
    SL_TRY(sl_file_read(&svg, &bytes, path, FIGURE_BYTES_MOST));
    snprintf(name, sizeof name, "r%zu-%s-", run, figure->name);
    sl_page_html(page, "<figure>\n");
    sl_page_svg(page, svg, name, figure->title);
    sl_page_html(page, "<figcaption>");
    sl_page_element(page, "strong", figure->title);
    sl_page_html(page, ". ");
    sl_page_text(page, figure->caption);
    sl_page_html(page, "</figcaption>\n</figure>\n");
    sl_free(svg);
    return SL_OK;
}

static sl_status put_figures(sl_page *page, const char *tables, size_t run)
{
    sl_page_html(page, "<h3>Figures</h3>\n");
    for (size_t i = 0; i < sl_figure_count; i++)
        SL_TRY(put_figure(page, &sl_figures[i], tables, run));
    return SL_OK;
}

/* --- recipe and provenance -------------------------------------------------------------------- */

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

static sl_status put_tree(sl_page *page, const char *title, const sl_json *tree)
{
    sl_page_html(page, "<details>\n");
    sl_page_element(page, "summary", title);
    sl_page_html(page, "\n<table class=\"keys\">\n<tbody>\n");
    SL_TRY(put_leaves(page, "", tree, 0));
    sl_page_html(page, "</tbody>\n</table>\n</details>\n");
    return SL_OK;
}

static sl_status put_origin(sl_page *page, const sl_reader *reader)
{
    const sl_json *tree = sl_reader_json(reader), *recipe = json_object_get(tree, "recipe");
    sl_json *rest = json_copy((sl_json *)tree);
    sl_status st = SL_OK;

    if (!rest)
        return SL_FAIL(SL_ENOMEM, "want memory for the provenance, found none");
    sl_page_html(page, "<h3>Recipe and provenance</h3>\n");
    if (json_is_object(recipe)) {
        json_object_del(rest, "recipe");
        st = put_tree(page, "Effective recipe", recipe);
    }
    if (st == SL_OK)
        st = put_tree(page, "Provenance", rest);
    sl_json_close(&rest);
    return st;
}

/* --- a run, and the page ---------------------------------------------------------------------- */

static sl_status put_state(sl_page *page, const sl_reader *reader)
{
    sl_reader_state state;

    SL_TRY(sl_reader_state_get(reader, &state));
    sl_page_html(page, "<p class=\"note\">");
    sl_page_print(page, "Steps %lld to %lld, attempts: %zu, state: %s.",
                  (long long)state.first_step, (long long)state.last_step, state.attempts,
                  state.is_running ? "running" : sl_ended_name(state.ended));
    sl_page_html(page, "</p>\n");
    return SL_OK;
}

static sl_status put_run(sl_page *page, const char *run, const char *tables, size_t index)
{
    sl_run_analysis analysis = { 0 };
    sl_reader *reader = NULL;
    sl_status st = SL_OK;

    SL_TRY_OUT(sl_reader_open(&reader, run));
    SL_TRY_OUT(sl_run_analyze(&analysis, reader));
    SL_TRY_OUT(sl_run_tables(tables, &analysis, reader));
    sl_page_html(page, "<section>\n");
    sl_page_element(page, "h2", run);
    SL_TRY_OUT(put_state(page, reader));
    put_verdict(page, &analysis);
    SL_TRY_OUT(put_figures(page, tables, index));
    SL_TRY_OUT(put_tables(page, tables));
    SL_TRY_OUT(put_origin(page, reader));
    sl_page_html(page, "</section>\n");
out:
    sl_run_analysis_close(&analysis);
    sl_reader_close(&reader);
    return st;
}

/* Tables and figures of a run live in a folder of their own until they are on the page. */
static sl_status put_run_apart(sl_page *page, const char *run, size_t index)
{
    const char *root = getenv("TMPDIR");
    char tables[PATH_MAX];
    sl_status st;

    SL_TRY(sl_file_join(tables, sizeof tables, root && *root ? root : "/tmp",
                        "stageline-report-XXXXXX"));
    if (!mkdtemp(tables))
        return sl_err_where(SL_FAIL(SL_EIO, "want a temporary folder, found: %s", strerror(errno)),
                            "%s", tables);
    st = put_run(page, run, tables, index);
    return sl_figures_drop(st, tables);
}

static sl_status put_runs(sl_page *page, const char *const *runs, size_t count)
{
    sl_page_html(page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                       "<title>stageline report</title>\n<style>\n");
    sl_page_html(page, style);
    sl_page_html(page, "</style>\n</head>\n<body>\n<main>\n<h1>stageline report</h1>\n");
    for (size_t i = 0; i < count; i++)
        SL_TRY(put_run_apart(page, runs[i], i));
    sl_page_html(page, "</main>\n<footer><p class=\"note\">Written by stageline " SL_VERSION
                       " from the records alone.</p></footer>\n</body>\n</html>\n");
    return page->status;
}

sl_status sl_report_write(const char *path, const char *const *runs, size_t count)
{
    sl_page page = { 0 };
    sl_status st = put_runs(&page, runs, count);

    if (st == SL_OK)
        st = sl_file_write_atomic(path, page.text, page.bytes);
    sl_page_close(&page);
    return st;
}
