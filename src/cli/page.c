#include "cli/page.h"
#include "base/alloc.h"
#include "base/text.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void add(sl_page *page, const char *text, size_t bytes)
{
    if (page->status != SL_OK)
        return;
    page->status = sl_grow(&page->text, &page->capacity, page->bytes + bytes, 1);
    if (page->status != SL_OK)
        return;
    memcpy(page->text + page->bytes, text, bytes);
    page->bytes += bytes;
}

void sl_page_close(sl_page *page)
{
    sl_free(page->text);
    *page = (sl_page){ 0 };
}

void sl_page_html(sl_page *page, const char *html)
{
    add(page, html, strlen(html));
}

void sl_page_append(sl_page *page, const sl_page *other)
{
    add(page, other->text, other->bytes);
}

/* What stands for a byte of text; NULL: itself. */
static const char *escape_of(unsigned char c, int is_utf8)
{
    static const struct {
        char byte;
        const char *escape;
    } escapes[] = {
        { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" }, { '"', "&quot;" }, { '\'', "&#39;" }
    };

    for (size_t i = 0; i < sizeof escapes / sizeof escapes[0]; i++)
        if (c == (unsigned char)escapes[i].byte)
            return escapes[i].escape;
    if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f || (c >= 0x80 && !is_utf8))
        return "?";
    return NULL;
}

void sl_page_text(sl_page *page, const char *text)
{
    const size_t bytes = strlen(text);
    const int is_utf8 = sl_text_is_utf8(text, bytes);

    for (size_t i = 0; i < bytes; i++) {
        const char *escape = escape_of((unsigned char)text[i], is_utf8);

        if (escape)
            sl_page_html(page, escape);
        else
            add(page, text + i, 1);
    }
}

void sl_page_print(sl_page *page, const char *fmt, ...)
{
    char text[1024];
    va_list list;

    va_start(list, fmt);
    vsnprintf(text, sizeof text, fmt, list);
    va_end(list);
    sl_page_text(page, text);
}

void sl_page_element(sl_page *page, const char *tag, const char *text)
{
    sl_page_html(page, "<");
    sl_page_html(page, tag);
    sl_page_html(page, ">");
    sl_page_text(page, text);
    sl_page_html(page, "</");
    sl_page_html(page, tag);
    sl_page_html(page, ">");
}

void sl_page_data(sl_page *page, const char *name, const char *type, const char *text, size_t bytes)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    char escape[4];

    sl_page_html(page, "<a download=\"");
    sl_page_text(page, name);
    sl_page_html(page, "\" href=\"data:");
    sl_page_html(page, type);
    sl_page_html(page, ";charset=utf-8,");
    for (size_t i = 0; i < bytes; i++) {
        if (text[i] && strchr(plain, text[i])) {
            add(page, text + i, 1);
            continue;
        }
        snprintf(escape, sizeof escape, "%%%02X", (unsigned)(unsigned char)text[i]);
        add(page, escape, 3);
    }
    sl_page_html(page, "\">");
    sl_page_text(page, name);
    sl_page_html(page, "</a>");
}

/* Bytes at `at` up to where an id begins; 0 when none does. */
static size_t id_begins(const char *at)
{
    static const char *const before[] = { " id='", " id=\"", "href='#", "href=\"#", "url(#" };

    for (size_t i = 0; i < sizeof before / sizeof before[0]; i++)
        if (!strncmp(at, before[i], strlen(before[i])))
            return strlen(before[i]);
    return 0;
}

void sl_page_svg(sl_page *page, const char *svg, const char *prefix, const char *label)
{
    const char *at = strstr(svg, "<svg");
    int is_tag = 0;

    if (page->status != SL_OK)
        return;
    if (!at) {
        page->status = SL_FAIL(SL_EFORMAT, "want an svg element, found none");
        return;
    }
    sl_page_html(page, "<svg role=\"img\" aria-label=\"");
    sl_page_text(page, label);
    sl_page_html(page, "\"");
    for (at += 4, is_tag = 1; *at; at++) {
        const size_t bytes = is_tag ? id_begins(at) : 0;

        if (bytes) {
            add(page, at, bytes);
            sl_page_html(page, prefix);
            at += bytes - 1;
            continue;
        }
        is_tag = *at == '<' || (is_tag && *at != '>');
        add(page, at, 1);
    }
}
