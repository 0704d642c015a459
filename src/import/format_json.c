/* Logs that are JSON with one key for the step. */
#include "import/import_int.h"
#include "base/alloc.h"

static const char *const not_metrics[] = { "step", "current_steps", NULL };

/* --- trainer_state.json ----------------------------------------------------------------------- */

static sl_status take_entry(sl_points *points, const sl_json *entry)
{
    int64_t step;

    if (!json_is_object(entry))
        return SL_FAIL(SL_EFORMAT, "want an object, found another type");
    SL_TRY(sl_import_step(&step, entry, "step"));
    return sl_import_members(points, step, entry, not_metrics);
}

static sl_status take_history(sl_points *points, sl_rows *rows, const sl_json *tree,
                              const char *shown, const sl_rows_limit *limit)
{
    const sl_json *history = json_object_get(tree, "log_history");
    sl_err_record first;

    if (!json_is_array(history))
        return sl_err_where(SL_FAIL(SL_EFORMAT, "want \"log_history\" (a list), found none"), "%s",
                            shown);
    for (size_t i = 0; i < json_array_size(history); i++) {
        sl_status st = take_entry(points, json_array_get(history, i));

        if (st == SL_OK)
            rows->rows++;
        else
            SL_TRY(sl_import_bad(rows, &first,
                                 sl_err_where(st, "%s log_history element %zu", shown, i), i));
    }
    return sl_import_judge(rows, &first, limit, shown);
}

static sl_status read_trainer_state(sl_points *points, sl_rows *rows, const char *path,
                                    const sl_rows_limit *limit)
{
    sl_import_bytes file;
    sl_json *tree = NULL;
    sl_status st;

    SL_TRY(sl_import_bytes_read(&file, rows, path));
    rows->is_array = 1;
    st = sl_json_parse_python(&tree, file.text, file.bytes, file.shown);
    if (st == SL_OK)
        st = take_history(points, rows, tree, file.shown, limit);
    sl_json_close(&tree);
    sl_free(file.text);
    return st;
}

const sl_import_reader sl_import_trainer_state = { .points = read_trainer_state };

/* --- trainer_log.jsonl ------------------------------------------------------------------------ */

static sl_status take_line(void *state, const sl_json *row)
{
    int64_t step;

    if (!json_is_object(row))
        return SL_FAIL(SL_EFORMAT, "want an object, found another type");
    SL_TRY(sl_import_step(&step, row, "current_steps"));
    return sl_import_members(state, step, row, not_metrics);
}

static sl_status read_llamafactory(sl_points *points, sl_rows *rows, const char *path,
                                   const sl_rows_limit *limit)
{
    sl_rows_limit l = *limit;

    l.is_python = 1;
    return sl_rows_read(rows, path, &l, take_line, points);
}

const sl_import_reader sl_import_llamafactory = { .points = read_llamafactory };
