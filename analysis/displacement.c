#include "analysis/displacement.h"
#include "analysis/interval.h"
#include "base/alloc.h"
#include "base/sort.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One visit of a pair with what its tokens say. */
typedef struct visit {
    const sl_row_pairs *pair;
    double chosen, rejected; /* log-ratios, nats */
    double ending;           /* of the last chosen token; NaN: unknown */
    double likeness;         /* NaN: unknown */
} visit;

typedef struct record {
    const sl_row_pairs *pair;
    const sl_row_tokens *token;
    const sl_row_steps *step;
    size_t pairs, tokens, steps;
    size_t next_token, next_step; /* the first not before the window */
} record;

/* Memory of one window. */
typedef struct window {
    visit *visit;   /* (visits) */
    double *ratio;  /* (ratios) of the chosen answers' tokens, nats */
    int32_t *id[2]; /* of one pair's answers, for their likeness */
    double *x, *y;  /* (visits) columns */
    size_t visits, ratios;
    size_t visit_capacity, ratio_capacity, id_capacity[2], x_capacity, y_capacity;
} window;

static void window_close(window *w)
{
    sl_free(w->visit);
    sl_free(w->ratio);
    sl_free(w->id[0]);
    sl_free(w->id[1]);
    sl_free(w->x);
    sl_free(w->y);
}

/* --- tokens ----------------------------------------------------------------------------------- */

static int by_id(const void *a, const void *b)
{
    const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

    return (x > y) - (x < y);
}

/* 2 common/(n + m); both come back ascending. */
static double likeness_of(int32_t *a, size_t n, int32_t *b, size_t m)
{
    size_t i = 0, j = 0, common = 0;

    sl_sort(a, n, sizeof *a, by_id);
    sl_sort(b, m, sizeof *b, by_id);
    while (i < n && j < m) {
        common += a[i] == b[j];
        if (a[i] == b[j])
            i++, j++;
        else if (a[i] < b[j])
            i++;
        else
            j++;
    }
    return n + m ? 2.0 * (double)common / (double)(n + m) : NAN;
}

/* Tokens [at, end) of one pair at one step. */
static sl_status add_tokens(window *w, visit *v, const sl_row_tokens *t, size_t n)
{
    size_t count[2] = { 0 };

    for (size_t i = 0; i < n; i++) {
        const int side = t[i].side == SL_SIDE_REJECTED;
        const double ratio = (double)t[i].logp - (double)t[i].ref_logp;

        SL_TRY(sl_grow(&w->id[side], &w->id_capacity[side], count[side] + 1, sizeof(int32_t)));
        w->id[side][count[side]++] = t[i].token;
        if (side || !isfinite(ratio))
            continue;
        SL_TRY(sl_grow(&w->ratio, &w->ratio_capacity, w->ratios + 1, sizeof *w->ratio));
        w->ratio[w->ratios++] = ratio;
        if (t[i].pos + 1 == v->pair->tok_c && !(v->pair->flags & SL_FLAG_NO_EOS))
            v->ending = ratio;
    }
    if (count[0] && count[1])
        v->likeness = likeness_of(w->id[0], count[0], w->id[1], count[1]);
    return SL_OK;
}

/* The visits of one update; its tokens stand together, pair by pair, in any order of pairs. */
static sl_status match_tokens(window *w, size_t first_visit, record *r, int64_t step)
{
    while (r->next_token < r->tokens && r->token[r->next_token].step < step)
        r->next_token++;
    while (r->next_token < r->tokens && r->token[r->next_token].step == step) {
        const sl_row_tokens *t = &r->token[r->next_token];
        size_t n = 1;

        while (r->next_token + n < r->tokens && t[n].step == step && t[n].pair_id == t->pair_id)
            n++;
        for (size_t i = first_visit; i < w->visits; i++)
            if (w->visit[i].pair->pair_id == t->pair_id) {
                SL_TRY(add_tokens(w, &w->visit[i], t, n));
                break;
            }
        r->next_token += n;
    }
    return SL_OK;
}

/* --- columns ---------------------------------------------------------------------------------- */

static double per_tok(const visit *v)
{
    return v->chosen / (double)v->pair->tok_c;
}

static double correlation(const double *x, const double *y, size_t n)
{
    const double mx = sl_mean_of(x, n).value, my = sl_mean_of(y, n).value;
    double xx = 0.0, yy = 0.0, xy = 0.0;

    for (size_t i = 0; i < n; i++) {
        xx += (x[i] - mx) * (x[i] - mx);
        yy += (y[i] - my) * (y[i] - my);
        xy += (x[i] - mx) * (y[i] - my);
    }
    return n > 2 && xx > 0.0 && yy > 0.0 ? xy / sqrt(xx * yy) : NAN;
}

static void length_column(sl_displacement_row *row, window *w)
{
    for (size_t i = 0; i < w->visits; i++) {
        w->x[i] = (double)w->visit[i].pair->tok_c;
        w->y[i] = w->visit[i].chosen;
    }
    row->length_corr = correlation(w->x, w->y, w->visits);
}

static int by_likeness(const void *a, const void *b)
{
    const double x = ((const visit *)a)->likeness, y = ((const visit *)b)->likeness;

    return (x > y) - (x < y);
}

/* Visits come back in order of likeness; those without one are not looked at. */
static void likeness_columns(sl_displacement_row *row, window *w)
{
    sl_mean alike, unlike, all;
    size_t n = 0, third;

    row->likeness = row->likeness_corr = row->like = row->unlike = row->like_gap_se = NAN;
    for (size_t i = 0; i < w->visits; i++)
        if (!isnan(w->visit[i].likeness)) {
            const visit v = w->visit[i];

            w->visit[i] = w->visit[n];
            w->visit[n++] = v;
        }
    third = n / 3;
    if (third < 2)
        return;
    sl_sort(w->visit, n, sizeof *w->visit, by_likeness);
    for (size_t i = 0; i < n; i++) {
        w->x[i] = w->visit[i].likeness;
        w->y[i] = per_tok(&w->visit[i]);
    }
    all = sl_mean_of(w->x, n);
    row->likeness = all.value;
    row->likeness_corr = correlation(w->x, w->y, n);
    if (w->x[third - 1] == w->x[n - third]) /* all as alike as each other */
        return;
    unlike = sl_mean_of(w->y, third);
    alike = sl_mean_of(w->y + n - third, third);
    row->like = alike.value;
    row->unlike = unlike.value;
    row->like_gap_se = hypot(alike.se, unlike.se);
}

static void token_columns(sl_displacement_row *row, window *w)
{
    const size_t tenth = (w->ratios + 9) / 10;
    double lost = 0.0, worst = 0.0, ending = 0.0, total = 0.0;
    size_t fell = 0, ends = 0;

    sl_sort_f64(w->ratio, w->ratios);
    for (size_t i = 0; i < w->ratios; i++) {
        fell += w->ratio[i] < 0.0;
        total += w->ratio[i];
        lost += fmin(w->ratio[i], 0.0);
        worst += i < tenth ? fmin(w->ratio[i], 0.0) : 0.0;
    }
    for (size_t i = 0; i < w->visits; i++)
        if (!isnan(w->visit[i].ending)) {
            ending += w->visit[i].ending;
            ends++;
        }
    row->tokens = w->ratios;
    row->tokens_fell = w->ratios ? (double)fell / (double)w->ratios : NAN;
    row->worst_tenth = lost < 0.0 ? worst / lost : NAN;
    row->ending = ends ? ending / (double)ends : NAN;
    row->ending_part = ends && total < 0.0 ? ending / total : NAN;
}

static void reward_columns(sl_displacement_row *row, window *w)
{
    double tokens = 0.0, fell = 0.0, rejected_fell = 0.0;
    sl_mean chosen;

    for (size_t i = 0; i < w->visits; i++) {
        w->x[i] = w->visit[i].chosen;
        w->y[i] = w->visit[i].rejected;
        tokens += (double)w->visit[i].pair->tok_c;
        fell += w->x[i] < 0.0;
        rejected_fell += w->y[i] < 0.0;
    }
    chosen = sl_mean_of(w->x, w->visits);
    row->chosen = chosen.value;
    row->chosen_se = chosen.se;
    row->rejected = sl_mean_of(w->y, w->visits).value;
    row->per_tok = chosen.value * (double)w->visits / tokens;
    row->fell = fell / (double)w->visits;
    row->rejected_fell = rejected_fell / (double)w->visits;
}

static double entropy_of(record *r, int64_t first, int64_t last)
{
    double sum = 0.0, n = 0.0;

    for (; r->next_step < r->steps && r->step[r->next_step].step <= last; r->next_step++)
        if (r->step[r->next_step].step >= first && isfinite(r->step[r->next_step].entropy)) {
            sum += r->step[r->next_step].entropy;
            n++;
        }
    return n > 0.0 ? sum / n : NAN;
}

/* --- windows ---------------------------------------------------------------------------------- */

/* Visits of pairs [a, b) of one iteration; those without a reference are left out. */
static sl_status gather(window *w, record *r, size_t a, size_t b)
{
    w->visits = w->ratios = 0;
    for (size_t i = a; i < b;) {
        const int64_t step = r->pair[i].step;
        const size_t first = w->visits;

        for (; i < b && r->pair[i].step == step; i++) {
            const sl_row_pairs *p = &r->pair[i];
            const visit v = { p, p->logp_c - p->ref_logp_c, p->logp_r - p->ref_logp_r, NAN, NAN };

            if (!isfinite(v.chosen) || !isfinite(v.rejected) || !p->tok_c)
                continue;
            SL_TRY(sl_grow(&w->visit, &w->visit_capacity, w->visits + 1, sizeof *w->visit));
            w->visit[w->visits++] = v;
        }
        SL_TRY(match_tokens(w, first, r, step));
    }
    SL_TRY(sl_grow(&w->x, &w->x_capacity, w->visits + 1, sizeof *w->x));
    return sl_grow(&w->y, &w->y_capacity, w->visits + 1, sizeof *w->y);
}

static int by_fall(const void *a, const void *b)
{
    const double x = per_tok(a), y = per_tok(b);

    return (x > y) - (x < y);
}

static void pick_examples(sl_displacement *out, window *w)
{
    out->examples = 0;
    sl_sort(w->visit, w->visits, sizeof *w->visit, by_fall);
    for (size_t i = 0; i < w->visits && out->examples < SL_DISPLACEMENT_EXAMPLES; i++)
        if (w->visit[i].chosen < 0.0)
            out->example[out->examples++] = w->visit[i].pair->pair_id;
}

static sl_status add_window(sl_displacement *out, window *w, record *r, size_t a, size_t b)
{
    sl_displacement_row row = { .first = r->pair[a].step,
                                .last = r->pair[b - 1].step,
                                .iteration = r->pair[a].iteration };

    SL_TRY(gather(w, r, a, b));
    if (!w->visits)
        return SL_OK;
    row.pairs = w->visits;
    reward_columns(&row, w);
    token_columns(&row, w);
    length_column(&row, w);
    likeness_columns(&row, w);
    row.entropy = entropy_of(r, row.first, row.last);
    out->row[out->count++] = row;
    pick_examples(out, w);
    return SL_OK;
}

/* Windows of about as many pairs each; an update is never divided. */
static sl_status add_iteration(sl_displacement *out, window *w, record *r, size_t a, size_t b)
{
    for (size_t k = 0, at = a; k < SL_DISPLACEMENT_WINDOWS && at < b; k++) {
        size_t end = a + (b - a) * (k + 1) / SL_DISPLACEMENT_WINDOWS;

        if (end <= at)
            continue;
        while (end < b && r->pair[end].step == r->pair[end - 1].step)
            end++;
        SL_TRY(add_window(out, w, r, at, end));
        at = end;
    }
    return SL_OK;
}

static sl_status add_all(sl_displacement *out, window *w, record *r)
{
    for (size_t a = 0, capacity = 0; a < r->pairs;) {
        size_t b = a;

        while (b < r->pairs && r->pair[b].iteration == r->pair[a].iteration)
            b++;
        SL_TRY(
            sl_grow(&out->row, &capacity, out->count + SL_DISPLACEMENT_WINDOWS, sizeof *out->row));
        SL_TRY(add_iteration(out, w, r, a, b));
        a = b;
    }
    return SL_OK;
}

sl_status sl_displacement_run(sl_displacement *out, sl_reader *reader)
{
    static const sl_displacement_row none;
    record r = { 0 };
    window w = { 0 };
    sl_status st;

    *out = (sl_displacement){ 0 };
    SL_TRY(sl_reader_rows(reader, SL_TABLE_PAIRS, &r.pair, &r.pairs));
    SL_TRY(sl_reader_rows(reader, SL_TABLE_STEPS, &r.step, &r.steps));
    if (sl_reader_has(reader, SL_TABLE_TOKENS))
        SL_TRY(sl_reader_rows(reader, SL_TABLE_TOKENS, &r.token, &r.tokens));
    st = add_all(out, &w, &r);
    sl_displacement_judge(out, out->count ? &out->row[out->count - 1] : &none);
    window_close(&w);
    sl_reader_release(reader, SL_TABLE_TOKENS);
    sl_reader_release(reader, SL_TABLE_PAIRS);
    if (st != SL_OK)
        sl_displacement_close(out);
    return st;
}

void sl_displacement_close(sl_displacement *d)
{
    sl_free(d->row);
    *d = (sl_displacement){ 0 };
}
