/* Values of all metrics of a set of answers, a family at a time: what several rows of the table
 * share is computed once. */
#include "analysis/answers.h"
#include "analysis/bradley_terry.h"
#include "analysis/metric.h"
#include "analysis/special.h"
#include "analysis/vectors.h"
#include "base/alloc.h"
#include "base/sort.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ORDERS = 4, WINS_MOST = 256 };

struct sl_answers_work {
    sl_ngrams grams;
    sl_deflater *deflater;
    double *gram, *eigen, *item; /* (n, n), (n), (3 n) */
    size_t gram_capacity, eigen_capacity, item_capacity;
};

sl_status sl_answers_work_open(sl_answers_work **out)
{
    SL_TRY(sl_take(out, 1, sizeof **out));
    if (sl_deflater_open(&(*out)->deflater, 9) != SL_OK)
        sl_answers_work_close(out);
    return sl_err_code();
}

void sl_answers_work_close(sl_answers_work **work)
{
    sl_answers_work *w = *work;

    if (!w)
        return;
    sl_ngrams_close(&w->grams);
    sl_deflater_close(&w->deflater);
    sl_free(w->gram);
    sl_free(w->eigen);
    sl_free(w->item);
    sl_free(w);
    *work = NULL;
}

static sl_status room(sl_answers_work *w, size_t n)
{
    SL_TRY(sl_grow(&w->gram, &w->gram_capacity, n * n + 1, sizeof *w->gram));
    SL_TRY(sl_grow(&w->eigen, &w->eigen_capacity, n + 1, sizeof *w->eigen));
    return sl_grow(&w->item, &w->item_capacity, 3 * n + 3, sizeof *w->item);
}

/* --- texts ------------------------------------------------------------------------------------ */

static sl_status vendi_add(double *v, sl_answers_work *w, size_t n, double weight)
{
    size_t kept;

    v[SL_METRIC_VENDI_2] += weight * sl_vendi_2_of_gram(w->gram, n);
    SL_TRY(sl_vendi_of_gram(w->eigen, &kept, w->gram, n)); /* uses the matrix up */
    v[SL_METRIC_VENDI_1] += weight * sl_vendi_score(w->eigen, kept, 1.0);
    v[SL_METRIC_VENDI_INF] += weight * sl_vendi_score(w->eigen, kept, INFINITY);
    return SL_OK;
}

/* gram (n, n) of the vectors: the embeddings where there are some, else counts of n-grams. */
static void make_gram(sl_answers_work *w, const sl_answers *a)
{
    memset(w->gram, 0, a->n * a->n * sizeof *w->gram);
    if (a->vector)
        sl_gram_of_rows(w->gram, a->vector, a->n, a->dim);
    else
        sl_gram_of_ngrams(w->gram, &w->grams, a->n);
}

/* A6 and A8, of embeddings or of token counts. */
static sl_status geometry(double *v, const sl_answers *a, sl_answers_work *w, int is_centered)
{
    sl_pairwise p;
    sl_effective_rank r;

    make_gram(w, a);
    sl_pairwise_of_gram(&p, w->gram, w->eigen, a->n);
    v[SL_METRIC_COSINE] = p.mean;
    v[SL_METRIC_COSINE_NEAREST] = p.mean_nearest;
    v[SL_METRIC_INTERNAL] = p.internal;
    make_gram(w, a);
    SL_TRY(sl_effective_rank_of_gram(&r, w->eigen, w->gram, a->n, is_centered));
    v[SL_METRIC_RANK] = r.roy_vetterli;
    v[SL_METRIC_RANK_SQUARES] = r.of_squares;
    v[SL_METRIC_PARTICIPATION] = r.participation;
    v[SL_METRIC_STABLE_RANK] = r.stable;
    return SL_OK;
}

static void order_values(double *v, const sl_ngrams *g, size_t order, double V)
{
    const double ead = sl_distinct_expected(g->distinct, g->total, V, (double)order);
    const sl_ngram_entropy e = order <= 2 ? sl_ngram_entropy_of(g) : (sl_ngram_entropy){ 0 };

    v[SL_METRIC_DISTINCT_1 + order - 1] = sl_distinct_ratio(g->distinct, g->total);
    v[SL_METRIC_EAD_MEAN] += ead / ORDERS;
    if (order == 1) {
        v[SL_METRIC_EAD_1] = ead;
        v[SL_METRIC_ENTROPY_1] = e.nats;
        v[SL_METRIC_ENTROPY_1_SHARE] = e.by_log_total;
        v[SL_METRIC_ENTROPY_1_MM] = e.miller_madow;
    } else if (order == 2)
        v[SL_METRIC_ENTROPY_2] = e.nats;
}

/* Mean BLEU of order `order` from the penalties (n) and the sums (n) so far. */
static double mean_bleu(const double *brevity, const double *sum, size_t n, size_t order)
{
    double mean = 0.0;

    for (size_t i = 0; i < n; i++)
        mean += exp(brevity[i] + sum[i] / (double)order) / (double)n;
    return n > 1 ? mean : NAN;
}

static sl_status text_family(double *v, const sl_answers *a, const sl_answers_settings *set,
                             sl_answers_work *w)
{
    const sl_texts *t = a->texts;
    double *brevity = w->item, *sum = w->item + a->n;

    v[SL_METRIC_TOKENS] = (double)t->first[a->n] / (double)a->n;
    v[SL_METRIC_EAD_MEAN] = v[SL_METRIC_VENDI_1] = v[SL_METRIC_VENDI_2] = v[SL_METRIC_VENDI_INF] =
        0.0;
    memset(sum, 0, a->n * sizeof *sum);
    SL_TRY(sl_self_bleu_brevity(brevity, t));
    for (size_t order = 1; order <= ORDERS; order++) {
        SL_TRY(sl_ngrams_of(&w->grams, t, 0, a->n, order));
        order_values(v, &w->grams, order, set->vocabulary);
        SL_TRY(sl_self_bleu_add(sum, &w->grams, t, order));
        if (order == 2)
            v[SL_METRIC_SELF_BLEU_2] = mean_bleu(brevity, sum, a->n, order);
        if (order == 1)
            SL_TRY(geometry(v, a, w, set->level == SL_LEVEL_CORPUS));
        if (order == 1 || !a->vector) {
            make_gram(w, a);
            SL_TRY(vendi_add(v, w, a->n, a->vector ? 1.0 : 1.0 / ORDERS));
        }
    }
    v[SL_METRIC_SELF_BLEU_4] = mean_bleu(brevity, sum, a->n, ORDERS);
    v[SL_METRIC_VENDI_SHARE] = a->n > 1 ? (v[SL_METRIC_VENDI_1] - 1.0) / ((double)a->n - 1.0) : NAN;
    return SL_OK;
}

static sl_status raw_family(double *v, const sl_answers *a, const sl_answers_settings *set,
                            sl_answers_work *w)
{
    const double L = (double)a->raw_bytes;
    size_t zlib, phrases;

    if (!a->raw_bytes)
        return SL_OK;
    SL_TRY(sl_deflater_bytes(&zlib, w->deflater, a->raw, a->raw_bytes));
    SL_TRY(sl_lz78_phrases(&phrases, a->raw, a->raw_bytes));
    v[SL_METRIC_ZLIB] = L / (double)zlib;
    v[SL_METRIC_LZ78] = L > 1.0 ? (double)phrases * log2(L) / L : NAN;
    if (set->level != SL_LEVEL_CORPUS)
        return SL_OK;
    SL_TRY(sl_lz76_phrases(&phrases, a->raw, a->raw_bytes));
    v[SL_METRIC_LZ76] = L > 1.0 ? (double)phrases * log2(L) / L : NAN;
    return SL_OK;
}

static int by_id(const void *x, const void *y)
{
    const uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;

    return (a > b) - (a < b);
}

static sl_status collisions(double *v, const sl_answers *a, const sl_answers_settings *set,
                            sl_answers_work *w)
{
    uint64_t *id = (uint64_t *)(void *)w->item;
    double same = 0.0;

    (void)set;
    _Static_assert(sizeof *id == sizeof *w->item, "ids fit where numbers do");
    memcpy(id, a->id, a->n * sizeof *id);
    sl_sort(id, a->n, sizeof *id, by_id);
    for (size_t i = 0, j; i < a->n; i = j) {
        for (j = i; j < a->n && id[j] == id[i]; j++)
            ;
        same += 0.5 * (double)(j - i) * (double)(j - i - 1);
    }
    v[SL_METRIC_COLLISIONS] = a->n > 1 ? same / (0.5 * (double)a->n * ((double)a->n - 1.0)) : NAN;
    return SL_OK;
}

/* --- laws ------------------------------------------------------------------------------------- */

/* Answers whose log-probability is finite, to l, length and id. */
static size_t finite_answers(double *l, double *length, uint64_t *id, const sl_answers *a)
{
    size_t n = 0;

    for (size_t i = 0; i < a->n; i++)
        if (isfinite(a->logp[i]) && a->length[i] > 0.0) {
            l[n] = a->logp[i];
            length[n] = a->length[i];
            id[n++] = a->id ? a->id[i] : i;
        }
    return n;
}

static sl_status logp_family(double *v, const sl_answers *a, const sl_answers_settings *set,
                             sl_answers_work *w)
{
    double *l = w->item, *length = l + a->n;
    uint64_t *id = (uint64_t *)(void *)(length + a->n);
    const size_t n = finite_answers(l, length, id, a);
    sl_logp_diversity d;

    (void)set;
    if (!n)
        return SL_OK;
    SL_TRY(sl_logp_diversity_of(&d, l, length, id, n));
    v[SL_METRIC_MC_ENTROPY] = d.entropy;
    v[SL_METRIC_MC_ENTROPY_TOKEN] = d.entropy_per_token;
    v[SL_METRIC_MC_ENTROPY_TOKEN_MEAN] = d.entropy_mean_per_token;
    v[SL_METRIC_HILL_1] = d.hill_1;
    v[SL_METRIC_HILL_2] = d.hill_2;
    v[SL_METRIC_LOGP_GAP] = d.gap;
    v[SL_METRIC_LOGP_GAP_TOKEN] = d.gap_per_token;
    v[SL_METRIC_SEEN_MASS] = d.log_seen_mass;
    return SL_OK;
}

static sl_status kl_family(double *v, const sl_answers *a, const sl_answers_settings *set,
                           sl_answers_work *w)
{
    sl_kl kl;

    (void)set;
    for (size_t i = 0; i < a->n; i++)
        w->item[i] = a->logp[i] - a->ref_logp[i];
    sl_kl_of(&kl, NULL, w->item, a->n);
    v[SL_METRIC_KL_1] = kl.k1;
    v[SL_METRIC_KL_2] = kl.k2;
    v[SL_METRIC_KL_3] = kl.k3;
    return SL_OK;
}

const char *const sl_bucket_names[SL_BUCKETS] = { "0-7", "8-63", "64+" };

size_t sl_bucket_of(size_t position)
{
    return position < 8 ? 0 : position < 64 ? 1 : 2;
}

/* Means of numbers of tokens: of all, of the means of answers, and by place in the answer. */
typedef struct token_means {
    sl_sums all, answers, bucket[SL_BUCKETS];
} token_means;

static token_means token_means_of(const double *x, const sl_answers *a, double sign)
{
    token_means m = { 0 };

    for (size_t i = 0; i < a->n; i++) {
        sl_sums one = { 0 };

        for (size_t k = a->token_first[i]; k < a->token_first[i + 1]; k++) {
            const size_t at = k - a->token_first[i];

            sl_sums_add(&one, sign * x[k]);
            sl_sums_add(&m.all, sign * x[k]);
            sl_sums_add(&m.bucket[sl_bucket_of(at)], sign * x[k]);
        }
        if (one.used)
            sl_sums_add(&m.answers, one.mean);
    }
    return m;
}

static double mean_or_nan(const sl_sums *s)
{
    return s->used ? s->mean : NAN;
}

static sl_status entropy_family(double *v, const sl_answers *a, const sl_answers_settings *set,
                                sl_answers_work *w)
{
    const token_means m = token_means_of(a->token_entropy, a, 1.0);

    (void)set;
    (void)w;
    v[SL_METRIC_TOKEN_ENTROPY] = mean_or_nan(&m.all);
    v[SL_METRIC_TOKEN_ENTROPY_MEAN] = mean_or_nan(&m.answers);
    for (size_t b = 0; b < SL_BUCKETS; b++)
        v[SL_METRIC_TOKEN_ENTROPY_FIRST + b] = mean_or_nan(&m.bucket[b]);
    return SL_OK;
}

static sl_status surprisal_family(double *v, const sl_answers *a, const sl_answers_settings *set,
                                  sl_answers_work *w)
{
    const token_means m = token_means_of(a->token_logp, a, -1.0);

    (void)set;
    (void)w;
    for (size_t b = 0; b < SL_BUCKETS; b++)
        v[SL_METRIC_SURPRISAL_FIRST + b] = mean_or_nan(&m.bucket[b]);
    return SL_OK;
}

/* --- scores ----------------------------------------------------------------------------------- */

static double pair_margin(const double *s, size_t n)
{
    double sum = 0.0;

    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            sum += fabs(2.0 * sl_sigmoid(s[i] - s[j]) - 1.0);
    return n > 1 ? sum / (0.5 * (double)n * ((double)n - 1.0)) : NAN;
}

static sl_status score_family(double *v, const sl_answers *a, const sl_answers_settings *set,
                              sl_answers_work *w)
{
    static const size_t ns[] = { 2, 4, 8, 16 };
    double *s = w->item;
    size_t n = 0;
    sl_mean m;

    for (size_t i = 0; i < a->n; i++)
        if (isfinite(a->score[i]))
            s[n++] = a->score[i];
    m = sl_mean_of(s, n);
    v[SL_METRIC_REWARD] = m.value;
    v[SL_METRIC_REWARD_SD] = m.sd;
    if (set->level == SL_LEVEL_CORPUS || !n)
        return SL_OK;
    sl_sort_f64(s, n);
    v[SL_METRIC_REWARD_GAP] = n > 1 ? s[n - 1] - s[0] : NAN;
    v[SL_METRIC_HEADROOM] = n > 1 ? s[n - 1] - m.value : NAN;
    for (size_t k = 0; k < sizeof ns / sizeof ns[0]; k++)
        v[SL_METRIC_BEST_OF_2 + k] = sl_best_of(s, n, ns[k]);
    if (!a->win)
        v[SL_METRIC_VOTE_MARGIN] = pair_margin(s, n);
    return SL_OK;
}

static sl_status win_family(double *v, const sl_answers *a, const sl_answers_settings *set,
                            sl_answers_work *w)
{
    double *wins = w->gram, *theta = w->eigen, margin = 0.0;
    const double pairs = 0.5 * (double)a->n * ((double)a->n - 1.0);

    (void)set;
    if (a->n < 2 || a->n > WINS_MOST)
        return SL_OK;
    for (size_t i = 0; i < a->n; i++)
        for (size_t j = 0; j < a->n; j++) {
            wins[i * a->n + j] = i == j ? 0.0 : a->win[i * a->n + j];
            margin += j < i ? fabs(2.0 * a->win[i * a->n + j] - 1.0) : 0.0;
        }
    SL_TRY(sl_bradley_terry(theta, NULL, wins, a->n, 0.01 * ((double)a->n - 1.0)));
    v[SL_METRIC_STRENGTH_SD] = sl_mean_of(theta, a->n).sd;
    v[SL_METRIC_VOTE_MARGIN] = margin / pairs;
    return SL_OK;
}

/* --- all -------------------------------------------------------------------------------------- */

static const struct {
    unsigned needs;
    sl_status (*fill)(double *v, const sl_answers *a, const sl_answers_settings *set,
                      sl_answers_work *w);
} families[] = {
    { SL_NEEDS_TEXT, text_family },
    { SL_NEEDS_TEXT, raw_family },
    { SL_NEEDS_TEXT, collisions },
    { SL_NEEDS_LOGPS, logp_family },
    { SL_NEEDS_LOGPS | SL_NEEDS_REFERENCE, kl_family },
    { SL_NEEDS_TOKEN_ENTROPIES, entropy_family },
    { SL_NEEDS_TOKEN_LOGPS, surprisal_family },
    { SL_NEEDS_SCORES, score_family },
    { SL_NEEDS_WINS, win_family },
};

static unsigned known_of(const sl_answers *a, const sl_answers_settings *set)
{
    unsigned known = 0;

    known |= a->texts && a->id ? SL_NEEDS_TEXT : 0;
    known |= isfinite(set->vocabulary) ? SL_NEEDS_VOCABULARY : 0;
    known |= a->score ? SL_NEEDS_SCORES : 0;
    known |= a->win ? SL_NEEDS_WINS : 0;
    known |= a->logp && a->length ? SL_NEEDS_LOGPS : 0;
    known |= a->ref_logp ? SL_NEEDS_REFERENCE : 0;
    known |= a->token_logp ? SL_NEEDS_TOKEN_LOGPS : 0;
    return known | (a->token_entropy ? SL_NEEDS_TOKEN_ENTROPIES : 0);
}

sl_status sl_answers_measure(double *value, unsigned *known, const sl_answers *a,
                             const sl_answers_settings *set, sl_answers_work *w)
{
    *known = known_of(a, set);
    for (size_t k = 0; k < SL_METRIC_COUNT; k++)
        value[k] = NAN;
    if (!a->n)
        return SL_OK;
    SL_TRY(room(w, a->n));
    for (size_t f = 0; f < sizeof families / sizeof families[0]; f++)
        if ((families[f].needs & *known) == families[f].needs)
            SL_TRY(families[f].fill(value, a, set, w));
    return SL_OK;
}

/* --- over prompts ----------------------------------------------------------------------------- */

const char *sl_value_status_name(sl_value_status status)
{
    static const char *const names[] = { "ok", "undefined", "degenerate", "invalid_input" };

    return names[status];
}

void sl_sums_add(sl_sums *s, double value)
{
    double step;

    if (!isfinite(value)) {
        s->dropped++;
        return;
    }
    step = value - s->mean;
    s->least = s->used ? fmin(s->least, value) : value;
    s->most = s->used ? fmax(s->most, value) : value;
    s->mean += step / (double)++s->used;
    s->squares += step * (value - s->mean);
}

sl_value sl_sums_value(const sl_sums *s, int is_known)
{
    const double n = (double)s->used;
    sl_value v = { NAN, NAN, s->used, s->dropped, SL_VALUE_OK };

    if (s->used)
        v.value = s->mean;
    if (s->used > 1)
        v.se = sqrt(fmax(s->squares, 0.0) / (n - 1.0) / n);
    if (!is_known)
        v.status = SL_VALUE_INVALID;
    else if (!s->used)
        v.status = SL_VALUE_UNDEFINED;
    else if (s->used > 1 && s->least == s->most)
        v.status = SL_VALUE_DEGENERATE;
    return v;
}
