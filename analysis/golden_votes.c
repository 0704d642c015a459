/* Test vectors of intervals, tests and decisions (docs/math.md D1, D2, D4). */
#include "analysis/decide.h"
#include "analysis/golden_int.h"
#include "analysis/hypothesis.h"
#include "analysis/interval.h"
#include "analysis/metric.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static sl_status wilson(sl_gold *g)
{
    sl_matrix cases;
    double alpha;
    sl_json *list;

    SL_TRY(sl_gold_matrix(&cases, g, json_object_get(g->inputs, "cases")));
    SL_TRY(sl_gold_param(&alpha, g, "alpha"));
    SL_TRY(sl_out_list(&list, g->out, "intervals"));
    for (size_t i = 0; i < cases.rows; i++) {
        const double k = cases.x[2 * i], n = cases.x[2 * i + 1];
        const sl_interval w = sl_wilson(k, n, alpha);
        sl_json *row;

        SL_TRY(sl_out_object(&row, list, NULL));
        SL_TRY(sl_gold_put(row, "k", k));
        SL_TRY(sl_gold_put(row, "n", n));
        SL_TRY(sl_gold_put(row, "lo", w.lower));
        SL_TRY(sl_gold_put(row, "hi", w.upper));
    }
    return SL_OK;
}

static sl_status put_interval(sl_json *to, const char *key, sl_interval i)
{
    const double ends[2] = { i.lower, i.upper };

    return sl_gold_put_array(to, key, ends, 2);
}

static sl_status bootstrap(sl_gold *g, const double *mean, size_t P, double alpha)
{
    sl_matrix rows;
    uint32_t *index;
    double *means;
    sl_bootstrap boot;

    if (!sl_json_has(g->inputs, "resample_indices"))
        return SL_OK;
    SL_TRY(sl_gold_matrix(&rows, g, json_object_get(g->inputs, "resample_indices")));
    if (rows.cols != P)
        return SL_FAIL(SL_EFORMAT, "want %zu indices a replicate, found %zu", P, rows.cols);
    SL_TRY(sl_gold_take(g, &index, rows.rows * P, sizeof *index));
    SL_TRY(sl_gold_take(g, &means, rows.rows, sizeof *means));
    for (size_t i = 0; i < rows.rows * P; i++)
        index[i] = (uint32_t)rows.x[i];
    SL_TRY(sl_bootstrap_given(&boot, means, mean, P, index, rows.rows, alpha));
    SL_TRY(
        sl_gold_put_array(g->out, "bootstrap_means_first3", means, rows.rows < 3 ? rows.rows : 3));
    SL_TRY(put_interval(g->out, "bootstrap_ci", boot.interval));
    return sl_gold_put(g->out, "bootstrap_se", boot.se);
}

static sl_status clustered_bs(sl_gold *g)
{
    const sl_json *prompts = json_object_get(g->inputs, "votes_by_prompt");
    const size_t P = json_array_size(prompts);
    sl_series v;
    size_t *first, total = 0, used = 0;
    double *votes, *mean, alpha;
    sl_clustered c;

    SL_TRY(sl_gold_param(&alpha, g, "alpha"));
    SL_TRY(sl_gold_take(g, &first, P + 1, sizeof *first));
    SL_TRY(sl_gold_take(g, &mean, P, sizeof *mean));
    for (size_t i = 0; i < P; i++)
        total += json_array_size(json_array_get(prompts, i));
    SL_TRY(sl_gold_take(g, &votes, total, sizeof *votes));
    for (size_t i = 0; i < P; i++) { /* a prompt without a vote is dropped */
        size_t kept = first[used];

        SL_TRY(sl_gold_numbers(&v, g, json_array_get(prompts, i)));
        for (size_t j = 0; j < v.n; j++)
            if (isfinite(v.x[j]))
                votes[kept++] = v.x[j];
        if (kept == first[used])
            continue;
        mean[used] = sl_mean_of(votes + first[used], kept - first[used]).value;
        first[++used] = kept;
    }
    c = sl_clustered_votes(votes, first, used, alpha);
    SL_TRY(sl_gold_put(g->out, "bs", c.mean.value));
    SL_TRY(sl_gold_put_array(g->out, "per_prompt", mean, used));
    SL_TRY(sl_gold_put(g->out, "naive_se", c.naive_se));
    SL_TRY(sl_gold_put(g->out, "cluster_se", c.mean.se));
    SL_TRY(sl_gold_put(g->out, "icc_anova", c.icc));
    SL_TRY(sl_gold_put(g->out, "design_effect", c.design_effect));
    SL_TRY(sl_gold_put(g->out, "n_effective", c.n_effective));
    SL_TRY(put_interval(g->out, "t_ci", c.student));
    return bootstrap(g, mean, used, alpha);
}

static sl_status position_bias(sl_gold *g)
{
    sl_series a, b;
    sl_position p;

    SL_TRY(sl_gold_series(&a, g, "vote_on_policy_first"));
    SL_TRY(sl_gold_series(&b, g, "vote_on_policy_second"));
    if (a.n != b.n)
        return SL_FAIL(SL_EFORMAT, "want as many first as second votes, found %zu, %zu", a.n, b.n);
    SL_TRY(sl_position_bias(&p, a.x, b.x, a.n));
    SL_TRY(sl_gold_put(g->out, "bs_swapped_average", p.average));
    SL_TRY(sl_gold_put(g->out, "position_bias", p.bias.value));
    SL_TRY(sl_gold_put(g->out, "position_bias_se", p.bias.se));
    SL_TRY(sl_gold_put(g->out, "consistency_rate", p.consistency));
    SL_TRY(sl_gold_put(g->out, "bs_inconsistent_as_tie", p.inconsistent_as_tie));
    SL_TRY(sl_gold_put(g->out, "bs_consistent_only", p.consistent_only));
    return sl_gold_put(g->out, "first_slot_win_rate", p.first_slot);
}

static sl_status sprt(sl_gold *g)
{
    static const char *const names[] = { "continue", "H0", "H1" };
    sl_series v;
    double p0, p1, a, b, first5[5], at_stop;
    size_t stop = 0;
    sl_side side = SL_SIDE_NONE;
    sl_sprt s;

    SL_TRY(sl_gold_present(&v, g, "votes"));
    SL_TRY(sl_gold_param(&p0, g, "p0"));
    SL_TRY(sl_gold_param(&p1, g, "p1"));
    SL_TRY(sl_gold_param(&a, g, "alpha"));
    SL_TRY(sl_gold_param(&b, g, "beta"));
    SL_TRY(sl_sprt_open(&s, p0, p1, a, b));
    at_stop = s.llr;
    for (size_t i = 0; i < v.n; i++) {
        sl_sprt_add(&s, v.x[i]);
        if (i < 5)
            first5[i] = s.llr;
        if (side != SL_SIDE_NONE)
            continue;
        side = sl_sprt_side(&s);
        at_stop = s.llr;
        stop = side == SL_SIDE_NONE ? 0 : i + 1;
    }
    SL_TRY(sl_out_text(g->out, "decision", names[side]));
    SL_TRY(stop ? sl_out_i64(g->out, "decision_index_1based", (int64_t)stop)
                : sl_out_text(g->out, "decision_index_1based", NULL));
    SL_TRY(sl_gold_put(g->out, "llr_at_stop", at_stop));
    SL_TRY(sl_gold_put(g->out, "upper", s.upper));
    SL_TRY(sl_gold_put(g->out, "lower", s.lower));
    return sl_gold_put_array(g->out, "llr_first5", first5, v.n < 5 ? v.n : 5);
}

static sl_status sprt_exact(sl_gold *g)
{
    sl_series p, delta;
    double alpha;

    SL_TRY(sl_gold_series(&p, g, "p"));
    SL_TRY(sl_gold_params(&delta, g, "delta"));
    SL_TRY(sl_gold_param(&alpha, g, "alpha"));
    for (size_t d = 0; d < delta.n; d++) {
        char key[32];
        sl_json *list, *row;

        sl_gold_number_key(key, sizeof key, delta.x[d]);
        SL_TRY(sl_out_list(&list, g->out, key));
        for (size_t i = 0; i < p.n; i++) {
            const sl_sprt_exact e = sl_sprt_exact_of(p.x[i], delta.x[d], alpha);

            SL_TRY(sl_out_object(&row, list, NULL));
            SL_TRY(sl_out_i64(row, "barrier", (int64_t)e.barrier));
            SL_TRY(sl_gold_put(row, "p_declare_h1", e.p_above));
            SL_TRY(sl_gold_put(row, "expected_n", e.expected_n));
        }
    }
    return SL_OK;
}

/* Log e-values of both sides after every observation -> above, below (n); *side and *stop (from 1;
 * 0: none) of the first decision. */
static sl_status kelly_path(sl_gold *g, const sl_series *y, double delta, double alpha,
                            double **above, double **below, sl_side *side, size_t *stop)
{
    sl_series grid;
    sl_kelly k;

    SL_TRY(sl_gold_params(&grid, g, "lambda_grid"));
    SL_TRY(sl_kelly_open(&k, 0.5, delta, grid.x, grid.n));
    SL_TRY(sl_gold_take(g, above, y->n, sizeof **above));
    SL_TRY(sl_gold_take(g, below, y->n, sizeof **below));
    *side = SL_SIDE_NONE;
    *stop = 0;
    for (size_t i = 0; i < y->n; i++) {
        sl_kelly_add(&k, y->x[i]);
        (*above)[i] = k.log_e_above;
        (*below)[i] = k.log_e_below;
        if (*side == SL_SIDE_NONE && (*side = sl_kelly_side(&k, alpha)) != SL_SIDE_NONE)
            *stop = i + 1;
    }
    return SL_OK;
}

static sl_status iz_kelly(sl_gold *g)
{
    static const char *const names[] = { "undecided", "inject", "finetune" };
    double delta, alpha, *above, *below;
    sl_series y;
    sl_side side;
    size_t stop;

    SL_TRY(sl_gold_present(&y, g, sl_json_has(g->inputs, "votes") ? "votes" : "x"));
    SL_TRY(sl_gold_param(&delta, g, "delta"));
    SL_TRY(sl_gold_param(&alpha, g, "alpha"));
    SL_TRY(kelly_path(g, &y, delta, alpha, &above, &below, &side, &stop));
    SL_TRY(sl_gold_put_array(g->out, "log_E_finetune", above, y.n));
    SL_TRY(sl_gold_put_array(g->out, "log_E_inject", below, y.n));
    SL_TRY(sl_out_text(g->out, "decision", names[side]));
    return stop ? sl_out_i64(g->out, "decision_index_1based", (int64_t)stop)
                : sl_out_text(g->out, "decision_index_1based", NULL);
}

static sl_status sign_eprocess(sl_gold *g)
{
    double *above, *below;
    sl_series y;
    sl_side side;
    size_t stop;

    SL_TRY(sl_gold_present(&y, g, "x"));
    SL_TRY(kelly_path(g, &y, 0.0, 0.05, &above, &below, &side, &stop));
    SL_TRY(sl_gold_put_array(g->out, "log_E_plus", above, y.n));
    return sl_gold_put_array(g->out, "log_E_minus", below, y.n);
}

/* Log wins and losses of cases -> one number each. */
static sl_status by_case(sl_gold *g, const char *key, double (*of)(double, double, double))
{
    sl_matrix cases;
    double a, *value;

    SL_TRY(sl_gold_matrix(&cases, g, json_object_get(g->inputs, "cases")));
    SL_TRY(sl_gold_param(&a, g, "a"));
    SL_TRY(sl_gold_take(g, &value, cases.rows, sizeof *value));
    for (size_t i = 0; i < cases.rows; i++)
        value[i] = of(cases.x[2 * i], cases.x[2 * i + 1], a);
    return sl_gold_put_array(g->out, key, value, cases.rows);
}

static sl_status half_beta(sl_gold *g)
{
    return by_case(g, "log_E_plus", sl_half_beta_log_e);
}

static sl_status posterior_above_half(sl_gold *g)
{
    return by_case(g, "p_above_half", sl_posterior_above_half);
}

static sl_status mixing_weight(sl_gold *g)
{
    const sl_json *sigmoid = json_object_get(g->params, "sigmoid");
    sl_series bs, linear, smooth;
    double centre, width, *x[3];

    SL_TRY(sl_gold_series(&bs, g, "bs"));
    SL_TRY(sl_gold_params(&linear, g, "linear"));
    SL_TRY(sl_gold_params(&smooth, g, "smoothstep"));
    SL_TRY(sl_json_f64(&centre, sigmoid, "centre"));
    SL_TRY(sl_json_f64(&width, sigmoid, "width"));
    if (linear.n != 2 || smooth.n != 2)
        return SL_FAIL(SL_EFORMAT, "want two ends, found %zu and %zu", linear.n, smooth.n);
    for (size_t k = 0; k < 3; k++)
        SL_TRY(sl_gold_take(g, &x[k], bs.n, sizeof *x[k]));
    for (size_t i = 0; i < bs.n; i++) {
        x[0][i] = sl_mix_linear(bs.x[i], linear.x[0], linear.x[1]);
        x[1][i] = sl_mix_smoothstep(bs.x[i], smooth.x[0], smooth.x[1]);
        x[2][i] = sl_mix_logistic(bs.x[i], centre, width);
    }
    SL_TRY(sl_gold_put_array(g->out, "linear", x[0], bs.n));
    SL_TRY(sl_gold_put_array(g->out, "smoothstep", x[1], bs.n));
    return sl_gold_put_array(g->out, "sigmoid", x[2], bs.n);
}

static sl_status hysteresis(sl_gold *g)
{
    sl_matrix ci;
    double h, consecutive;
    const char *initial;
    size_t *index, count = 0;
    sl_hysteresis state;
    sl_json *list;

    SL_TRY(sl_gold_matrix(&ci, g, json_object_get(g->inputs, "ci")));
    SL_TRY(sl_gold_param(&h, g, "h"));
    SL_TRY(sl_gold_param(&consecutive, g, "consecutive"));
    SL_TRY(sl_json_text(&initial, g->params, "initial"));
    SL_TRY(sl_gold_take(g, &index, ci.rows, sizeof *index));
    SL_TRY(sl_out_list(&list, g->out, "state"));
    state = (sl_hysteresis){ .state = strcmp(initial, "finetune") ? SL_STAGE_INJECTION
                                                                  : SL_STAGE_FINE_TUNING,
                             .consecutive = (int)consecutive };
    for (size_t i = 0; i < ci.rows; i++) {
        if (sl_hysteresis_step(&state, sl_interval_side(ci.x[2 * i], ci.x[2 * i + 1], 0.5, h)))
            index[count++] = i;
        SL_TRY(
            sl_out_text(list, NULL, state.state == SL_STAGE_FINE_TUNING ? "finetune" : "inject"));
    }
    return sl_gold_put_indices(g->out, "switch_indices", index, count);
}

const sl_gold_row sl_gold_votes[] = {
    { "wilson", wilson },
    { "clustered_bs", clustered_bs },
    { "position_bias", position_bias },
    { "sprt", sprt },
    { "sprt_exact", sprt_exact },
    { "iz_kelly", iz_kelly },
    { "sign_eprocess", sign_eprocess },
    { "half_beta", half_beta },
    { "posterior_above_half", posterior_above_half },
    { "mixing_weight", mixing_weight },
    { "hysteresis", hysteresis },
    { NULL, NULL },
};
