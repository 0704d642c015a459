/* Diversity of surfaces: n-grams and where they stand, their entropy, self-BLEU. */
#include "analysis/interval.h"
#include "analysis/metric.h"
#include "base/alloc.h"
#include "base/rng.h"
#include <math.h>
#include <string.h>

enum { BLOCK = 256 };

/* --- n-grams ---------------------------------------------------------------------------------- */

static size_t grams_in(const sl_texts *t, size_t i, size_t n)
{
    const size_t length = t->first[i + 1] - t->first[i];

    return length >= n ? length - n + 1 : 0;
}

size_t sl_grams_between(const sl_texts *t, size_t from, size_t to, size_t n)
{
    size_t total = 0;

    for (size_t i = from; i < to; i++)
        total += grams_in(t, i, n);
    return total;
}

/* Room for `total` n-grams; the slots are free and at most half of them will be taken. */
static sl_status make_room(sl_ngrams *g, size_t total)
{
    size_t slots = 64;

    if (total >= UINT32_MAX / 2)
        return SL_FAIL(SL_EARG, "want fewer than %u n-grams, found %zu", UINT32_MAX / 2, total);
    while (slots < 2 * total)
        slots *= 2;
    SL_TRY(sl_grow(&g->slot, &g->slot_capacity, slots, sizeof *g->slot));
    SL_TRY(sl_grow(&g->gram, &g->gram_capacity, total + 1, sizeof *g->gram));
    SL_TRY(sl_grow(&g->posting, &g->posting_capacity, total + 1, sizeof *g->posting));
    memset(g->slot, 0, slots * sizeof *g->slot);
    g->mask = slots - 1;
    g->distinct = g->postings = 0;
    g->total = total;
    return SL_OK;
}

static sl_gram *gram_of(sl_ngrams *g, uint64_t hash)
{
    size_t at = (size_t)(hash >> 16) & g->mask;

    while (g->slot[at] && g->gram[g->slot[at] - 1].hash != hash)
        at = (at + 1) & g->mask;
    if (!g->slot[at]) {
        g->gram[g->distinct] = (sl_gram){ .hash = hash, .last = UINT32_MAX };
        g->slot[at] = (uint32_t)++g->distinct;
    }
    return &g->gram[g->slot[at] - 1];
}

/* One more of that n-gram in the text whose postings begin at `begin`. */
static void count_gram(sl_ngrams *g, uint64_t hash, uint32_t text, size_t begin)
{
    sl_gram *gram = gram_of(g, hash);

    gram->times++;
    if (gram->last == UINT32_MAX || gram->last < begin) {
        g->posting[g->postings] =
            (sl_posting){ .gram = (uint32_t)(gram - g->gram),
                          .text = text,
                          .next = gram->last == UINT32_MAX ? 0 : gram->last + 1 };
        gram->last = (uint32_t)g->postings++;
    }
    g->posting[gram->last].times++;
}

/* What a text that is read adds to the largest numbers of its n-grams. */
static void fold_text(sl_ngrams *g, size_t begin)
{
    for (size_t k = begin; k < g->postings; k++) {
        const sl_posting *p = &g->posting[k];
        sl_gram *gram = &g->gram[p->gram];

        if (p->times > gram->most) {
            gram->second = gram->most;
            gram->most = p->times;
            gram->owner = p->text;
        } else if (p->times > gram->second)
            gram->second = p->times;
    }
}

/* hash (count) of the n-grams that begin at token (count + n - 1): a polynomial of the mixed tokens
 * modulo 2^64, rolled on by a token, mixed once more. Loops without a branch, a block at a time:
 * hashes wait for one another in none but the middle one. */
static void hash_block(uint64_t *hash, const uint64_t *token, size_t count, size_t n)
{
    const uint64_t base = 0x9e3779b97f4a7c15u, of_order = sl_mix64(n);
    uint64_t mixed[BLOCK + SL_ORDER_MOST], lead = 1, rolled = 0;

    for (size_t k = 0; k < count + n - 1; k++)
        mixed[k] = sl_splitmix64(token[k]);
    for (size_t k = 0; k + 1 < n; k++) {
        lead *= base;
        /* cppcheck-suppress uninitvar ; the loop before filled count + n - 1 of them */
        rolled = rolled * base + mixed[k];
    }
    for (size_t k = 0; k < count; k++) {
        hash[k] = rolled * base + mixed[k + n - 1];
        rolled = hash[k] - lead * mixed[k];
    }
    for (size_t k = 0; k < count; k++) {
        const uint64_t h = sl_splitmix64(of_order + hash[k]);

        hash[k] = h ? h : 1; /* 0 is a free slot */
    }
}

static void read_text(sl_ngrams *g, const uint64_t *token, size_t count, size_t n, uint32_t text)
{
    const size_t begin = g->postings, grams = count < n ? 0 : count - n + 1;
    uint64_t hash[BLOCK];

    for (size_t k = 0; k < grams; k += BLOCK) {
        const size_t block = grams - k < BLOCK ? grams - k : BLOCK;

        hash_block(hash, token + k, block, n);
        for (size_t i = 0; i < block; i++)
            count_gram(g, hash[i], text, begin);
    }
    fold_text(g, begin);
}

sl_status sl_ngrams_of(sl_ngrams *out, const sl_texts *t, size_t from, size_t to, size_t n)
{
    size_t total;

    SL_CHECK(n >= 1 && n <= SL_ORDER_MOST && to <= t->count);
    total = sl_grams_between(t, from, to, n);
    if (make_room(out, total) != SL_OK) {
        sl_ngrams_close(out);
        return sl_err_code();
    }
    for (size_t i = from; out->total && i < to;
         i++) /* without tokens there is nothing to point at */
        read_text(out, t->token + t->first[i], t->first[i + 1] - t->first[i], n,
                  (uint32_t)(i - from));
    return SL_OK;
}

void sl_ngrams_close(sl_ngrams *g)
{
    sl_free(g->gram);
    sl_free(g->posting);
    sl_free(g->slot);
    *g = (sl_ngrams){ 0 };
}

sl_ngram_entropy sl_ngram_entropy_of(const sl_ngrams *g)
{
    const double C = (double)g->total;
    sl_ngram_entropy e = { NAN, NAN, NAN };

    if (!g->total)
        return e;
    e.nats = 0.0;
    for (size_t k = 0; k < g->distinct; k++)
        e.nats -= g->gram[k].times / C * log(g->gram[k].times / C);
    e.by_log_total = g->total > 1 ? e.nats / log(C) : NAN;
    e.miller_madow = e.nats + ((double)g->distinct - 1.0) / (2.0 * C);
    return e;
}

/* --- self-BLEU -------------------------------------------------------------------------------- */

sl_status sl_self_bleu_add(double *sum, const sl_ngrams *g, const sl_texts *t, size_t n)
{
    const double eps = 0.1;
    double *hits = NULL; /* (count) n-grams that some other text has, each as often as there */

    SL_TRY(sl_take(&hits, t->count + 1, sizeof *hits));
    for (size_t k = 0; k < g->postings; k++) {
        const sl_posting *p = &g->posting[k];
        const sl_gram *gram = &g->gram[p->gram];
        const uint32_t others = gram->owner == p->text ? gram->second : gram->most;

        hits[p->text] += others < p->times ? others : p->times;
    }
    for (size_t i = 0; i < t->count; i++) {
        const size_t grams = grams_in(t, i, n);
        const double total = grams ? (double)grams : 1.0;

        if (hits[i] > 0.0)
            sum[i] += log(hits[i] / total);
        else
            sum[i] += n == 1 ? -INFINITY : log(eps / total);
    }
    sl_free(hits);
    return SL_OK;
}

/* Closest length to c among all but one of that length, ties to the shorter; ascending (n >= 2). */
static double closest(const double *ascending, size_t n, double c)
{
    size_t low = 0, high = n; /* the first that is not below c */

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (ascending[middle] < c)
            low = middle + 1;
        else
            high = middle;
    }
    if (low + 1 < n && ascending[low + 1] == c)
        return c;
    if (low + 1 == n)
        return ascending[low - 1];
    if (!low)
        return ascending[1];
    return c - ascending[low - 1] <= ascending[low + 1] - c ? ascending[low - 1]
                                                            : ascending[low + 1];
}

sl_status sl_self_bleu_brevity(double *log_brevity, const sl_texts *t)
{
    double *length = NULL;

    if (t->count < 2)
        return SL_OK;
    SL_TRY(sl_take(&length, t->count, sizeof *length));
    for (size_t i = 0; i < t->count; i++)
        length[i] = (double)(t->first[i + 1] - t->first[i]);
    sl_sort_f64(length, t->count);
    for (size_t i = 0; i < t->count; i++) {
        const double c = (double)(t->first[i + 1] - t->first[i]);
        const double r = closest(length, t->count, c);

        log_brevity[i] = c == 0.0 ? -INFINITY : c > r ? 0.0 : 1.0 - r / c;
    }
    sl_free(length);
    return SL_OK;
}

sl_status sl_self_bleu(double *bleu, const sl_texts *t, size_t order)
{
    double *brevity = NULL;
    sl_ngrams grams = { 0 };
    sl_status st = SL_OK;

    SL_CHECK(order >= 1 && order <= SL_ORDER_MOST);
    for (size_t i = 0; i < t->count; i++)
        bleu[i] = t->count > 1 ? 0.0 : NAN;
    if (t->count < 2)
        return SL_OK;
    SL_TRY(sl_take(&brevity, t->count, sizeof *brevity));
    SL_TRY_OUT(sl_self_bleu_brevity(brevity, t));
    for (size_t n = 1; n <= order; n++) {
        SL_TRY_OUT(sl_ngrams_of(&grams, t, 0, t->count, n));
        SL_TRY_OUT(sl_self_bleu_add(bleu, &grams, t, n));
    }
    for (size_t i = 0; i < t->count; i++)
        bleu[i] = exp(brevity[i] + bleu[i] / (double)order);
out:
    sl_ngrams_close(&grams);
    sl_free(brevity);
    return st;
}
