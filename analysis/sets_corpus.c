/* One answer a prompt, of a seeded draw of prompts. The draw belongs to the prompt and the seed
 * alone: neither the order of the rows nor the other set changes it. */
#include "analysis/sets_int.h"
#include "base/alloc.h"
#include "base/rng.h"
#include "base/sort.h"
#include <stdlib.h>

typedef struct item {
    uint64_t key;
    sl_group *group; /* one answer */
} item;

struct sl_corpus {
    item *heap; /* (count) the largest key on top */
    size_t count, most;
    uint64_t seed;
};

sl_status sl_corpus_open(sl_corpus **out, const sl_sets_settings *settings)
{
    SL_TRY(sl_take(out, 1, sizeof **out));
    (*out)->most = settings->corpus;
    (*out)->seed = settings->seed;
    if (sl_take(&(*out)->heap, settings->corpus + 1, sizeof *(*out)->heap) != SL_OK)
        sl_corpus_close(out);
    return sl_err_code();
}

void sl_corpus_close(sl_corpus **corpus)
{
    sl_corpus *c = *corpus;

    if (!c)
        return;
    for (size_t i = 0; i < c->count; i++) {
        sl_group_close(c->heap[i].group);
        sl_free(c->heap[i].group);
    }
    sl_free(c->heap);
    sl_free(c);
    *corpus = NULL;
}

static void swap(item *a, item *b)
{
    const item kept = *a;

    *a = *b;
    *b = kept;
}

static void sink(sl_corpus *c)
{
    for (size_t i = 0, child; (child = 2 * i + 1) < c->count; i = child) {
        if (child + 1 < c->count && c->heap[child + 1].key > c->heap[child].key)
            child++;
        if (c->heap[i].key >= c->heap[child].key)
            return;
        swap(&c->heap[i], &c->heap[child]);
    }
}

static void rise(sl_corpus *c, size_t i)
{
    for (; i && c->heap[i].key > c->heap[(i - 1) / 2].key; i = (i - 1) / 2)
        swap(&c->heap[i], &c->heap[(i - 1) / 2]);
}

sl_status sl_corpus_offer(sl_corpus *c, const sl_group *group)
{
    const uint64_t draw = sl_rng_substream(sl_rng_stream("corpus") ^ c->seed, group->prompt);
    const size_t answer = (size_t)(sl_rng_substream(draw, 1) % group->n);
    sl_group *g;

    if (!c->most || (c->count == c->most && draw >= c->heap[0].key))
        return SL_OK;
    if (c->count < c->most) {
        SL_TRY(sl_take(&g, 1, sizeof *g));
        c->heap[c->count++] = (item){ draw, g };
        rise(c, c->count - 1);
    } else {
        g = c->heap[0].group;
        c->heap[0].key = draw;
        sink(c);
    }
    sl_group_clear(g);
    g->prompt = group->prompt;
    return sl_group_copy(g, group, answer);
}

size_t sl_corpus_bytes(const sl_corpus *c)
{
    size_t bytes = c->most * sizeof *c->heap;

    for (size_t i = 0; i < c->count; i++) {
        const sl_group *g = c->heap[i].group;

        bytes += sizeof *g + g->raw_capacity +
                 8 * (g->logp_capacity + g->entropy_capacity + g->vector_capacity);
    }
    return bytes;
}

static int by_key(const void *a, const void *b)
{
    const uint64_t x = ((const item *)a)->key, y = ((const item *)b)->key;

    return (x > y) - (x < y);
}

sl_status sl_corpus_measure(sl_answer_set *set, const sl_answer_sets *sets, sl_answers_work *work)
{
    sl_corpus *c = set->corpus;
    const sl_answers_settings how = { .vocabulary = sets->settings.vocabulary,
                                      .level = SL_LEVEL_CORPUS };
    sl_group all = { 0 };
    sl_status st = SL_OK;

    sl_group_clear(&all);
    sl_sort(c->heap, c->count, sizeof *c->heap, by_key);
    for (size_t i = 0; i < c->count; i++)
        SL_TRY_OUT(sl_group_copy(&all, c->heap[c->count - 1 - i].group, 0));
    set->corpus_used = all.n;
    SL_TRY_OUT(sl_group_settle(&all, sets));
    st = sl_answers_measure(set->corpus_value, &set->corpus_known, &all.answers, &how, work);
out:
    sl_group_close(&all);
    return st;
}
