#include "cli/print.h"
#include "base/alloc.h"
#include <stdio.h>
#include <string.h>

sl_status sl_print_json(const sl_json *tree)
{
    char *text = NULL;

    SL_TRY(sl_json_dump(&text, tree, 1));
    puts(text);
    sl_free(text);
    return SL_OK;
}

void sl_print_span(sl_span text)
{
    for (size_t i = 0; i < text.bytes; i++) {
        const char c = text.at[i];

        putchar((unsigned char)c < 0x20 || c == 0x7f ? '?' : c);
    }
}

void sl_print_text(const char *text)
{
    sl_print_span((sl_span){ text, strlen(text) });
}

const char *sl_print_bytes(char out[24], double bytes)
{
    static const char *const unit[] = { "bytes", "KiB", "MiB", "GiB", "TiB" };
    size_t i = 0;

    for (; bytes >= 1024.0 && i + 1 < sizeof unit / sizeof unit[0]; i++)
        bytes /= 1024.0;
    snprintf(out, 24, i ? "%.1f %s" : "%.0f %s", bytes, unit[i]);
    return out;
}
