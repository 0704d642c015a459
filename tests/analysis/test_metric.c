/* Properties of metrics: order and copies of texts, ranges, edges, identities. */
#include "analysis/answers.h"
#include "analysis/bradley_terry.h"
#include "analysis/distance.h"
#include "analysis/length.h"
#include "analysis/length_line.h"
#include "analysis/metric.h"
#include "analysis/vectors.h"
#include "harness/harness.h"
#include <lapacke.h>
#include <string.h>

enum { ROWS = 9, COLS = 5 };

static const char *const answers[4] = { "the cat sat on the mat", "a dog ran over the mat",
                                        "cats and dogs", "the cat sat" };

static void fill(sl_texts *t, const size_t *order, size_t n)
{
    sl_texts_clear(t);
    for (size_t i = 0; i < n; i++)
        T_OK(sl_texts_add_words(t, answers[order[i]], strlen(answers[order[i]])));
}

/* All metrics of texts; those that need more are NaN. */
static double *values_of(const sl_texts *t)
{
    static double value[SL_METRIC_COUNT];
    static sl_answers_work *work;
    const sl_answers_settings how = { .vocabulary = 30000.0, .level = SL_LEVEL_PROMPT };
    uint64_t id[8];
    sl_answers a = { .n = t->count, .texts = t, .id = id };
    unsigned known;

    for (size_t i = 0; i < t->count; i++)
        id[i] = sl_word_hash((const char *)(t->token + t->first[i]),
                             (t->first[i + 1] - t->first[i]) * sizeof *t->token);
    if (!work)
        T_OK(sl_answers_work_open(&work));
    T_OK(sl_answers_measure(value, &known, &a, &how, work));
    if (t->count)
        assert_int_equal(known, SL_NEEDS_TEXT | SL_NEEDS_VOCABULARY);
    if (!t->count) /* the last call of a test */
        sl_answers_work_close(&work);
    return value;
}

static double value_of(sl_metric_id m, const sl_texts *t)
{
    return values_of(t)[m];
}

/* Gives the memory of values_of back. */
static void values_close(void)
{
    const sl_texts none = { 0 };

    (void)values_of(&none);
}

static void test_order_of_candidates_does_not_matter(void **state)
{
    const size_t straight[4] = { 0, 1, 2, 3 }, mixed[4] = { 2, 0, 3, 1 };
    sl_texts a = { 0 }, b = { 0 };

    (void)state;
    fill(&a, straight, 4);
    fill(&b, mixed, 4);
    for (size_t i = 0; i < SL_METRIC_COUNT; i++) {
        const double value = value_of((sl_metric_id)i, &a);

        T_CLOSE(value, value_of((sl_metric_id)i, &b), TOL_F64);
        assert_true(isnan(value) ||
                    (value >= sl_metrics[i].lowest && value <= sl_metrics[i].highest));
    }
    values_close();
    sl_texts_close(&a);
    sl_texts_close(&b);
}

static void test_copies_halve_distinct(void **state)
{
    const size_t once[3] = { 0, 1, 2 }, twice[6] = { 0, 1, 2, 0, 1, 2 };
    const sl_metric_id distinct = SL_METRIC_DISTINCT_2;
    sl_texts a = { 0 }, b = { 0 };

    (void)state;
    fill(&a, once, 3);
    fill(&b, twice, 6);
    T_CLOSE(value_of(distinct, &b), 0.5 * value_of(distinct, &a), TOL_F64);
    values_close();
    sl_texts_close(&a);
    sl_texts_close(&b);
}

static void test_edges_of_text_metrics(void **state)
{
    const size_t same[3] = { 0, 0, 0 };
    const sl_metric_id bleu = SL_METRIC_SELF_BLEU_4, distinct = SL_METRIC_DISTINCT_1;
    sl_texts t = { 0 };

    (void)state;
    assert_true(isnan(value_of(bleu, &t)) && isnan(value_of(distinct, &t)));
    fill(&t, same, 3);
    T_CLOSE(value_of(bleu, &t), 1.0, TOL_F64);
    fill(&t, same, 1);
    assert_true(isnan(value_of(bleu, &t))); /* one text has no others */
    T_OK(sl_texts_add_words(&t, "  \n", 3));
    T_CLOSE(value_of(bleu, &t), 0.0,
            TOL_EXACT); /* an empty hypothesis scores 0, as does the other */
    sl_texts_close(&t);
    values_close();
    assert_null(sl_metric_find("no such"));
    assert_ptr_equal(sl_metric_find("vendi"), &sl_metrics[SL_METRIC_VENDI_1]);
}

static void test_ids_and_words_count_alike(void **state)
{
    const int32_t ids[2][4] = { { 5, 7, 5, 9 }, { 7, 5, 9, 9 } };
    sl_texts a = { 0 }, b = { 0 };

    (void)state;
    T_OK(sl_texts_add_words(&a, "x y x z", 7));
    T_OK(sl_texts_add_words(&a, "y x z z", 7));
    for (size_t i = 0; i < 2; i++)
        T_OK(sl_texts_add_ids(&b, ids[i], 4));
    for (size_t i = 0; i < SL_METRIC_COUNT; i++)
        T_CLOSE(value_of((sl_metric_id)i, &a), value_of((sl_metric_id)i, &b), TOL_F64);
    values_close();
    sl_texts_close(&a);
    sl_texts_close(&b);
}

static void test_phrases_of_simple_texts(void **state)
{
    size_t phrases;

    (void)state;
    T_OK(sl_lz78_phrases(&phrases, "aaaaaa", 6)); /* a aa aaa */
    assert_int_equal(phrases, 3);
    T_OK(sl_lz78_phrases(&phrases, "", 0));
    assert_int_equal(phrases, 0);
    T_OK(sl_lz76_phrases(&phrases, "0001101001000101", 16));
    assert_int_equal(phrases, 6); /* Lempel and Ziv, 1976 */
    T_OK(sl_lz76_phrases(&phrases, "", 0));
    assert_int_equal(phrases, 0);
}

/* --- vectors --------------------------------------------------------------------------------- */

static double x[2 * ROWS * COLS];

static void random_rows(uint64_t seed)
{
    sl_rng rng = sl_rng_at(seed, sl_rng_stream("test vectors"), 0);

    for (size_t i = 0; i < ROWS * COLS; i++)
        x[i] = sl_rng_normal(&rng);
    memcpy(x + ROWS * COLS, x, ROWS * COLS * sizeof *x);
}

static void test_vendi_ignores_copies(void **state)
{
    double once[ROWS], twice[ROWS];
    size_t n, m;

    (void)state;
    random_rows(1);
    T_OK(sl_vendi_spectrum(once, &n, x, NULL, ROWS, COLS));
    T_OK(sl_vendi_spectrum(twice, &m, x, NULL, 2 * ROWS, COLS));
    assert_int_equal(n, COLS);
    for (double q = 0.0; q < 4.0; q += 0.5)
        T_CLOSE(sl_vendi_score(once, n, q), sl_vendi_score(twice, m, q), TOL_F64);
    T_CLOSE(sl_vendi_score(once, n, INFINITY), sl_vendi_score(twice, m, INFINITY), TOL_F64);
    assert_true(sl_vendi_score(once, n, 1.0) >= 1.0);
    assert_true(sl_vendi_score(once, n, 1.0) <= COLS);
}

/* q = 2 without eigenvalues: n^2 over the sum of squared cosines. */
static void test_vendi_2_is_the_frobenius_norm(void **state)
{
    double eigen[ROWS], sum = 0.0;
    size_t n;

    (void)state;
    random_rows(2);
    T_OK(sl_vendi_spectrum(eigen, &n, x, NULL, ROWS, COLS));
    for (size_t i = 0; i < ROWS; i++)
        for (size_t j = 0; j < ROWS; j++) {
            double dot = 0.0;

            for (size_t c = 0; c < COLS; c++)
                dot += x[i * COLS + c] * x[j * COLS + c];
            dot /= sl_vector_norm(x + i * COLS, COLS) * sl_vector_norm(x + j * COLS, COLS);
            sum += dot * dot;
        }
    T_CLOSE(sl_vendi_score(eigen, n, 2.0), ROWS * ROWS / sum, TOL_F64);
}

static void test_pairwise_identity_and_zero_rows(void **state)
{
    sl_pairwise p;

    (void)state;
    random_rows(3);
    memset(x + COLS, 0, COLS * sizeof *x);
    T_OK(sl_pairwise_cosine(&p, x, ROWS, COLS));
    T_CLOSE(p.mean, p.direct_mean, TOL_F64);
    assert_int_equal(p.dropped, 1);
    T_OK(sl_pairwise_cosine(&p, x, 1, COLS));
    assert_true(isnan(p.mean));
}

static void test_norm_at_the_ends_of_the_range(void **state)
{
    const double huge[2] = { 3e300, 4e300 }, tiny[2] = { 3e-310, 4e-310 };
    const double bad[2] = { 1.0, NAN };

    (void)state;
    T_CLOSE(sl_vector_norm(huge, 2) / 1e300, 5.0, TOL_F64);
    T_CLOSE(sl_vector_norm(tiny, 2) * 1e308 * 100.0, 5.0, TOL_F64);
    assert_true(isnan(sl_vector_norm(bad, 2)));
    T_CLOSE(sl_vector_norm(bad, 0), 0.0, TOL_EXACT);
}

/* For shards that make up the big batch, S is b times the trace of their covariance. */
static void test_noise_scale_of_shards(void **state)
{
    const double b = 8.0, B = b * ROWS;
    double small = 0.0, trace = 0.0, mean[COLS] = { 0 }, big;

    (void)state;
    random_rows(4);
    for (size_t i = 0; i < ROWS * COLS; i++)
        mean[i % COLS] += x[i] / ROWS;
    for (size_t i = 0; i < ROWS * COLS; i++) {
        small += x[i] * x[i] / ROWS;
        trace += (x[i] - mean[i % COLS]) * (x[i] - mean[i % COLS]) / (ROWS - 1);
    }
    big = sl_vector_norm(mean, COLS);
    T_CLOSE(sl_noise_scale_of(small, big * big, b, B).noise, b * trace, TOL_F64);
}

static void test_sketches_keep_dots_on_average(void **state)
{
    double true_dot = 0.0, mean = 0.0, a[64], b[64];

    (void)state;
    random_rows(5);
    for (size_t i = 0; i < COLS; i++)
        true_dot += x[i] * x[COLS + i];
    for (uint64_t seed = 0; seed < 4000; seed++) {
        sl_count_sketch(a, x, COLS, 8, seed * 1000);
        sl_count_sketch(b, x + COLS, COLS, 8, seed * 1000);
        for (size_t k = 0; k < 8; k++)
            mean += a[k] * b[k] / 4000.0;
    }
    assert_true(fabs(mean - true_dot) < 4.0 * sqrt(2.0 / 8.0 / 4000.0) * sl_vector_norm(x, COLS) *
                                            sl_vector_norm(x + COLS, COLS));
}

/* --- fits ------------------------------------------------------------------------------------ */

static void test_strengths_are_recovered(void **state)
{
    const double theta[4] = { 0.8, 0.1, -0.3, -0.6 };
    double wins[16] = { 0 }, got[4], cov[16];
    int is_finite;

    (void)state;
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < 4; j++)
            if (i != j)
                wins[i * 4 + j] = 100.0 / (1.0 + exp(theta[j] - theta[i]));
    T_OK(sl_bradley_terry(got, cov, wins, 4, 0.0));
    for (size_t i = 0; i < 4; i++)
        T_CLOSE(got[i], theta[i], TOL_F64);
    wins[1 * 4 + 0] = wins[2 * 4 + 0] = wins[3 * 4 + 0] = 0.0; /* nobody ever beats 0 */
    T_OK(sl_bradley_terry_is_finite(&is_finite, wins, 4));
    assert_int_equal(is_finite, 0);
    T_FAILS(sl_bradley_terry(got, NULL, wins, 4, 0.0), SL_EARG, "want wins that connect");
    T_OK(sl_bradley_terry(got, NULL, wins, 4, 0.5));
    assert_true(got[0] > got[1] && isfinite(got[0]));
}

/* Votes that depend on length only: length control takes the advantage away. */
static void test_length_control_removes_length(void **state)
{
    static double y[2000], on[2000], off[2000];
    sl_rng rng = sl_rng_at(6, sl_rng_stream("test length"), 0);
    sl_length_fit fit;

    (void)state;
    for (size_t i = 0; i < 2000; i++) {
        on[i] = 1000.0 + 300.0 * sl_rng_normal(&rng);
        off[i] = 800.0 + 300.0 * sl_rng_normal(&rng);
        y[i] = sl_rng_uniform(&rng) < 1.0 / (1.0 + exp(-3.0 * tanh((on[i] - off[i]) / 424.0)));
    }
    T_OK(sl_length_controlled(&fit, y, on, off, NULL, 2000, SL_LENGTH_RIDGE));
    assert_true(fit.raw > 0.6);
    assert_true(fabs(fit.lc - 0.5) < 4.0 * fit.lc_se_fit && fit.lc_se_fit < 0.03);
    for (size_t i = 0; i < 2000; i++)
        on[i] = off[i] = 500.0;
    T_OK(sl_length_controlled(&fit, y, on, off, NULL, 2000, SL_LENGTH_RIDGE));
    T_CLOSE(fit.lc, fit.raw, TOL_F64); /* no spread of lengths: nothing to control */
    T_OK(sl_length_controlled(&fit, y, on, off, NULL, 1, SL_LENGTH_RIDGE));
    assert_true(isnan(fit.lc));
}

static void test_swapped_sides_of_score_laws(void **state)
{
    double a[5] = { 1.2, 0.4, 2.0, 0.9, -0.3 }, b[4] = { 0.5, 1.5, -0.2, 0.8 };
    sl_score_distance d, e;

    (void)state;
    T_OK(sl_score_distance_of(&d, a, 5, b, 4));
    T_OK(sl_score_distance_of(&e, b, 4, a, 5));
    T_CLOSE(d.auc, 1.0 - e.auc, TOL_F64);
    T_CLOSE(d.soft, 1.0 - e.soft, TOL_F64);
    T_CLOSE(d.ks, e.ks, TOL_F64);
    T_CLOSE(d.wasserstein, e.wasserstein, TOL_F64);
    T_CLOSE(d.energy, e.energy, TOL_F64);
    T_FAILS(sl_score_distance_of(&d, a, 0, b, 4), SL_EARG, "want scores of both sides");
}

static void test_best_of_all_is_the_best(void **state)
{
    const double s[5] = { -1.0, 0.0, 0.5, 2.0, 7.0 };

    (void)state;
    T_CLOSE(sl_best_of(s, 5, 5), 7.0, TOL_F64);
    T_CLOSE(sl_best_of(s, 5, 1), 1.7, TOL_F64);
    T_CLOSE(sl_best_of(s, 3, 2), (0.0 + 0.5 + 0.5) / 3.0, TOL_F64);
    assert_true(isnan(sl_best_of(s, 5, 6)) && isnan(sl_best_of(s, 5, 0)));
}

/* At policy == reference the DPO loss is ln 2; a swap negates the margin. */
static void test_dpo_signals_at_the_reference(void **state)
{
    const sl_dpo_pair same = { -3.0, -5.0, -3.0, -5.0 };
    const sl_dpo_pair pair = { -3.0, -5.0, -4.0, -2.0 }, swapped = { -5.0, -3.0, -2.0, -4.0 };

    (void)state;
    T_CLOSE(sl_dpo_signal_of(&same, 0.1).loss, log(2.0), TOL_F64);
    T_CLOSE(sl_dpo_signal_of(&pair, 0.3).margin, -sl_dpo_signal_of(&swapped, 0.3).margin, TOL_F64);
}

static void test_uniform_logits(void **state)
{
    const double z[7] = { 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0 }, far[7] = { 4.0, -900.0 };
    double p[7];
    sl_logit_signals s;
    sl_logit_distance d;

    (void)state;
    sl_logit_signals_of(&s, p, z, 7, 3);
    T_CLOSE(s.entropy, log(7.0), TOL_F64);
    T_CLOSE(s.normalised, 1.0, TOL_F64);
    T_CLOSE(s.varentropy, 0.0, TOL_F64);
    T_CLOSE(s.topk_mass, 3.0 / 7.0, TOL_F64);
    sl_logit_distance_of(&d, z, z, 7);
    T_CLOSE(d.kl_pq + d.js + d.tv, 0.0, TOL_F64);
    sl_logit_signals_of(&s, p, far, 2, 1);
    T_CLOSE(s.entropy, 0.0, TOL_F64);
}

/* Any law lies between the bounds of its k likeliest tokens; one token more is the lower bound, all
 * others alike the upper one. */
static void test_entropy_bounds_hold(void **state)
{
    enum { V = 50, K = 8 };
    sl_rng rng = sl_rng_at(3, sl_rng_stream("test"), 0);
    float top[K];

    (void)state;
    for (int kind = 0; kind < 40; kind++) {
        double p[V], sum = 0.0, rest = 0.0, entropy = 0.0;
        sl_entropy_bounds b;

        for (size_t v = 0; v < V; v++)
            sum += p[v] = v < K       ? 1.0 + sl_rng_uniform(&rng)
                          : kind == 0 ? (v == K)
                          : kind == 1 ? 0.25
                                      : sl_rng_uniform(&rng);
        for (size_t v = 0; v < V; v++) {
            entropy -= p[v] > 0.0 ? p[v] / sum * log(p[v] / sum) : 0.0;
            rest += v < K ? 0.0 : p[v] / sum;
            if (v < K)
                top[v] = (float)log(p[v] / sum);
        }
        b = sl_topk_entropy(top, K, rest, V);
        assert_true(b.low <= entropy + 1e-6 && entropy <= b.high + 1e-6);
        if (kind == 0)
            T_CLOSE(b.low, entropy, 1e-6);
        if (kind == 1)
            T_CLOSE(b.high, entropy, 1e-6);
        if (kind == 2) { /* nothing left over; an unknown vocabulary */
            T_CLOSE(sl_topk_entropy(top, K, 0.0, K).high, sl_topk_entropy(top, K, 0.0, V).low,
                    TOL_EXACT);
            assert_true(isnan(sl_topk_entropy(top, K, rest, 0).high));
        }
    }
}

/* The fit from moments against LAPACK on the whole design: a column for length and one a set. */
static void test_fit_on_length_is_least_squares(void **state)
{
    enum { N = 30, SETS = 3, D = SETS + 1 };
    double design[N * D] = { 0 }, qr[N * D], y[N], solved[N], left = 0.0, cov[D * D];
    sl_length_sums sums[SETS] = { { 0 } };
    sl_rng rng = sl_rng_at(11, sl_rng_stream("test"), 0);
    sl_length_line f;

    (void)state;
    for (size_t i = 0; i < N; i++) {
        const size_t set = i < 6 ? 0 : i < 17 ? 1 : 2;
        const double length = 20.0 * (double)(set + 1) + 5.0 * sl_rng_normal(&rng);

        y[i] = 3.0 * (double)set - 0.2 * length + sl_rng_normal(&rng);
        design[i * D + set] = 1.0;
        design[i * D + SETS] = length;
        sl_length_sums_add(&sums[set], length, y[i]);
        sl_length_sums_add(&sums[set], length, NAN); /* left out */
    }
    f = sl_length_line_of(sums, SETS, sizeof *sums);
    for (size_t i = 0; i < N; i++)
        design[i * D + SETS] -= f.length; /* intercepts are then values at that length */
    memcpy(qr, design, sizeof qr);
    memcpy(solved, y, sizeof solved);
    assert_int_equal(LAPACKE_dgels(LAPACK_ROW_MAJOR, 'N', N, D, 1, qr, D, solved, 1), 0);
    for (size_t i = 0; i < N; i++) {
        double fitted = 0.0;

        for (size_t d = 0; d < D; d++)
            fitted += design[i * D + d] * solved[d];
        left += (y[i] - fitted) * (y[i] - fitted);
    }
    memcpy(cov, qr, sizeof cov); /* R above the diagonal: (R'R)^-1 */
    assert_int_equal(LAPACKE_dpotri(LAPACK_ROW_MAJOR, 'U', D, cov, D), 0);
    assert_int_equal(f.prompts, N);
    T_CLOSE(f.slope, solved[SETS], 1e-10);
    T_CLOSE(f.sigma, sqrt(left / (N - D)), 1e-10);
    T_CLOSE(f.slope_se, f.sigma * sqrt(cov[SETS * D + SETS]), 1e-10);
    for (size_t k = 0; k < SETS; k++) {
        const sl_length_adjusted a = sl_length_adjust(&f, &sums[k]);

        T_CLOSE(a.value, solved[k], 1e-10);
        T_CLOSE(a.se, f.sigma * sqrt(cov[k * D + k]), 1e-10);
        T_CLOSE(a.residual, a.value - f.value, TOL_F64);
    }
}

/* Nothing is said where length does not vary, or where there is no prompt. */
static void test_fit_without_lengths(void **state)
{
    sl_length_sums sums[2] = { { 0 } };
    sl_length_line f;

    (void)state;
    for (size_t i = 0; i < 4; i++)
        sl_length_sums_add(&sums[0], 7.0, (double)i);
    f = sl_length_line_of(sums, 2, sizeof *sums);
    assert_true(isnan(f.slope) && isnan(f.r2));
    assert_true(isnan(sl_length_adjust(&f, &sums[0]).value));
    assert_true(isnan(sl_length_adjust(&f, &sums[1]).value));
    T_CLOSE(f.length, 7.0, TOL_EXACT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_of_candidates_does_not_matter),
        cmocka_unit_test(test_copies_halve_distinct),
        cmocka_unit_test(test_edges_of_text_metrics),
        cmocka_unit_test(test_ids_and_words_count_alike),
        cmocka_unit_test(test_phrases_of_simple_texts),
        cmocka_unit_test(test_vendi_ignores_copies),
        cmocka_unit_test(test_vendi_2_is_the_frobenius_norm),
        cmocka_unit_test(test_pairwise_identity_and_zero_rows),
        cmocka_unit_test(test_norm_at_the_ends_of_the_range),
        cmocka_unit_test(test_noise_scale_of_shards),
        cmocka_unit_test(test_sketches_keep_dots_on_average),
        cmocka_unit_test(test_strengths_are_recovered),
        cmocka_unit_test(test_length_control_removes_length),
        cmocka_unit_test(test_swapped_sides_of_score_laws),
        cmocka_unit_test(test_best_of_all_is_the_best),
        cmocka_unit_test(test_dpo_signals_at_the_reference),
        cmocka_unit_test(test_uniform_logits),
        cmocka_unit_test(test_entropy_bounds_hold),
        cmocka_unit_test(test_fit_on_length_is_least_squares),
        cmocka_unit_test(test_fit_without_lengths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
