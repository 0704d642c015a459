#include "analysis/diversity.h"
#include "base/alloc.h"
#include "base/hash.h"
#include "base/rng.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GRAM_MOST = 8, PROMPT_CANDIDATES = 64 };

/* --- distinct-n ------------------------------------------------------------------------------ */

typedef struct grams {
    uint64_t *hash; /* (count) */
    size_t count, capacity;
} grams;

static int is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

/* Adds the hash of every n-gram of a text; n-grams do not cross texts. */
static sl_status add_text(grams *g, const char *text, size_t n)
{
    uint64_t word[GRAM_MOST] = { 0 };
    size_t words = 0;

    while (*text) {
        size_t bytes = 0;
        uint64_t gram = n;

        while (is_space(*text))
            text++;
        while (text[bytes] && !is_space(text[bytes]))
            bytes++;
        if (!bytes)
            break;
        memmove(word, word + 1, (n - 1) * sizeof *word);
        word[n - 1] = sl_hash_id(text, bytes);
        text += bytes;
        if (++words < n)
            continue;
        for (size_t i = 0; i < n; i++)
            gram = sl_rng_substream(gram, word[i]);
        SL_TRY(sl_grow(&g->hash, &g->capacity, g->count + 1, sizeof *g->hash));
        g->hash[g->count++] = gram;
    }
    return SL_OK;
}

static int by_value(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

sl_status sl_distinct_n(double *out, size_t *distinct, size_t *total, const char *const *text,
                        size_t count, size_t n)
{
    grams g = { 0 };
    sl_status st = SL_OK;

    SL_CHECK(n >= 1 && n <= GRAM_MOST);
    *out = NAN;
    *distinct = *total = 0;
    for (size_t i = 0; i < count; i++)
        SL_TRY_OUT(add_text(&g, text[i], n));
    if (!g.count)
        goto out;
    qsort(g.hash, g.count, sizeof *g.hash, by_value);
    for (size_t i = 0; i < g.count; i++)
        *distinct += !i || g.hash[i] != g.hash[i - 1];
    *total = g.count;
    *out = (double)*distinct / (double)*total;
out:
    sl_free(g.hash);
    return st;
}

/* --- candidates of a measurement ------------------------------------------------------------- */

typedef struct id_text {
    uint64_t id, text_hash;
} id_text;

static int by_id(const void *a, const void *b)
{
    return by_value(&((const id_text *)a)->id, &((const id_text *)b)->id);
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

/* The candidates of one prompt, each once. */
typedef struct prompt_side {
    uint64_t id[PROMPT_CANDIDATES];
    const char *text[PROMPT_CANDIDATES];
    double score_sum;
    size_t count, texts;
} prompt_side;

static sl_status add_candidate(prompt_side *p, uint64_t id, float score, const id_text *index,
                               size_t count, sl_reader *reader)
{
    const id_text key = { id, 0 };
    const id_text *found;

    for (size_t i = 0; i < p->count; i++)
        if (p->id[i] == id)
            return SL_OK;
    if (p->count == PROMPT_CANDIDATES)
        return SL_OK;
    p->id[p->count++] = id;
    p->score_sum += (double)score;
    found = bsearch(&key, index, count, sizeof *index, by_id);
    if (!found)
        return SL_OK;
    SL_TRY(sl_reader_text(reader, found->text_hash, &p->text[p->texts]));
    p->texts += p->text[p->texts] != NULL;
    return SL_OK;
}

/* One value a prompt; NaN is dropped by the mean. */
typedef struct series {
    double *x;
    size_t count, capacity;
} series;

typedef struct side_means {
    series distinct[2], quality;
    size_t candidates;
} side_means;

static sl_status push(series *s, double value)
{
    SL_TRY(sl_grow(&s->x, &s->capacity, s->count + 1, sizeof *s->x));
    s->x[s->count++] = value;
    return SL_OK;
}

static sl_status close_prompt(side_means *m, const prompt_side *p)
{
    if (!p->count)
        return SL_OK;
    m->candidates += p->count;
    SL_TRY(push(&m->quality, p->score_sum / (double)p->count));
    for (size_t n = 0; n < 2 && p->texts == p->count; n++) {
        double value;
        size_t distinct, total;

        SL_TRY(sl_distinct_n(&value, &distinct, &total, p->text, p->texts, n + 1));
        SL_TRY(push(&m->distinct[n], value));
    }
    return SL_OK;
}

static sl_status gather(side_means *m, sl_reader *reader, const id_text *index, size_t index_count,
                        uint32_t measurement, int origin)
{
    const sl_row_votes *v;
    prompt_side p = { 0 };
    uint64_t prompt = 0;
    size_t count;

    SL_TRY(sl_reader_rows(reader, SL_TABLE_VOTES, &v, &count));
    for (size_t i = 0; i < count; i++) {
        const int is_on = origin == SL_ORIGIN_ON_POLICY;

        if (v[i].purpose != SL_PURPOSE_BOUNDARY || v[i].measurement != measurement)
            continue;
        if (v[i].prompt_id != prompt) {
            SL_TRY(close_prompt(m, &p));
            p = (prompt_side){ 0 };
            prompt = v[i].prompt_id;
        }
        SL_TRY(add_candidate(&p, is_on ? v[i].a_id : v[i].b_id, is_on ? v[i].score_a : v[i].score_b,
                             index, index_count, reader));
    }
    return close_prompt(m, &p);
}

sl_status sl_diversity_of(sl_diversity *out, sl_reader *reader, uint32_t measurement, int origin)
{
    side_means m = { 0 };
    id_text *index = NULL;
    size_t count = 0;
    sl_status st = SL_OK;

    SL_TRY_OUT(candidate_index(&index, &count, reader));
    SL_TRY_OUT(gather(&m, reader, index, count, measurement, origin));
    *out = (sl_diversity){ .distinct_1 = sl_mean_of(m.distinct[0].x, m.distinct[0].count),
                           .distinct_2 = sl_mean_of(m.distinct[1].x, m.distinct[1].count),
                           .quality = sl_mean_of(m.quality.x, m.quality.count),
                           .candidates = m.candidates };
out:
    sl_free(index);
    sl_free(m.distinct[0].x);
    sl_free(m.distinct[1].x);
    sl_free(m.quality.x);
    return st;
}
