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

size_t sl_lz76_phrases(const char *text, size_t bytes)
{
    size_t phrases = 0, at = 0;

    while (at < bytes) { /* the longest match that starts earlier, and one byte more */
        size_t longest = 0;

        for (size_t from = 0; from < at; from++) {
            size_t length = 0;

            while (at + length < bytes && text[from + length] == text[at + length])
                length++;
            longest = length > longest ? length : longest;
        }
        at += longest + 1;
        phrases++;
    }
    return phrases;
}

sl_status sl_zlib_bytes(size_t *out, const char *text, size_t bytes, int level)
{
    uLongf size = compressBound((uLong)bytes);
    unsigned char *buffer = NULL;

    SL_TRY(sl_take(&buffer, size, 1));
    if (compress2(buffer, &size, (const unsigned char *)text, (uLong)bytes, level) != Z_OK)
        size = 0;
    sl_free(buffer);
    *out = size;
    return size ? SL_OK : SL_FAIL(SL_EARG, "want a zlib level of 0 to 9, found %d", level);
}
