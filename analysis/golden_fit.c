/* Test vectors of fitted models: Bradley-Terry and length control (docs/math.md B3, B5). */
#include "analysis/bradley_terry.h"
#include "analysis/golden_int.h"
#include "analysis/length.h"
#include "analysis/special.h"
#include <math.h>
#include <stdio.h>

static sl_status read_wins(sl_matrix *wins, sl_gold *g)
{
    SL_TRY(sl_gold_matrix(wins, g, json_object_get(g->inputs, "wins")));
    if (wins->rows != wins->cols || wins->rows < 2)
        return SL_FAIL(SL_EFORMAT, "want a square of wins, found %zu by %zu", wins->rows,
                       wins->cols);
    return SL_OK;
}

static sl_status bradley_terry(sl_gold *g)
{
    const double half = 0.5;
    sl_matrix w;
    double *theta, *share, *cov, *se, most;
    char key[32];
    size_t K;

    SL_TRY(read_wins(&w, g));
    K = w.rows;
    SL_TRY(sl_gold_take(g, &theta, K, sizeof *theta));
    SL_TRY(sl_gold_take(g, &share, K, sizeof *share));
    SL_TRY(sl_gold_take(g, &se, K, sizeof *se));
    SL_TRY(sl_gold_take(g, &cov, K * K, sizeof *cov));
    SL_TRY(sl_bradley_terry(theta, cov, w.x, K, 0.0));
    most = sl_log_sum_exp(theta, K);
    for (size_t i = 0; i < K; i++) {
        share[i] = exp(theta[i] - most);
        se[i] = sqrt(cov[i * K + i]);
    }
    snprintf(key, sizeof key, "p_0_beats_%zu", K - 1);
    SL_TRY(sl_gold_put_array(g->out, "theta", theta, K));
    SL_TRY(sl_gold_put_array(g->out, "strength_normalised_sum1", share, K));
    SL_TRY(sl_gold_put(g->out, "loglik", sl_bradley_terry_loglik(theta, w.x, K)));
    SL_TRY(sl_gold_put_array(g->out, "se_sum0_gauge", se, K));
    SL_TRY(sl_gold_put(g->out, key, sl_sigmoid(theta[0] - theta[K - 1])));
    SL_TRY(sl_gold_put(g->out, "se_diff_0_1", sqrt(cov[0] + cov[K + 1] - 2.0 * cov[1])));
    SL_TRY(sl_bradley_terry(theta, NULL, w.x, K, half));
    SL_TRY(sl_gold_put_array(g->out, "theta_ridge_0.5", theta, K));
    return sl_gold_put(g->out, "loglik_at_ridge", sl_bradley_terry_loglik(theta, w.x, K));
}

static sl_status bradley_terry_ridge(sl_gold *g)
{
    sl_matrix w;
    double lambda, *theta;
    int is_finite;

    SL_TRY(read_wins(&w, g));
    SL_TRY(sl_gold_param(&lambda, g, "lambda"));
    SL_TRY(sl_gold_take(g, &theta, w.rows, sizeof *theta));
    SL_TRY(sl_bradley_terry(theta, NULL, w.x, w.rows, lambda));
    SL_TRY(sl_bradley_terry_is_finite(&is_finite, w.x, w.rows));
    SL_TRY(sl_gold_put_array(g->out, "theta_ridge", theta, w.rows));
    return sl_out_bool(g->out, "mle_finite", is_finite);
}

typedef struct length_inputs {
    sl_series y, on, off, difficulty;
    const double *gamma; /* NULL without difficulty */
} length_inputs;

static sl_status read_lengths(length_inputs *in, sl_gold *g)
{
    in->gamma = NULL;
    SL_TRY(sl_gold_series(&in->y, g, "y"));
    SL_TRY(sl_gold_series(&in->on, g, "len_model"));
    SL_TRY(sl_gold_series(&in->off, g, "len_baseline"));
    if (in->on.n != in->y.n || in->off.n != in->y.n)
        return SL_FAIL(SL_EFORMAT, "want %zu lengths, found %zu and %zu", in->y.n, in->on.n,
                       in->off.n);
    if (!sl_json_has(g->inputs, "difficulty"))
        return SL_OK;
    SL_TRY(sl_gold_series(&in->difficulty, g, "difficulty"));
    if (in->difficulty.n != in->y.n)
        return SL_FAIL(SL_EFORMAT, "want %zu difficulties, found %zu", in->y.n, in->difficulty.n);
    in->gamma = in->difficulty.x;
    return SL_OK;
}

static sl_status length_controlled(sl_gold *g)
{
    length_inputs in;
    double ridge;
    sl_length_fit fit;

    SL_TRY(read_lengths(&in, g));
    SL_TRY(sl_gold_param(&ridge, g, "ridge_lambda"));
    SL_TRY(sl_length_controlled(&fit, in.y.x, in.on.x, in.off.x, in.gamma, in.y.n, ridge));
    SL_TRY(sl_gold_put(g->out, "std_delta_ddof1", fit.sd));
    SL_TRY(sl_gold_put(g->out, "raw_win_rate_pct", 100.0 * fit.raw));
    SL_TRY(sl_gold_put_array(g->out, "ridge_coef", fit.coef, 3));
    SL_TRY(sl_gold_put(g->out, "ridge_lc_pct", 100.0 * fit.lc));
    return sl_gold_put(g->out, "ridge_lc_se_pct", 100.0 * fit.lc_se_items);
}

static sl_status length_controlled_l1(sl_gold *g)
{
    length_inputs in;
    double C;
    sl_length_fit fit;

    SL_TRY(read_lengths(&in, g));
    SL_TRY(sl_gold_param(&C, g, "C"));
    SL_TRY(sl_length_controlled_l1(&fit, in.y.x, in.on.x, in.off.x, in.gamma, in.y.n, C));
    SL_TRY(sl_gold_put_array(g->out, "coef", fit.coef, 3));
    return sl_gold_put(g->out, "lc_pct", 100.0 * fit.lc);
}

const sl_gold_row sl_gold_fit[] = {
    { "bradley_terry", bradley_terry },
    { "bradley_terry_ridge", bradley_terry_ridge },
    { "length_controlled_winrate", length_controlled },
    { "length_controlled_winrate_l1", length_controlled_l1 },
    { NULL, NULL },
};
