#include "train/checkpoint.h"
#include "base/alloc.h"
#include "base/file.h"
#include "model/safetensors.h"
#include "run/files.h"
#include "run/sums.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { PATH = SL_RUN_PATH, STATE_LIMIT = 1 << 20 };

/* --- trainer.json ---------------------------------------------------------------------------- */

static sl_status state_tree(sl_json **out, const sl_session *s)
{
    uint64_t rows[SL_TABLE_COUNT];
    sl_json *advisor = NULL, *counts = json_array(), *tree;

    if (s->advisor)
        SL_TRY(s->advisor->save(s->advisor->state, &advisor));
    sl_run_rows(s->run, rows);
    for (int t = 0; t < SL_TABLE_COUNT; t++)
        json_array_append_new(counts, json_integer((json_int_t)rows[t]));
    tree = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:I, s:I, s:o, s:o*}",
                     "schema", "stageline.trainer/1", "step", (json_int_t)s->step, "samples",
                     (json_int_t)s->samples, "tokens", (json_int_t)s->tokens, "iteration",
                     (json_int_t)s->iteration, "iteration_step", (json_int_t)s->iteration_step,
                     "update", (json_int_t)s->update_at, "optimizer_update",
                     (json_int_t)s->optim.update, "measurement",
                     (json_int_t)s->recorder.measurement, "mix", s->mix, "refill_mix",
                     s->feed.filled_mix, "candidates_bytes", (json_int_t)s->candidates.bytes,
                     "outside", (json_int_t)s->outside_done, "rows", counts, "advisor", advisor);
    if (!tree)
        return SL_FAIL(SL_ENOMEM, "want memory for the trainer's state, found none");
    *out = tree;
    return SL_OK;
}

static sl_status save_state(const char *folder, const sl_session *s)
{
    sl_json *tree = NULL;
    char path[PATH], *text = NULL;
    sl_status st = SL_OK;

    SL_TRY_OUT(state_tree(&tree, s));
    SL_TRY_OUT(sl_json_dump(&text, tree, 1));
    SL_TRY_OUT(sl_file_join(path, sizeof path, folder, "trainer.json"));
    SL_TRY_OUT(sl_file_write_atomic(path, text, strlen(text)));
out:
    sl_free(text);
    sl_json_close(&tree);
    return st;
}

static sl_status read_rows(uint64_t rows[SL_TABLE_COUNT], const sl_json *tree)
{
    const sl_json *counts = json_object_get(tree, "rows");

    if (json_array_size(counts) != SL_TABLE_COUNT)
        return SL_FAIL(SL_EFORMAT, "want key \"rows\" with %d counts, found %zu", SL_TABLE_COUNT,
                       json_array_size(counts));
    for (size_t t = 0; t < SL_TABLE_COUNT; t++)
        rows[t] = (uint64_t)json_integer_value(json_array_get(counts, t));
    return SL_OK;
}

static sl_status read_state(sl_session *s, const sl_json *tree)
{
    int64_t measurement, outside;
    uint64_t rows[SL_TABLE_COUNT];

    SL_TRY(sl_json_i64(&s->step, tree, "step"));
    SL_TRY(sl_json_i64(&s->samples, tree, "samples"));
    SL_TRY(sl_json_i64(&s->tokens, tree, "tokens"));
    SL_TRY(sl_json_i64(&s->iteration, tree, "iteration"));
    SL_TRY(sl_json_i64(&s->iteration_step, tree, "iteration_step"));
    SL_TRY(sl_json_i64(&s->update_at, tree, "update"));
    SL_TRY(sl_json_i64(&s->optim.update, tree, "optimizer_update"));
    SL_TRY(sl_json_i64(&measurement, tree, "measurement"));
    SL_TRY(sl_json_f64(&s->mix, tree, "mix"));
    SL_TRY(sl_json_f64(&s->refill_mix, tree, "refill_mix"));
    SL_TRY(sl_json_i64(&s->candidates_bytes, tree, "candidates_bytes"));
    SL_TRY(sl_json_i64(&outside, tree, "outside"));
    s->recorder.measurement = (uint32_t)measurement;
    s->outside_done = (uint64_t)outside;
    SL_TRY(read_rows(rows, tree));
    sl_run_expect(s->run, rows);
    if (s->advisor)
        SL_TRY(s->advisor->load(s->advisor->state, json_object_get(tree, "advisor")));
    return SL_OK;
}

/* --- moments --------------------------------------------------------------------------------- */

static sl_status save_moments(const char *folder, const sl_session *s)
{
    const size_t n = sl_model_tensors(s->policy)->floats;
    sl_tensor_source source[2];
    size_t count = 0;
    char path[PATH];

    if (s->optim.m)
        source[count++] =
            (sl_tensor_source){ .name = "m", .data = s->optim.m, .rows = 1, .cols = n, .rank = 1 };
    if (s->optim.v)
        source[count++] =
            (sl_tensor_source){ .name = "v", .data = s->optim.v, .rows = 1, .cols = n, .rank = 1 };
    if (!count)
        return SL_OK;

    SL_TRY(sl_file_join(path, sizeof path, folder, "optimizer.safetensors"));
    return sl_tensor_file_write(path, source, count);
}

static sl_status load_moment(float *to, const sl_tensor_file *file, const char *name, size_t n)
{
    const sl_tensor_entry *e = sl_tensor_file_find(file, name);

    if (!e || e->count != n || e->end - e->begin != n * sizeof *to)
        return SL_FAIL(SL_ESHAPE, "want tensor \"%s\" with %zu floats, found %zu", name, n,
                       e ? e->count : 0);
    memcpy(to, e->data, n * sizeof *to);
    return SL_OK;
}

static sl_status load_moments(sl_session *s, const char *folder)
{
    const size_t n = sl_model_tensors(s->policy)->floats;
    sl_tensor_file file = { 0 };
    char path[PATH];
    sl_status st = SL_OK;

    if (!s->optim.m && !s->optim.v)
        return SL_OK;
    SL_TRY(sl_file_join(path, sizeof path, folder, "optimizer.safetensors"));
    SL_TRY(sl_tensor_file_open(&file, path));
    if (s->optim.m)
        SL_TRY_OUT(load_moment(s->optim.m, &file, "m", n));
    if (s->optim.v)
        SL_TRY_OUT(load_moment(s->optim.v, &file, "v", n));
out:
    sl_tensor_file_close(&file);
    return sl_err_where(st, "%s", path);
}

/* --- the checkpoint -------------------------------------------------------------------------- */

/* A reference that moves is state; the others come from where the recipe says. */
static int has_own_reference(const sl_session *s)
{
    return s->reference && s->recipe.reference.kind == SL_REFERENCE_MIXED;
}

/* Between iterations moments are 0, unless they are kept. */
static int has_moments(const sl_session *s)
{
    return s->update_at > 0 || (s->recipe.optim.keep_moments && s->iteration > 0);
}

static sl_status save_model(const sl_model *model, const char *folder, const char *name)
{
    char path[PATH];

    SL_TRY(sl_file_join(path, sizeof path, folder, name));
    SL_TRY(sl_file_new_folder(path));
    return sl_model_save(model, path, 1);
}

sl_status sl_checkpoint_save(sl_session *s)
{
    char folder[PATH];

    SL_TRY(sl_run_sync(s->run));
    SL_TRY(sl_run_checkpoint_begin(s->run, folder, s->step));
    SL_TRY(sl_model_save(s->policy, folder, 1));
    if (has_moments(s))
        SL_TRY(save_moments(folder, s));
    if (s->update_at > 0 && s->start)
        SL_TRY(save_model(s->start, folder, "start"));
    if (has_own_reference(s))
        SL_TRY(save_model(s->reference, folder, "reference"));
    if (s->update_at > 0 && s->drawer)
        SL_TRY(save_model(s->drawer, folder, "drawer"));
    SL_TRY(sl_candidate_log_sync(&s->candidates));
    SL_TRY(save_state(folder, s));
    SL_TRY(sl_run_checkpoint_publish(s->run, folder, s->step));
    return s->recipe.train.keep_checkpoints
               ? sl_run_checkpoint_keep(s->run, (size_t)s->recipe.train.keep_checkpoints)
               : SL_OK;
}

static sl_status load_all(sl_session *s, const char *folder, const sl_json *tree)
{
    char path[PATH];

    SL_TRY(read_state(s, tree));
    SL_TRY(sl_model_reload(s->policy, folder));
    if (has_moments(s))
        SL_TRY(load_moments(s, folder));
    if (has_own_reference(s)) {
        SL_TRY(sl_file_join(path, sizeof path, folder, "reference"));
        SL_TRY(sl_model_reload(s->reference, path));
    }
    if (s->update_at > 0 && s->drawer) {
        SL_TRY(sl_file_join(path, sizeof path, folder, "drawer"));
        SL_TRY(sl_model_reload(s->drawer, path));
    }
    if (!s->start)
        return SL_OK;
    if (s->update_at == 0)
        return sl_model_copy(s->start, s->policy);
    SL_TRY(sl_file_join(path, sizeof path, folder, "start"));
    return sl_model_reload(s->start, path);
}

sl_status sl_checkpoint_load(sl_session *session, const char *run_path, int64_t step)
{
    char folder[PATH], path[PATH];
    sl_json *tree = NULL;
    int has_sums; /* none: of an earlier version */
    sl_status st = SL_OK;

    SL_TRY(sl_checkpoint_path(folder, run_path, step));
    SL_TRY(sl_sums_check(&has_sums, folder));
    SL_TRY(sl_file_join(path, sizeof path, folder, "trainer.json"));
    SL_TRY(sl_json_load_regular(&tree, path, STATE_LIMIT));
    SL_TRY_OUT(sl_err_where(load_all(session, folder, tree), "%s", folder));
out:
    sl_json_close(&tree);
    return st;
}
