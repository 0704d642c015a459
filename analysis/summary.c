#include "analysis/summary.h"
#include "analysis/decide.h"
#include "analysis/length.h"
#include "analysis/special.h"
#include "base/alloc.h"
#include "base/rng.h"
#include "base/sort.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

sl_votes_settings sl_votes_settings_defaults(void)
{
    return (sl_votes_settings){ .test = sl_boundary_defaults() };
}

/* --- votes to pairs -------------------------------------------------------------------------- */

/* A vote with what it is sorted by: prompts in order of appearance, the pairs of a prompt together.
 */
typedef struct keyed {
    const sl_vote_row *row;
    size_t rank, at; /* of the prompt's first vote; of this one */
} keyed;

static int compare(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int by_prompt(const void *a, const void *b)
{
    const keyed *x = a, *y = b;
    const int order = compare(x->row->prompt, y->row->prompt);

    return order ? order : compare(x->at, y->at);
}

static int by_pair(const void *a, const void *b)
{
    const keyed *x = a, *y = b;
    int order = compare(x->rank, y->rank);

    if (!order)
        order = compare(x->row->pair, y->row->pair);
    return order ? order : compare(x->at, y->at);
}

static void sort_votes(keyed *k, const sl_vote_point *point)
{
    for (size_t i = 0; i < point->count; i++)
        k[i] = (keyed){ .row = &point->row[i], .at = i };
    sl_sort(k, point->count, sizeof *k, by_prompt);
    for (size_t i = 0; i < point->count; i++)
        k[i].rank = i && k[i].row->prompt == k[i - 1].row->prompt ? k[i - 1].rank : k[i].at;
    sl_sort(k, point->count, sizeof *k, by_pair);
}

typedef struct pair_value {
    uint64_t prompt;
    double s, first, second; /* mean; on-policy side shown first, second: NaN unless both */
    double chars_on, chars_off;
    size_t votes;
} pair_value;

/* Votes [0, n) of one pair, the order known: one value. */
static pair_value both_orders(const keyed *k, size_t n)
{
    pair_value v = { .prompt = k->row->prompt, .first = NAN, .second = NAN, .votes = n };
    double sum[3] = { 0.0 }, count[3] = { 0.0 };

    for (size_t i = 0; i < n; i++) {
        sum[k[i].row->shown] += k[i].row->p;
        count[k[i].row->shown]++;
    }
    v.chars_on = k->row->chars_on;
    v.chars_off = k->row->chars_off;
    if (count[SL_SHOWN_ON_FIRST] > 0.0 && count[SL_SHOWN_OFF_FIRST] > 0.0) {
        v.first = sum[SL_SHOWN_ON_FIRST] / count[SL_SHOWN_ON_FIRST];
        v.second = sum[SL_SHOWN_OFF_FIRST] / count[SL_SHOWN_OFF_FIRST];
        v.s = 0.5 * (v.first + v.second);
    } else
        v.s = (sum[0] + sum[1] + sum[2]) / (double)n;
    return v;
}

/* Votes that belong to one pair: the same answers, and the order known for all. A file that names
 * neither answers nor orders has one pair per vote. */
static size_t pair_end(const keyed *k, size_t i, size_t n)
{
    size_t end = i + 1;

    while (end < n && k[end].rank == k[i].rank && k[end].row->pair == k[i].row->pair &&
           k[end].row->shown != SL_SHOWN_UNKNOWN && k[i].row->shown != SL_SHOWN_UNKNOWN)
        end++;
    return end;
}

static size_t pairs_of(pair_value *pair, const keyed *k, size_t n)
{
    size_t count = 0;

    for (size_t i = 0; i < n;) {
        const size_t end = pair_end(k, i, n);

        pair[count++] = both_orders(k + i, end - i);
        i = end;
    }
    return count;
}

/* --- pairs to prompts ------------------------------------------------------------------------ */

typedef struct prompts {
    sl_prompt_mean *votes;        /* (count) */
    uint64_t *id;                 /* (count) */
    double *chars_on, *chars_off; /* (count) means */
    size_t count;
} prompts;

static void prompts_close(prompts *p)
{
    sl_free(p->votes);
    sl_free(p->id);
    sl_free(p->chars_on);
    sl_free(p->chars_off);
}

static void add_pair(sl_prompt_mean *m, double *on, double *off, const pair_value *pair)
{
    m->v_on += pair->s;
    m->v_off += 1.0 - pair->s;
    m->ties += pair->s == 0.5;
    m->votes += pair->votes;
    *on += pair->chars_on;
    *off += pair->chars_off;
}

static sl_status prompts_of(prompts *p, const pair_value *pair, size_t pairs)
{
    SL_TRY(sl_take(&p->votes, pairs + 1, sizeof *p->votes));
    SL_TRY(sl_take(&p->id, pairs + 1, sizeof *p->id));
    SL_TRY(sl_take(&p->chars_on, pairs + 1, sizeof(double)));
    SL_TRY(sl_take(&p->chars_off, pairs + 1, sizeof(double)));
    for (size_t i = 0; i < pairs;) {
        const size_t at = p->count++, first = i;
        sl_prompt_mean *m = &p->votes[at];
        double n;

        *m = (sl_prompt_mean){ .margin_on = NAN, .margin_off = NAN };
        for (; i < pairs && pair[i].prompt == pair[first].prompt; i++)
            add_pair(m, &p->chars_on[at], &p->chars_off[at], &pair[i]);
        n = (double)(i - first);
        p->id[at] = pair[first].prompt;
        p->chars_on[at] /= n;
        p->chars_off[at] /= n;
        m->mean = m->v_on / n;
    }
    return SL_OK;
}

/* --- through the test ------------------------------------------------------------------------ */

static sl_status test_order(uint32_t **order, size_t n, const sl_votes_settings *set)
{
    sl_rng rng = sl_rng_at(set->seed, sl_rng_stream("prompt order"), 0);

    SL_TRY(sl_take(order, n + 1, sizeof **order));
    for (size_t i = 0; i < n; i++)
        (*order)[i] = (uint32_t)i;
    if (set->is_shuffled)
        sl_rng_shuffle(&rng, *order, n);
    return SL_OK;
}

static sl_status run_test(sl_summary *out, const prompts *p, const sl_votes_settings *set)
{
    sl_boundary b;
    uint32_t *order = NULL;
    sl_status st = SL_OK;

    SL_TRY(sl_boundary_begin(&b, &set->test));
    SL_TRY_OUT(test_order(&order, p->count, set));
    SL_TRY_OUT(sl_take(&out->prompt, p->count + 1, sizeof *out->prompt));
    SL_TRY_OUT(sl_take(&out->mean, p->count + 1, sizeof *out->mean));
    SL_TRY_OUT(sl_take(&out->votes, p->count + 1, sizeof *out->votes));
    for (size_t i = 0; i < p->count; i++) {
        const sl_prompt_mean *m = &p->votes[order[i]];

        if (!sl_boundary_is_settled(&b))
            out->votes_used += m->votes;
        SL_TRY_OUT(sl_boundary_add(&b, m));
        out->prompt[i] = p->id[order[i]];
        out->mean[i] = m->mean;
        out->votes[i] = (uint32_t)m->votes;
    }
    out->prompts = p->count;
    st = sl_boundary_verdict(&out->verdict, &b);
out:
    sl_free(order);
    sl_boundary_close(&b);
    return st;
}

/* --- pair columns ---------------------------------------------------------------------------- */

static sl_status pair_columns(sl_summary *out, const pair_value *pair, size_t n)
{
    double *x = NULL;
    sl_status st = SL_OK;

    SL_TRY(sl_take(&x, 5 * n + 1, sizeof *x));
    for (size_t i = 0; i < n; i++) {
        x[i] = pair[i].s;
        x[n + i] = pair[i].first;
        x[2 * n + i] = pair[i].second;
        x[3 * n + i] = pair[i].chars_on;
        x[4 * n + i] = pair[i].chars_off;
    }
    out->pairs = sl_win_rate_of(x, n);
    out->margin = sl_vote_margin(x, n);
    out->chars_on = sl_mean_of(x + 3 * n, n).value;
    out->chars_off = sl_mean_of(x + 4 * n, n).value;
    st = sl_position_bias(&out->position, x + n, x + 2 * n, n);
    sl_free(x);
    return st;
}

static void cut_part(sl_summary *out, const sl_vote_point *point)
{
    const double n = (double)point->count;
    double on = 0.0, off = 0.0;
    int is_known = 0; /* rows that do not say so are whole where others say that they are cut */

    for (size_t i = 0; i < point->count; i++) {
        const sl_vote_row *r = &point->row[i];

        is_known |= r->has_cut;
        on += r->cut & 1;
        off += (r->cut & 2) != 0;
    }
    out->cut_on = is_known && n > 0.0 ? on / n : NAN;
    out->cut_off = is_known && n > 0.0 ? off / n : NAN;
}

/* Sides of the score as it is and at equal length, both by intervals for a fixed sample. */
static void sides_of(sl_summary *out, const sl_boundary_settings *test)
{
    const sl_interval fixed = out->verdict.fixed;
    const double half = sl_normal_quantile(1.0 - test->alpha / 2.0) * out->lc_se;

    out->fixed_stage = sl_interval_side(fixed.lower, fixed.upper, test->tau, 0.0);
    out->lc_stage = sl_interval_side(out->lc_bs - half, out->lc_bs + half, test->tau, 0.0);
}

/* Length control over prompts: their means against the mean difference of lengths. */
static sl_status length_part(sl_summary *out, const prompts *p)
{
    double *y = NULL;
    sl_length_fit fit;
    sl_status st = SL_OK;

    out->lc_bs = out->lc_se = NAN;
    SL_TRY(sl_take(&y, p->count + 1, sizeof *y));
    for (size_t i = 0; i < p->count; i++)
        y[i] = p->votes[i].mean;
    st = sl_length_controlled(&fit, y, p->chars_on, p->chars_off, NULL, p->count, SL_LENGTH_RIDGE);
    if (st == SL_OK) {
        out->lc_bs = fit.lc;
        out->lc_se = fit.lc_se_fit;
    }
    sl_free(y);
    return st;
}

sl_status sl_summary_of(sl_summary *out, const sl_vote_point *point,
                        const sl_votes_settings *settings)
{
    keyed *k = NULL;
    pair_value *pair = NULL;
    prompts p = { 0 };
    size_t pairs;
    sl_status st = SL_OK;

    *out = (sl_summary){ 0 };
    SL_TRY_OUT(sl_take(&k, point->count + 1, sizeof *k));
    SL_TRY_OUT(sl_take(&pair, point->count + 1, sizeof *pair));
    sort_votes(k, point);
    pairs = pairs_of(pair, k, point->count);
    SL_TRY_OUT(prompts_of(&p, pair, pairs));
    SL_TRY_OUT(run_test(out, &p, settings));
    SL_TRY_OUT(pair_columns(out, pair, pairs));
    SL_TRY_OUT(length_part(out, &p));
    cut_part(out, point);
    sides_of(out, &settings->test);
out:
    prompts_close(&p);
    sl_free(pair);
    sl_free(k);
    if (st != SL_OK)
        sl_summary_close(out);
    return st;
}

void sl_summary_close(sl_summary *s)
{
    sl_free(s->prompt);
    sl_free(s->mean);
    sl_free(s->votes);
    *s = (sl_summary){ 0 };
}

/* --- judges ---------------------------------------------------------------------------------- */

typedef struct id_mean {
    uint64_t id;
    double mean;
} id_mean;

static int by_id(const void *a, const void *b)
{
    return compare(((const id_mean *)a)->id, ((const id_mean *)b)->id);
}

static double side(double mean)
{
    return mean > 0.5 ? 1.0 : mean == 0.5 ? 0.5 : 0.0;
}

sl_status sl_summary_agreement(double *out, const sl_summary *a, const sl_summary *b)
{
    id_mean *sorted = NULL;
    double sum = 0.0, common = 0.0;

    SL_TRY(sl_take(&sorted, a->prompts + 1, sizeof *sorted));
    for (size_t i = 0; i < a->prompts; i++)
        sorted[i] = (id_mean){ a->prompt[i], a->mean[i] };
    sl_sort(sorted, a->prompts, sizeof *sorted, by_id);
    for (size_t i = 0; i < b->prompts; i++) {
        const id_mean key = { b->prompt[i], 0.0 };
        const id_mean *found = bsearch(&key, sorted, a->prompts, sizeof *sorted, by_id);

        if (!found)
            continue;
        sum += 1.0 - fabs(side(found->mean) - side(b->mean[i]));
        common++;
    }
    *out = common > 0.0 ? sum / common : NAN;
    sl_free(sorted);
    return SL_OK;
}
