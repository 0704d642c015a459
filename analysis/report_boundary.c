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

static int is_same_series(const sl_vote_point *a, const sl_vote_point *b)
{
    return sl_report_same_text(a->name, b->name) && sl_report_same_text(a->judge, b->judge) &&
           sl_report_same_text(a->baseline, b->baseline) && a->has_step == b->has_step;
}

int sl_report_is_first(const sl_vote_set *set, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (is_same_series(&set->point[k], &set->point[i]))
            return 0;
    return 1;
}

void sl_report_series(size_t *index, size_t *T, const sl_vote_set *set, size_t first)
{
    *T = 0;
    for (size_t i = first; i < set->points; i++) {
        size_t k = *T;

        if (!is_same_series(&set->point[i], &set->point[first]))
            continue;
        for (; k > 0 && set->point[index[k - 1]].step > set->point[i].step; k--)
            index[k] = index[k - 1];
        index[k] = i;
        ++*T;
    }
}

/* The points of a series that have prompts. */
static void series_of(sl_checkpoint *at, size_t *T, size_t *index, const sl_vote_set *set,
                      const sl_summary *all, size_t first)
{
    size_t points;

    sl_report_series(index, &points, set, first);
    *T = 0;
    for (size_t k = 0; k < points; k++) {
        const sl_summary *s = &all[index[k]];

        if (s->prompts)
            at[(*T)++] = (sl_checkpoint){ (double)set->point[index[k]].step, s->mean, s->prompts };
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

static sl_status put_all(sl_json *list, sl_checkpoint *at, size_t *index, const sl_vote_set *set,
                         const sl_summary *all, const sl_votes_settings *settings)
{
    for (size_t i = 0; i < set->points; i++) {
        sl_crossing c;
        sl_json *row;
        size_t T;

        if (!sl_report_is_first(set, i))
            continue;
        series_of(at, &T, index, set, all, i);
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
    size_t *index = NULL;
    sl_json *list;
    sl_status st = SL_OK;

    SL_TRY_OUT(sl_take(&at, set->points + 1, sizeof *at));
    SL_TRY_OUT(sl_take(&index, set->points + 1, sizeof *index));
    SL_TRY_OUT(sl_out_list(&list, to, "boundaries"));
    SL_TRY_OUT(put_all(list, at, index, set, all, settings));
    if (json_object_set(to, "boundary", json_array_get(list, 0)) != 0)
        st = SL_FAIL(SL_ENOMEM, "want votes and memory for a boundary, found none");
out:
    sl_free(at);
    sl_free(index);
    return st;
}
