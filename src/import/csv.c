#include "import/csv.h"
#include "base/text.h"
#include <string.h>

void sl_csv_open(sl_csv *csv, char *text, size_t bytes)
{
    static const char mark[] = "\xef\xbb\xbf"; /* of UTF-8, which spreadsheets write */

    *csv = (sl_csv){ text, text + bytes, 1, 1 };
    if (bytes >= 3 && !memcmp(text, mark, 3))
        csv->at += 3;
}

/* Behind the line break at *at, if there is one. */
static void skip_break(sl_csv *csv)
{
    if (csv->at < csv->end && *csv->at == '\r')
        csv->at++;
    if (csv->at < csv->end && *csv->at == '\n')
        csv->at++;
    csv->line++;
}

/* To the next line: what is left of this one is no record. */
static sl_status give_up(sl_csv *csv, sl_status st)
{
    char *end = memchr(csv->at, '\n', (size_t)(csv->end - csv->at));

    csv->at = end ? end : csv->end;
    skip_break(csv);
    return st;
}

/* A cell in quotes, from behind the first one; doubled quotes become one. */
static sl_status quoted_cell(sl_csv *csv, const char *limit)
{
    char *to = csv->at;

    for (; csv->at < limit; csv->at++) {
        if (*csv->at == '"' && csv->at[1] != '"')
            break;
        csv->at += *csv->at == '"';
        csv->line += *csv->at == '\n';
        *to++ = *csv->at;
    }
    if (csv->at >= limit)
        return SL_FAIL(SL_EFORMAT, "want the closing quote of a cell, found none");
    csv->at++;
    *to = 0;
    return SL_OK;
}

/* One cell with what ends it; *is_last: the record ends here. */
static sl_status next_cell(sl_csv *csv, char **cell, int *is_last, const char *limit)
{
    const int is_quoted = *csv->at == '"';
    char *end;

    csv->at += is_quoted;
    *cell = csv->at;
    if (is_quoted)
        SL_TRY(quoted_cell(csv, limit));
    else
        while (csv->at < limit && !strchr(",\r\n", *csv->at)) /* zero ends, too */
            csv->at++;
    end = csv->at;
    *is_last = end >= csv->end || *end != ',';
    if (*is_last && end < csv->end && *end != '\n' && !(*end == '\r' && end[1] == '\n'))
        return end < limit ? SL_FAIL(SL_EFORMAT,
                                     "want a comma or the end of the line behind a "
                                     "cell, found byte 0x%02x",
                                     (unsigned char)*end)
                           : SL_FAIL(SL_EFORMAT, "want a record of at most %zu bytes, found more",
                                     SL_CSV_RECORD_BYTES);
    if (*is_last)
        skip_break(csv);
    else
        csv->at++;
    if (!is_quoted)
        *end = 0;
    if (!sl_text_is_utf8(*cell, strlen(*cell)))
        return SL_FAIL(SL_EFORMAT, "want UTF-8, found other bytes");
    return SL_OK;
}

sl_status sl_csv_next(sl_csv *csv, char **cell, size_t *count)
{
    const char *limit;
    int is_last = 0;

    *count = 0;
    while (csv->at < csv->end && (*csv->at == '\n' || (*csv->at == '\r' && csv->at[1] == '\n')))
        skip_break(csv);
    csv->record_line = csv->line;
    if (csv->at >= csv->end)
        return SL_OK;
    limit = (size_t)(csv->end - csv->at) > SL_CSV_RECORD_BYTES ? csv->at + SL_CSV_RECORD_BYTES
                                                               : csv->end;
    while (!is_last) {
        sl_status st =
            *count < SL_CSV_COLUMNS
                ? next_cell(csv, &cell[*count], &is_last, limit)
                : SL_FAIL(SL_EFORMAT, "want at most %d cells, found more", SL_CSV_COLUMNS);

        if (st != SL_OK)
            return is_last && csv->line > csv->record_line ? st : give_up(csv, st);
        ++*count;
    }
    return SL_OK;
}
