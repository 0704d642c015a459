/* What the tests of the model room share: batches made from sequences, small configs. */
#ifndef SL_TESTS_MODEL_TEST_H
#define SL_TESTS_MODEL_TEST_H

#include "harness/harness.h"
#include "model/model.h"

enum { T_ROWS = 2048, T_SEGMENTS = 64 };

/* A packed batch with its own arrays. */
typedef struct t_batch {
    sl_packed packed;
    int32_t token[T_ROWS], position[T_ROWS];
    sl_segment segment[T_SEGMENTS];
    sl_target target[T_ROWS];
    uint32_t seq_first[T_SEGMENTS + 1];
} t_batch;

void t_batch_begin(t_batch *b);
/* Returns the segment. A prompt has no targets. */
int32_t t_batch_prompt(t_batch *b, const int32_t *token, size_t count);
/* A sequence of count targets whose first stands in the last row of the prompt's segment. */
void t_batch_answer(t_batch *b, int32_t prompt, const int32_t *token, size_t count);
/* One segment of its own; targets are tokens first .. count-1, predicted from the row before. */
void t_batch_sequence(t_batch *b, const int32_t *token, size_t count, size_t first);
/* One segment, a target in every row: the next token, for the last row token 0. */
void t_batch_every_row(t_batch *b, const int32_t *token, size_t count);
sl_packed_limits t_batch_limits(const t_batch *b);

/* A descriptor from JSON text. */
sl_config t_config(const char *json);
/* Random sequence of ids below V. */
void t_tokens(int32_t *out, size_t count, size_t V, uint64_t stream);
/* |x - y| / |y|, Euclidean. */
double t_distance(const float *x, const float *y, size_t n);
/* One config a family and axis, named, NULL-terminated. */
typedef struct t_family {
    const char *name, *json;
} t_family;
extern const t_family t_families[];

#endif
