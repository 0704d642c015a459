/* Test vectors of vectors and of score laws (docs/math.md A6 to A8, E). */
#include "analysis/distance.h"
#include "analysis/golden_int.h"
#include "analysis/vectors.h"
#include <math.h>

static sl_status spectrum(double **eigen, size_t *count, sl_gold *g, const sl_matrix *x,
                          const double *p)
{
    SL_TRY(sl_gold_take(g, eigen, x->rows < x->cols ? x->rows : x->cols, sizeof **eigen));
    return sl_vendi_spectrum(*eigen, count, x->x, p, x->rows, x->cols);
}

static sl_status vendi(sl_gold *g)
{
    sl_matrix x;
    sl_series q, p = { NULL, 0 };
    double *eigen;
    size_t count;
    sl_json *scores;

    SL_TRY(sl_gold_matrix(&x, g, json_object_get(g->inputs, "X")));
    SL_TRY(sl_gold_params(&q, g, "q"));
    if (sl_json_has(g->inputs, "p"))
        SL_TRY(sl_gold_series(&p, g, "p"));
    if (p.x && p.n != x.rows)
        return SL_FAIL(SL_EFORMAT, "want %zu weights, found %zu", x.rows, p.n);
    SL_TRY(spectrum(&eigen, &count, g, &x, p.x));
    SL_TRY(sl_out_object(&scores, g->out, "vendi"));
    for (size_t k = 0; k < q.n; k++) {
        char key[32];

        sl_gold_number_key(key, sizeof key, q.x[k]);
        SL_TRY(sl_gold_put(scores, key, sl_vendi_score(eigen, count, q.x[k])));
    }
    return sl_gold_put_array(g->out, "eigenvalues_desc", eigen, count);
}

static sl_status vendi_cases(sl_gold *g)
{
    const char *key;
    json_t *rows;
    double q;

    SL_TRY(sl_gold_param(&q, g, "q"));
    json_object_foreach((json_t *)g->inputs, key, rows)
    {
        sl_matrix x;
        double *eigen;
        size_t count;

        SL_TRY(sl_gold_matrix(&x, g, rows));
        SL_TRY(spectrum(&eigen, &count, g, &x, NULL));
        SL_TRY(sl_gold_put(g->out, key, sl_vendi_score(eigen, count, q)));
    }
    return SL_OK;
}

static sl_status pairwise_cosine(sl_gold *g)
{
    sl_matrix x;
    sl_pairwise p;

    SL_TRY(sl_gold_matrix(&x, g, json_object_get(g->inputs, "X")));
    SL_TRY(sl_pairwise_cosine(&p, x.x, x.rows, x.cols));
    SL_TRY(sl_gold_put(g->out, "mean_pairwise_cosine_distance", p.direct_mean));
    SL_TRY(sl_gold_put(g->out, "identity_check", p.mean));
    SL_TRY(sl_gold_put(g->out, "min", p.least));
    SL_TRY(sl_gold_put(g->out, "max", p.most));
    SL_TRY(sl_gold_put(g->out, "mean_nearest_neighbour_distance", p.mean_nearest));
    return sl_gold_put(g->out, "intdiv_q1", p.internal);
}

static sl_status effective_rank(sl_gold *g)
{
    sl_matrix x;
    sl_effective_rank r, centered;

    SL_TRY(sl_gold_matrix(&x, g, json_object_get(g->inputs, "X")));
    SL_TRY(sl_effective_rank_of(&r, x.x, x.rows, x.cols, 0));
    SL_TRY(sl_effective_rank_of(&centered, x.x, x.rows, x.cols, 1));
    SL_TRY(sl_gold_put(g->out, "roy_vetterli", r.roy_vetterli));
    SL_TRY(sl_gold_put(g->out, "entropy_of_squared", r.of_squares));
    SL_TRY(sl_gold_put(g->out, "participation_ratio", r.participation));
    SL_TRY(sl_gold_put(g->out, "stable_rank", r.stable));
    return sl_gold_put(g->out, "centered_roy_vetterli", centered.roy_vetterli);
}

static sl_status score_only_distances(sl_gold *g)
{
    sl_series on, off;
    double beta;
    sl_score_distance d;
    sl_tilt tilt;

    SL_TRY(sl_gold_present(&on, g, "scores_on_policy"));
    SL_TRY(sl_gold_present(&off, g, "scores_off_policy"));
    SL_TRY(sl_gold_param(&beta, g, "beta"));
    SL_TRY(sl_score_distance_of(&d, on.x, on.n, off.x, off.n));
    tilt = sl_tilt_of(off.x, off.n, beta);
    SL_TRY(sl_gold_put(g->out, "bs_hard_auc", d.auc));
    SL_TRY(sl_gold_put(g->out, "bs_soft", d.soft));
    SL_TRY(sl_gold_put(g->out, "delong_se", d.auc_se));
    SL_TRY(sl_gold_put(g->out, "cross_entropy_gap_off_minus_on", d.gap));
    SL_TRY(sl_gold_put(g->out, "gap_se", d.gap_se));
    SL_TRY(sl_gold_put(g->out, "ks", d.ks));
    SL_TRY(sl_gold_put(g->out, "wasserstein1", d.wasserstein));
    SL_TRY(sl_gold_put(g->out, "energy_distance_sq", d.energy));
    SL_TRY(sl_gold_put(g->out, "tv_lower_bound_from_auc", d.tv_bound));
    SL_TRY(sl_gold_put(g->out, "cliffs_delta", d.cliff));
    SL_TRY(sl_gold_put(g->out, "tilt_log_z", tilt.log_z));
    SL_TRY(sl_gold_put(g->out, "kl_off_to_tilted", tilt.kl_off_tilted));
    SL_TRY(sl_gold_put(g->out, "kl_tilted_to_off", tilt.kl_tilted_off));
    return sl_gold_put(g->out, "tilt_ess", tilt.ess);
}

const sl_gold_row sl_gold_vectors[] = {
    { "vendi", vendi },
    { "vendi_cases", vendi_cases },
    { "pairwise_cosine", pairwise_cosine },
    { "effective_rank", effective_rank },
    { "score_only_distances", score_only_distances },
    { NULL, NULL },
};
