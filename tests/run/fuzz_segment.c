/* What stands behind the user block of a segment, against any bytes: sums and counts are always
 * right, so every byte comes before libhdf5, in its child. The parent lives, and gets all rows with
 * values in their ranges or a refusal. */
#include "base/alloc.h"
#include "base/file.h"
#include "harness/fuzz.h"
#include "run/scene.h"
#include "run/userblock_int.h"
#include <stdio.h>
#include <string.h>

static size_t make_seed(char *to);
const t_fuzz_target t_fuzz = { .name = "fuzz segment",
                               .spice = "\1\2\x40\x7f\x80\xffOHDRFRHPFADB",
                               .changes = 300,
                               .make = make_seed };

enum { ROWS = 40 };

static rec_run run;
static scene_file file;

static void put(scene *s)
{
    scene_put(s, "events");
}

static void prepare(void)
{
    rec_run_open(&run, t_fuzz_folder());
    scene_open(&file, &run);
}

static sl_status count_rows(void *with, sl_table table, const unsigned char *rows, size_t count,
                            size_t row_bytes)
{
    size_t *seen = with;

    for (size_t i = 0; i < count; i++)
        t_expect(sl_row_check(table, rows + i * row_bytes) == SL_OK, "rows in their ranges");
    *seen += count;
    return SL_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static unsigned char block[SL_USERBLOCK_BYTES];
    size_t seen = 0;
    FILE *f;
    sl_status st;

    if (!run.path)
        prepare();
    f = fopen(file.tmp, "wb");
    t_expect(f && fwrite(block, 1, sizeof block, f) == sizeof block &&
                 fwrite(data, 1, size, f) == size && fclose(f) == 0,
             "a file");
    scene_seal(&file, SL_SCHEMA_MINOR, SL_TABLE_EVENTS, ROWS);
    st = sl_segment_rows(file.path, &run.identity, SL_TABLE_EVENTS, 0, ROWS, count_rows, &seen);
    t_expect(st == SL_EFORMAT || (st == SL_OK && seen == ROWS), "all rows or a refusal");
    t_fuzz_count(st == SL_OK);
    return 0;
}

static size_t make_seed(char *to)
{
    char *bytes;
    size_t count;

    if (!run.path)
        prepare();
    scene_build(&file, put, SL_TABLE_EVENTS, ROWS);
    t_expect(sl_file_read(&bytes, &count, file.tmp, SL_USERBLOCK_BYTES + T_FUZZ_BYTES) == SL_OK,
             "a segment");
    count -= SL_USERBLOCK_BYTES;
    memcpy(to, bytes + SL_USERBLOCK_BYTES, count);
    sl_free(bytes);
    return count;
}
