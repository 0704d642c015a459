/* `compare` of a grid's folder. */
#include "analysis/compare_grid.h"
#include "base/alloc.h"
#include "base/file.h"
#include "cli/compare_view.h"
#include "cli/grid.h"

static const sl_sheet sheets[] = {
    { "cells",
      "Families: gains of the first iteration on either source, and the boundary score before "
      "every "
      "iteration and after the last, means over seeds",
      { { "row", "", 0 },
        { "family", "family", 0 },
        { "start", "start", 0 },
        { "method", "method", 0 },
        { "seeds", "seeds", 0 },
        { "bs_0", "score", 3 },
        { "static", "static", 2 },
        { "on_policy", "on-policy", 2 },
        { "difference", "difference", 2 },
        { "difference_lower", "lower", 2 },
        { "difference_upper", "upper", 2 },
        { "ratio", "ratio", 2 },
        { "bs_1", "after 1", 3 },
        { "bs_2", "after 2", 3 },
        { "path", "stages", 0 } } },
    { "iterations",
      "Every iteration of every cell",
      { { "row", "", 0 },
        { "family", "family", 0 },
        { "start", "start", 0 },
        { "method", "method", 0 },
        { "seeds", "seeds", 0 },
        { "iteration", "iteration", 0 },
        { "bs", "score", 3 },
        { "bs_lower", "lower", 3 },
        { "bs_upper", "upper", 3 },
        { "stage", "stage", 0 },
        { "static", "static", 2 },
        { "static_lower", "lower", 2 },
        { "static_upper", "upper", 2 },
        { "on_policy", "on-policy", 2 },
        { "on_policy_lower", "lower", 2 },
        { "on_policy_upper", "upper", 2 },
        { "difference", "difference", 2 },
        { "difference_lower", "lower", 2 },
        { "difference_upper", "upper", 2 },
        { "ratio", "ratio", 2 },
        { "took_on_policy", "took on-policy", 0 } } },
};

static const sl_figure figures[] = {
    { .name = "family_effect",
      .script = "fig_family_effect.gp",
      .table = "iterations.tsv",
      .needs = { "row", "static", "on_policy" } },
    { .name = "family_path",
      .script = "fig_family_path.gp",
      .table = "iterations.tsv",
      .needs = { "iteration", "bs" } },
};

const sl_compare_view sl_compare_grid_view = {
    .sheet = sheets,
    .sheets = sizeof sheets / sizeof sheets[0],
    .printed = 1,
    .figure = figures,
    .figures = sizeof figures / sizeof figures[0],
    .last = "note",
    .key = "note",
};

/* Runs that are there, as cells. */
static size_t present(sl_grid_cell *cell, const sl_grid_place *place, size_t count)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++)
        if (sl_file_exists(place[i].run))
            cell[n++] = (sl_grid_cell){ .family = place[i].family,
                                        .start = place[i].start,
                                        .method = place[i].method,
                                        .seed = place[i].seed,
                                        .run = place[i].run };
    return n;
}

static sl_status put_counts(sl_json *document, size_t n, size_t count)
{
    if (json_object_set_new(document, "runs", json_integer((json_int_t)n)) ||
        json_object_set_new(document, "planned", json_integer((json_int_t)count)))
        return SL_FAIL(SL_ENOMEM, "want memory for a document, found none");
    return SL_OK;
}

sl_status sl_compare_grid_folder(sl_json **out, const char *folder, double alpha)
{
    sl_grid_place *place = NULL;
    sl_grid_cell *cell = NULL;
    size_t count, n;
    sl_status st = SL_OK;

    *out = NULL;
    SL_TRY_OUT(sl_grid_list(&place, &count, folder));
    SL_TRY_OUT(sl_take(&cell, count + 1, sizeof *cell));
    n = present(cell, place, count);
    if (!n)
        SL_TRY_OUT(
            sl_err_hint(SL_FAIL(SL_EFORMAT, "want runs of the grid, found none in %s", folder),
                        "stageline train --resume --out %s goes on", folder));
    SL_TRY_OUT(sl_compare_grid(out, cell, n, alpha));
    st = put_counts(*out, n, count);
out:
    sl_free(place);
    sl_free(cell);
    if (st != SL_OK)
        sl_json_close(out);
    return st;
}
