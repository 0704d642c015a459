/* `score MODEL --golden FILE.h5`: the form of the file is known by what it holds. */
#include "cli/golden_model.h"
#include "cli/score.h"

/* Tolerances from the deviations that the files' README states: ten times those, but for the logits
 * of the tiny checkpoints, where the smallest mistake moves them by 7e-5. */
typedef struct form {
    const char *sign; /* a name that only this form has */
    const sl_golden_part *parts;
    sl_golden_bounds bounds;
} form;

static const form forms[] = {
    { "pairs",
      sl_golden_small,
      { .logits = 5e-5, .logp_sum = 1e-5, .loss = 1e-5, .gradient = 8e-5, .least_tensor = 1e-4 } },
    { "prompts",
      sl_golden_large,
      { .logits = 1.4e-3,
        .logp_sum = 2e-5,
        .loss = 4e-5,
        .gradient = 3e-4,
        .least_tensor = 1e-4 } },
};

static const form *form_of(const sl_golden *list)
{
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        if (sl_arrays_has(list->file, forms[i].sign))
            return &forms[i];
    return NULL;
}

static sl_status run_parts(sl_golden_model *g, const sl_golden_part *part)
{
    for (; part->name; part++) {
        sl_status st = SL_OK;

        if (sl_arrays_has(g->list.file, part->name))
            st = part->run(g);
        sl_golden_drop(g);
        SL_TRY(st);
    }
    return SL_OK;
}

sl_status sl_score_golden(const sl_score_opts *o, const sl_backend *backend)
{
    sl_golden_model g = { .backend = backend, .folder = o->model };
    const form *f;
    sl_status st = SL_OK;

    SL_TRY_OUT(sl_golden_open(&g.list, o->golden));
    f = form_of(&g.list);
    if (!f)
        SL_TRY_OUT(SL_FAIL(SL_EFORMAT, "want reference values of a model (group \"pairs\" or "
                                       "\"prompts\"), found neither"));
    g.bounds = f->bounds;
    SL_TRY_OUT(sl_model_load(&g.model, o->model, backend, 1));
    SL_TRY_OUT(sl_err_where(run_parts(&g, f->parts), "%s", o->golden));
    st = sl_golden_finish(&g.list, o->golden);
out:
    sl_model_close(&g.model);
    sl_golden_close(&g.list);
    return st;
}
