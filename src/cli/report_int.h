/* Parts of the report: what sections about runs and about vote files share. Pages are derived from
 * records and votes alone and hold no date: same input, same page. */
#ifndef SL_CLI_REPORT_INT_H
#define SL_CLI_REPORT_INT_H

#include "base/json.h"
#include "cli/figures.h"
#include "cli/page.h"

/* A section: what is written about, its number on the page, and a folder of its own for tables and
 * figures, which goes away. */
typedef struct sl_report_place {
    const char *path, *folder;
    size_t index;
} sl_report_place;

/* With 3 digits, or "undefined". */
void sl_report_number(sl_page *page, double value);
/* "0.612 [0.551, 0.668]" */
void sl_report_interval(sl_page *page, double value, double lower, double upper);
/* A table of the folder as HTML, the first rows of it, with its data as a link. A table that is not
 * there or has no rows leaves nothing. */
sl_status sl_report_table(sl_page *page, const sl_report_place *at, const char *title,
                          const char *name) SL_MUSTUSE;
/* A figure with caption and data; one without rows to draw leaves nothing. *drawn counts them; the
 * first one brings the heading. */
sl_status sl_report_figure(sl_page *page, size_t *drawn, const sl_report_place *at,
                           const sl_figure *figure) SL_MUSTUSE;
/* A list under "Warnings", or a sentence: there are none, or there was nothing to look at. */
void sl_report_warnings_begin(sl_page *page);
void sl_report_warning(sl_page *page, size_t *count, const char *text);
void sl_report_warnings_end(sl_page *page, size_t count, int has_looked);
/* The warnings[] of a document on votes. */
void sl_report_warn_votes(sl_page *page, size_t *count, const sl_json *document);
/* A tree of run.json, closed until it is opened. */
sl_status sl_report_tree(sl_page *page, const char *title, const sl_json *tree) SL_MUSTUSE;

/* Sections. head: receives one sentence, the verdict. */
sl_status sl_report_run(sl_page *head, sl_page *page, const sl_report_place *at) SL_MUSTUSE;
sl_status sl_report_votes(sl_page *head, sl_page *page, const sl_report_place *at) SL_MUSTUSE;

#endif
