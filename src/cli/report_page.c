/* The page that `report` writes: one sentence about each input, then a section about each. It
 * derives everything from records and votes and holds no date: same input, same page. */
#include "base/file.h"
#include "cli/report_int.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* In the dark, figures are turned to dark and their hues back, which keeps blue blue whatever
 * colours a figure has. On paper links to data mean nothing, nothing is scrolled, so that wide
 * tables shrink, and what is folded away is shown. */
static const char style[] =
    ":root{color-scheme:light dark;--ink:#222;--page:#fff;--soft:#555;--line:#ddd;--link:#0059a8;"
    "--static:#cfe5f4;--on:#f8dbc8;--grey:#e6e6e6;--alarm:#b34700}\n"
    "body{font:16px/1.5 Helvetica,Arial,sans-serif;color:var(--ink);background:var(--page);"
    "max-width:60rem;margin:2rem auto;padding:0 1rem;overflow-wrap:anywhere}\n"
    "h1,h2,h3,h4{line-height:1.2}h2{margin-top:3rem;border-top:2px solid var(--ink);"
    "padding-top:1rem}h3{margin-top:2rem}\n"
    "a{color:var(--link)}ul.verdicts{padding-left:1.2rem}ul.verdicts li{margin:.6rem 0}\n"
    "figure{margin:1.5rem 0}figure svg{width:100%;max-width:34rem;min-width:20rem;height:auto}\n"
    "figure svg text,figure svg tspan{font-family:Arial,Helvetica,\"Liberation Sans\",sans-serif}\n"
    "figcaption,.note,.data{color:var(--soft);font-size:.9rem;max-width:45rem}.data{margin:.3rem "
    "0}\n"
    ".wide{overflow-x:auto}table{border-collapse:collapse;font-size:.85rem}\n"
    "th,td{padding:.2rem .7rem;text-align:right;border-bottom:1px solid "
    "var(--line);white-space:nowrap;"
    "overflow-wrap:normal}\n"
    "th{border-bottom:1px solid var(--ink)}\n"
    ".keys td,.keys "
    "th{text-align:left;white-space:normal;overflow-wrap:anywhere;vertical-align:top}\n"
    ".warning{border-left:4px solid var(--alarm);padding-left:2rem}\n"
    "summary{cursor:pointer;font-weight:bold}\n"
    ".timeline{list-style:none;display:flex;flex-wrap:wrap;padding:0;margin:1rem 0;gap:2px}\n"
    ".timeline li{flex:1 1 7rem;min-width:0;padding:.4rem "
    ".6rem;overflow:hidden;font-size:.9rem;white-space:nowrap;"
    "print-color-adjust:exact;-webkit-print-color-adjust:exact}.timeline span{display:block}\n"
    ".injection{background:var(--static)}.tuning{background:var(--on)}"
    ".undecided{background:var(--grey)}\n"
    "@media(max-width:40rem){.timeline{flex-direction:column}.timeline li{flex:none!important}"
    "body{margin:1rem auto}}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e4e4e4;--page:#141414;--soft:#b0b0b0;"
    "--line:#3a3a3a;--link:#7db8ec;--static:#173a52;--on:#5a2c10;--grey:#333;--alarm:#ff9a4d}"
    "figure svg{filter:invert(.92) hue-rotate(180deg)}}\n"
    "@media print{body{max-width:none;margin:0;font-size:11pt}.data{display:none}"
    "figure,tr,.timeline{break-inside:avoid}h2,h3,h4{break-after:avoid}.wide{overflow:visible}"
    "figure svg{max-width:14cm;min-width:0;filter:none}"
    ".wide table{width:100%;font-size:5.5pt}.wide th,.wide td{padding:.1rem "
    ".2em;white-space:normal;"
    "overflow-wrap:anywhere}.keys{font-size:7pt}.keys td,.keys th{padding:0 .3em}"
    ".keys th{overflow-wrap:normal}"
    "details::details-content{content-visibility:visible;columns:2}}\n";

/* Ids of sections: s0, s1, ... */
static void put_section_head(sl_page *page, const sl_report_place *at)
{
    char html[64];

    snprintf(html, sizeof html, "<section id=\"s%zu\">\n", at->index);
    sl_page_html(page, html);
    sl_page_element(page, "h2", at->path);
}

static void put_sentence_head(sl_page *head, const sl_report_place *at)
{
    char html[64];

    snprintf(html, sizeof html, "<li><a href=\"#s%zu\">", at->index);
    sl_page_html(head, html);
    sl_page_text(head, at->path);
    sl_page_html(head, "</a>: ");
}

static sl_status put_input(sl_page *head, sl_page *page, const sl_report_place *at)
{
    struct stat s;
    const int is_run = stat(at->path, &s) == 0 && S_ISDIR(s.st_mode);

    put_sentence_head(head, at);
    put_section_head(page, at);
    SL_TRY(is_run ? sl_report_run(head, page, at) : sl_report_votes(head, page, at));
    sl_page_html(head, "</li>\n");
    sl_page_html(page, "</section>\n");
    return SL_OK;
}

/* Tables and figures live in a folder of their own until they are on the page. */
static sl_status put_input_apart(sl_page *head, sl_page *page, const char *path, size_t index)
{
    const char *root = getenv("TMPDIR");
    char folder[PATH_MAX];
    sl_status st;

    SL_TRY(sl_file_join(folder, sizeof folder, root && *root ? root : "/tmp",
                        "stageline-report-XXXXXX"));
    if (!mkdtemp(folder))
        return sl_err_where(SL_FAIL(SL_EIO, "want a temporary folder, found: %s", strerror(errno)),
                            "%s", folder);
    st = put_input(head, page, &(sl_report_place){ path, folder, index });
    return sl_figures_drop(st, folder);
}

/* `head` becomes the whole page: the sentences stand before the sections. */
static sl_status put_page(sl_page *head, sl_page *sections, const char *const *inputs, size_t count)
{
    sl_page_html(head, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                       "<title>stageline report</title>\n<style>\n");
    sl_page_html(head, style);
    sl_page_html(head, "</style>\n</head>\n<body>\n<main>\n<h1>stageline report</h1>\n"
                       "<ul class=\"verdicts\">\n");
    for (size_t i = 0; i < count; i++)
        SL_TRY(put_input_apart(head, sections, inputs[i], i));
    SL_TRY(sections->status);
    sl_page_html(head, "</ul>\n");
    sl_page_append(head, sections);
    sl_page_html(head, "</main>\n<footer><p class=\"note\">Written by stageline " SL_VERSION
                       " from the records and votes alone.</p></footer>\n</body>\n</html>\n");
    return head->status;
}

sl_status sl_report_write(const char *path, const char *const *inputs, size_t count)
{
    sl_page head = { 0 }, sections = { 0 };
    sl_status st = put_page(&head, &sections, inputs, count);

    if (st == SL_OK)
        st = sl_file_write_atomic(path, head.text, head.bytes);
    sl_page_close(&sections);
    sl_page_close(&head);
    return st;
}
