/* Test vectors of crossings, change points and detector scores (docs/math.md D3, D5). */
#include "analysis/bocpd.h"
#include "analysis/changepoint.h"
#include "analysis/golden_int.h"
#include "analysis/locate.h"
#include "analysis/trajectory.h"
#include <math.h>
#include <stdio.h>

static sl_status three(sl_gold *g, sl_series s[3], const char *const keys[3])
{
    for (size_t k = 0; k < 3; k++) {
        SL_TRY(sl_gold_series(&s[k], g, keys[k]));
        if (s[k].n != s[0].n)
            return SL_FAIL(SL_EFORMAT, "want %zu values of %s, found %zu", s[0].n, keys[k], s[k].n);
    }
    return SL_OK;
}

static sl_status isotonic_crossing(sl_gold *g)
{
    static const char *const keys[3] = { "t", "bs", "weights" };
    sl_series s[3];
    double level, *fit, crossing;
    size_t index;

    SL_TRY(three(g, s, keys));
    SL_TRY(sl_gold_param(&level, g, "level"));
    SL_TRY(sl_gold_take(g, &fit, s[0].n, sizeof *fit));
    SL_TRY(sl_isotonic(fit, s[1].x, s[2].x, s[0].n));
    crossing = sl_isotonic_crossing(&index, s[0].x, fit, s[0].n, level);
    SL_TRY(sl_gold_put_array(g->out, "fitted", fit, s[0].n));
    SL_TRY(index < s[0].n ? sl_out_i64(g->out, "first_index_ge_level", (int64_t)index)
                          : sl_out_text(g->out, "first_index_ge_level", NULL));
    return sl_gold_put(g->out, "crossing_linear_interp", crossing);
}

static sl_status logistic_crossing(sl_gold *g)
{
    static const char *const keys[3] = { "t", "bs", "n" };
    sl_series s[3];
    double alpha;
    sl_logistic l;
    sl_json *cov;

    SL_TRY(three(g, s, keys));
    SL_TRY(sl_gold_param(&alpha, g, "alpha"));
    SL_TRY(sl_logistic_fit(&l, s[0].x, s[1].x, s[2].x, s[0].n, alpha));
    SL_TRY(sl_gold_put(g->out, "a", l.a));
    SL_TRY(sl_gold_put(g->out, "b", l.b));
    SL_TRY(sl_gold_put(g->out, "t_star", l.crossing));
    SL_TRY(sl_gold_put(g->out, "se_delta_t", l.crossing_se));
    SL_TRY(sl_gold_put_array(g->out, "ci_delta", (double[]){ l.delta.lower, l.delta.upper }, 2));
    SL_TRY(
        sl_gold_put_array(g->out, "ci_fieller", (double[]){ l.fieller.lower, l.fieller.upper }, 2));
    SL_TRY(sl_gold_put(g->out, "pearson_dispersion", l.dispersion));
    SL_TRY(sl_out_list(&cov, g->out, "cov"));
    SL_TRY(sl_gold_put_array(cov, NULL, l.cov[0], 2));
    return sl_gold_put_array(cov, NULL, l.cov[1], 2);
}

static sl_status segmented_regression(sl_gold *g)
{
    sl_series t, y;
    sl_segmented s;

    SL_TRY(sl_gold_series(&t, g, "t"));
    SL_TRY(sl_gold_series(&y, g, "y"));
    if (t.n != y.n)
        return SL_FAIL(SL_EFORMAT, "want %zu values, found %zu", t.n, y.n);
    SL_TRY(sl_segmented_fit(&s, t.x, y.x, t.n, 0.05));
    SL_TRY(sl_out_i64(g->out, "tau_index", (int64_t)s.tau));
    SL_TRY(sl_gold_put_array(g->out, "coef_abc", s.coef, 3));
    SL_TRY(sl_gold_put(g->out, "sse", s.sse));
    return sl_gold_put(g->out, "sse_line", s.sse_line);
}

/* --- change points ------------------------------------------------------------------------------
 */

/* "pen=0.5" or "n_bkps=2": the parameter as Python writes it. */
static void key_of(char *out, size_t size, const char *name, double value, int is_integer)
{
    char number[32];

    sl_gold_number_key(number, sizeof number, value);
    snprintf(out, size, "%s=%s%s", name, number,
             !is_integer && value == floor(value) && fabs(value) < 1e16 ? ".0" : "");
}

static sl_status put_partition(sl_json *to, const char *ends_key, const char *cost_key,
                               const sl_partition *p)
{
    SL_TRY(sl_gold_put_indices(to, ends_key, p->end, p->count));
    return cost_key ? sl_gold_put(to, cost_key, p->cost) : SL_OK;
}

/* One partition by either method into `to`; the penalised cost too where asked for. */
static sl_status put_split(sl_json *to, const sl_cost *cost, const sl_partition_settings *set,
                           int is_optimal, const char *ends_key, const char *cost_key)
{
    sl_partition p;
    sl_status st;

    SL_TRY(is_optimal ? sl_partition_optimal(&p, cost, set) : sl_partition_binary(&p, cost, set));
    st = put_partition(to, ends_key, cost_key, &p);
    if (st == SL_OK && is_optimal && cost_key)
        st = sl_gold_put(to, "pelt_penalised_cost", p.cost + set->penalty * (double)p.count);
    sl_partition_close(&p);
    return st;
}

static sl_status put_penalties(sl_gold *g, const sl_cost *cost, sl_partition_settings set)
{
    sl_series pens = { NULL, 0 };

    if (!sl_json_has(g->params, "pens"))
        return SL_OK;
    SL_TRY(sl_gold_params(&pens, g, "pens"));
    for (size_t k = 0; k < pens.n; k++) {
        char key[64];
        sl_json *row;
        const int is_integer =
            json_is_integer(json_array_get(json_object_get(g->params, "pens"), k));

        set.penalty = pens.x[k];
        key_of(key, sizeof key, "pen", pens.x[k], is_integer);
        SL_TRY(sl_out_object(&row, g->out, key));
        SL_TRY(sl_gold_put(row, "pen", pens.x[k]));
        SL_TRY(put_split(row, cost, &set, 1, "pelt_bkps", "pelt_cost"));
        SL_TRY(put_split(row, cost, &set, 0, "binseg_bkps", "binseg_cost"));
    }
    if (!pens.n)
        return SL_OK;
    set.penalty = pens.x[0];
    set.jump = 5;
    return put_split(g->out, cost, &set, 1, "pelt_jump5_pen0", NULL);
}

static sl_status put_breaks(sl_gold *g, const sl_cost *cost, sl_partition_settings set)
{
    sl_series breaks;

    if (!sl_json_has(g->params, "n_bkps"))
        return SL_OK;
    SL_TRY(sl_gold_params(&breaks, g, "n_bkps"));
    for (size_t k = 0; k < breaks.n; k++) {
        char key[64];
        sl_json *row;

        set.breaks = (size_t)breaks.x[k];
        key_of(key, sizeof key, "n_bkps", breaks.x[k], 1);
        SL_TRY(sl_out_object(&row, g->out, key));
        SL_TRY(put_split(row, cost, &set, 0, "binseg_bkps", "binseg_cost"));
    }
    return SL_OK;
}

static sl_status put_costs(sl_gold *g, const sl_cost *cost)
{
    double noise;

    SL_TRY(sl_gold_put(g->out, "whole_cost", sl_cost_of(cost, 0, cost->T)));
    if (cost->T >= 8)
        SL_TRY(sl_gold_put(g->out, "cost_0_8", sl_cost_of(cost, 0, 8)));
    if (cost->T >= 15)
        SL_TRY(sl_gold_put(g->out, "cost_5_15", sl_cost_of(cost, 5, 15)));
    SL_TRY(sl_gold_put(g->out, "gamma_median_heuristic", cost->gamma));
    if (cost->d != 1)
        return SL_OK;
    SL_TRY(sl_noise_by_differences(&noise, cost->x, cost->T));
    return sl_gold_put(g->out, "sigma_mad_diff", noise);
}

static sl_status min_size_of(sl_partition_settings *set, const sl_gold *g, int64_t fallback)
{
    int64_t min_size;

    SL_TRY(sl_json_i64_or(&min_size, g->params, "min_size", fallback));
    if (min_size < 1)
        return SL_FAIL(SL_EARG, "want \"min_size\" of 1 or more, found %lld", (long long)min_size);
    *set = (sl_partition_settings){ .min_size = (size_t)min_size, .jump = 1 };
    return SL_OK;
}

static sl_status changepoint(sl_gold *g)
{
    sl_matrix x;
    const char *model;
    sl_partition_settings set;
    sl_cost cost;
    sl_status st = SL_OK;

    SL_TRY(sl_gold_matrix(&x, g, json_object_get(g->inputs, "signal")));
    SL_TRY(sl_json_text(&model, g->params, "model"));
    SL_TRY(min_size_of(&set, g, 2));
    SL_TRY(sl_cost_open(&cost, sl_cost_find(model), x.x, x.rows, x.cols));
    SL_TRY_OUT(put_penalties(g, &cost, set));
    SL_TRY_OUT(put_breaks(g, &cost, set));
    st = put_costs(g, &cost);
out:
    sl_cost_close(&cost);
    return st;
}

/* wins and trials as rows of two. */
static sl_status read_votes(double **votes, size_t *T, sl_gold *g)
{
    sl_series wins, trials;

    SL_TRY(sl_gold_series(&wins, g, "wins"));
    SL_TRY(sl_gold_series(&trials, g, "trials"));
    if (wins.n != trials.n)
        return SL_FAIL(SL_EFORMAT, "want %zu trials, found %zu", wins.n, trials.n);
    *T = wins.n;
    SL_TRY(sl_gold_take(g, votes, 2 * *T, sizeof **votes));
    for (size_t t = 0; t < *T; t++) {
        (*votes)[2 * t] = wins.x[t];
        (*votes)[2 * t + 1] = trials.x[t];
    }
    return SL_OK;
}

static sl_status changepoint_binomial(sl_gold *g)
{
    double *votes;
    size_t T = 0;
    sl_partition_settings set;
    sl_cost cost;
    sl_partition p = { 0 };
    sl_status st = SL_OK;

    SL_TRY(read_votes(&votes, &T, g));
    SL_TRY(min_size_of(&set, g, 1));
    SL_TRY(sl_gold_param(&set.penalty, g, "pen"));
    SL_TRY(sl_cost_open(&cost, SL_COST_BINOMIAL, votes, T, 2));
    SL_TRY_OUT(sl_partition_optimal(&p, &cost, &set));
    SL_TRY_OUT(put_partition(g->out, "bkps", NULL, &p));
    st = sl_gold_put(g->out, "penalised_cost", p.cost + set.penalty * (double)p.count);
out:
    sl_partition_close(&p);
    sl_cost_close(&cost);
    return st;
}

/* --- run lengths --------------------------------------------------------------------------------
 */

typedef struct run_columns {
    size_t *map;
    double *p_map, *p_zero, *p_up_to_3, *expected;
} run_columns;

static sl_status put_runs(sl_gold *g, sl_bocpd *b, const double *x, const double *n, size_t T)
{
    run_columns c;

    SL_TRY(sl_gold_take(g, &c.map, T, sizeof *c.map));
    SL_TRY(sl_gold_take(g, &c.p_map, T, sizeof *c.p_map));
    SL_TRY(sl_gold_take(g, &c.p_zero, T, sizeof *c.p_zero));
    SL_TRY(sl_gold_take(g, &c.p_up_to_3, T, sizeof *c.p_up_to_3));
    SL_TRY(sl_gold_take(g, &c.expected, T, sizeof *c.expected));
    for (size_t t = 0; t < T; t++) {
        SL_TRY(sl_bocpd_add(b, x[t], n ? n[t] : 1.0));
        c.map[t] = b->now.map_run;
        c.p_map[t] = b->now.p_map;
        c.p_zero[t] = b->now.p_zero;
        c.p_up_to_3[t] = b->now.p_up_to_3;
        c.expected[t] = b->now.expected_run;
    }
    SL_TRY(sl_gold_put_indices(g->out, "run_length_argmax_after_t", c.map, T));
    SL_TRY(sl_gold_put_array(g->out, "p_r0_after_t", c.p_zero, T));
    SL_TRY(sl_gold_put_array(g->out, "p_run_le_3_after_t", c.p_up_to_3, T));
    SL_TRY(sl_gold_put_array(g->out, "map_prob_after_t", c.p_map, T));
    return sl_gold_put_array(g->out, "expected_run_length", c.expected, T);
}

static sl_status run_lengths(sl_gold *g, sl_bocpd_model model, const double *x, const double *n,
                             size_t T)
{
    sl_bocpd b;
    double hazard;
    sl_status st;

    SL_TRY(sl_gold_param(&hazard, g, "hazard"));
    SL_TRY(sl_bocpd_open(&b, model, hazard, 0.0));
    st = put_runs(g, &b, x, n, T);
    sl_bocpd_close(&b);
    return st;
}

static sl_status bocpd_gaussian(sl_gold *g)
{
    sl_series x;
    double mu, kappa, alpha, beta;

    SL_TRY(sl_gold_series(&x, g, "x"));
    SL_TRY(sl_gold_param(&mu, g, "mu0"));
    SL_TRY(sl_gold_param(&kappa, g, "kappa0"));
    SL_TRY(sl_gold_param(&alpha, g, "alpha0"));
    SL_TRY(sl_gold_param(&beta, g, "beta0"));
    return run_lengths(g, sl_bocpd_gaussian(mu, kappa, alpha, beta), x.x, NULL, x.n);
}

static sl_status bocpd_beta_binomial(sl_gold *g)
{
    sl_series wins, trials;
    double a, b;

    SL_TRY(sl_gold_series(&wins, g, "wins"));
    SL_TRY(sl_gold_series(&trials, g, "trials"));
    SL_TRY(sl_gold_param(&a, g, "a0"));
    SL_TRY(sl_gold_param(&b, g, "b0"));
    if (wins.n != trials.n)
        return SL_FAIL(SL_EFORMAT, "want %zu trials, found %zu", wins.n, trials.n);
    return run_lengths(g, sl_bocpd_binomial(a, b), wins.x, trials.x, wins.n);
}

/* --- scores -------------------------------------------------------------------------------------
 */

static sl_status indices(size_t **out, size_t *count, sl_gold *g, const char *key)
{
    sl_series s;

    SL_TRY(sl_gold_series(&s, g, key));
    if (!s.n)
        return SL_FAIL(SL_EFORMAT, "want \"%s\" with the end of the series, found none", key);
    SL_TRY(sl_gold_take(g, out, s.n, sizeof **out));
    for (size_t i = 0; i < s.n; i++)
        (*out)[i] = (size_t)s.x[i];
    *count = s.n;
    return SL_OK;
}

static sl_status changepoint_scores(sl_gold *g)
{
    size_t *truth, *found, truths = 0, finds = 0;
    double margin;
    sl_partition_score s;

    SL_TRY(indices(&truth, &truths, g, "true_bkps"));
    SL_TRY(indices(&found, &finds, g, "pred_bkps"));
    SL_TRY(sl_gold_param(&margin, g, "margin"));
    s = sl_partition_compare(truth, truths, found, finds, margin);
    SL_TRY(sl_gold_put(g->out, "hausdorff", s.hausdorff));
    SL_TRY(sl_gold_put_array(g->out, "precision_recall", (double[]){ s.precision, s.recall }, 2));
    return sl_gold_put(g->out, "rand_index", s.rand);
}

/* "true_boundary": a number, "inf", "-inf". */
static sl_status boundary_of(double *out, sl_gold *g)
{
    sl_json *list = json_array();
    sl_series s = { NULL, 0 };
    sl_status st;

    if (!list || json_array_append(list, json_object_get(g->params, "true_boundary"))) {
        json_decref(list);
        return SL_FAIL(SL_EFORMAT, "want params \"true_boundary\", found none");
    }
    st = sl_gold_numbers(&s, g, list);
    json_decref(list);
    SL_TRY(st);
    *out = s.x[0];
    return SL_OK;
}

static sl_status put_trajectory(sl_gold *g, const sl_trajectory *run)
{
    double *regret;
    sl_trajectory_score s;

    SL_TRY(sl_gold_take(g, &regret, run->T, sizeof *regret));
    s = sl_trajectory_score_of(regret, run);
    SL_TRY(sl_gold_put(g->out, "t_hat", s.found));
    SL_TRY(sl_gold_put(g->out, "signed_error", s.signed_error));
    SL_TRY(sl_gold_put(g->out, "abs_error_in_eval_steps", s.error_evals));
    SL_TRY(sl_gold_put(g->out, "detection_delay", s.delay));
    SL_TRY(sl_out_i64(g->out, "switch_count", (int64_t)s.switches));
    SL_TRY(sl_out_i64(g->out, "false_switches", s.false_switches));
    SL_TRY(sl_out_i64(g->out, "false_alarm_evals_before_boundary", (int64_t)s.false_alarms));
    SL_TRY(sl_gold_put(g->out, "accuracy", s.accuracy));
    SL_TRY(sl_gold_put(g->out, "cumulative_regret_per_eval", s.regret));
    return sl_gold_put_array(g->out, "regret_per_eval", regret, run->T);
}

static sl_status trajectory_scoring(sl_gold *g)
{
    static const char *const keys[5] = { "t", "true_state", "pred_state", "utility_inject",
                                         "utility_finetune" };
    sl_series s[5];
    sl_trajectory run;

    for (size_t k = 0; k < 5; k++) {
        SL_TRY(sl_gold_series(&s[k], g, keys[k]));
        if (s[k].n != s[0].n)
            return SL_FAIL(SL_EFORMAT, "want %zu values of %s, found %zu", s[0].n, keys[k], s[k].n);
    }
    run = (sl_trajectory){ .t = s[0].x,
                           .truth = s[1].x,
                           .found = s[2].x,
                           .utility_inj = s[3].x,
                           .utility_ft = s[4].x,
                           .T = s[0].n };
    SL_TRY(boundary_of(&run.boundary, g));
    return put_trajectory(g, &run);
}

const sl_gold_row sl_gold_series_rows[] = {
    { "isotonic_crossing", isotonic_crossing },       { "logistic_crossing", logistic_crossing },
    { "segmented_regression", segmented_regression }, { "changepoint", changepoint },
    { "changepoint_binomial", changepoint_binomial }, { "bocpd_gaussian", bocpd_gaussian },
    { "bocpd_beta_binomial", bocpd_beta_binomial },   { "changepoint_scores", changepoint_scores },
    { "trajectory_scoring", trajectory_scoring },     { NULL, NULL },
};
