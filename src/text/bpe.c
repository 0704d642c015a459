/* Byte-pair encoding of one piece: symbols in a linked list, candidates in a heap by (rank, place),
 * O(n log n), because some tokenizers make one piece of a whole document. */
#include "base/alloc.h"
#include "text/tokenizer_int.h"
#include <string.h>
#include <utf8proc.h>

static int is_before(const sl_candidate *a, const sl_candidate *b)
{
    return a->rank != b->rank ? a->rank < b->rank : a->at < b->at;
}

static void heap_add(sl_candidate *heap, size_t *count, sl_candidate item)
{
    size_t i = (*count)++;

    for (; i && is_before(&item, &heap[(i - 1) / 2]); i = (i - 1) / 2)
        heap[i] = heap[(i - 1) / 2];
    heap[i] = item;
}

static sl_candidate heap_take(sl_candidate *heap, size_t *count)
{
    const sl_candidate first = heap[0], last = heap[--*count];
    size_t i = 0;

    for (size_t child = 1; child < *count; child = 2 * i + 1) {
        if (child + 1 < *count && is_before(&heap[child + 1], &heap[child]))
            child++;
        if (!is_before(&heap[child], &last))
            break;
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = last;
    return first;
}

static void propose(sl_text_work *work, size_t *heap_count, const sl_merges *merges, int32_t at)
{
    const sl_symbol *left = &work->symbol[at];
    const sl_merge *merge;

    if (left->next < 0)
        return;
    merge = sl_merges_find(merges, left->id, work->symbol[left->next].id);
    if (merge)
        heap_add(work->heap, heap_count, (sl_candidate){ merge->rank, at, merge->id });
}

/* Joins symbol at with its right neighbour. */
static void join(sl_symbol *symbol, int32_t at, int32_t id)
{
    sl_symbol *left = &symbol[at], *right = &symbol[left->next];

    left->id = id;
    left->next = right->next;
    right->id = -1;
    if (left->next >= 0)
        symbol[left->next].previous = at;
}

/* Every merge takes one candidate and adds at most two: 2 * count are room enough. */
static void merge_all(sl_text_work *work, const sl_merges *merges, size_t count)
{
    size_t candidates = 0;

    for (size_t i = 0; i < count; i++)
        propose(work, &candidates, merges, (int32_t)i);
    while (candidates) {
        const sl_candidate best = heap_take(work->heap, &candidates);
        const sl_symbol *left = &work->symbol[best.at];
        const sl_merge *now;

        if (left->id < 0 || left->next < 0)
            continue;
        now = sl_merges_find(merges, left->id, work->symbol[left->next].id);
        if (!now || now->id != best.id)
            continue; /* the pair has changed since */
        join(work->symbol, best.at, best.id);
        if (left->previous >= 0)
            propose(work, &candidates, merges, left->previous);
        propose(work, &candidates, merges, best.at);
    }
}

static void add_symbol(sl_text_work *work, size_t *count, int32_t id)
{
    const int32_t i = (int32_t)(*count)++;

    work->symbol[i] = (sl_symbol){ id, i - 1, -1 };
    if (i)
        work->symbol[i - 1].next = i;
}

/* A character without a token: its bytes, if each has one; else the unknown token; else nothing. An
 * unknown token that waits is not written before byte tokens: so does the library. */
static void add_missing(sl_text_work *work, size_t *count, int *has_unk, const sl_bpe *bpe,
                        sl_span text)
{
    size_t have = 0;

    while (bpe->falls_back && have < text.bytes && bpe->hex_id[(unsigned char)text.at[have]] >= 0)
        have++;
    if (have == text.bytes) {
        for (size_t i = 0; i < text.bytes; i++)
            add_symbol(work, count, bpe->hex_id[(unsigned char)text.at[i]]);
        return;
    }
    if (bpe->unk < 0)
        return;
    if (*has_unk && !bpe->fuses_unk)
        add_symbol(work, count, bpe->unk);
    *has_unk = 1;
}

static void flush_unk(sl_text_work *work, size_t *count, int *has_unk, const sl_bpe *bpe)
{
    if (*has_unk)
        add_symbol(work, count, bpe->unk);
    *has_unk = 0;
}

static void add_character(sl_text_work *work, size_t *count, int *has_unk, const sl_bpe *bpe,
                          sl_span text, int32_t id)
{
    if (id < 0) {
        add_missing(work, count, has_unk, bpe, text);
        return;
    }
    flush_unk(work, count, has_unk, bpe);
    add_symbol(work, count, id);
}

/* One symbol a byte, or a character; returns their count. */
static size_t fill_symbols(sl_text_work *work, const sl_tokenizer *t, sl_span piece)
{
    int has_unk = 0; /* an unknown token waits, so that a run can be one */
    size_t count = 0;

    for (size_t i = 0, step; i < piece.bytes; i += step) {
        const unsigned char byte = (unsigned char)piece.at[i];
        char letter[2];
        sl_span text = { piece.at + i, 1 };
        int32_t id;

        if (t->is_byte_level) {
            id = t->bpe.byte_id[byte];
            text = (sl_span){ letter, sl_alphabet_text(letter, byte) };
            step = 1;
        } else {
            step = text.bytes = utf8proc_utf8class[byte]; /* valid UTF-8 */
            id = sl_vocab_find(&t->vocab, text.at, text.bytes, SL_TOKEN_MODEL);
        }
        add_character(work, &count, &has_unk, &t->bpe, text, id);
    }
    flush_unk(work, &count, &has_unk, &t->bpe);
    return count;
}

/* The piece's own token, -1: none. */
static int32_t find_whole(const sl_tokenizer *t, sl_text_work *work, sl_span piece, sl_status *st)
{
    sl_bytes *text = &work->next; /* free while pieces are encoded */

    *st = SL_OK;
    if (piece.bytes > t->vocab.longest)
        return -1;
    if (!t->is_byte_level)
        return sl_vocab_find(&t->vocab, piece.at, piece.bytes, SL_TOKEN_MODEL);
    text->count = 0;
    for (size_t i = 0; i < piece.bytes && *st == SL_OK; i++) {
        char letter[2];
        const size_t bytes = sl_alphabet_text(letter, (unsigned char)piece.at[i]);

        *st = sl_bytes_add(text, letter, bytes);
    }
    return *st == SL_OK ? sl_vocab_find(&t->vocab, text->at, text->count, SL_TOKEN_MODEL) : -1;
}

sl_status sl_bpe_encode(sl_ids *out, const sl_tokenizer *tokenizer, sl_text_work *work,
                        sl_span piece)
{
    /* a byte's character has up to two bytes, and each may stand for itself */
    const size_t most =
        piece.bytes * (tokenizer->is_byte_level && tokenizer->bpe.falls_back ? 2 : 1);
    size_t count;

    if (tokenizer->bpe.ignores_merges) {
        sl_status st;
        const int32_t id = find_whole(tokenizer, work, piece, &st);

        SL_TRY(st);
        if (id >= 0)
            return sl_ids_add(out, &id, 1);
    }
    SL_TRY(sl_grow(&work->symbol, &work->symbol_capacity, most, sizeof *work->symbol));
    count = fill_symbols(work, tokenizer, piece);
    SL_TRY(sl_grow(&work->heap, &work->heap_capacity, 2 * count + 2, sizeof *work->heap));
    merge_all(work, &tokenizer->bpe.merges, count);
    for (size_t i = 0; i < count; i++)
        if (work->symbol[i].id >= 0)
            SL_TRY(sl_ids_add(out, &work->symbol[i].id, 1));
    return SL_OK;
}
