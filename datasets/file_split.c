/* What needs to see every record: which prompts are held out, which pairs stand twice. Prompts are
 * the same when their ids, their texts or their words are (white space around them aside): rows
 * joined by any of them form a group, and a group stands in one split. */
#include "base/alloc.h"
#include "base/rng.h"
#include "base/sort.h"
#include "datasets/file_int.h"
#include <math.h>
#include <stdlib.h>

typedef struct file_order {
    uint64_t key;
    uint32_t index; /* of the record */
} file_order;

static int by_key(const void *a, const void *b)
{
    const file_order *x = a, *y = b;

    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

/* --- repeats --------------------------------------------------------------------------------- */

static int holds(const file_order *sorted, size_t count, uint64_t key)
{
    size_t low = 0, high = count;

    while (low < high) {
        const size_t mid = low + (high - low) / 2;

        if (sorted[mid].key < key)
            low = mid + 1;
        else
            high = mid;
    }
    return low < count && sorted[low].key == key;
}

sl_status sl_file_count_repeats(sl_data *data)
{
    file_state *f = data->state;
    file_order *sorted = NULL;

    SL_TRY(sl_take(&sorted, f->count, sizeof *sorted));
    for (size_t i = 0; i < f->count; i++)
        sorted[i] = (file_order){ f->record[i].id, (uint32_t)i };
    sl_sort(sorted, f->count, sizeof *sorted, by_key);
    for (size_t i = 1; i < f->count; i++)
        if (sorted[i].key == sorted[i - 1].key) {
            f->record[sorted[i].index].flags |= SL_PAIR_DUPLICATE;
            f->record[sorted[i].index].is_repeat = 1;
        }
    for (size_t i = 0; i < f->count; i++) {
        const file_record *r = &f->record[i];

        if (r->is_repeat)
            sl_file_count(f, SL_FAULT_DUPLICATE, r->line, NULL, NULL);
        /* a pair of equal answers is its own swap and contradicts nothing */
        if (r->swapped_id == r->id)
            sl_file_count(f, SL_FAULT_SAME_ANSWERS, r->line, NULL, NULL);
        else if (holds(sorted, f->count, r->swapped_id))
            sl_file_count(f, SL_FAULT_CONTRADICTION, r->line, NULL, NULL);
    }
    sl_free(sorted);
    return SL_OK;
}

/* --- splits ---------------------------------------------------------------------------------- */

/* First record of the group of record i; paths are halved on the way. */
static uint32_t first_of(uint32_t *group, uint32_t i)
{
    while (group[i] != i)
        i = group[i] = group[group[i]];
    return i;
}

/* Joins the groups of records that have the same key. sorted (count) by key. */
static void join(uint32_t *group, const file_order *sorted, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        uint32_t a, b;

        if (sorted[i].key != sorted[i - 1].key)
            continue;
        a = first_of(group, sorted[i - 1].index);
        b = first_of(group, sorted[i].index);
        group[a > b ? a : b] = a < b ? a : b;
    }
}

static uint64_t text_key(const file_record *r)
{
    return r->part[SL_PART_PROMPT].id;
}

static uint64_t words_key(const file_record *r)
{
    return r->words_id;
}

static uint64_t id_key(const file_record *r)
{
    return r->prompt_id;
}

/* group[i] = first record of the group of record i; its key, at key[first], is the least id of its
 * prompts, so that the order of rows does not matter. */
static void find_groups(uint32_t *group, uint64_t *key, file_order *sorted, const file_state *f)
{
    static uint64_t (*const keys[])(const file_record *r) = { text_key, words_key, id_key };

    for (size_t i = 0; i < f->count; i++) {
        group[i] = (uint32_t)i;
        key[i] = UINT64_MAX;
    }
    for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
        for (size_t i = 0; i < f->count; i++)
            sorted[i] = (file_order){ keys[k](&f->record[i]), (uint32_t)i };
        sl_sort(sorted, f->count, sizeof *sorted, by_key);
        join(group, sorted, f->count);
    }
    for (uint32_t i = 0; i < f->count; i++) {
        uint64_t *least = &key[first_of(group, i)];

        *least = f->record[i].prompt_id < *least ? f->record[i].prompt_id : *least;
    }
}

static int is_probe(const file_state *f, uint64_t key, double share)
{
    const uint64_t mixed = sl_rng_substream(sl_rng_stream("probe split") ^ f->seed, key);

    return ldexp((double)(mixed >> 11), -53) < share;
}

/* Probes stand by their keys, which are hashes: any first part of them is a fair sample. */
static void fill_splits(file_state *f, uint32_t *group, const uint64_t *key, file_order *sorted,
                        double share)
{
    for (uint32_t i = 0; i < f->count; i++) {
        const uint32_t first = first_of(group, i);

        if (!is_probe(f, key[first], share))
            f->train[f->train_count++] = i;
        else if (first == i)
            sorted[f->probe_count++] = (file_order){ key[i], i };
    }
    sl_sort(sorted, f->probe_count, sizeof *sorted, by_key);
    for (size_t i = 0; i < f->probe_count; i++)
        f->probe[i] = sorted[i].index;
}

sl_status sl_file_split(sl_data *data, double share)
{
    file_state *f = data->state;
    file_order *sorted = NULL;
    uint32_t *group = NULL;
    uint64_t *key = NULL;
    sl_status st = SL_OK;

    SL_TRY_OUT(sl_take(&sorted, f->count, sizeof *sorted));
    SL_TRY_OUT(sl_take(&group, f->count, sizeof *group));
    SL_TRY_OUT(sl_take(&key, f->count, sizeof *key));
    SL_TRY_OUT(sl_take(&f->train, f->count, sizeof *f->train));
    SL_TRY_OUT(sl_take(&f->order, f->count, sizeof *f->order));
    SL_TRY_OUT(sl_take(&f->probe, f->count, sizeof *f->probe));
    find_groups(group, key, sorted, f);
    fill_splits(f, group, key, sorted, share);
out:
    sl_free(sorted);
    sl_free(group);
    sl_free(key);
    return st;
}
