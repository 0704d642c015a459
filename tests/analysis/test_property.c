/* Properties on random inputs: what no order, copy or exchange of sides may change. */
#include "analysis/answers.h"
#include "analysis/bradley_terry.h"
#include "analysis/contrast.h"
#include "analysis/distance.h"
#include "analysis/metric.h"
#include "analysis/vectors.h"
#include "harness/harness.h"
#include <string.h>

enum { RUNS = 40, TEXTS_MOST = 8, WORDS_MOST = 30, DIM = 6, PLAYERS = 6, SCORES_MOST = 12 };

static sl_rng rng_of(const char *what, size_t run)
{
    return sl_rng_at(11, sl_rng_stream(what), run);
}

/* --- answers ---------------------------------------------------------------------------------- */

/* Random answers in a random order; everything that can be known of them. */
typedef struct many {
    uint64_t token[TEXTS_MOST][WORDS_MOST];
    size_t length[TEXTS_MOST], n;
    double score[TEXTS_MOST], logp[TEXTS_MOST], ref[TEXTS_MOST], vector[TEXTS_MOST][DIM];
} many;

static many random_answers(sl_rng *rng)
{
    many m = { .n = 2 + sl_rng_below(rng, TEXTS_MOST - 2) };

    for (size_t i = 0; i < m.n; i++) {
        m.length[i] = 1 + sl_rng_below(rng, WORDS_MOST);
        for (size_t k = 0; k < m.length[i]; k++)
            m.token[i][k] = sl_rng_below(rng, 12);
        m.score[i] = sl_rng_normal(rng);
        m.logp[i] = -20.0 * sl_rng_uniform(rng);
        m.ref[i] = -20.0 * sl_rng_uniform(rng);
        for (size_t c = 0; c < DIM; c++)
            m.vector[i][c] = sl_rng_normal(rng);
    }
    return m;
}

/* All metrics of the answers in that order. has_vectors: embeddings in place of counts. */
static void measure(double *value, const many *m, const uint32_t *order, int has_vectors)
{
    const sl_answers_settings how = { .vocabulary = 12.0, .level = SL_LEVEL_PROMPT };
    double score[TEXTS_MOST], logp[TEXTS_MOST], ref[TEXTS_MOST], length[TEXTS_MOST];
    double vector[TEXTS_MOST * DIM];
    uint64_t id[TEXTS_MOST];
    sl_texts texts = { 0 };
    sl_answers_work *work;
    unsigned known;
    sl_answers a = { .n = m->n,
                     .texts = &texts,
                     .score = score,
                     .logp = logp,
                     .ref_logp = ref,
                     .length = length,
                     .id = id,
                     .vector = has_vectors ? vector : NULL,
                     .dim = DIM };

    for (size_t k = 0; k < m->n; k++) {
        const size_t i = order[k];

        T_OK(sl_texts_add_tokens(&texts, m->token[i], m->length[i]));
        score[k] = m->score[i];
        logp[k] = m->logp[i];
        ref[k] = m->ref[i];
        length[k] = (double)m->length[i];
        id[k] = sl_word_hash((const char *)m->token[i], m->length[i] * sizeof *m->token[i]);
        memcpy(vector + k * DIM, m->vector[i], sizeof m->vector[i]);
    }
    T_OK(sl_answers_work_open(&work));
    T_OK(sl_answers_measure(value, &known, &a, &how, work));
    sl_answers_work_close(&work);
    sl_texts_close(&texts);
}

static void test_order_of_answers(void **state)
{
    (void)state;
    for (size_t run = 0; run < RUNS; run++) {
        sl_rng rng = rng_of("order of answers", run);
        const many m = random_answers(&rng);
        uint32_t straight[TEXTS_MOST], mixed[TEXTS_MOST];
        double a[SL_METRIC_COUNT], b[SL_METRIC_COUNT];

        for (uint32_t i = 0; i < TEXTS_MOST; i++)
            straight[i] = mixed[i] = i;
        sl_rng_shuffle(&rng, mixed, m.n);
        measure(a, &m, straight, run % 2);
        measure(b, &m, mixed, run % 2);
        for (size_t k = 0; k < SL_METRIC_COUNT; k++) {
            T_CLOSE(b[k], a[k], 100.0 * TOL_F64);
            assert_true(isnan(a[k]) ||
                        (a[k] >= sl_metrics[k].lowest - TOL_F64 &&
                         a[k] <= sl_metrics[k].highest + TOL_F64) ||
                        sl_metrics[k].needs & SL_NEEDS_LOGPS);
        }
    }
}

/* --- n-grams, against a look at every pair of places --- */

enum { PLACES_MOST = 400 };

/* Texts of 0 to 40 tokens out of `words`; the first two are the ends of what a token can be. */
static void random_texts(sl_texts *t, sl_rng *rng, size_t tokens, uint32_t words)
{
    uint64_t token[40];

    for (size_t left = tokens; left;) {
        size_t n = sl_rng_below(rng, 41);

        n = n < left ? n : left;
        for (size_t k = 0; k < n; k++) {
            const uint32_t w = sl_rng_below(rng, words);

            token[k] = w == 0 ? 0 : w == 1 ? UINT64_MAX : (uint64_t)w << (w % 33);
        }
        T_OK(sl_texts_add_tokens(t, token, n));
        left -= n;
    }
}

static size_t places_of(size_t *place, const sl_texts *t, size_t from, size_t to, size_t n)
{
    size_t count = 0;

    for (size_t i = from; i < to; i++)
        for (size_t k = t->first[i]; k + n <= t->first[i + 1]; k++)
            place[count++] = k;
    return count;
}

static size_t different(const size_t *place, size_t count, const sl_texts *t, size_t n)
{
    size_t found = 0;

    for (size_t i = 0, k; i < count; i++) {
        for (k = 0; k < i; k++)
            if (!memcmp(t->token + place[i], t->token + place[k], n * sizeof *t->token))
                break;
        found += k == i;
    }
    return found;
}

static void test_different_ngrams(void **state)
{
    static const uint32_t words[] = { 1, 2, 3, 7, 30, 100000 };
    sl_ngram_counts c = { 0 };
    size_t place[PLACES_MOST];

    (void)state;
    for (size_t run = 0; run < 2 * RUNS; run++) {
        sl_rng rng = rng_of("different n-grams", run);
        sl_texts t = { 0 };
        size_t from, to;

        random_texts(&t, &rng, 1 + sl_rng_below(&rng, PLACES_MOST), words[run % 6]);
        from = run % 3 ? 0 : sl_rng_below(&rng, (uint32_t)t.count);
        to = run % 3 ? t.count : from + sl_rng_below(&rng, (uint32_t)(t.count - from + 1));
        T_OK(sl_ngrams_count(&c, &t, from, to, SL_ORDER_MOST));
        for (size_t n = 1; n <= SL_ORDER_MOST; n++) {
            const size_t count = places_of(place, &t, from, to, n);

            assert_int_equal(c.total[n - 1], count);
            assert_int_equal(c.distinct[n - 1], different(place, count, &t, n));
        }
        sl_texts_close(&t);
    }
    sl_ngram_counts_close(&c);
}

/* A text of all numbers below N in which nothing stands twice, said three times: tables grow. */
static void test_many_ngrams(void **state)
{
    enum { N = 20000 };
    sl_ngram_counts c = { 0 };
    sl_texts t = { 0 };
    uint64_t *token = test_malloc(N * sizeof *token);

    (void)state;
    for (size_t k = 0; k < N; k++)
        token[k] = k * 7919 % N;
    for (size_t copy = 1; copy <= 3; copy++) {
        T_OK(sl_texts_add_tokens(&t, token, N));
        T_OK(sl_ngrams_count(&c, &t, 0, t.count, SL_ORDER_MOST));
        for (size_t n = 1; n <= SL_ORDER_MOST; n++) {
            assert_int_equal(c.distinct[n - 1], N - n + 1);
            assert_int_equal(c.total[n - 1], copy * (N - n + 1));
        }
    }
    test_free(token);
    sl_texts_close(&t);
    sl_ngram_counts_close(&c);
}

/* Copies of all texts halve pooled distinct-n and keep Vendi, of counts and of embeddings. */
static void test_copies_of_all_answers(void **state)
{
    (void)state;
    for (size_t run = 0; run < RUNS; run++) {
        sl_rng rng = rng_of("copies", run);
        many m = random_answers(&rng);
        uint32_t order[TEXTS_MOST];
        double a[SL_METRIC_COUNT], b[SL_METRIC_COUNT];

        for (uint32_t i = 0; i < TEXTS_MOST; i++)
            order[i] = i;
        m.n = m.n > TEXTS_MOST / 2 ? TEXTS_MOST / 2 : m.n;
        measure(a, &m, order, run % 2);
        for (size_t i = 0; i < m.n; i++)
            order[m.n + i] = (uint32_t)i;
        m.n *= 2;
        measure(b, &m, order, run % 2);
        for (size_t k = SL_METRIC_DISTINCT_1; k <= SL_METRIC_DISTINCT_4; k++)
            T_CLOSE(b[k], 0.5 * a[k], TOL_F64);
        for (size_t k = SL_METRIC_VENDI_1; k <= SL_METRIC_VENDI_INF; k++)
            T_CLOSE(b[k], a[k], 1e4 * TOL_F64);
    }
}

/* --- vectors -----------------------------------------------------------------------------------
 */

/* By the Gram matrix or by the rows: one answer. */
static void test_gram_is_the_rows(void **state)
{
    (void)state;
    for (size_t run = 0; run < RUNS; run++) {
        sl_rng rng = rng_of("gram", run);
        const size_t n = 1 + sl_rng_below(&rng, TEXTS_MOST);
        double x[TEXTS_MOST * DIM], gram[TEXTS_MOST * TEXTS_MOST], eigen[TEXTS_MOST];
        double other[TEXTS_MOST];
        sl_effective_rank r, s;
        sl_pairwise p, q;
        double of_squares;
        size_t kept, count;

        for (size_t i = 0; i < n * DIM; i++)
            x[i] = run % 3 == 0 && i < DIM ? 0.0 : sl_rng_normal(&rng); /* a row of zeros */
        sl_gram_of_rows(gram, x, n, DIM);
        sl_pairwise_of_gram(&p, gram, eigen, n);
        T_OK(sl_pairwise_cosine(&q, x, n, DIM));
        T_CLOSE(p.mean, q.mean, TOL_F64);
        T_CLOSE(p.mean_nearest, q.mean_nearest, TOL_F64);
        T_CLOSE(p.least, q.least, TOL_F64);
        assert_int_equal(p.dropped, q.dropped);
        sl_gram_of_rows(gram, x, n, DIM);
        of_squares = sl_vendi_2_of_gram(gram, n);
        T_OK(sl_vendi_of_gram(eigen, &kept, gram, n));
        T_CLOSE(of_squares, sl_vendi_score(eigen, kept, 2.0), TOL_F64);
        T_OK(sl_vendi_spectrum(other, &count, x, NULL, n, DIM));
        for (double order = 0.5; order < 3.0; order += 0.5)
            T_CLOSE(sl_vendi_score(eigen, kept, order), sl_vendi_score(other, count, order),
                    1e4 * TOL_F64);
        for (int is_centered = 0; is_centered < 2; is_centered++) {
            sl_gram_of_rows(gram, x, n, DIM);
            T_OK(sl_effective_rank_of_gram(&r, eigen, gram, n, is_centered));
            T_OK(sl_effective_rank_of(&s, x, n, DIM, is_centered));
            if (n < 3) /* centered: no spread, or a single direction */
                continue;
            assert_true(fabs(r.roy_vetterli - s.roy_vetterli) < 1e-5 * s.roy_vetterli);
            T_CLOSE(r.of_squares, s.of_squares, 1e3 * TOL_F64);
            T_CLOSE(r.participation, s.participation, 1e3 * TOL_F64);
            T_CLOSE(r.stable, s.stable, 1e3 * TOL_F64);
        }
    }
}

/* --- strengths ---------------------------------------------------------------------------------
 */

static void test_order_of_players(void **state)
{
    (void)state;
    for (size_t run = 0; run < RUNS; run++) {
        sl_rng rng = rng_of("players", run);
        double wins[PLAYERS * PLAYERS], mixed[PLAYERS * PLAYERS], a[PLAYERS], b[PLAYERS];
        uint32_t order[PLAYERS];

        for (uint32_t i = 0; i < PLAYERS; i++)
            order[i] = i;
        sl_rng_shuffle(&rng, order, PLAYERS);
        for (size_t i = 0; i < PLAYERS; i++)
            for (size_t j = 0; j < PLAYERS; j++)
                wins[i * PLAYERS + j] = i == j ? 0.0 : 1.0 + sl_rng_below(&rng, 9);
        for (size_t i = 0; i < PLAYERS; i++)
            for (size_t j = 0; j < PLAYERS; j++)
                mixed[i * PLAYERS + j] = wins[order[i] * PLAYERS + order[j]];
        T_OK(sl_bradley_terry(a, NULL, wins, PLAYERS, 0.0));
        T_OK(sl_bradley_terry(b, NULL, mixed, PLAYERS, 0.0));
        for (size_t i = 0; i < PLAYERS; i++)
            T_CLOSE(b[i], a[order[i]], 1e3 * TOL_F64);
    }
}

/* --- score laws --------------------------------------------------------------------------------
 */

static void check_swapped(const sl_score_distance *d, const sl_score_distance *e)
{
    T_CLOSE(d->auc, 1.0 - e->auc, TOL_F64);
    T_CLOSE(d->soft, 1.0 - e->soft, TOL_F64);
    T_CLOSE(d->auc_se, e->auc_se, TOL_F64);
    T_CLOSE(d->gap, -e->gap, TOL_F64);
    T_CLOSE(d->cliff, -e->cliff, TOL_F64);
    T_CLOSE(d->ks, e->ks, TOL_F64);
    T_CLOSE(d->wasserstein, e->wasserstein, TOL_F64);
    T_CLOSE(d->energy, e->energy, TOL_F64);
    T_CLOSE(d->tv_bound, e->tv_bound, TOL_F64);
}

static void test_sides_and_order_of_scores(void **state)
{
    (void)state;
    for (size_t run = 0; run < RUNS; run++) {
        sl_rng rng = rng_of("scores", run);
        const size_t m = 2 + sl_rng_below(&rng, SCORES_MOST - 2);
        const size_t n = 2 + sl_rng_below(&rng, SCORES_MOST - 2);
        double on[SCORES_MOST], off[SCORES_MOST], again[SCORES_MOST];
        sl_score_distance d, e, f;
        uint32_t order[SCORES_MOST];

        for (uint32_t i = 0; i < SCORES_MOST; i++) { /* halves: ties happen */
            on[i] = 0.5 * sl_rng_below(&rng, 9);
            off[i] = 0.5 * sl_rng_below(&rng, 9) - 0.5;
            order[i] = i;
        }
        sl_rng_shuffle(&rng, order, m);
        for (size_t i = 0; i < m; i++)
            again[i] = on[order[i]];
        T_OK(sl_score_distance_of(&d, on, m, off, n));
        T_OK(sl_score_distance_of(&e, off, n, on, m));
        T_OK(sl_score_distance_of(&f, again, m, off, n));
        check_swapped(&d, &e);
        check_swapped(&f, &e);
        assert_true(d.ks >= 0.0 && d.ks <= 1.0 && d.energy >= -TOL_F64);
    }
}

/* A law with itself: nothing apart. */
static void test_a_law_with_itself(void **state)
{
    double on[4] = { 1, 2, 2, 5 }, off[4] = { 2, 5, 1, 2 }, value[SL_CONTRAST_COUNT];
    sl_contrast_input in = { .on = on,
                             .off = off,
                             .m = 4,
                             .n = 4,
                             .entropy_on = 3.0,
                             .entropy_off = 3.0,
                             .length_on = 7.0,
                             .length_off = 7.0,
                             .off_sd = 2.0,
                             .beta = 1.0 };

    (void)state;
    T_OK(sl_contrast_of(value, &in));
    T_CLOSE(value[SL_CONTRAST_BS_HARD], 0.5, TOL_F64);
    T_CLOSE(value[SL_CONTRAST_BS_SOFT], 0.5, TOL_F64);
    T_CLOSE(value[SL_CONTRAST_KL_GAP], 0.0, TOL_F64);
    T_CLOSE(value[SL_CONTRAST_ENERGY], 0.0, TOL_F64);
    T_CLOSE(value[SL_CONTRAST_KS], 0.0, TOL_F64);
    T_CLOSE(value[SL_CONTRAST_WASSERSTEIN], 0.0, TOL_F64);
}

/* --- parsings ----------------------------------------------------------------------------------
 */

/* The next phrase is the shortest prefix of the rest that does not begin earlier: by its words. */
static size_t phrases_by_definition(const char *text, size_t bytes)
{
    size_t phrases = 0;

    for (size_t at = 0, longest; at < bytes; at += longest + 1, phrases++) {
        longest = 0;
        for (size_t from = 0; from < at; from++) {
            size_t length = 0;

            while (at + length < bytes && text[from + length] == text[at + length])
                length++;
            longest = length > longest ? length : longest;
        }
    }
    return phrases;
}

static void test_automaton_is_the_definition(void **state)
{
    (void)state;
    for (size_t run = 0; run < 400; run++) {
        sl_rng rng = rng_of("phrases", run);
        const size_t bytes = sl_rng_below(&rng, 200);
        const uint32_t letters = 1 + sl_rng_below(&rng, 4);
        char text[200];
        size_t got;

        for (size_t i = 0; i < bytes; i++)
            text[i] = (char)('a' + sl_rng_below(&rng, letters));
        T_OK(sl_lz76_phrases(&got, text, bytes));
        assert_int_equal(got, phrases_by_definition(text, bytes));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_different_ngrams),
        cmocka_unit_test(test_many_ngrams),
        cmocka_unit_test(test_order_of_answers),
        cmocka_unit_test(test_copies_of_all_answers),
        cmocka_unit_test(test_gram_is_the_rows),
        cmocka_unit_test(test_order_of_players),
        cmocka_unit_test(test_sides_and_order_of_scores),
        cmocka_unit_test(test_a_law_with_itself),
        cmocka_unit_test(test_automaton_is_the_definition),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
