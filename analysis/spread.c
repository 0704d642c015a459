#include "analysis/spread.h"
#include "analysis/metric.h"
#include "base/alloc.h"
#include <math.h>

enum { SOURCES = SL_ORIGIN_OTHER + 1, SIDES = 2 };
typedef enum quantity { ENTROPY, LOW, HIGH, REST, QUANTITIES } quantity;

const char *const sl_spread_sides[SIDES] = { "chosen", "rejected" };

/* Sums over answers of what one row tells. */
typedef struct cell {
    size_t tokens;
    sl_sums sums[QUANTITIES];
} cell;

typedef struct spread_work {
    sl_reader *reader;
    const sl_row_topk *top;
    const sl_row_tokens *token;
    const sl_row_pairs *pair;
    size_t tops, tokens, pairs;
    size_t token_at, pair_at; /* where the last one was found */
    float *logp;              /* (k) */
    size_t k, V;
    cell cell[SOURCES][SIDES][SL_BUCKETS]; /* of one iteration */
    sl_spread *out;
    size_t capacity;
} spread_work;

/* End of the answer that begins at `first`. */
static size_t answer_end(const spread_work *w, size_t first)
{
    const sl_row_topk *t = w->top;
    size_t end = first + 1;

    while (end < w->tops && t[end].step == t[first].step && t[end].pair_id == t[first].pair_id &&
           t[end].side == t[first].side && t[end].pos > t[end - 1].pos)
        end++;
    return end;
}

/* The visit of that pair; NULL: none. Both tables ascend by step. */
static const sl_row_pairs *visit_of(spread_work *w, const sl_row_topk *t)
{
    while (w->pair_at < w->pairs && w->pair[w->pair_at].step < t->step)
        w->pair_at++;
    for (size_t i = w->pair_at; i < w->pairs && w->pair[i].step == t->step; i++)
        if (w->pair[i].pair_id == t->pair_id)
            return &w->pair[i];
    return NULL;
}

/* Entropy from the full row: `topk` has some of the tokens, in the order that `tokens` has them. */
static double entropy_of(spread_work *w, const sl_row_topk *t)
{
    for (size_t i = w->token_at; i < w->tokens && w->token[i].step <= t->step; i++) {
        const sl_row_tokens *found = &w->token[i];

        if (found->step == t->step && found->pair_id == t->pair_id && found->side == t->side &&
            found->pos == t->pos) {
            w->token_at = i + 1;
            return (double)found->entropy;
        }
    }
    return NAN;
}

/* Tokens [first, end) are one answer's. */
static sl_status add_answer(spread_work *w, cell places[SL_BUCKETS], size_t first, size_t end)
{
    sl_sums mean[SL_BUCKETS][QUANTITIES] = { { { 0 } } };

    for (size_t i = first; i < end; i++) {
        const sl_row_topk *t = &w->top[i];
        const size_t place = sl_bucket_of(t->pos);
        sl_entropy_bounds b;

        SL_TRY(sl_reader_wide(w->reader, SL_TABLE_TOPK, 1, i, 1, w->logp));
        b = sl_topk_entropy(w->logp, w->k, (double)t->rest, w->V);
        sl_sums_add(&mean[place][ENTROPY], entropy_of(w, t));
        sl_sums_add(&mean[place][LOW], b.low);
        sl_sums_add(&mean[place][HIGH], b.high);
        sl_sums_add(&mean[place][REST], (double)t->rest);
        places[place].tokens++;
    }
    for (size_t p = 0; p < SL_BUCKETS; p++)
        for (size_t q = 0; q < QUANTITIES; q++)
            if (mean[p][q].used)
                sl_sums_add(&places[p].sums[q], mean[p][q].mean);
    return SL_OK;
}

static sl_status put_row(spread_work *w, int64_t iteration, int source, int side, size_t place)
{
    const cell *c = &w->cell[source][side][place];
    sl_spread *out = w->out;

    if (!c->tokens)
        return SL_OK;
    SL_TRY(sl_grow(&out->row, &w->capacity, out->count + 1, sizeof *out->row));
    out->row[out->count++] = (sl_spread_row){ .iteration = iteration,
                                              .source = source,
                                              .side = side,
                                              .place = place,
                                              .tokens = c->tokens,
                                              .entropy = sl_sums_value(&c->sums[ENTROPY], 1),
                                              .low = sl_sums_value(&c->sums[LOW], 1),
                                              .high = sl_sums_value(&c->sums[HIGH], 1),
                                              .rest = sl_sums_value(&c->sums[REST], 1) };
    return SL_OK;
}

/* Ends an iteration. */
static sl_status put_rows(spread_work *w, int64_t iteration)
{
    for (int source = 0; source < SOURCES; source++)
        for (int side = 0; side < SIDES; side++)
            for (size_t place = 0; place < SL_BUCKETS; place++) {
                SL_TRY(put_row(w, iteration, source, side, place));
                w->cell[source][side][place] = (cell){ 0 };
            }
    return SL_OK;
}

static sl_status fill(spread_work *w)
{
    int64_t iteration = 0;

    for (size_t i = 0, end; i < w->tops; i = end) {
        const sl_row_pairs *visit = visit_of(w, &w->top[i]);

        end = answer_end(w, i);
        if (!visit || visit->source >= SOURCES || w->top[i].side >= SIDES)
            continue;
        if ((int64_t)visit->iteration != iteration)
            SL_TRY(put_rows(w, iteration));
        iteration = visit->iteration;
        SL_TRY(add_answer(w, w->cell[visit->source][w->top[i].side], i, end));
    }
    return put_rows(w, iteration);
}

sl_status sl_spread_run(sl_spread *out, sl_reader *reader)
{
    const sl_layout *layout = sl_reader_layout(reader);
    spread_work w = { .reader = reader,
                      .k = layout->width[SL_WIDTH_K],
                      .V = layout->width[SL_WIDTH_VOCAB],
                      .out = out };
    sl_status st = SL_OK;

    *out = (sl_spread){ 0 };
    if (!sl_reader_has(reader, SL_TABLE_TOPK))
        return SL_OK;
    SL_TRY_OUT(sl_reader_rows(reader, SL_TABLE_TOPK, &w.top, &w.tops));
    SL_TRY_OUT(sl_reader_rows(reader, SL_TABLE_TOKENS, &w.token, &w.tokens));
    SL_TRY_OUT(sl_reader_rows(reader, SL_TABLE_PAIRS, &w.pair, &w.pairs));
    SL_TRY_OUT(sl_take(&w.logp, w.k + 1, sizeof *w.logp));
    st = fill(&w);
out:
    sl_free(w.logp);
    sl_reader_release(reader, SL_TABLE_TOPK);
    sl_reader_release(reader, SL_TABLE_TOKENS);
    sl_reader_release(reader, SL_TABLE_PAIRS);
    if (st != SL_OK)
        sl_spread_close(out);
    return st;
}

void sl_spread_close(sl_spread *spread)
{
    sl_free(spread->row);
    *spread = (sl_spread){ 0 };
}
