/* Files of answers: rows to the batch, embeddings beside them, and what a file is. */
#include "analysis/sets_int.h"
#include "analysis/votes_int.h"
#include "base/alloc.h"
#include <string.h>

static sl_status add_row(void *state, const sl_json *json)
{
    sl_set_file *f = state;
    sl_set_row r = { .file = f, .json = json, .key = { .name = f->name, .input = f->input } };
    sl_status st;

    SL_TRY(sl_batch_room(f->batch));
    st = sl_set_row_read(&r);
    if (st != SL_OK)
        sl_batch_undo(f->batch, r.groups);
    return st;
}

static sl_status open_vectors(sl_set_file *f, const char *path)
{
    if (!path)
        return SL_OK;
    SL_TRY(sl_npy_open(&f->npy, path));
    return sl_take(&f->vector, sl_npy_dim(f->npy), sizeof *f->vector);
}

static sl_status check_vectors(const sl_set_file *f)
{
    size_t answers = 0;

    for (size_t i = 0; f->npy && i < f->sets->sets; i++)
        if (f->sets->set[i].input == f->input)
            answers += f->sets->set[i].answers;
    if (f->npy && sl_npy_left(f->npy))
        return SL_FAIL(SL_EFORMAT, "want as many embeddings as answers, found %zu and %zu",
                       sl_npy_rows(f->npy), answers);
    return SL_OK;
}

static sl_status read_file(sl_answer_sets *sets, const char *path, const char *embeddings,
                           sl_lengths *lengths)
{
    const sl_rows_limit usual = sl_rows_limit_defaults(), none = { .share = 0.0, .is_given = 0 };
    sl_set_file f = { .sets = sets, .input = sets->inputs };
    sl_status st = SL_OK;

    SL_TRY(sl_grow(&sets->input, &sets->input_capacity, sets->inputs + 1, sizeof *sets->input));
    sets->input[sets->inputs++] = (sl_sets_input){ 0 };
    SL_TRY(sl_strdup(&sets->input[f.input].path, path));
    sl_votes_name(f.name, sizeof f.name, path);
    SL_TRY_OUT(sl_batch_open(&f.batch, sets));
    sl_batch_count_lengths(f.batch, lengths);
    SL_TRY_OUT(open_vectors(&f, embeddings));
    /* a bad row would move the embeddings of all that follow */
    st = sl_rows_read(&sets->input[f.input].read, path,
                      embeddings             ? &none
                      : sets->settings.limit ? sets->settings.limit
                                             : &usual,
                      add_row, &f);
    SL_TRY_OUT(st);
    SL_TRY_OUT(sl_batch_flush(f.batch));
    st = check_vectors(&f);
out:
    sl_batch_close(&f.batch);
    sl_npy_close(&f.npy);
    sl_free(f.vector);
    return st;
}

sl_status sl_sets_read(sl_answer_sets *sets, const char *path, const char *embeddings)
{
    return read_file(sets, path, embeddings, NULL);
}

sl_status sl_sets_count_lengths(sl_lengths *lengths, const sl_answer_sets *sets, const char *path)
{
    sl_answer_sets scratch = { .settings = sets->settings, .splitter = sets->splitter };
    sl_status st;

    scratch.settings.corpus = 0;
    st = read_file(&scratch, path, NULL, lengths);
    scratch.splitter = NULL; /* borrowed */
    sl_sets_close(&scratch);
    return st;
}

/* --- what a file is ----------------------------------------------------------------------------
 */

/* Ends the reading at the first row. */
static sl_status look(void *state, const sl_json *json)
{
    *(int *)state = sl_set_row_is(json);
    return SL_FAIL(SL_EINTERRUPT, "the first row is enough");
}

sl_status sl_sets_recognise(int *out, const char *path)
{
    const sl_rows_limit all = { .share = 1.0, .is_given = 1 };
    sl_rows rows;

    *out = 0;
    if (!strcmp(path, "-"))
        return SL_OK;
    if (sl_rows_read(&rows, path, &all, look, out) == SL_ENOMEM)
        return SL_ENOMEM;
    sl_err_clear(); /* who reads it will meet its faults */
    return SL_OK;
}
