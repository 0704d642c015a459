/* Texts and names of a snapshot. */
#include "base/sort.h"
#include "run/reader_int.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define TEXTS_MAX_BYTES ((size_t)4 << 30) /* of one text file, inflated */

void sl_texts_release(sl_reader *reader)
{
    for (size_t i = 0; i < reader->texts; i++)
        sl_text_close(&reader->text[i]);
    sl_free(reader->text);
    reader->text = NULL;
    reader->texts = reader->text_capacity = 0;
    reader->has_texts = 0;
}

/* Adds whole lines. */
static sl_status add_lines(sl_reader *reader, const char *lines, size_t bytes)
{
    sl_span rest = { lines, bytes }, line;

    for (size_t number = 1; sl_text_line(&line, &rest); number++) {
        SL_TRY(sl_grow(&reader->text, &reader->text_capacity, reader->texts + 1,
                       sizeof *reader->text));
        SL_TRY(sl_err_where(sl_text_line_read(&reader->text[reader->texts], line.at, line.bytes),
                            "line %zu", number));
        reader->texts++;
    }
    return SL_OK;
}

/* The deflated texts of a segment, after their sum. */
static sl_status add_sealed(sl_reader *reader, const sl_part *p)
{
    char path[SL_RUN_PATH], hex[65], *lines = NULL;
    size_t bytes = 0;
    sl_status st;

    if (!p->info.text_bytes)
        return SL_OK;
    SL_TRY(sl_rank_path(path, reader->folder, SL_FILE_TEXTS_GZ, p->number));
    SL_TRY(sl_run_file_sha256(hex, path));
    if (strcmp(hex, p->info.text_sha256))
        return SL_FAIL(SL_EFORMAT, "%s: want SHA-256 %.16s..., found %.16s...", path,
                       p->info.text_sha256, hex);
    SL_TRY(sl_file_read_regular(&lines, &bytes, path, TEXTS_MAX_BYTES));
    st = add_lines(reader, lines, bytes);
    sl_free(lines);
    return sl_err_where(st, "%s", path);
}

static sl_status add_tail(sl_reader *reader, const sl_part *p)
{
    for (size_t i = 0; i < p->units; i++) {
        size_t bytes = 0;
        const char *lines = sl_unit_text(p->journal, &p->unit[i], &bytes);

        SL_TRY(sl_err_where(add_lines(reader, lines, bytes), "%s texts %u", reader->folder,
                            p->number));
    }
    return SL_OK;
}

static int by_hash(const void *a, const void *b)
{
    const uint64_t x = ((const sl_text *)a)->hash, y = ((const sl_text *)b)->hash;

    return x < y ? -1 : x > y;
}

static sl_status load(sl_reader *reader)
{
    for (size_t i = 0; i < reader->parts; i++) {
        const sl_part *p = &reader->part[i];

        SL_TRY(p->journal ? add_tail(reader, p) : add_sealed(reader, p));
    }
    if (reader->texts)
        sl_sort(reader->text, reader->texts, sizeof *reader->text, by_hash);
    reader->has_texts = 1;
    return SL_OK;
}

sl_status sl_reader_text(sl_reader *reader, uint64_t hash, const char **text)
{
    const sl_text key = { .hash = hash };
    const sl_text *found;
    sl_status st = SL_OK;

    *text = NULL;
    if (!reader->has_texts)
        st = load(reader);
    if (st != SL_OK) {
        sl_texts_release(reader);
        return st;
    }
    found = reader->texts ? bsearch(&key, reader->text, reader->texts, sizeof key, by_hash) : NULL;
    *text = found ? found->text : NULL;
    return SL_OK;
}

sl_status sl_reader_name(sl_reader *reader, int kind, uint16_t index, const char **name)
{
    const sl_row_names *rows = NULL;
    size_t count = 0;

    *name = kind == SL_NAME_GROUP && index == 0 ? "all" : NULL;
    SL_TRY(sl_reader_rows(reader, SL_TABLE_NAMES, &rows, &count));
    for (size_t i = count; i && !*name; i--)
        if (rows[i - 1].kind == kind && rows[i - 1].index == index)
            *name = rows[i - 1].name;
    return SL_OK;
}
