/* The boundary over the steps of every name and judge, as part of the document on votes. */
#include "analysis/crossing.h"
#include "analysis/report_int.h"
#include "base/alloc.h"
#include <math.h>
#include <string.h>

int sl_report_same_text(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

/* The points of one name and judge in order of steps, by insertion: *T of them. A series without
 * steps is its one point. */
static void series_of(sl_checkpoint *at, size_t *T, const sl_vote_set *set, const sl_summary *all,
                      const sl_vote_point *first)
{
    *T = 0;
    for (size_t i = 0; i < set->points; i++) {
        const sl_vote_point *p = &set->point[i];
        size_t k = *T;

        if (!sl_report_same_text(p->name, first->name) ||
            !sl_report_same_text(p->judge, first->judge) || !all[i].prompts ||
            p->has_step != first->has_step)
            continue;
        for (; k > 0 && at[k - 1].step > (double)p->step; k--)
            at[k] = at[k - 1];
        at[k] = (sl_checkpoint){ (double)p->step, all[i].mean, all[i].prompts };
        ++*T;
    }
}

static double finite_or_nan(double x)
{
    return isfinite(x) ? x : NAN;
}

static sl_status put_estimate(sl_json *list, const char *method, const sl_estimate *e)
{
    sl_json *row, *changes;

    SL_TRY(sl_out_object(&row, list, NULL));
    SL_TRY(sl_out_text(row, "method", method));
    SL_TRY(sl_out_number(row, "value", finite_or_nan(e->value)));
    SL_TRY(sl_out_number(row, "lower", finite_or_nan(e->lower)));
    SL_TRY(sl_out_number(row, "upper", finite_or_nan(e->upper)));
    SL_TRY(sl_out_text(row, "note", e->note));
    if (isnan(e->penalty) && !e->changes)
        return SL_OK;
    SL_TRY(sl_out_number(row, "penalty", e->penalty));
    SL_TRY(sl_out_list(&changes, row, "changes"));
    for (size_t i = 0; i < e->changes; i++)
        SL_TRY(sl_out_number(changes, NULL, e->change[i]));
    return SL_OK;
}

static sl_status put_bracket(sl_json *to, const sl_crossing *c)
{
    sl_json *bracket;

    if (c->path != SL_PATH_CROSSED)
        return sl_out_text(to, "bracket", NULL);
    SL_TRY(sl_out_list(&bracket, to, "bracket"));
    SL_TRY(sl_out_number(bracket, NULL, c->low));
    return sl_out_number(bracket, NULL, c->high);
}

static sl_status put_series(sl_json *to, const sl_vote_point *p, const sl_crossing *c)
{
    sl_json *list;

    SL_TRY(sl_out_text(to, "name", p->name));
    SL_TRY(sl_out_text(to, "judge", p->judge));
    SL_TRY(sl_out_i64(to, "checkpoints", (int64_t)c->T));
    SL_TRY(sl_out_i64(to, "decided", (int64_t)c->decided));
    SL_TRY(sl_out_text(to, "verdict", sl_path_names[c->path]));
    SL_TRY(sl_out_text(to, "reason", c->reason));
    SL_TRY(sl_out_text(to, "rule", sl_crossing_rule));
    SL_TRY(put_bracket(to, c));
    SL_TRY(sl_out_number(to, "value", c->value));
    SL_TRY(sl_out_list(&list, to, "estimates"));
    for (size_t m = 0; c->T >= 2 && m < SL_CROSSING_METHODS; m++)
        SL_TRY(put_estimate(list, sl_crossing_names[m], &c->estimate[m]));
    return SL_OK;
}

static int is_first_of_series(const sl_vote_set *set, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (sl_report_same_text(set->point[k].name, set->point[i].name) &&
            sl_report_same_text(set->point[k].judge, set->point[i].judge) &&
            set->point[k].has_step == set->point[i].has_step)
            return 0;
    return 1;
}

static sl_status put_all(sl_json *list, sl_checkpoint *at, const sl_vote_set *set,
                         const sl_summary *all, const sl_votes_settings *settings)
{
    for (size_t i = 0; i < set->points; i++) {
        sl_crossing c;
        sl_json *row;
        size_t T;

        if (!is_first_of_series(set, i))
            continue;
        series_of(at, &T, set, all, &set->point[i]);
        SL_TRY(sl_crossing_of(&c, at, T, &settings->test, settings->seed));
        SL_TRY(sl_out_object(&row, list, NULL));
        SL_TRY(put_series(row, &set->point[i], &c));
    }
    return SL_OK;
}

sl_status sl_report_boundaries(sl_json *to, const sl_vote_set *set, const sl_summary *all,
                               const sl_votes_settings *settings)
{
    sl_checkpoint *at = NULL;
    sl_json *list;
    sl_status st = SL_OK;

    SL_TRY(sl_take(&at, set->points + 1, sizeof *at));
    SL_TRY_OUT(sl_out_list(&list, to, "boundaries"));
    SL_TRY_OUT(put_all(list, at, set, all, settings));
    if (json_object_set(to, "boundary", json_array_get(list, 0)) != 0)
        st = SL_FAIL(SL_ENOMEM, "want votes and memory for a boundary, found none");
out:
    sl_free(at);
    return st;
}
