/* Counting different n-grams, exactly. The id of an n-gram is the place where it stands first; one
 * of order n is the pair of the ids of its beginning and its end of order n - 1, so equal pairs are
 * equal n-grams, and no hash is trusted. Where beginning or end stands once, so does the n-gram:
 * such places are counted without a look, and few are left from order 3 on. What is left goes
 * through a sieve, two bits a cell: met once, met again. Who is alone in its cell is single; only
 * the others need the table.
 *
 * Places: tokens of all texts one after another, one empty place behind each text. */
#include "analysis/metric.h"
#include "base/alloc.h"
#include <math.h>
#include <string.h>

enum { BLOCK = 128, WORD = 8, SLOTS = 4096, CELL_BITS = 2, CELLS = 64 / CELL_BITS };

/* The top bits are well mixed. */
static uint64_t spread(uint64_t key)
{
    return (key ^ key >> 32) * 0x9e3779b97f4a7c15u;
}

/* The smallest that is not below want, nor below 64; *shift leaves that many values of 64 bits. */
static size_t power_of_2(unsigned *shift, size_t want)
{
    size_t n = 64;

    for (*shift = 58; n < want; --*shift)
        n *= 2;
    return n;
}

static sl_status make_slots(sl_ngram_counts *c, size_t want)
{
    c->slots = power_of_2(&c->shift, want);
    SL_TRY(sl_grow(&c->slot, &c->slot_capacity, c->slots, sizeof *c->slot));
    memset(c->slot, 0, c->slots * sizeof *c->slot);
    c->taken = 0;
    return SL_OK;
}

/* The slot of this key, or the free one for it, from `at` on. */
static sl_gram_slot *slot_from(sl_gram_slot *slot, size_t mask, size_t at, uint64_t key)
{
    while (slot[at].first && slot[at].key != key)
        at = (at + 1) & mask;
    return &slot[at];
}

static sl_status grow_slots(sl_ngram_counts *c)
{
    sl_gram_slot *old = c->slot;
    const size_t slots = c->slots, taken = c->taken;
    sl_status st;

    c->slot = NULL;
    c->slot_capacity = 0;
    st = make_slots(c, 4 * slots);
    for (size_t i = 0; st == SL_OK && i < slots; i++)
        if (old[i].first)
            *slot_from(c->slot, c->slots - 1, (size_t)(spread(old[i].key) >> c->shift),
                       old[i].key) = old[i];
    c->taken = taken;
    sl_free(old);
    return st;
}

/* n-grams with these keys stand at these places: their ids, and which of them stand elsewhere too.
 * The first loop waits for no other load, so the misses of a table beyond the caches overlap. */
static sl_status see_block(sl_ngram_counts *c, const uint64_t *key, const uint32_t *place,
                           size_t count)
{
    unsigned char *again = c->next;
    uint32_t *id = c->id;
    sl_gram_slot *slot;
    uint64_t other[BLOCK]; /* 0: the key stands in its slot */
    size_t at[BLOCK], fresh = 0;

    if (4 * (c->taken + count) > 3 * c->slots)
        SL_TRY(grow_slots(c));
    slot = c->slot;
    for (size_t i = 0; i < count; i++) {
        at[i] = (size_t)(spread(key[i]) >> c->shift);
        other[i] = (slot[at[i]].key ^ key[i]) | !slot[at[i]].first;
    }
    for (size_t i = 0; i < count; i++) {
        sl_gram_slot *own = &slot[at[i]];
        const uint64_t here = (uint64_t)place[i] + 1;
        uint64_t first;
        unsigned char is_again;

        if (other[i])
            own = slot_from(slot, c->slots - 1, at[i], key[i]);
        first = own->first ? own->first : here;
        is_again = first != here;
        *own = (sl_gram_slot){ key[i], first };
        id[place[i]] = (uint32_t)(first - 1);
        again[place[i]] = is_again;
        again[first - 1] = is_again; /* of a new one the same place */
        fresh += !is_again;
    }
    c->taken += fresh;
    return SL_OK;
}

/* Order 1: tokens. */
static sl_status see_tokens(sl_ngram_counts *c, const sl_texts *t, size_t from, size_t to)
{
    uint32_t place[BLOCK];
    uint32_t at = 0;

    for (size_t i = from; i < to; i++, at++) {
        for (size_t k = t->first[i]; k < t->first[i + 1];) {
            size_t n = t->first[i + 1] - k;

            n = n < BLOCK ? n : BLOCK;
            for (size_t b = 0; b < n; b++)
                place[b] = at++;
            SL_TRY(see_block(c, t->token + k, place, n));
            k += n;
        }
    }
    return SL_OK;
}

/* Bytes of 8 places: 1 where the n-gram of the order before stands elsewhere too, and so does the
 * one a token on. */
static uint64_t both(const sl_ngram_counts *c, size_t place)
{
    uint64_t here, next;

    memcpy(&here, c->again + place, sizeof here);
    memcpy(&next, c->again + place + 1, sizeof next);
    return here & next;
}

/* Places that need a look, up to BLOCK of them, from *at on. */
static size_t gather(uint32_t *place, const sl_ngram_counts *c, size_t *at)
{
    size_t n = 0, p = *at;

    for (; p < c->places && n + WORD <= BLOCK; p += WORD) {
        if (!both(c, p))
            continue;
        for (size_t i = 0; i < WORD; i++) {
            place[n] = (uint32_t)(p + i);
            n += c->again[p + i] & c->again[p + i + 1];
        }
    }
    *at = p;
    return n;
}

static uint64_t key_at(const sl_ngram_counts *c, uint32_t place)
{
    return (uint64_t)c->id[place] << 32 | c->id[place + 1];
}

static size_t count_places(const sl_ngram_counts *c)
{
    size_t n = 0;

    for (size_t p = 0; p < c->places; p++)
        n += c->again[p] & c->again[p + 1];
    return n;
}

static sl_status make_cells(sl_ngram_counts *c, size_t want)
{
    const size_t words = power_of_2(&c->cell_shift, want) / CELLS;

    SL_TRY(sl_grow(&c->cell, &c->cell_capacity, words, sizeof *c->cell));
    memset(c->cell, 0, words * sizeof *c->cell);
    return SL_OK;
}

/* Every place into its cell. */
static void fill_cells(sl_ngram_counts *c)
{
    uint32_t place[BLOCK];
    size_t at = 0;

    while (at < c->places) {
        const size_t n = gather(place, c, &at);

        for (size_t i = 0; i < n; i++) {
            const uint64_t h = spread(key_at(c, place[i])) >> c->cell_shift;
            uint64_t *cell = &c->cell[h / CELLS];
            const unsigned bit = (unsigned)(h % CELLS * CELL_BITS);

            *cell |= (1 | (*cell >> bit & 1) << 1) << bit;
        }
    }
}

/* Those that are not alone in their cells; keys and places in front, returns how many. */
static size_t sieve(const sl_ngram_counts *c, uint64_t *key, uint32_t *place, size_t count)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        const uint64_t h = spread(key[i]) >> c->cell_shift;

        key[n] = key[i];
        place[n] = place[i];
        n += c->cell[h / CELLS] >> (h % CELLS * CELL_BITS + 1) & 1;
    }
    return n;
}

/* *looks: places whose n-gram may stand elsewhere too. */
static sl_status see_pairs(size_t *looks, sl_ngram_counts *c, int has_sieve)
{
    uint32_t place[BLOCK];
    uint64_t key[BLOCK];
    size_t at = 0;

    for (*looks = 0; at < c->places;) {
        size_t n = gather(place, c, &at);

        for (size_t i = 0; i < n; i++)
            key[i] = key_at(c, place[i]);
        if (has_sieve)
            n = sieve(c, key, place, n);
        SL_TRY(see_block(c, key, place, n));
        *looks += n;
    }
    return SL_OK;
}

/* *distinct of order n >= 2, of `total` n-grams, from what is known of order n - 1. Pairs of tokens
 * are mostly met again, and the sieve would pass them. */
static sl_status see_order(size_t *distinct, sl_ngram_counts *c, size_t total, size_t n)
{
    const int has_sieve = n > 2;
    unsigned char *last = c->again;
    size_t looks, places;

    c->again = c->next;
    c->next = last;
    memset(c->next, 0, c->places + 2 * WORD);
    places = count_places(c);
    if (has_sieve) {
        SL_TRY(make_cells(c, 4 * places));
        fill_cells(c);
    }
    SL_TRY(make_slots(c, places < SLOTS ? 2 * places : places / (has_sieve ? 8 : 2)));
    SL_TRY(see_pairs(&looks, c, has_sieve));
    *distinct = total - looks + c->taken;
    return SL_OK;
}

static sl_status make_places(sl_ngram_counts *c, size_t tokens, size_t texts)
{
    if (tokens >= UINT32_MAX / 2 || texts >= UINT32_MAX / 2)
        return SL_FAIL(SL_EARG, "want fewer than %u tokens, found %zu in %zu texts", UINT32_MAX / 2,
                       tokens, texts);
    c->places = tokens + texts;
    SL_TRY(sl_grow(&c->id, &c->id_capacity, c->places + WORD, sizeof *c->id));
    SL_TRY(sl_grow(&c->again, &c->again_capacity, c->places + 2 * WORD, 1));
    SL_TRY(sl_grow(&c->next, &c->next_capacity, c->places + 2 * WORD, 1));
    memset(c->next, 0, c->places + 2 * WORD);
    return make_slots(c, 2 * tokens < SLOTS ? 2 * tokens : SLOTS);
}

static sl_status count_orders(sl_ngram_counts *c, const sl_texts *t, size_t from, size_t to,
                              size_t order)
{
    SL_TRY(make_places(c, sl_grams_between(t, from, to, 1), to - from));
    for (size_t n = 1; n <= order; n++)
        c->total[n - 1] = sl_grams_between(t, from, to, n);
    SL_TRY(see_tokens(c, t, from, to));
    c->distinct[0] = c->taken;
    for (size_t n = 2; n <= order; n++)
        SL_TRY(see_order(&c->distinct[n - 1], c, c->total[n - 1], n));
    return SL_OK;
}

sl_status sl_ngrams_count(sl_ngram_counts *out, const sl_texts *t, size_t from, size_t to,
                          size_t order)
{
    sl_status st;

    SL_CHECK(order >= 1 && order <= SL_ORDER_MOST && from <= to && to <= t->count);
    st = count_orders(out, t, from, to, order);
    if (st != SL_OK)
        sl_ngram_counts_close(out);
    return st;
}

void sl_ngram_counts_close(sl_ngram_counts *c)
{
    sl_free(c->slot);
    sl_free(c->cell);
    sl_free(c->id);
    sl_free(c->again);
    sl_free(c->next);
    *c = (sl_ngram_counts){ 0 };
}

double sl_distinct_ratio(size_t distinct, size_t total)
{
    return total ? (double)distinct / (double)total : NAN;
}

double sl_distinct_expected(size_t distinct, size_t total, double V, double n)
{
    const double most = pow(V, n);

    if (!total)
        return NAN;
    return (double)distinct / (-most * expm1((double)total * log1p(-1.0 / most)));
}
