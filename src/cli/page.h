/* An HTML page in memory. Its first failure stays: later calls change nothing and the status is
 * asked once, at the end. */
#ifndef SL_CLI_PAGE_H
#define SL_CLI_PAGE_H

#include "base/status.h"
#include <stddef.h>

typedef struct sl_page {
    char *text; /* owned; not zero-terminated */
    size_t bytes, capacity;
    sl_status status;
} sl_page;

void sl_page_close(sl_page *page);
/* HTML as it stands, from this program only. */
void sl_page_html(sl_page *page, const char *html);
/* Text of any origin: escaped; what HTML cannot hold (control characters, bytes that are not UTF-8)
 * becomes '?'. */
void sl_page_text(sl_page *page, const char *text);
/* Formatted, at most 1023 bytes, then as text. */
void sl_page_print(sl_page *page, const char *fmt, ...) SL_PRINTF(2, 3);
/* <tag>text</tag>, the text escaped. */
void sl_page_element(sl_page *page, const char *tag, const char *text);
/* The whole of another page. */
void sl_page_append(sl_page *page, const sl_page *other);
/* A link that holds a file (bytes) of that type, to be saved under its name. */
void sl_page_data(sl_page *page, const char *name, const char *type, const char *text,
                  size_t bytes);
/* An SVG document (bytes, followed by a zero byte) as part of the page: without its prolog, and
 * with prefix before every id, so that figures do not borrow each other's marks. label: escaped,
 * for readers that cannot see. Errors: SL_EFORMAT unless there is an svg element. */
void sl_page_svg(sl_page *page, const char *svg, const char *prefix, const char *label);

#endif
