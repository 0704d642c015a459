/* What commands print on stdout. */
#ifndef SL_CLI_PRINT_H
#define SL_CLI_PRINT_H

#include "base/json.h"
#include "base/text.h"

/* One JSON document, indented, with a line break. */
sl_status sl_print_json(const sl_json *tree) SL_MUSTUSE;
/* Text from a file: control characters become "?", so that it cannot drive a terminal. */
void sl_print_text(const char *text);
void sl_print_span(sl_span text);
/* out (24 bytes) = "12.3 MiB". */
const char *sl_print_bytes(char out[24], double bytes);

#endif
