#include "analysis/diversity.h"
#include "analysis/metric.h"
#include "base/alloc.h"
#include <stdlib.h>

static const char *const metric_names[SL_DIVERSITY_TEXTS] = {
    [SL_DIVERSITY_DISTINCT_1] = "distinct_1",   [SL_DIVERSITY_DISTINCT_2] = "distinct_2",
    [SL_DIVERSITY_SELF_BLEU_2] = "self_bleu_2", [SL_DIVERSITY_ENTROPY_1] = "ngram_entropy_1",
    [SL_DIVERSITY_LENGTH] = "mean_length",
};

typedef struct id_text {
    uint64_t id, text_hash;
} id_text;

static int by_id(const void *a, const void *b)
{
    const uint64_t x = ((const id_text *)a)->id, y = ((const id_text *)b)->id;

    return (x > y) - (x < y);
}

static sl_status candidate_index(id_text **out, size_t *count, sl_reader *reader)
{
    const sl_row_candidates *c;

    SL_TRY(sl_reader_rows(reader, SL_TABLE_CANDIDATES, &c, count));
    SL_TRY(sl_take(out, *count + 1, sizeof **out));
    for (size_t i = 0; i < *count; i++)
        (*out)[i] = (id_text){ c[i].candidate_id, c[i].text_hash };
    sl_reader_release(reader, SL_TABLE_CANDIDATES);
    qsort(*out, *count, sizeof **out, by_id);
    return SL_OK;
}

/* The candidates of one side of one prompt. */
typedef struct side {
    sl_texts texts;
    double score_sum;
    size_t count;
} side;

static sl_status add_candidate(side *s, uint64_t id, float score, const id_text *index,
                               size_t count, sl_reader *reader)
{
    const id_text key = { id, 0 };
    const id_text *found = bsearch(&key, index, count, sizeof *index, by_id);
    const char *text = NULL;

    s->count++;
    s->score_sum += (double)score;
    if (found)
        SL_TRY(sl_reader_text(reader, found->text_hash, &text));
    return text ? sl_texts_add_words(&s->texts, text) : SL_OK;
}

/* One value a prompt; NaN is dropped by the mean. */
typedef struct series {
    double *x;
    size_t count, capacity;
} series;

typedef struct side_means {
    series text[SL_DIVERSITY_TEXTS], quality;
    size_t candidates;
} side_means;

static sl_status push(series *s, double value)
{
    SL_TRY(sl_grow(&s->x, &s->capacity, s->count + 1, sizeof *s->x));
    s->x[s->count++] = value;
    return SL_OK;
}

/* What is known of a prompt goes into the means; *s is empty then. */
static sl_status close_prompt(side_means *m, side *s)
{
    const sl_metric_input in = { .texts = &s->texts };

    if (!s->count)
        return SL_OK;
    m->candidates += s->count;
    SL_TRY(push(&m->quality, s->score_sum / (double)s->count));
    for (size_t k = 0; k < SL_DIVERSITY_TEXTS && s->texts.count == s->count; k++) {
        double value;

        SL_TRY(sl_metric_find(metric_names[k])->of(&value, &in));
        SL_TRY(push(&m->text[k], value));
    }
    sl_texts_clear(&s->texts);
    s->score_sum = 0.0;
    s->count = 0;
    return SL_OK;
}

/* All on-policy answers of a prompt are compared with all static ones, answer by answer: a vote
 * shows a new on-policy answer where a's id changes, and a new static one while a's id is the
 * first. Static answers may be equal, ids and all; each counts. */
static int shows_new(const sl_row_votes *v, size_t first, size_t i, int origin)
{
    if (origin == SL_ORIGIN_ON_POLICY)
        return i == first || v[i].a_id != v[i - 1].a_id;
    return v[i].a_id == v[first].a_id;
}

static sl_status gather(side_means *m, side *s, sl_reader *reader, const id_text *index,
                        size_t index_count, uint32_t measurement, int origin)
{
    const int is_on = origin == SL_ORIGIN_ON_POLICY;
    const sl_row_votes *v;
    size_t count, first = 0;

    SL_TRY(sl_reader_rows(reader, SL_TABLE_VOTES, &v, &count));
    for (size_t i = 0; i < count; i++) {
        if (v[i].purpose != SL_PURPOSE_BOUNDARY || v[i].measurement != measurement)
            continue;
        if (!s->count || v[i].prompt_id != v[first].prompt_id) {
            SL_TRY(close_prompt(m, s));
            first = i;
        }
        if (shows_new(v, first, i, origin))
            SL_TRY(add_candidate(s, is_on ? v[i].a_id : v[i].b_id,
                                 is_on ? v[i].score_a : v[i].score_b, index, index_count, reader));
    }
    return close_prompt(m, s);
}

sl_status sl_diversity_of(sl_diversity *out, sl_reader *reader, uint32_t measurement, int origin)
{
    side_means m = { 0 };
    side s = { 0 };
    id_text *index = NULL;
    size_t count = 0;
    sl_status st = SL_OK;

    SL_TRY_OUT(candidate_index(&index, &count, reader));
    SL_TRY_OUT(gather(&m, &s, reader, index, count, measurement, origin));
    for (size_t k = 0; k < SL_DIVERSITY_TEXTS; k++)
        out->text[k] = sl_mean_of(m.text[k].x, m.text[k].count);
    out->quality = sl_mean_of(m.quality.x, m.quality.count);
    out->candidates = m.candidates;
out:
    sl_free(index);
    sl_texts_close(&s.texts);
    for (size_t k = 0; k < SL_DIVERSITY_TEXTS; k++)
        sl_free(m.text[k].x);
    sl_free(m.quality.x);
    return st;
}
