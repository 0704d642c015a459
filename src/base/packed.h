/* A packed batch: all tokens of all sequences one after another, no padding. Plain data that the
 * datasets room fills and the model room computes; it knows neither.
 *
 * A segment may have a parent: the answers of a prompt are children of the prompt segment, which is
 * computed once. A token sees its parent segment (all of it) and its own segment up to itself;
 * positions continue from the parent. A parent has no parent and stands before its children. */
#ifndef SL_BASE_PACKED_H
#define SL_BASE_PACKED_H

#include <stddef.h>
#include <stdint.h>

typedef struct sl_segment {
    int32_t parent;    /* index of the parent segment, -1: none */
    uint32_t first;    /* first row */
    uint32_t count;    /* rows, > 0 */
    uint32_t position; /* position of the first row */
} sl_segment;

/* The token whose log-probability the hidden state of a row predicts. */
typedef struct sl_target {
    uint32_t row;
    int32_t token;
    uint32_t sequence;
} sl_target;

typedef struct sl_packed {
    size_t T, S, B, N;         /* rows, segments, sequences, targets */
    const int32_t *token;      /* (T) */
    const int32_t *position;   /* (T) */
    const sl_segment *segment; /* (S), ascending rows, together all T rows */
    const sl_target *target;   /* (N), grouped by sequence, ascending */
    const uint32_t *seq_first; /* (B+1) first target of each sequence */
} sl_packed;

/* Largest packed batch that a model must be ready for. */
typedef struct sl_packed_limits {
    size_t T, S, B, N;
    size_t positions; /* longest position + 1 */
} sl_packed_limits;

#endif
