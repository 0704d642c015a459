/* The table of metrics that give one number for the candidates of a prompt or for a batch. */
#include "analysis/metric.h"
#include "base/alloc.h"
#include <math.h>
#include <string.h>

static sl_status distinct(double *out, const sl_texts *t, size_t n)
{
    sl_ngrams grams;

    SL_TRY(sl_ngrams_of(&grams, t, 0, t->count, n));
    *out = sl_distinct_ratio(&grams);
    sl_ngrams_close(&grams);
    return SL_OK;
}

static sl_status distinct_1(double *out, const sl_metric_input *in)
{
    return distinct(out, in->texts, 1);
}

static sl_status distinct_2(double *out, const sl_metric_input *in)
{
    return distinct(out, in->texts, 2);
}

static sl_status ngram_entropy_1(double *out, const sl_metric_input *in)
{
    sl_ngrams grams;

    SL_TRY(sl_ngrams_of(&grams, in->texts, 0, in->texts->count, 1));
    *out = sl_ngram_entropy_of(&grams).nats;
    sl_ngrams_close(&grams);
    return SL_OK;
}

static sl_status self_bleu(double *out, const sl_metric_input *in, size_t order)
{
    double *bleu = NULL;
    sl_status st;

    SL_TRY(sl_take(&bleu, in->texts->count + 1, sizeof *bleu));
    st = sl_self_bleu(bleu, in->texts, order);
    *out = sl_mean_of(bleu, in->texts->count).value;
    sl_free(bleu);
    return st;
}

static sl_status self_bleu_2(double *out, const sl_metric_input *in)
{
    return self_bleu(out, in, 2);
}

static sl_status self_bleu_4(double *out, const sl_metric_input *in)
{
    return self_bleu(out, in, 4);
}

static sl_status mean_length(double *out, const sl_metric_input *in)
{
    const sl_texts *t = in->texts;

    *out = t->count ? (double)t->first[t->count] / (double)t->count : NAN;
    return SL_OK;
}

static sl_status mean_value(double *out, const sl_metric_input *in)
{
    *out = sl_mean_of(in->value, in->n).value;
    return SL_OK;
}

static sl_status accuracy(double *out, const sl_metric_input *in)
{
    *out = sl_margin_accuracy(in->value, in->n, 0.5);
    return SL_OK;
}

static sl_status vote_margin(double *out, const sl_metric_input *in)
{
    *out = sl_vote_margin(in->value, in->n);
    return SL_OK;
}

static sl_status norm(double *out, const sl_metric_input *in)
{
    *out = sl_vector_norm(in->value, in->n);
    return SL_OK;
}

#define TEXTS SL_METRIC_TEXTS
#define VALUES SL_METRIC_VALUES
const sl_metric sl_metrics[] = {
    { "distinct_1", "1", 0, 1, "arXiv 1510.03055", TEXTS, distinct_1 },
    { "distinct_2", "1", 0, 1, "arXiv 1510.03055", TEXTS, distinct_2 },
    { "ngram_entropy_1", "nat", 0, INFINITY, "plug-in entropy", TEXTS, ngram_entropy_1 },
    { "self_bleu_2", "1", 0, 1, "arXiv 1802.01886", TEXTS, self_bleu_2 },
    { "self_bleu_4", "1", 0, 1, "arXiv 1802.01886", TEXTS, self_bleu_4 },
    { "mean_length", "tok", 0, INFINITY, "to stand beside every diversity", TEXTS, mean_length },
    { "token_entropy", "nat/tok", 0, INFINITY, "mean of recorded entropies", VALUES, mean_value },
    { "reward_margin", "nat", -INFINITY, INFINITY, "arXiv 2305.18290", VALUES, mean_value },
    { "reward_accuracy", "1", 0, 1, "arXiv 2305.18290", VALUES, accuracy },
    { "vote_margin", "1", 0, 1, "mean |2p-1|", VALUES, vote_margin },
    { "mean_reward", "1", -INFINITY, INFINITY, "mean score", VALUES, mean_value },
    { "win_rate", "1", 0, 1, "mean vote", VALUES, mean_value },
    { "gradient_norm", "1", 0, INFINITY, "Euclidean", VALUES, norm },
};
const size_t sl_metric_count = sizeof sl_metrics / sizeof sl_metrics[0];

const sl_metric *sl_metric_find(const char *name)
{
    for (size_t i = 0; i < sl_metric_count; i++)
        if (!strcmp(sl_metrics[i].name, name))
            return &sl_metrics[i];
    return NULL;
}
