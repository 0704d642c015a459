/* Lists of a document as tables: for people, for papers, for programs. */
#ifndef SL_CLI_SHEET_H
#define SL_CLI_SHEET_H

#include "base/json.h"
#include <stddef.h>
#include <stdio.h>

typedef struct sl_sheet_column {
    const char *key;  /* of a row; also the name in csv and tsv */
    const char *head; /* for people */
    int digits;       /* behind the point, below 0: significant ones; of real numbers only */
} sl_sheet_column;

enum { SL_SHEET_COLUMNS = 24, SL_SHEET_EXACT = -17 };
typedef struct sl_sheet {
    const char *name, *title;                 /* key of the list in the document; a sentence */
    sl_sheet_column column[SL_SHEET_COLUMNS]; /* up to a NULL key */
} sl_sheet;

typedef struct sl_sheet_format {
    const char *name, *suffix;
    void (*write)(FILE *to, const sl_sheet *sheet, const sl_json *rows);
} sl_sheet_format;
/* text, latex, csv. Errors: SL_EUSAGE with the nearest. */
sl_status sl_sheet_format_find(const sl_sheet_format **out, const char *name) SL_MUSTUSE;
/* A table of analysis/table.h: FOLDER/NAME.tsv. */
sl_status sl_sheet_table(const char *folder, const sl_sheet *sheet, const sl_json *rows) SL_MUSTUSE;

#endif
