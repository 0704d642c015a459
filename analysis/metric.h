/* Metrics of diversity, quality and training signals on plain arrays. Undefined is NaN, never 0; an
 * item that is not finite is dropped and counted where a count is given, a pair with one such side
 * whole. Logs are natural. Labels (A1, B7, ...): docs/math.md, "Metrics". The
 * table of those that have a number for a set of answers: answers.h. */
#ifndef SL_ANALYSIS_METRIC_H
#define SL_ANALYSIS_METRIC_H

#include "analysis/interval.h"
#include "base/noise.h"
#include "base/status.h"
#include <stddef.h>
#include <stdint.h>

/* --- texts: tokens of one tokenizer, or hashes of words ------------------------------------------
 * Text i has tokens first[i]..first[i+1]-1; n-grams do not cross texts. */
typedef struct sl_texts {
    uint64_t *token;
    size_t *first; /* (count + 1) */
    size_t count, token_capacity, first_capacity;
} sl_texts;
/* Appends a text split at the white space of Unicode, case kept; splitter.h has other ways. */
sl_status sl_texts_add_words(sl_texts *texts, const char *text, size_t bytes) SL_MUSTUSE;
sl_status sl_texts_add_tokens(sl_texts *texts, const uint64_t *token, size_t count) SL_MUSTUSE;
sl_status sl_texts_add_ids(sl_texts *texts, const int32_t *id, size_t count) SL_MUSTUSE;
uint64_t sl_word_hash(const char *word, size_t bytes); /* a token; equal words, equal tokens */
void sl_texts_cut(sl_texts *texts, size_t most); /* every text keeps its first `most` tokens */
void sl_texts_clear(sl_texts *texts);            /* forgets the texts, keeps the memory */
void sl_texts_close(sl_texts *texts);

/* n-grams of texts [from, to) by rolling hashes of 64 bits, O(tokens), n <= 8. Begin with zeros;
 * memory is used again by the next call, and given back by a failed one. A posting is one n-gram in
 * one text; those of a text stand together.
 */
typedef struct sl_gram {
    uint64_t hash;
    uint32_t times;               /* in all texts */
    uint32_t most, owner, second; /* most times in one text, which, most times in another */
    uint32_t last;                /* posting in the text that was read last */
} sl_gram;
typedef struct sl_posting {
    uint32_t gram, text, times; /* text from 0: texts[from] */
    uint32_t next;              /* posting of the same n-gram in an earlier text + 1; 0: none */
} sl_posting;
typedef struct sl_ngrams {
    sl_gram *gram; /* (distinct) in order of first appearance */
    sl_posting *posting;
    uint32_t *slot; /* (mask + 1) gram + 1; 0: free */
    size_t distinct, total, postings, mask;
    size_t gram_capacity, posting_capacity, slot_capacity;
} sl_ngrams;
sl_status sl_ngrams_of(sl_ngrams *out, const sl_texts *texts, size_t from, size_t to,
                       size_t n) SL_MUSTUSE;
void sl_ngrams_close(sl_ngrams *ngrams);
size_t sl_grams_between(const sl_texts *texts, size_t from, size_t to, size_t n); /* how many */

/* How many n-grams of the orders 1..order texts [from, to) have, and how many different ones: all
 * that A1 and A2 need, exact, and several times faster than sl_ngrams_of. Begin with zeros; memory
 * is used again by the next call, and given back by a failed one. */
enum { SL_ORDER_MOST = 8 };
typedef struct sl_gram_slot {
    uint64_t key, first; /* first place + 1; 0: free */
} sl_gram_slot;
typedef struct sl_ngram_counts {
    size_t total[SL_ORDER_MOST], distinct[SL_ORDER_MOST]; /* of order n at n - 1 */
    size_t places;
    uint32_t *id; /* (places) first place of the n-gram that begins here */
    unsigned char *again,
        *next; /* (places) 1: it stands elsewhere too; of the order before, of this */
    sl_gram_slot *slot;
    uint64_t *cell; /* of the sieve */
    size_t slots, taken;
    unsigned shift, cell_shift;
    size_t id_capacity, again_capacity, next_capacity, slot_capacity, cell_capacity;
} sl_ngram_counts;
sl_status sl_ngrams_count(sl_ngram_counts *out, const sl_texts *texts, size_t from, size_t to,
                          size_t order) SL_MUSTUSE;
void sl_ngram_counts_close(sl_ngram_counts *counts);

/* A1, arXiv 1510.03055: distinct / total, in (0,1]; NaN without an n-gram. */
double sl_distinct_ratio(size_t distinct, size_t total);
/* A2, arXiv 2202.13587: expectation-adjusted distinct of order n for a vocabulary of V. */
double sl_distinct_expected(size_t distinct, size_t total, double V, double n);
/* A4: entropy of the n-gram law, nats; over ln total; with the Miller-Madow correction. */
typedef struct sl_ngram_entropy {
    double nats, by_log_total, miller_madow;
} sl_ngram_entropy;
sl_ngram_entropy sl_ngram_entropy_of(const sl_ngrams *ngrams);
/* A3, arXiv 1802.01886: bleu[i] (count) of text i against all others, orders 1..order, closest
 * reference length, NLTK's method 1 with eps .1. NaN for a single text. order <= 8. O(tokens): an
 * n-gram's two largest numbers in one text and the owner of the largest are enough. */
sl_status sl_self_bleu(double *bleu, const sl_texts *texts, size_t order) SL_MUSTUSE;
/* Its parts: adds the log precisions of order n to log_sum (count), from the n-grams of all texts;
 * log_brevity (count) of the penalties. BLEU = exp(brevity + sum / order). */
sl_status sl_self_bleu_add(double *log_sum, const sl_ngrams *grams, const sl_texts *texts,
                           size_t n) SL_MUSTUSE;
sl_status sl_self_bleu_brevity(double *log_brevity, const sl_texts *texts) SL_MUSTUSE;
/* A5: phrases of the LZ78 and LZ76 parsings (an unfinished one counts), and zlib's size at a level.
 * LZ76 by a suffix automaton, O(bytes); texts below 1 GiB. */
sl_status sl_lz78_phrases(size_t *out, const char *text, size_t bytes) SL_MUSTUSE;
sl_status sl_lz76_phrases(size_t *out, const char *text, size_t bytes) SL_MUSTUSE;
sl_status sl_zlib_bytes(size_t *out, const char *text, size_t bytes, int level) SL_MUSTUSE;
/* The same for many texts: the memory of zlib is taken once. One thread at a time. */
typedef struct sl_deflater sl_deflater;
sl_status sl_deflater_open(sl_deflater **out, int level) SL_MUSTUSE;
sl_status sl_deflater_bytes(size_t *out, sl_deflater *deflater, const char *text,
                            size_t bytes) SL_MUSTUSE;
void sl_deflater_close(sl_deflater **deflater);

/* --- distributions -------------------------------------------------------------------------------
 */
/* A9, C5: signals of one row of V logits. */
typedef struct sl_logit_signals {
    double entropy, normalised, varentropy; /* nats; over ln V; nats^2 */
    double topk_mass, prob_gap, logit_gap;  /* of the k, of the two largest */
} sl_logit_signals;
/* p (V) = softmax of z (V), scratch and result. k <= V; V >= 1, gaps NaN for V = 1. */
void sl_logit_signals_of(sl_logit_signals *out, double *p, const double *z, size_t V, size_t k);
/* A9: entropy of a law of which only the probabilities of k of V tokens are known, logp (k), and
 * the mass of the others: they are one token, or all alike. high is NaN for V < k: unknown. */
typedef struct sl_entropy_bounds {
    double low, high; /* nats */
} sl_entropy_bounds;
sl_entropy_bounds sl_topk_entropy(const float *logp, size_t k, double rest, size_t V);
typedef struct sl_logit_distance {
    double kl_pq, kl_qp, js, root_js, tv; /* nats, nats, nats in [0, ln 2], its root, [0,1] */
} sl_logit_distance;
void sl_logit_distance_of(sl_logit_distance *out, const double *zp, const double *zq, size_t V);
/* A10: answers to one prompt by their log-probabilities l (n) under a policy and lengths (n) in
 * tokens; equal id: equal text. */
typedef struct sl_logp_diversity {
    double entropy, entropy_per_token, entropy_mean_per_token; /* nats */
    double hill_1, hill_2;                                     /* on distinct texts */
    double gap, gap_per_token;                                 /* mean absolute difference */
    double log_seen_mass, collisions;
} sl_logp_diversity;
sl_status sl_logp_diversity_of(sl_logp_diversity *out, const double *l, const double *length,
                               const uint64_t *id, size_t n) SL_MUSTUSE;
/* B8: estimators of KL(policy|reference) from d = log ratio (n) at samples of the policy;
 * per_sample (n) of k3, may be NULL. Source: Schulman, "Approximating KL divergence" (2020). */
typedef struct sl_kl {
    double k1, k2, k3, k1_se;
    size_t clipped; /* d below -20 in k3 */
} sl_kl;
void sl_kl_of(sl_kl *out, double *per_sample, const double *d, size_t n);

/* --- votes and scores ----------------------------------------------------------------------------
 */
/* B2: scores s (n) in [0,1], 1 a win; NaN dropped. */
typedef struct sl_win_rate {
    sl_mean rate;
    size_t wins, losses, ties;
    double no_ties, net, discrete;
} sl_win_rate;
sl_win_rate sl_win_rate_of(const double *s, size_t n);
/* D1: votes for the on-policy side when it is shown first (n) and second (n); pairs with NaN are
 * dropped. */
typedef struct sl_position {
    double average, consistency, inconsistent_as_tie, consistent_only, first_slot;
    sl_mean bias;
} sl_position;
sl_status sl_position_bias(sl_position *out, const double *first, const double *second,
                           size_t n) SL_MUSTUSE;
/* B7: expected best of n of N scores ascending; NaN for n > N or n = 0. */
double sl_best_of(const double *ascending, size_t N, size_t n);

/* B4, arXiv 2305.18290: signals of one pair. */
typedef struct sl_dpo_pair {
    double policy_chosen, policy_rejected, ref_chosen, ref_rejected; /* nats */
} sl_dpo_pair;
typedef struct sl_dpo_signal {
    double ratio_chosen, ratio_rejected, reward_chosen, reward_rejected, margin, loss;
} sl_dpo_signal;
sl_dpo_signal sl_dpo_signal_of(const sl_dpo_pair *pair, double beta);
/* Share of margins above 0 (n); ties count by `tie` (0 or 1/2). */
double sl_margin_accuracy(const double *margin, size_t n, double tie);
/* D1: mean |2p-1| of votes (n). */
double sl_vote_margin(const double *p, size_t n);
/* B6: margins m (n) against labels y (n) in [0,1]. Accuracy counts m = 0 by 1/2. */
typedef struct sl_calibration {
    double brier, nll, ece, slope, accuracy;
} sl_calibration;
sl_status sl_calibration_of(sl_calibration *out, const double *m, const double *y, size_t n,
                            size_t bins) SL_MUSTUSE;

/* --- gradients -----------------------------------------------------------------------------------
 */
/* Euclidean norm of x (n), scaled as dnrm2 does; NaN when an entry is not finite. */
double sl_vector_norm(const double *x, size_t n);
double sl_dot(const double *x, const double *y, size_t n);
/* C1: the clipping factor min(1, c/(norm + 1e-6)). */
double sl_clip_factor(double norm, double c);
/* C2: base/noise.h. C3: g (n, D). successive (n-1): cosines of neighbours, may be NULL. */
typedef struct sl_gradient_geometry {
    double diversity, batch_bound, mean_cosine, resultant, snr;
} sl_gradient_geometry;
sl_status sl_gradient_geometry_of(sl_gradient_geometry *out, double *successive, const double *g,
                                  size_t n, size_t D) SL_MUSTUSE;
/* C3: share of two rows of g (n, D) with a negative inner product; NaN below two. */
double sl_conflict_rate(const double *g, size_t n, size_t D);
/* C4: count sketch and sign projection of x (n) to m numbers. */
uint32_t sl_sketch_bucket(uint64_t seed, uint64_t i, uint64_t m);
int sl_sketch_sign(uint64_t hash_argument);
void sl_count_sketch(double *out, const double *x, size_t n, size_t m, uint64_t seed);
void sl_sign_projection(double *out, const double *x, size_t n, size_t m, uint64_t seed);

#endif
