/* Redundancy of a text: phrases of two parsings, whose numbers do not depend on a library, and the
 * bytes of zlib, which do. */
#include "analysis/metric.h"
#include "base/alloc.h"
#include <string.h>
#include <zlib.h>

/* A trie of LZ78 phrases: node 0 is the empty phrase; children in a list. */
typedef struct trie_node {
    uint32_t child, sibling;
    char byte;
} trie_node;

sl_status sl_lz78_phrases(size_t *out, const char *text, size_t bytes)
{
    trie_node *node = NULL;
    uint32_t count = 1, at = 0;

    *out = 0;
    if (bytes >= UINT32_MAX)
        return SL_FAIL(SL_EARG, "want a text below 4 GiB, found %zu bytes", bytes);
    SL_TRY(sl_take(&node, bytes + 1, sizeof *node));
    for (size_t i = 0; i < bytes; i++) {
        uint32_t next = node[at].child;

        while (next && node[next].byte != text[i])
            next = node[next].sibling;
        if (!next) {
            node[count] = (trie_node){ .sibling = node[at].child, .byte = text[i] };
            node[at].child = count++;
            ++*out;
        }
        at = next;
    }
    *out += at != 0;
    sl_free(node);
    return SL_OK;
}

/* --- LZ76 -------------------------------------------------------------------------------------
 * A state of the suffix automaton is a class of substrings with the same ends; it knows the first
 * of them. Edges out of a state are a list. */
typedef struct state {
    uint32_t length, link, first_end, edge; /* edge + 1; 0: none */
} state;

typedef struct edge {
    uint32_t to, next; /* next: edge + 1 */
    char byte;
} edge;

typedef struct automaton {
    state *state;
    edge *edge;
    uint32_t states, edges, last;
} automaton;

static edge *find_edge(const automaton *a, uint32_t from, char byte)
{
    for (uint32_t e = a->state[from].edge; e; e = a->edge[e - 1].next)
        if (a->edge[e - 1].byte == byte)
            return &a->edge[e - 1];
    return NULL;
}

static void add_edge(automaton *a, uint32_t from, char byte, uint32_t to)
{
    a->edge[a->edges] = (edge){ .to = to, .next = a->state[from].edge, .byte = byte };
    a->state[from].edge = ++a->edges;
}

/* The substrings of `of` up to length become a state of their own, with its edges. */
static uint32_t clone(automaton *a, uint32_t of, uint32_t length)
{
    const uint32_t copy = a->states++;

    a->state[copy] = a->state[of];
    a->state[copy].length = length;
    a->state[copy].edge = 0;
    for (uint32_t e = a->state[of].edge; e; e = a->edge[e - 1].next)
        add_edge(a, copy, a->edge[e - 1].byte, a->edge[e - 1].to);
    a->state[of].link = copy;
    return copy;
}

enum { NO_LINK = UINT32_MAX };

/* Appends a byte that ends at `end`. Source: Blumer et al., Theoretical Computer Science 40 (1985).
 */
static void extend(automaton *a, char byte, uint32_t end)
{
    const uint32_t now = a->states++;
    uint32_t p = a->last, q, copy;
    edge *found = NULL;

    a->state[now] = (state){ .length = a->state[p].length + 1, .first_end = end };
    for (; p != NO_LINK && !(found = find_edge(a, p, byte)); p = a->state[p].link)
        add_edge(a, p, byte, now);
    a->last = now;
    if (p == NO_LINK)
        return;
    q = found->to;
    a->state[now].link = q;
    if (a->state[q].length == a->state[p].length + 1)
        return;
    copy = clone(a, q, a->state[p].length + 1);
    a->state[now].link = copy;
    for (; p != NO_LINK && (found = find_edge(a, p, byte)) && found->to == q; p = a->state[p].link)
        found->to = copy;
}

/* Bytes from `at` on that also begin earlier; they may overlap. */
static size_t longest_match(const automaton *a, const char *text, size_t bytes, size_t at)
{
    uint32_t s = 0;
    size_t length = 0;

    for (const edge *e; at + length < bytes && (e = find_edge(a, s, text[at + length]));
         s = e->to) {
        if (a->state[e->to].first_end >= at + length) /* the first of them begins here */
            break;
        length++;
    }
    return length;
}

sl_status sl_lz76_phrases(size_t *out, const char *text, size_t bytes)
{
    automaton a = { .states = 1 };
    sl_status st = SL_OK;

    *out = 0;
    if (bytes >= (size_t)1 << 30)
        return SL_FAIL(SL_EARG, "want a text below 1 GiB, found %zu bytes", bytes);
    SL_TRY_OUT(sl_take(&a.state, 2 * bytes + 2, sizeof *a.state));
    SL_TRY_OUT(sl_take(&a.edge, 3 * bytes + 4, sizeof *a.edge));
    a.state[0].link = NO_LINK;
    for (size_t i = 0; i < bytes; i++)
        extend(&a, text[i], (uint32_t)i);
    for (size_t at = 0; at < bytes; ++*out) /* a match and one byte more, as far as there is one */
        at += longest_match(&a, text, bytes, at) + 1;
out:
    sl_free(a.state);
    sl_free(a.edge);
    return st;
}

/* --- zlib ------------------------------------------------------------------------------------- */

struct sl_deflater {
    z_stream stream;
};

static void *zlib_take(void *unused, uInt count, uInt size)
{
    void *p = NULL;

    (void)unused;
    return sl_take(&p, count, size) == SL_OK ? p : NULL;
}

static void zlib_give(void *unused, void *p)
{
    (void)unused;
    sl_free(p);
}

sl_status sl_deflater_open(sl_deflater **out, int level)
{
    sl_deflater *d = NULL;
    int code;

    *out = NULL;
    SL_TRY(sl_take(&d, 1, sizeof *d));
    d->stream.zalloc = zlib_take;
    d->stream.zfree = zlib_give;
    code = deflateInit(&d->stream, level);
    if (code == Z_OK) {
        *out = d;
        return SL_OK;
    }
    sl_free(d);
    return code == Z_MEM_ERROR ? SL_FAIL(SL_ENOMEM, "want memory for zlib, found none")
                               : SL_FAIL(SL_EARG, "want a zlib level of 0 to 9, found %d", level);
}

void sl_deflater_close(sl_deflater **d)
{
    if (*d)
        deflateEnd(&(*d)->stream);
    sl_free(*d);
    *d = NULL;
}

sl_status sl_deflater_bytes(size_t *out, sl_deflater *d, const char *text, size_t bytes)
{
    unsigned char piece[1 << 14];
    z_stream *s = &d->stream;

    if (bytes > UINT32_MAX)
        return SL_FAIL(SL_EARG, "want a text below 4 GiB, found %zu bytes", bytes);
    if (deflateReset(s) != Z_OK)
        return SL_FAIL(SL_EINTERNAL, "want zlib at its beginning, found it elsewhere");
    s->next_in = (z_const Bytef *)text;
    s->avail_in = (uInt)bytes;
    do {
        s->next_out = piece;
        s->avail_out = sizeof piece;
    } while (deflate(s, Z_FINISH) == Z_OK);
    *out = s->total_out;
    return SL_OK;
}

sl_status sl_zlib_bytes(size_t *out, const char *text, size_t bytes, int level)
{
    sl_deflater *d;
    sl_status st;

    SL_TRY(sl_deflater_open(&d, level));
    st = sl_deflater_bytes(out, d, text, bytes);
    sl_deflater_close(&d);
    return st;
}
