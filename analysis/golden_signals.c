/* Test vectors of quality and training signals (docs/math.md A9, A10, B, C). */
#include "analysis/golden_int.h"
#include "analysis/metric.h"
#include "base/rng.h"
#include <math.h>
#include <stdio.h>

static sl_status win_rate(sl_gold *g)
{
    sl_series s;
    sl_win_rate w;

    SL_TRY(sl_gold_series(&s, g, "scores"));
    w = sl_win_rate_of(s.x, s.n);
    SL_TRY(sl_gold_put(g->out, "win_rate", w.rate.value));
    SL_TRY(sl_gold_put(g->out, "se", w.rate.se));
    SL_TRY(sl_gold_put(g->out, "win_rate_no_ties", w.no_ties));
    SL_TRY(sl_gold_put(g->out, "net_win", w.net));
    SL_TRY(sl_gold_put(g->out, "discrete_win_rate", w.discrete));
    SL_TRY(sl_out_i64(g->out, "n_used", (int64_t)w.rate.used));
    return sl_out_i64(g->out, "n_dropped", (int64_t)w.rate.dropped);
}

enum { DPO_COLUMNS = 6 };

static sl_status dpo_series(sl_gold *g, sl_dpo_pair **pairs, size_t *P)
{
    static const char *const keys[4] = { "policy_chosen", "policy_rejected", "ref_chosen",
                                         "ref_rejected" };
    sl_series s[4];

    for (size_t k = 0; k < 4; k++) {
        SL_TRY(sl_gold_series(&s[k], g, keys[k]));
        if (s[k].n != s[0].n)
            return SL_FAIL(SL_EFORMAT, "want %zu values of %s, found %zu", s[0].n, keys[k], s[k].n);
    }
    *P = s[0].n;
    SL_TRY(sl_gold_take(g, pairs, *P, sizeof **pairs));
    for (size_t i = 0; i < *P; i++)
        (*pairs)[i] = (sl_dpo_pair){ s[0].x[i], s[1].x[i], s[2].x[i], s[3].x[i] };
    return SL_OK;
}

static sl_status dpo_signals(sl_gold *g)
{
    static const char *const keys[DPO_COLUMNS] = { "chosen_log_ratio", "rejected_log_ratio",
                                                   "reward_chosen",    "reward_rejected",
                                                   "margin",           "loss_per_pair" };
    sl_dpo_pair *pairs;
    double beta, *column[DPO_COLUMNS];
    size_t P = 0;

    SL_TRY(sl_gold_param(&beta, g, "beta"));
    SL_TRY(dpo_series(g, &pairs, &P));
    for (size_t k = 0; k < DPO_COLUMNS; k++)
        SL_TRY(sl_gold_take(g, &column[k], P, sizeof *column[k]));
    for (size_t i = 0; i < P; i++) {
        const sl_dpo_signal s = sl_dpo_signal_of(&pairs[i], beta);
        const double value[DPO_COLUMNS] = { s.ratio_chosen,    s.ratio_rejected, s.reward_chosen,
                                            s.reward_rejected, s.margin,         s.loss };

        for (size_t k = 0; k < DPO_COLUMNS; k++)
            column[k][i] = value[k];
    }
    for (size_t k = 0; k < DPO_COLUMNS; k++)
        SL_TRY(sl_gold_put_array(g->out, keys[k], column[k], P));
    SL_TRY(sl_gold_put(g->out, "margin_mean", sl_mean_of(column[4], P).value));
    SL_TRY(sl_gold_put(g->out, "accuracy_strict", sl_margin_accuracy(column[4], P, 0.0)));
    SL_TRY(sl_gold_put(g->out, "accuracy_ties_half", sl_margin_accuracy(column[4], P, 0.5)));
    return sl_gold_put(g->out, "loss_mean", sl_mean_of(column[5], P).value);
}

static sl_status margin_calibration(sl_gold *g)
{
    sl_series m, y;
    double bins;
    sl_calibration c;

    SL_TRY(sl_gold_series(&m, g, "margin"));
    SL_TRY(sl_gold_series(&y, g, "label_first_preferred"));
    SL_TRY(sl_gold_param(&bins, g, "n_bins"));
    if (m.n != y.n || bins < 1.0)
        return SL_FAIL(SL_EFORMAT, "want a label per margin and a bin, found %zu, %zu, %g", m.n,
                       y.n, bins);
    SL_TRY(sl_calibration_of(&c, m.x, y.x, m.n, (size_t)bins));
    SL_TRY(sl_gold_put(g->out, "brier", c.brier));
    SL_TRY(sl_gold_put(g->out, "nll", c.nll));
    SL_TRY(sl_gold_put(g->out, "ece_confidence", c.ece));
    SL_TRY(sl_gold_put(g->out, "temperature_slope_a", c.slope));
    return sl_gold_put(g->out, "accuracy", c.accuracy);
}

static sl_status best_of_n(sl_gold *g)
{
    sl_series s, n;
    sl_json *best, *kl;

    SL_TRY(sl_gold_present(&s, g, "scores"));
    SL_TRY(sl_gold_params(&n, g, "n"));
    SL_TRY(sl_out_object(&best, g->out, "expected_max"));
    SL_TRY(sl_out_object(&kl, g->out, "kl_upper_nats"));
    sl_sort_f64(s.x, s.n);
    for (size_t k = 0; k < n.n; k++) {
        char key[32];

        sl_gold_number_key(key, sizeof key, n.x[k]);
        SL_TRY(sl_gold_put(best, key, sl_best_of(s.x, s.n, (size_t)n.x[k])));
        SL_TRY(sl_gold_put(kl, key, log(n.x[k]) - (n.x[k] - 1.0) / n.x[k]));
    }
    return SL_OK;
}

static sl_status kl_estimators(sl_gold *g)
{
    sl_series d;
    double *per_sample;
    sl_kl kl;

    SL_TRY(sl_gold_series(&d, g, "logp_policy_minus_logp_ref"));
    SL_TRY(sl_gold_take(g, &per_sample, d.n, sizeof *per_sample));
    sl_kl_of(&kl, per_sample, d.x, d.n);
    SL_TRY(sl_gold_put(g->out, "k1", kl.k1));
    SL_TRY(sl_gold_put(g->out, "k2", kl.k2));
    SL_TRY(sl_gold_put(g->out, "k3", kl.k3));
    SL_TRY(sl_gold_put(g->out, "k1_se", kl.k1_se));
    SL_TRY(sl_gold_put_array(g->out, "k3_per_sample", per_sample, d.n));
    return sl_out_i64(g->out, "n_clipped", (int64_t)kl.clipped);
}

static sl_status grad_norms(sl_gold *g)
{
    const sl_json *layers = json_object_get(g->inputs, "layers");
    const size_t L = json_array_size(layers);
    double *norm, global;

    SL_TRY(sl_gold_take(g, &norm, L, sizeof *norm));
    for (size_t l = 0; l < L; l++) {
        sl_series x;

        SL_TRY(sl_gold_numbers(&x, g, json_array_get(layers, l)));
        norm[l] = sl_vector_norm(x.x, x.n);
    }
    global = sl_vector_norm(norm, L);
    SL_TRY(sl_gold_put_array(g->out, "per_layer_l2", norm, L));
    SL_TRY(sl_gold_put(g->out, "global_l2", global));
    return sl_gold_put(g->out, "clip_coef_max1", sl_clip_factor(global, 1.0));
}

static sl_status gradient_noise_scale(sl_gold *g)
{
    sl_matrix shard;
    double b, B, small = 0.0, big, *mean;
    sl_noise_scale s;

    SL_TRY(sl_gold_matrix(&shard, g, json_object_get(g->inputs, "small_batch_grads")));
    SL_TRY(sl_gold_param(&b, g, "B_small"));
    SL_TRY(sl_gold_param(&B, g, "B_big"));
    SL_TRY(sl_gold_take(g, &mean, shard.cols, sizeof *mean));
    for (size_t r = 0; r < shard.rows; r++) {
        const double norm = sl_vector_norm(shard.x + r * shard.cols, shard.cols);

        small += norm * norm / (double)shard.rows;
        for (size_t c = 0; c < shard.cols; c++)
            mean[c] += shard.x[r * shard.cols + c] / (double)shard.rows;
    }
    big = sl_vector_norm(mean, shard.cols);
    s = sl_noise_scale_of(small, big * big, b, B);
    SL_TRY(sl_gold_put(g->out, "mean_sq_norm_small", small));
    SL_TRY(sl_gold_put(g->out, "sq_norm_big", big * big));
    SL_TRY(sl_gold_put(g->out, "G2", s.squared_gradient));
    SL_TRY(sl_gold_put(g->out, "S", s.noise));
    return sl_gold_put(g->out, "B_simple", s.simple);
}

static sl_status gradient_geometry(sl_gold *g)
{
    sl_matrix x;
    double *successive;
    sl_gradient_geometry s;

    SL_TRY(sl_gold_matrix(&x, g, json_object_get(g->inputs, "per_example_grads")));
    SL_TRY(sl_gold_take(g, &successive, x.rows, sizeof *successive));
    SL_TRY(sl_gradient_geometry_of(&s, successive, x.x, x.rows, x.cols));
    SL_TRY(sl_gold_put_array(g->out, "successive_cosines", successive, x.rows - 1));
    SL_TRY(sl_gold_put(g->out, "gradient_diversity", s.diversity));
    SL_TRY(sl_gold_put(g->out, "batch_size_bound_n_delta", s.batch_bound));
    SL_TRY(sl_gold_put(g->out, "mean_pairwise_cosine", s.mean_cosine));
    SL_TRY(sl_gold_put(g->out, "mean_resultant_length_unit", s.resultant));
    return sl_gold_put(g->out, "snr", s.snr);
}

/* --- sketches -----------------------------------------------------------------------------------
 */

static sl_status put_hash(sl_json *to, uint64_t of)
{
    char key[48], value[24];

    snprintf(key, sizeof key, "splitmix64(%llu)_hex", (unsigned long long)of);
    snprintf(value, sizeof value, "%016llx", (unsigned long long)sl_splitmix64(of));
    return sl_out_text(to, key, value);
}

static sl_status put_sketch(sl_gold *g, const sl_series *x, const sl_series *y, size_t m,
                            uint64_t seed, const char *const *keys,
                            void (*sketch)(double *, const double *, size_t, size_t, uint64_t))
{
    double *sx, *sy;

    SL_TRY(sl_gold_take(g, &sx, m, sizeof *sx));
    SL_TRY(sl_gold_take(g, &sy, m, sizeof *sy));
    sketch(sx, x->x, x->n, m, seed);
    sketch(sy, y->x, y->n, m, seed);
    SL_TRY(sl_gold_put_array(g->out, keys[0], sx, m));
    SL_TRY(sl_gold_put_array(g->out, keys[1], sy, m));
    return sl_gold_put(g->out, keys[2], sl_dot(sx, sy, m));
}

static sl_status sketches(sl_gold *g)
{
    static const char *const count_keys[] = { "countsketch_x", "countsketch_y", "countsketch_dot" };
    static const char *const sign_keys[] = { "jl_x", "jl_y", "jl_dot" };
    sl_series x, y;
    int64_t m, seed;
    sl_json *buckets, *signs;

    SL_TRY(sl_gold_series(&x, g, "x"));
    SL_TRY(sl_gold_series(&y, g, "y"));
    SL_TRY(sl_json_i64(&m, g->params, "m"));
    SL_TRY(sl_json_i64(&seed, g->params, "seed"));
    if (m < 1 || m > (1 << 24) || x.n != y.n)
        return SL_FAIL(SL_EFORMAT, "want two equal lengths and m in 1..2^24, found m %lld",
                       (long long)m);
    SL_TRY(put_hash(g->out, 0));
    SL_TRY(put_hash(g->out, (uint64_t)seed));
    SL_TRY(sl_out_list(&buckets, g->out, "buckets"));
    SL_TRY(sl_out_list(&signs, g->out, "signs"));
    for (size_t i = 0; i < x.n; i++) {
        SL_TRY(sl_out_i64(buckets, NULL, sl_sketch_bucket((uint64_t)seed, i, (uint64_t)m)));
        SL_TRY(sl_out_i64(signs, NULL, sl_sketch_sign((uint64_t)seed + i)));
    }
    SL_TRY(put_sketch(g, &x, &y, (size_t)m, (uint64_t)seed, count_keys, sl_count_sketch));
    SL_TRY(put_sketch(g, &x, &y, (size_t)m, (uint64_t)seed, sign_keys, sl_sign_projection));
    return sl_gold_put(g->out, "true_dot", sl_dot(x.x, y.x, x.n));
}

/* --- logits -------------------------------------------------------------------------------------
 */

enum { LOGIT_COLUMNS = 11 };

static sl_status logit_signals(sl_gold *g)
{
    static const char *const keys[LOGIT_COLUMNS] = { "entropy",
                                                     "normalised_entropy",
                                                     "varentropy",
                                                     "topk_mass",
                                                     "prob_margin_top1_top2",
                                                     "logit_margin_top1_top2",
                                                     "kl_p_q",
                                                     "kl_q_p",
                                                     "js",
                                                     "sqrt_js",
                                                     "tv" };
    sl_matrix p, q;
    double k, *law, *column[LOGIT_COLUMNS];

    SL_TRY(sl_gold_matrix(&p, g, json_object_get(g->inputs, "logits_p")));
    SL_TRY(sl_gold_matrix(&q, g, json_object_get(g->inputs, "logits_q")));
    SL_TRY(sl_gold_param(&k, g, "k"));
    if (p.rows != q.rows || p.cols != q.cols || k < 0.0 || k > (double)p.cols)
        return SL_FAIL(SL_EFORMAT, "want logits of one shape and k within, found k %g", k);
    SL_TRY(sl_gold_take(g, &law, p.cols, sizeof *law));
    for (size_t c = 0; c < LOGIT_COLUMNS; c++)
        SL_TRY(sl_gold_take(g, &column[c], p.rows, sizeof *column[c]));
    for (size_t r = 0; r < p.rows; r++) {
        sl_logit_signals s;
        sl_logit_distance d;

        sl_logit_signals_of(&s, law, p.x + r * p.cols, p.cols, (size_t)k);
        sl_logit_distance_of(&d, p.x + r * p.cols, q.x + r * p.cols, p.cols);
        {
            const double value[LOGIT_COLUMNS] = { s.entropy,   s.normalised, s.varentropy,
                                                  s.topk_mass, s.prob_gap,   s.logit_gap,
                                                  d.kl_pq,     d.kl_qp,      d.js,
                                                  d.root_js,   d.tv };

            for (size_t c = 0; c < LOGIT_COLUMNS; c++)
                column[c][r] = value[c];
        }
    }
    for (size_t c = 0; c < LOGIT_COLUMNS; c++)
        SL_TRY(sl_gold_put_array(g->out, keys[c], column[c], p.rows));
    return SL_OK;
}

static sl_status logprob_diversity(sl_gold *g)
{
    sl_series l, length, id;
    uint64_t *text;
    size_t kept = 0;
    sl_logp_diversity d;

    SL_TRY(sl_gold_series(&l, g, "seq_logprob"));
    SL_TRY(sl_gold_series(&length, g, "lengths"));
    SL_TRY(sl_gold_series(&id, g, "candidate_id"));
    if (l.n != length.n || l.n != id.n)
        return SL_FAIL(SL_EFORMAT, "want three equal lengths, found %zu, %zu, %zu", l.n, length.n,
                       id.n);
    SL_TRY(sl_gold_take(g, &text, l.n, sizeof *text));
    for (size_t i = 0; i < l.n; i++) {
        if (!isfinite(l.x[i]))
            continue;
        l.x[kept] = l.x[i];
        length.x[kept] = length.x[i];
        text[kept++] = (uint64_t)id.x[i];
    }
    SL_TRY(sl_logp_diversity_of(&d, l.x, length.x, text, kept));
    SL_TRY(sl_gold_put(g->out, "mc_entropy_nats", d.entropy));
    SL_TRY(sl_gold_put(g->out, "mc_entropy_per_token_ratio", d.entropy_per_token));
    SL_TRY(sl_gold_put(g->out, "mc_entropy_mean_of_per_token", d.entropy_mean_per_token));
    SL_TRY(sl_gold_put(g->out, "hill_q1_on_distinct", d.hill_1));
    SL_TRY(sl_gold_put(g->out, "hill_q2_on_distinct", d.hill_2));
    SL_TRY(sl_gold_put(g->out, "mean_abs_gap_seq", d.gap));
    SL_TRY(sl_gold_put(g->out, "mean_abs_gap_per_token", d.gap_per_token));
    SL_TRY(sl_gold_put(g->out, "log_seen_mass_distinct", d.log_seen_mass));
    return sl_gold_put(g->out, "collision_fraction", d.collisions);
}

const sl_gold_row sl_gold_signals[] = {
    { "win_rate", win_rate },
    { "dpo_signals", dpo_signals },
    { "margin_calibration", margin_calibration },
    { "best_of_n", best_of_n },
    { "kl_estimators", kl_estimators },
    { "grad_norms", grad_norms },
    { "gradient_noise_scale", gradient_noise_scale },
    { "gradient_geometry", gradient_geometry },
    { "sketches", sketches },
    { "logit_signals", logit_signals },
    { "logprob_diversity", logprob_diversity },
    { NULL, NULL },
};
