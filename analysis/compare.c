#include "analysis/compare.h"
#include "analysis/compare_int.h"
#include "analysis/report_int.h"
#include "base/alloc.h"
#include "base/sort.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- subjects -------------------------------------------------------------------------------- */

typedef struct item {
    uint64_t prompt;
    double value;
} item;

static int by_prompt(const void *a, const void *b)
{
    const uint64_t x = ((const item *)a)->prompt, y = ((const item *)b)->prompt;

    return (x > y) - (x < y);
}

static void merge(sl_subject *s, const item *sorted, size_t n)
{
    for (size_t i = 0; i < n;) {
        const size_t first = i;
        double sum = 0.0;

        for (; i < n && sorted[i].prompt == sorted[first].prompt; i++)
            sum += sorted[i].value;
        s->prompt[s->n] = sorted[first].prompt;
        s->value[s->n++] = sum / (double)(i - first);
    }
}

sl_status sl_subject_add(sl_subject **out, sl_subjects *all, const uint64_t *prompt,
                         const double *value, size_t n)
{
    item *sorted = NULL;
    sl_subject *s;
    sl_status st = SL_OK;

    SL_TRY(sl_grow(&all->at, &all->capacity, all->count + 1, sizeof *all->at));
    s = &all->at[all->count++];
    *s = (sl_subject){ 0 };
    SL_TRY_OUT(sl_take(&sorted, n + 1, sizeof *sorted));
    SL_TRY_OUT(sl_take(&s->prompt, n + 1, sizeof *s->prompt));
    SL_TRY_OUT(sl_take(&s->value, n + 1, sizeof *s->value));
    for (size_t i = 0; i < n; i++)
        sorted[i] = (item){ prompt[i], value[i] };
    sl_sort(sorted, n, sizeof *sorted, by_prompt);
    merge(s, sorted, n);
    *out = s;
out:
    sl_free(sorted);
    return st;
}

void sl_subjects_close(sl_subjects *all)
{
    for (size_t i = 0; i < all->count; i++) {
        sl_free(all->at[i].prompt);
        sl_free(all->at[i].value);
    }
    sl_free(all->at);
    *all = (sl_subjects){ 0 };
}

/* --- multiplicity ---------------------------------------------------------------------------- */

typedef struct ranked {
    double p;
    size_t at;
} ranked;

static int by_p(const void *a, const void *b)
{
    const ranked *x = a, *y = b;

    if (x->p != y->p)
        return x->p < y->p ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

/* Holm, Scandinavian Journal of Statistics 6 (1979): the k-th smallest of m times m - k, made
 * monotone. Rows without a p are no test. */
sl_status sl_compare_holm(sl_json *list)
{
    const size_t rows = json_array_size(list);
    ranked *rank = NULL;
    size_t m = 0;
    double most = 0.0;
    sl_status st = SL_OK;

    SL_TRY(sl_take(&rank, rows + 1, sizeof *rank));
    for (size_t i = 0; i < rows; i++) {
        const sl_json *p = json_object_get(json_array_get(list, i), "p");

        if (json_is_number(p))
            rank[m++] = (ranked){ json_number_value(p), i };
        else
            SL_TRY_OUT(sl_out_number(json_array_get(list, i), "p_holm", NAN));
    }
    sl_sort(rank, m, sizeof *rank, by_p);
    for (size_t k = 0; k < m; k++) {
        most = fmax(most, fmin(1.0, rank[k].p * (double)(m - k)));
        SL_TRY_OUT(sl_out_number(json_array_get(list, rank[k].at), "p_holm", most));
    }
out:
    sl_free(rank);
    return st;
}

/* --- models ---------------------------------------------------------------------------------- */

void sl_compare_label(char *out, size_t size, const sl_vote_point *p)
{
    if (p->has_step)
        snprintf(out, size, "%.100s@%lld", p->name, (long long)p->step);
    else
        snprintf(out, size, "%.140s", p->name);
}

static const char *stage_or_null(sl_stage stage)
{
    return stage == SL_STAGE_UNDECIDED ? NULL : sl_stage_name(stage);
}

/* A run stops asking as soon as it knows the side, so only its confidence sequence holds; a file is
 * taken as a sample whose size its votes did not choose. */
static sl_status put_interval(sl_json *row, const sl_summary *s, int is_stopped)
{
    const sl_interval i = is_stopped ? s->verdict.sequence : sl_interval_clip(s->verdict.fixed);

    SL_TRY(sl_out_number(row, "lower", i.lower));
    SL_TRY(sl_out_number(row, "upper", i.upper));
    return sl_out_text(row, "interval", is_stopped ? "sequence" : "student");
}

static sl_status put_model(sl_json *list, const sl_vote_point *p, const sl_summary *s,
                           int is_stopped)
{
    char label[160];
    sl_json *row;

    sl_compare_label(label, sizeof label, p);
    SL_TRY(sl_out_object(&row, list, NULL));
    SL_TRY(sl_out_i64(row, "row", (int64_t)json_array_size(list)));
    SL_TRY(sl_out_text(row, "family", p->family));
    SL_TRY(sl_out_text(row, "model", label));
    SL_TRY(sl_out_text(row, "baseline", p->baseline));
    SL_TRY(sl_out_text(row, "judge", p->judge));
    SL_TRY(sl_out_i64(row, "prompts", (int64_t)s->prompts));
    SL_TRY(sl_out_i64(row, "votes", (int64_t)s->verdict.votes));
    SL_TRY(sl_out_number(row, "bs", s->verdict.bs.value));
    SL_TRY(sl_out_number(row, "se", s->verdict.bs.se));
    SL_TRY(put_interval(row, s, is_stopped));
    SL_TRY(sl_out_text(row, "stage", sl_stage_name(s->verdict.stage)));
    SL_TRY(sl_out_text(row, "certified", stage_or_null(s->verdict.certified)));
    SL_TRY(sl_out_i64(row, "votes_used", (int64_t)s->votes_used));
    SL_TRY(sl_out_number(row, "chars", s->chars_on));
    SL_TRY(sl_out_number(row, "lc_bs", s->lc_bs));
    return sl_out_number(row, "lc_se", s->lc_se);
}

static int order_of(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) : (a == NULL) - (b == NULL); /* none comes last */
}

/* order (points): families together, models of a family by name, else as they came. */
static void sort_points(size_t *order, const sl_vote_set *set)
{
    for (size_t i = 0; i < set->points; i++) {
        const sl_vote_point *p = &set->point[i];
        size_t k = i;

        for (; k > 0; k--) {
            const sl_vote_point *q = &set->point[order[k - 1]];
            int side = order_of(q->family, p->family);

            if (!side)
                side = order_of(q->name, p->name);
            if (!side && (q->has_step ? p->has_step && q->step > p->step : p->has_step))
                side = 1;
            if (side <= 0)
                break;
            order[k] = order[k - 1];
        }
        order[k] = i;
    }
}

/* The newest checkpoint of every series is held against the others. */
static sl_status add_subjects(sl_subjects *all, size_t *index, const sl_vote_set *set,
                              const sl_summary *summary)
{
    for (size_t i = 0; i < set->points; i++) {
        const sl_vote_point *p;
        const sl_summary *s;
        sl_subject *added;
        size_t T;

        if (!sl_report_is_first(set, i))
            continue;
        sl_report_series(index, &T, set, i);
        p = &set->point[index[T - 1]];
        s = &summary[index[T - 1]];
        SL_TRY(sl_subject_add(&added, all, s->prompt, s->mean, s->prompts));
        sl_compare_label(added->label, sizeof added->label, p);
        added->unit = "score";
        added->judge = p->judge;
        added->baseline = p->baseline;
    }
    return SL_OK;
}

static int is_of_run(const sl_compare_set *set, const sl_vote_point *p)
{
    for (size_t i = 0; i < set->runs; i++)
        if (!strcmp(set->run[i], p->name))
            return 1;
    return 0;
}

static sl_status fill_models(sl_json *out, sl_subjects *all, sl_summary *summary, size_t *index,
                             const sl_compare_set *compared)
{
    const sl_vote_set *set = compared->votes;
    sl_votes_settings settings = sl_votes_settings_defaults();
    sl_json *list;

    settings.test.alpha = compared->alpha;
    for (size_t i = 0; i < set->points; i++)
        SL_TRY(sl_err_where(sl_summary_of(&summary[i], &set->point[i], &settings), "%s",
                            set->point[i].name));
    SL_TRY(sl_out_list(&list, out, "models"));
    sort_points(index, set);
    for (size_t i = 0; i < set->points; i++)
        SL_TRY(put_model(list, &set->point[index[i]], &summary[index[i]],
                         is_of_run(compared, &set->point[index[i]])));
    return add_subjects(all, index, set, summary);
}

static sl_status put_models(sl_json *out, sl_subjects *all, const sl_compare_set *compared)
{
    const sl_vote_set *set = compared->votes;
    sl_summary *summary = NULL;
    size_t *index = NULL;
    sl_status st = SL_OK;

    SL_TRY_OUT(sl_take(&summary, set->points + 1, sizeof *summary));
    SL_TRY_OUT(sl_take(&index, set->points + 1, sizeof *index));
    st = fill_models(out, all, summary, index, compared);
out:
    for (size_t i = 0; summary && i < set->points; i++)
        sl_summary_close(&summary[i]);
    sl_free(summary);
    sl_free(index);
    return st;
}

/* --- the document ---------------------------------------------------------------------------- */

static sl_status fill(sl_json *out, sl_subjects *all, const sl_compare_set *set)
{
    char text[256];
    sl_json *paired, *differences;

    SL_TRY(sl_out_text(out, "schema", "stageline.compare/1"));
    SL_TRY(sl_out_number(out, "level", 1.0 - set->alpha));
    SL_TRY(put_models(out, all, set));
    SL_TRY(sl_compare_runs(out, all, set));
    SL_TRY(sl_compare_paired(out, all, set->alpha));
    SL_TRY(sl_compare_strengths(out, all, set->alpha));
    paired = json_object_get(out, "paired");
    differences = json_object_get(out, "differences");
    snprintf(
        text, sizeof text,
        "intervals are for one comparison each; p_holm is Holm's over all %zu paired tests and "
        "over all %zu differences of strengths",
        json_array_size(paired), json_array_size(differences));
    return sl_out_text(out, "multiplicity", text);
}

sl_status sl_compare(sl_json **out, const sl_compare_set *set)
{
    sl_subjects all = { 0 };
    sl_status st;

    *out = json_object();
    if (!*out)
        return SL_FAIL(SL_ENOMEM, "want memory for a document, found none");
    st = fill(*out, &all, set);
    sl_subjects_close(&all);
    if (st != SL_OK)
        sl_json_close(out);
    return st;
}
