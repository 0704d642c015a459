#include "analysis/report.h"
#include "analysis/report_int.h"
#include "base/alloc.h"
#include <math.h>

static const char *stage_or_null(sl_stage stage)
{
    return stage == SL_STAGE_UNDECIDED ? NULL : sl_stage_name(stage);
}

/* --- inputs and points ------------------------------------------------------------------------ */

sl_status sl_report_bad(sl_json *to, const sl_rows *read)
{
    sl_json *list, *row;

    SL_TRY(sl_out_i64(to, "bad", (int64_t)read->bad));
    SL_TRY(sl_out_bool(to, "cut_off", read->is_cut));
    SL_TRY(sl_out_list(&list, to, "bad_rows"));
    for (size_t i = 0; i < read->bad && i < SL_BAD_KEPT; i++) {
        SL_TRY(sl_out_object(&row, list, NULL));
        SL_TRY(sl_out_i64(row, read->is_array ? "element" : "line", (int64_t)read->first[i].line));
        SL_TRY(sl_out_text(row, "reason", read->first[i].reason));
    }
    return SL_OK;
}

static sl_status put_inputs(sl_json *to, const sl_vote_set *set)
{
    sl_json *list, *row;

    SL_TRY(sl_out_list(&list, to, "inputs"));
    for (size_t i = 0; i < set->inputs; i++) {
        const sl_vote_input *in = &set->input[i];

        SL_TRY(sl_out_object(&row, list, NULL));
        SL_TRY(sl_out_text(row, "path", in->path));
        SL_TRY(sl_out_text(row, "sha256", in->read.sha256[0] ? in->read.sha256 : NULL));
        SL_TRY(sl_out_i64(row, "rows", (int64_t)in->rows));
        SL_TRY(sl_out_i64(row, "dropped", (int64_t)in->dropped));
        SL_TRY(sl_report_bad(row, &in->read));
    }
    return SL_OK;
}

static sl_status put_score(sl_json *to, const sl_summary *s, double alpha)
{
    const sl_verdict *v = &s->verdict;
    const sl_interval fixed = sl_interval_clip(v->fixed);
    sl_json *bs;

    SL_TRY(sl_out_object(&bs, to, "bs"));
    SL_TRY(sl_out_number(bs, "value", v->bs.value));
    SL_TRY(sl_out_number(bs, "se", v->bs.se));
    SL_TRY(sl_out_number(bs, "lower", fixed.lower));
    SL_TRY(sl_out_number(bs, "upper", fixed.upper));
    SL_TRY(sl_out_number(bs, "level", 1.0 - alpha));
    SL_TRY(sl_out_text(bs, "method", "prompt-mean"));
    SL_TRY(sl_out_number(to, "bs_without_ties", s->pairs.no_ties));
    SL_TRY(sl_out_i64(to, "wins", (int64_t)s->pairs.wins));
    SL_TRY(sl_out_i64(to, "losses", (int64_t)s->pairs.losses));
    return sl_out_i64(to, "ties", (int64_t)s->pairs.ties);
}

static sl_status put_test(sl_json *to, const sl_summary *s, const sl_boundary_settings *set)
{
    const sl_verdict *v = &s->verdict;
    sl_json *test, *sequence;

    SL_TRY(sl_out_text(to, "stage", sl_stage_name(v->stage)));
    SL_TRY(sl_out_object(&test, to, "test"));
    SL_TRY(sl_out_text(test, "name", "indifference-kelly"));
    SL_TRY(sl_out_number(test, "delta", set->delta));
    SL_TRY(sl_out_number(test, "alpha", set->alpha));
    SL_TRY(sl_out_i64(test, "prompts_used", (int64_t)v->prompts_used));
    SL_TRY(sl_out_i64(test, "votes_used", (int64_t)s->votes_used));
    SL_TRY(sl_out_text(to, "certified", stage_or_null(v->certified)));
    SL_TRY(sl_out_object(&sequence, to, "sequence"));
    SL_TRY(sl_out_number(sequence, "lower", v->sequence.lower));
    return sl_out_number(sequence, "upper", v->sequence.upper);
}

static sl_status put_effects(sl_json *to, const sl_vote_point *p, const sl_summary *s)
{
    sl_json *length, *bias;

    SL_TRY(sl_out_number(to, "margin", s->margin));
    SL_TRY(sl_out_object(&length, to, "length"));
    SL_TRY(sl_out_number(length, "on_mean", s->chars_on));
    SL_TRY(sl_out_number(length, "off_mean", s->chars_off));
    SL_TRY(sl_out_number(length, "lc_bs", s->lc_bs));
    SL_TRY(sl_out_number(length, "lc_se", s->lc_se));
    SL_TRY(sl_out_text(length, "lc_stage", stage_or_null(s->lc_stage)));
    SL_TRY(sl_out_number(length, "on_mean_of_rows",
                         p->all_rows ? p->all_chars_on / (double)p->all_rows : NAN));
    SL_TRY(sl_out_number(length, "cut_on", s->cut_on));
    SL_TRY(sl_out_number(length, "cut_off", s->cut_off));
    if (!s->position.bias.used)
        return sl_out_text(to, "position_bias", NULL);
    SL_TRY(sl_out_object(&bias, to, "position_bias"));
    SL_TRY(sl_out_number(bias, "value", s->position.bias.value));
    SL_TRY(sl_out_number(bias, "se", s->position.bias.se));
    SL_TRY(sl_out_number(bias, "consistency", s->position.consistency));
    return sl_out_number(bias, "inconsistent_as_tie", s->position.inconsistent_as_tie);
}

/* Mean agreement of point i with the other judges of the same checkpoint; NaN without one. */
static sl_status agreement(double *out, const sl_vote_set *set, const sl_summary *s, size_t i)
{
    double sum = 0.0, others = 0.0;

    for (size_t j = 0; j < set->points; j++) {
        const sl_vote_point *a = &set->point[i], *b = &set->point[j];
        double one;

        if (i == j || a->has_step != b->has_step || a->step != b->step ||
            !sl_report_same_text(a->name, b->name) || sl_report_same_text(a->judge, b->judge))
            continue;
        SL_TRY(sl_summary_agreement(&one, &s[i], &s[j]));
        if (!isnan(one)) {
            sum += one;
            others++;
        }
    }
    *out = others > 0.0 ? sum / others : NAN;
    return SL_OK;
}

static sl_status put_point(sl_json *list, const sl_vote_point *p, const sl_summary *s,
                           const sl_boundary_settings *test, double agreed)
{
    sl_json *row;

    SL_TRY(sl_out_object(&row, list, NULL));
    SL_TRY(sl_out_text(row, "name", p->name));
    SL_TRY(p->has_step ? sl_out_i64(row, "step", p->step) : sl_out_text(row, "step", NULL));
    SL_TRY(sl_out_text(row, "judge", p->judge));
    SL_TRY(sl_out_i64(row, "prompts", (int64_t)s->prompts));
    SL_TRY(sl_out_i64(row, "votes", (int64_t)p->count));
    SL_TRY(sl_out_i64(row, "dropped", (int64_t)p->dropped));
    SL_TRY(put_score(row, s, test->alpha));
    SL_TRY(put_test(row, s, test));
    SL_TRY(put_effects(row, p, s));
    return sl_out_number(row, "judge_agreement", agreed);
}

/* --- the document ------------------------------------------------------------------------------
 */

/* agreed (points): filled. */
static sl_status fill(sl_json *out, sl_summary *all, double *agreed, const sl_vote_set *set,
                      const sl_votes_settings *settings)
{
    sl_json *points;

    SL_TRY(sl_out_text(out, "schema", "stageline.analysis/1"));
    SL_TRY(put_inputs(out, set));
    SL_TRY(sl_out_list(&points, out, "points"));
    for (size_t i = 0; i < set->points; i++)
        SL_TRY(sl_err_where(sl_summary_of(&all[i], &set->point[i], settings), "%s",
                            set->point[i].name));
    for (size_t i = 0; i < set->points; i++) {
        SL_TRY(agreement(&agreed[i], set, all, i));
        SL_TRY(put_point(points, &set->point[i], &all[i], &settings->test, agreed[i]));
    }
    SL_TRY(sl_report_warnings(out, set, all, agreed));
    return sl_report_boundaries(out, set, all, settings);
}

sl_status sl_analyze_votes(sl_json **out, const sl_vote_set *set, const sl_votes_settings *settings)
{
    sl_summary *all = NULL;
    double *agreed = NULL;
    sl_status st = SL_OK;

    *out = json_object();
    if (!*out)
        return SL_FAIL(SL_ENOMEM, "want memory for a document, found none");
    SL_TRY_OUT(sl_take(&all, set->points + 1, sizeof *all));
    SL_TRY_OUT(sl_take(&agreed, set->points + 1, sizeof *agreed));
    st = fill(*out, all, agreed, set, settings);
out:
    for (size_t i = 0; all && i < set->points; i++)
        sl_summary_close(&all[i]);
    sl_free(all);
    sl_free(agreed);
    if (st != SL_OK)
        sl_json_close(out);
    return st;
}
