/* Logs as text against any bytes: each input as JSON lines and CSV of W&B, as LLaMA-Factory's log,
 * as a trainer's state and as lines of the callback. Values that are taken have a name and a step;
 * nothing else happens than a value or a refusal. */
#include "base/alloc.h"
#include "harness/fuzz.h"
#include "import/trl.h"
#include <stdio.h>
#include <string.h>

const t_fuzz_target t_fuzz = { .name = "fuzz logs",
                               .spice = "{}[]\",:0123456789eE.-+ \\utfnNaIy\n\r\xff",
                               .changes = 3000 };

static void as_points(const sl_import_reader *reader, const char *format, const char *path)
{
    static sl_import_report report;
    const sl_rows_limit limit = { .share = 0.5, .is_given = 1 };
    sl_points points;
    sl_rows rows;
    sl_status st;

    report = (sl_import_report){ 0 };
    sl_points_open(&points, format, &report);
    st = reader->points(&points, &rows, path, &limit);
    t_expect(st == SL_OK || st == SL_EFORMAT || st == SL_EUNSUPPORTED, "a refusal of the format");
    t_expect(report.values == points.count, "every value counted");
    for (size_t i = 0; i < points.count; i++)
        t_expect(points.row[i].step >= 0 && points.row[i].name < points.names &&
                     points.row[i].attempt < points.attempts,
                 "a value with a step, a name and an attempt");
    sl_points_sort(&points);
    for (size_t i = 1; i < points.count; i++)
        t_expect(points.row[i - 1].attempt < points.row[i].attempt ||
                     points.row[i - 1].step <= points.row[i].step,
                 "steps that ascend within an attempt");
    sl_points_close(&points);
    t_fuzz_count(st == SL_OK);
}

/* Checks only, as the first pass over a file does. */
static void as_callback(const char *data, size_t size)
{
    static sl_import_report report;
    const sl_rows_limit limit = { .share = 0.5, .is_given = 1, .is_python = 1 };
    sl_trl trl = { .report = &report, .step = -1 };
    char *text = NULL;
    sl_rows rows;
    sl_status st;

    report = (sl_import_report){ 0 };
    t_expect(sl_take(&text, size + 1, 1) == SL_OK, "memory");
    memcpy(text, data, size);
    st = sl_rows_read_bytes(&rows, text, size, "log", &limit, sl_trl_line, &trl);
    t_expect(!memcmp(text, data, size), "the text as it was");
    if (st == SL_OK)
        st = sl_trl_flush(&trl);
    t_expect(st == SL_OK || st == SL_EFORMAT, "a refusal of the format");
    sl_trl_close(&trl);
    sl_free(text);
    t_fuzz_count(st == SL_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[4096];

    t_fuzz_write("log", data, size);
    snprintf(path, sizeof path, "%s/log", t_fuzz_folder());
    as_points(&sl_import_wandb, "wandb", path);
    as_points(&sl_import_llamafactory, "llamafactory", path);
    as_points(&sl_import_trainer_state, "trainer-state", path);
    as_callback((const char *)data, size);
    return 0;
}
