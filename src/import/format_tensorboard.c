/* Scalars of TensorBoard. An event file has no end mark: a live or killed writer leaves a part of a
 * record, which is counted as a bad row. */
#include "base/alloc.h"
#include "import/import_int.h"
#include "import/tfevents.h"
#include <math.h>
#include <string.h>

typedef struct events {
    sl_points *points;
    int64_t clock_step; /* the last one with its time */
} events;

static sl_status take_value(void *with, const sl_tfvalue *v)
{
    events *e = with;
    char tag[4096];

    if (v->tag_bytes >= sizeof tag || memchr(v->tag, 0, v->tag_bytes))
        return SL_FAIL(SL_EFORMAT, "want a tag below %zu bytes without zeros, found %zu bytes",
                       sizeof tag, v->tag_bytes);
    memcpy(tag, v->tag, v->tag_bytes);
    tag[v->tag_bytes] = 0;
    if (!v->is_scalar) {
        sl_points_other(e->points, tag);
        return SL_OK;
    }
    SL_TRY(sl_points_add(e->points, v->step, tag, v->value));
    if (isnan(v->wall_time) || v->step == e->clock_step)
        return SL_OK;
    e->clock_step = v->step;
    return sl_points_add(e->points, v->step, "wall_time", v->wall_time);
}

static sl_status take_record(events *e, const sl_tfrecord *record)
{
    const size_t before = e->points->count;
    const sl_status st = sl_tfevent_values(record, take_value, e);

    if (st != SL_OK) {
        e->points->report->values -= e->points->count - before;
        e->points->count = before;
    }
    return st;
}

static sl_status take_records(events *e, sl_rows *rows, const sl_import_bytes *file,
                              const sl_rows_limit *limit)
{
    sl_err_record first;
    size_t at = 0;
    sl_tfnext next = SL_TF_NEXT;
    int is_there = 1;

    while (next == SL_TF_NEXT) {
        const size_t begin = at;
        sl_tfrecord record;
        sl_status st = sl_tfrecord_next(&record, &at, &is_there, &next,
                                        (const unsigned char *)file->text, file->bytes);

        if (st == SL_OK && !is_there)
            break;
        if (st == SL_OK)
            st = take_record(e, &record);
        rows->rows += st == SL_OK;
        if (st != SL_OK)
            SL_TRY(sl_import_bad(rows, &first, sl_err_where(st, "%s byte %zu", file->shown, begin),
                                 begin));
    }
    rows->is_cut = next != SL_TF_NEXT;
    if (next == SL_TF_DAMAGED && !limit->is_given)
        return sl_err_hint(sl_err_restore(&first), "--allow-bad SHARE takes the %zu records before",
                           rows->rows);
    return sl_import_judge(rows, &first, limit, file->shown);
}

static sl_status read_tensorboard(sl_points *points, sl_rows *rows, const char *path,
                                  const sl_rows_limit *limit)
{
    events e = { .points = points, .clock_step = -1 };
    sl_import_bytes file;
    sl_status st;

    SL_TRY(sl_import_bytes_read(&file, rows, path));
    st = take_records(&e, rows, &file, limit);
    sl_free(file.text);
    return st;
}

const sl_import_reader sl_import_tensorboard = { .points = read_tensorboard };
