/* Test vectors of text diversity (docs/math.md A1 to A5). */
#include "analysis/golden_int.h"
#include "analysis/metric.h"
#include "base/hash.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* A list of token ids or of words. */
static sl_status add_list(sl_texts *t, sl_gold *g, const sl_json *list)
{
    const size_t n = json_array_size(list);
    uint64_t *token;

    if (!json_is_array(list))
        return SL_FAIL(SL_EFORMAT, "want a text or a list of tokens, found neither");
    SL_TRY(sl_gold_take(g, &token, n, sizeof *token));
    for (size_t i = 0; i < n; i++) {
        const sl_json *one = json_array_get(list, i);

        if (json_is_string(one))
            token[i] = sl_hash_id(json_string_value(one), json_string_length(one));
        else if (json_is_integer(one))
            token[i] = (uint64_t)json_integer_value(one);
        else
            return SL_FAIL(SL_EFORMAT, "want words or token ids, found another type");
    }
    return sl_texts_add_tokens(t, token, n);
}

static sl_status read_texts(sl_texts *t, sl_gold *g)
{
    const sl_json *texts = json_object_get(g->inputs, "texts");
    const sl_json *lists = json_object_get(g->inputs, "token_lists");
    const sl_json *all = texts ? texts : lists;

    if (!json_is_array(all))
        return SL_FAIL(SL_EFORMAT, "want inputs \"texts\" or \"token_lists\", found none");
    for (size_t i = 0; i < json_array_size(all); i++) {
        const sl_json *one = json_array_get(all, i);

        if (json_is_string(one))
            SL_TRY(sl_texts_add_words(t, json_string_value(one), json_string_length(one)));
        else
            SL_TRY(add_list(t, g, one));
    }
    return SL_OK;
}

/* Runs an adapter on the texts, which it borrows. */
static sl_status with_texts(sl_gold *g, sl_status (*run)(sl_gold *g, const sl_texts *t))
{
    sl_texts t = { 0 };
    sl_status st = read_texts(&t, g);

    if (st == SL_OK)
        st = run(g, &t);
    sl_texts_close(&t);
    return st;
}

static sl_status distinct_ratio(double *out, size_t *distinct, size_t *total, const sl_texts *t,
                                size_t from, size_t to, size_t n)
{
    sl_ngram_counts c = { 0 };

    SL_TRY(sl_ngrams_count(&c, t, from, to, n));
    *distinct = c.distinct[n - 1];
    *total = c.total[n - 1];
    *out = sl_distinct_ratio(*distinct, *total);
    sl_ngram_counts_close(&c);
    return SL_OK;
}

static sl_status distinct_n_of(sl_gold *g, const sl_texts *t)
{
    sl_series n;
    double *value;
    sl_json *per_text, *pooled;

    SL_TRY(sl_gold_params(&n, g, "n"));
    SL_TRY(sl_gold_take(g, &value, t->count, sizeof *value));
    SL_TRY(sl_out_object(&per_text, g->out, "per_text"));
    SL_TRY(sl_out_object(&pooled, g->out, "pooled"));
    for (size_t k = 0; k < n.n; k++) {
        size_t distinct, total;
        double all;
        char key[32];
        sl_json *row;

        sl_gold_number_key(key, sizeof key, n.x[k]);
        for (size_t i = 0; i < t->count; i++)
            SL_TRY(distinct_ratio(&value[i], &distinct, &total, t, i, i + 1, (size_t)n.x[k]));
        SL_TRY(sl_gold_put_array(per_text, key, value, t->count));
        SL_TRY(distinct_ratio(&all, &distinct, &total, t, 0, t->count, (size_t)n.x[k]));
        SL_TRY(sl_out_object(&row, pooled, key));
        SL_TRY(sl_out_i64(row, "distinct", (int64_t)distinct));
        SL_TRY(sl_out_i64(row, "total", (int64_t)total));
        SL_TRY(sl_gold_put(row, "value", all));
    }
    return SL_OK;
}

static sl_status ead_of(sl_gold *g, const sl_texts *t)
{
    sl_series n, V;

    SL_TRY(sl_gold_params(&n, g, "n"));
    SL_TRY(sl_gold_params(&V, g, "V"));
    for (size_t k = 0; k < n.n; k++) {
        const size_t order = (size_t)n.x[k];
        sl_ngram_counts c = { 0 };
        sl_status st = SL_OK;

        SL_TRY(sl_ngrams_count(&c, t, 0, t->count, order));
        for (size_t v = 0; v < V.n && st == SL_OK; v++) {
            char key[64];

            snprintf(key, sizeof key, "V=%.0f,n=%.0f", V.x[v], n.x[k]);
            st = sl_gold_put(
                g->out, key,
                sl_distinct_expected(c.distinct[order - 1], c.total[order - 1], V.x[v], n.x[k]));
        }
        sl_ngram_counts_close(&c);
        SL_TRY(st);
    }
    return SL_OK;
}

static sl_status self_bleu_of(sl_gold *g, const sl_texts *t)
{
    sl_series orders;
    double *bleu;

    SL_TRY(sl_gold_params(&orders, g, "orders"));
    SL_TRY(sl_gold_take(g, &bleu, t->count, sizeof *bleu));
    for (size_t k = 0; k < orders.n; k++) {
        char key[32];
        sl_json *row;

        snprintf(key, sizeof key, "bleu%.0f", orders.x[k]);
        SL_TRY(sl_self_bleu(bleu, t, (size_t)orders.x[k]));
        SL_TRY(sl_out_object(&row, g->out, key));
        SL_TRY(sl_gold_put_array(row, "per_text", bleu, t->count));
        SL_TRY(sl_gold_put(row, "mean", sl_mean_of(bleu, t->count).value));
    }
    return SL_OK;
}

static sl_status put_entropy(sl_json *to, const sl_texts *t, double n)
{
    sl_ngrams grams = { 0 };
    sl_ngram_entropy e;
    char key[32];
    sl_json *row;

    SL_TRY(sl_ngrams_of(&grams, t, 0, t->count, (size_t)n));
    e = sl_ngram_entropy_of(&grams);
    sl_ngrams_close(&grams);
    sl_gold_number_key(key, sizeof key, n);
    SL_TRY(sl_out_object(&row, to, key));
    SL_TRY(sl_gold_put(row, "entropy_nats", e.nats));
    SL_TRY(sl_gold_put(row, "entropy_bits", e.nats / M_LN2));
    SL_TRY(sl_gold_put(row, "normalised_by_log_total", e.by_log_total));
    return sl_gold_put(row, "miller_madow_nats", e.miller_madow);
}

static sl_status ngram_entropy_of(sl_gold *g, const sl_texts *t)
{
    double fallback[] = { 1.0, 2.0 };
    sl_series n = { fallback, 2 };

    if (sl_json_has(g->params, "n"))
        SL_TRY(sl_gold_params(&n, g, "n"));
    for (size_t k = 0; k < n.n; k++)
        SL_TRY(put_entropy(g->out, t, n.x[k]));
    return SL_OK;
}

static sl_status distinct_n(sl_gold *g)
{
    return with_texts(g, distinct_n_of);
}

static sl_status ead(sl_gold *g)
{
    return with_texts(g, ead_of);
}

static sl_status self_bleu(sl_gold *g)
{
    return with_texts(g, self_bleu_of);
}

static sl_status ngram_entropy(sl_gold *g)
{
    return with_texts(g, ngram_entropy_of);
}

/* The texts of the inputs joined by "joined_with", or "bytes_ascii". */
static sl_status joined(char **out, size_t *bytes, sl_gold *g)
{
    const sl_json *texts = json_object_get(g->inputs, "texts");
    const char *glue, *whole;
    size_t room = 1, at = 0;

    SL_TRY(sl_json_text_or(&whole, g->inputs, "bytes_ascii", ""));
    SL_TRY(sl_json_text_or(&glue, g->inputs, "joined_with", "\n"));
    for (size_t i = 0; i < json_array_size(texts); i++)
        room += json_string_length(json_array_get(texts, i)) + strlen(glue);
    room += strlen(whole);
    SL_TRY(sl_gold_take(g, out, room, 1));
    for (size_t i = 0; i < json_array_size(texts); i++)
        at += (size_t)snprintf(*out + at, room - at, "%s%s", i ? glue : "",
                               json_string_value(json_array_get(texts, i)));
    at += (size_t)snprintf(*out + at, room - at, "%s", whole);
    *bytes = at;
    return SL_OK;
}

static sl_status compression(sl_gold *g)
{
    char *text;
    size_t bytes, lz78, lz76, zlib;
    double level = 9.0;

    SL_TRY(joined(&text, &bytes, g));
    if (sl_json_has(g->params, "zlib_level"))
        SL_TRY(sl_gold_param(&level, g, "zlib_level"));
    SL_TRY(sl_lz78_phrases(&lz78, text, bytes));
    SL_TRY(sl_lz76_phrases(&lz76, text, bytes));
    SL_TRY(sl_zlib_bytes(&zlib, text, bytes, (int)level));
    SL_TRY(sl_out_i64(g->out, "bytes", (int64_t)bytes));
    SL_TRY(sl_out_i64(g->out, "lz78_phrases", (int64_t)lz78));
    SL_TRY(sl_out_i64(g->out, "lz76_phrases", (int64_t)lz76));
    SL_TRY(sl_out_i64(g->out, "zlib9_bytes", (int64_t)zlib));
    return sl_gold_put(g->out, "zlib_ratio", (double)bytes / (double)zlib);
}

const sl_gold_row sl_gold_text[] = {
    { "distinct_n", distinct_n },   { "ead", ead },
    { "self_bleu", self_bleu },     { "ngram_entropy", ngram_entropy },
    { "compression", compression }, { NULL, NULL },
};
