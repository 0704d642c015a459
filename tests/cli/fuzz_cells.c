/* Lines of cells.jsonl against any bytes. Half of the changes are to values of a sound cell. They
 * are refused with the place, or written and read again they are the same cells. */
#include "cli/stage_file.h"
#include "base/alloc.h"
#include "harness/fuzz.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static size_t replace(char *text, size_t n, sl_rng *rng);
const t_fuzz_target t_fuzz = { .name = "fuzz cells",
                               .spice = "{}[]\",:0123456789eE.-+ \\utfn\n\xff",
                               .changes = 3000,
                               .change = replace };

enum { CELLS = 16 };
static const char where[] = "cells.jsonl";

static int same_number(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

static void check_same(const sl_stage_row *a, const sl_stage_row *b)
{
    size_t count;
    const sl_stage_field *field = sl_stage_fields(&count);
    int is_same = !strcmp(a->settings, b->settings) && !strcmp(a->cell.world, b->cell.world) &&
                  !strcmp(a->cell.variant, b->cell.variant) &&
                  !strcmp(a->cell.method, b->cell.method);

    /* a branch test without its number of replicates is none, and is not written */
    for (size_t i = 0; i < count; i++)
        is_same &= (!strcmp(field[i].group, "branch") && isnan(a->cell.branch.replicates)) ||
                   same_number(sl_stage_number_of(&a->cell, &field[i]),
                               sl_stage_number_of(&b->cell, &field[i]));
    t_expect(is_same, "the same cell again");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static sl_stage_row row[CELLS], again[CELLS];
    char *text = NULL;
    size_t count, twice;
    const sl_status st = sl_stage_rows_read(row, &count, CELLS, (const char *)data, size, where);

    if (st == SL_OK) {
        t_expect(sl_stage_rows_text(&text, row, count) == SL_OK, "lines");
        t_expect(sl_stage_rows_read(again, &twice, CELLS, text, strlen(text), where) == SL_OK &&
                     twice == count,
                 "as many cells again");
        for (size_t i = 0; i < count; i++)
            check_same(&row[i], &again[i]);
        sl_free(text);
    } else {
        t_expect(st == SL_EFORMAT, "a refusal");
    }
    t_fuzz_count(st == SL_OK);
    return 0;
}

static const char *const values[] = { "null", "1.7",  "-1",  "1e308", "\"\"", "{}",
                                      "[]",   "true", "0.5", "\"a\"", "7",    "99999999999" };
enum { VALUES = sizeof values / sizeof values[0] };

/* A sound cell with one value changed. */
static size_t replace(char *text, size_t n, sl_rng *rng)
{
    sl_stage_row row = { .settings = "0123456789abcdef" };
    const char *value = values[sl_rng_below(rng, VALUES)];
    char *line = NULL;
    size_t from, to, bytes = 0;

    (void)n;
    sl_stage_cell_init(&row.cell);
    row.cell.strength = 2.0;
    row.cell.branch.replicates = sl_rng_below(rng, 2) ? 2.0 : NAN;
    if (sl_stage_rows_text(&line, &row, 1) == SL_OK && strlen(line) < T_FUZZ_BYTES) {
        from = sl_rng_below(rng, (uint32_t)strlen(line));
        while (from && line[from - 1] != ':' && line[from - 1] != ',')
            from--;
        to = from + strcspn(line + from, ",}");
        bytes =
            (size_t)snprintf(text, 2 * T_FUZZ_BYTES, "%.*s%s%s", (int)from, line, value, line + to);
    }
    sl_free(line);
    return bytes;
}
