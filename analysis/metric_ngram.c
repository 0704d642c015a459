/* Diversity of surfaces: distinct-n, expectation-adjusted distinct, n-gram entropy, self-BLEU. */
#include "analysis/metric.h"
#include "base/alloc.h"
#include "base/hash.h"
#include "base/rng.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ORDER_MOST = 8 };

static int is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static sl_status push_token(sl_texts *t, size_t at, uint64_t token)
{
    SL_TRY(sl_grow(&t->token, &t->token_capacity, at + 1, sizeof *t->token));
    t->token[at] = token;
    return SL_OK;
}

static void end_text(sl_texts *t, size_t end)
{
    t->first[++t->count] = end;
}

/* Room for the offsets of one text more; *at = where its tokens begin. */
static sl_status begin_text(size_t *at, sl_texts *t)
{
    SL_TRY(sl_grow(&t->first, &t->first_capacity, t->count + 2, sizeof *t->first));
    if (!t->count)
        t->first[0] = 0;
    *at = t->first[t->count];
    return SL_OK;
}

sl_status sl_texts_add_words(sl_texts *t, const char *text)
{
    size_t at;

    SL_TRY(begin_text(&at, t));
    while (*text) {
        size_t bytes = 0;

        while (is_space(*text))
            text++;
        while (text[bytes] && !is_space(text[bytes]))
            bytes++;
        if (bytes)
            SL_TRY(push_token(t, at++, sl_hash_id(text, bytes)));
        text += bytes;
    }
    end_text(t, at);
    return SL_OK;
}

sl_status sl_texts_add_tokens(sl_texts *t, const uint64_t *token, size_t count)
{
    size_t at;

    SL_TRY(begin_text(&at, t));
    for (size_t i = 0; i < count; i++)
        SL_TRY(push_token(t, at++, token[i]));
    end_text(t, at);
    return SL_OK;
}

sl_status sl_texts_add_ids(sl_texts *t, const int32_t *id, size_t count)
{
    size_t at;

    SL_TRY(begin_text(&at, t));
    for (size_t i = 0; i < count; i++)
        SL_TRY(push_token(t, at++, (uint64_t)(uint32_t)id[i]));
    end_text(t, at);
    return SL_OK;
}

void sl_texts_clear(sl_texts *t)
{
    t->count = 0;
}

void sl_texts_close(sl_texts *t)
{
    sl_free(t->token);
    sl_free(t->first);
    *t = (sl_texts){ 0 };
}

/* --- n-grams ---------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static size_t grams_in(const sl_texts *t, size_t i, size_t n)
{
    const size_t length = t->first[i + 1] - t->first[i];

    return length >= n ? length - n + 1 : 0;
}

static uint64_t gram_hash(const uint64_t *token, size_t n)
{
    uint64_t hash = n;

    for (size_t k = 0; k < n; k++)
        hash = sl_rng_substream(hash, token[k]);
    return hash;
}

sl_status sl_ngrams_of(sl_ngrams *out, const sl_texts *t, size_t from, size_t to, size_t n)
{
    size_t at = 0;

    *out = (sl_ngrams){ 0 };
    SL_CHECK(n >= 1 && to <= t->count);
    for (size_t i = from; i < to; i++)
        out->total += grams_in(t, i, n);
    SL_TRY(sl_take(&out->hash, out->total + 1, sizeof *out->hash));
    if (sl_take(&out->times, out->total + 1, sizeof *out->times) != SL_OK) {
        sl_ngrams_close(out);
        return SL_ENOMEM;
    }
    for (size_t i = from; i < to; i++)
        for (size_t k = 0; k < grams_in(t, i, n); k++)
            out->hash[at++] = gram_hash(t->token + t->first[i] + k, n);
    qsort(out->hash, at, sizeof *out->hash, by_value);
    for (size_t k = 0; k < at; k++) {
        if (!out->distinct || out->hash[k] != out->hash[out->distinct - 1])
            out->hash[out->distinct++] = out->hash[k];
        out->times[out->distinct - 1]++;
    }
    return SL_OK;
}

void sl_ngrams_close(sl_ngrams *g)
{
    sl_free(g->hash);
    sl_free(g->times);
    *g = (sl_ngrams){ 0 };
}

double sl_distinct_ratio(const sl_ngrams *g)
{
    return g->total ? (double)g->distinct / (double)g->total : NAN;
}

double sl_distinct_expected(const sl_ngrams *g, double V, double n)
{
    const double most = pow(V, n);

    if (!g->total)
        return NAN;
    return (double)g->distinct / (-most * expm1((double)g->total * log1p(-1.0 / most)));
}

sl_ngram_entropy sl_ngram_entropy_of(const sl_ngrams *g)
{
    const double C = (double)g->total;
    sl_ngram_entropy e = { NAN, NAN, NAN };

    if (!g->total)
        return e;
    e.nats = 0.0;
    for (size_t k = 0; k < g->distinct; k++)
        e.nats -= g->times[k] / C * log(g->times[k] / C);
    e.by_log_total = g->total > 1 ? e.nats / log(C) : NAN;
    e.miller_madow = e.nats + ((double)g->distinct - 1.0) / (2.0 * C);
    return e;
}

/* --- self-BLEU -------------------------------------------------------------------------------- */

static uint32_t times_of(const sl_ngrams *g, uint64_t hash)
{
    const uint64_t *found = bsearch(&hash, g->hash, g->distinct, sizeof *g->hash, by_value);

    return found ? g->times[found - g->hash] : 0;
}

/* n-grams of text i that some other text has too, each as often as there at most. */
static size_t clipped(const sl_ngrams *grams, size_t count, size_t i)
{
    size_t sum = 0;

    for (size_t k = 0; k < grams[i].distinct; k++) {
        uint32_t most = 0;

        for (size_t j = 0; j < count; j++)
            if (j != i) {
                const uint32_t times = times_of(&grams[j], grams[i].hash[k]);

                most = times > most ? times : most;
            }
        sum += most < grams[i].times[k] ? most : grams[i].times[k];
    }
    return sum;
}

/* Log of the brevity penalty of text i: closest length among the others, ties to the shorter. */
static double log_brevity(const sl_texts *t, size_t i)
{
    const double c = (double)(t->first[i + 1] - t->first[i]);
    double r = INFINITY;

    for (size_t j = 0; j < t->count; j++) {
        const double length = (double)(t->first[j + 1] - t->first[j]);

        if (j != i &&
            (fabs(length - c) < fabs(r - c) || (fabs(length - c) == fabs(r - c) && length < r)))
            r = length;
    }
    if (c == 0.0)
        return -INFINITY;
    return c > r ? 0.0 : 1.0 - r / c;
}

/* Adds the log precisions of one order to sum (count); -inf: no word in common. */
static sl_status add_order(double *sum, const sl_texts *t, size_t n)
{
    const double eps = 0.1;
    sl_ngrams *grams = NULL;
    sl_status st = SL_OK;

    SL_TRY(sl_take(&grams, t->count, sizeof *grams));
    for (size_t i = 0; i < t->count; i++)
        SL_TRY_OUT(sl_ngrams_of(&grams[i], t, i, i + 1, n));
    for (size_t i = 0; i < t->count; i++) {
        const double hits = (double)clipped(grams, t->count, i);
        const double total = grams[i].total ? (double)grams[i].total : 1.0;

        if (hits > 0.0)
            sum[i] += log(hits / total);
        else
            sum[i] += n == 1 ? -INFINITY : log(eps / total);
    }
out:
    for (size_t i = 0; i < t->count; i++)
        sl_ngrams_close(&grams[i]);
    sl_free(grams);
    return st;
}

sl_status sl_self_bleu(double *bleu, const sl_texts *t, size_t order)
{
    SL_CHECK(order >= 1 && order <= ORDER_MOST);
    for (size_t i = 0; i < t->count; i++)
        bleu[i] = t->count > 1 ? 0.0 : NAN;
    if (t->count < 2)
        return SL_OK;
    for (size_t n = 1; n <= order; n++)
        SL_TRY(add_order(bleu, t, n));
    for (size_t i = 0; i < t->count; i++)
        bleu[i] = exp(log_brevity(t, i) + bleu[i] / (double)order);
    return SL_OK;
}
