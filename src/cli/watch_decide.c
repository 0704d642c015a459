/* The analyzer as a process of its own: measurements are derived from the votes by the code that
 * decides within the trainer, answers go to decisions.log. What was answered is found there, so a
 * decider that was killed and started again answers nothing twice. */
#include "analysis/run_analysis.h"
#include "cli/watch.h"

#include <string.h>

static sl_status read_recipe(sl_watch_decider *d, sl_reader *reader, const char *path)
{
    const sl_json *tree = sl_reader_json(reader);

    SL_TRY(sl_yaml_undump(&d->recipe, sl_recipe_keys, sl_recipe_key_count,
                          json_object_get(tree, "recipe"), path));
    if (d->recipe.policy.decider != SL_DECIDED_OUTSIDE)
        return sl_err_hint(SL_FAIL(SL_EARG, "want a run that takes its decisions from outside, "
                                            "found one that decides itself"),
                           "train with --set policy.source=advised --set policy.decider=outside");
    return sl_json_i64(&d->updates, tree, "updates");
}

sl_status sl_watch_decider_open(sl_watch_decider *out, sl_reader *reader, const char *path)
{
    sl_watch_decider *d = out;

    memset(d, 0, sizeof *d);
    SL_TRY(sl_err_where(read_recipe(d, reader, path), "%s", path));
    SL_TRY(sl_advise_open(&d->advise, &d->recipe));
    return sl_decider_open(&d->decider, path, SL_DECIDER_WATCH, d->advise.door.parameters);
}

void sl_watch_decider_close(sl_watch_decider *decider)
{
    sl_decider_close(&decider->decider);
    sl_advise_close(&decider->advise);
}

/* Nothing follows from the measurement at the end of the run; an older one than the newest is over.
 */
static const sl_measurement *open_question(const sl_watch_decider *d, const sl_run_analysis *a)
{
    const sl_measurement *m = a->count ? &a->row[a->count - 1] : NULL;

    if (!m || !m->recorded.final || m->step >= d->updates ||
        sl_decider_has(d->decider, m->measurement))
        return NULL;
    return m;
}

sl_status sl_watch_decide(sl_watch_decider *d, sl_reader *reader, sl_row_decisions *row,
                          int *is_made)
{
    sl_run_analysis analysis = { 0 };
    const sl_measurement *m;
    size_t looks;
    sl_status st = SL_OK;

    *is_made = 0;
    SL_TRY(sl_reader_count(reader, SL_TABLE_BOUNDARY, &looks));
    if (looks == d->looks)
        return SL_OK;
    d->looks = looks;
    SL_TRY(sl_run_analyze(&analysis, reader));
    m = open_question(d, &analysis);
    if (!m)
        goto out;
    if (!m->is_same) {
        st = SL_FAIL(SL_EFORMAT, "want looks that follow from the votes, found others: %s",
                     analysis.first_difference);
        goto out;
    }
    *row = m->answer;
    row->based_on = m->step;
    row->measurement = m->measurement;
    SL_TRY_OUT(sl_decider_put(d->decider, row));
    *is_made = 1;
out:
    sl_run_analysis_close(&analysis);
    return st;
}
