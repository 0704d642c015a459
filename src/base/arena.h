/* One arena per lifetime (parameters, gradients, optimizer, activations, scratch). The carving
 * function runs twice: on a measuring arena (base NULL, pointers NULL, only size counted) and on
 * the real one, so size and pointers cannot disagree. Every take is aligned to 64 bytes and zeroed.
 * In pass-through mode (environment SL_ARENA_MALLOC=1) every take is its own allocation, so that
 * sanitizers see inside. Taking past the end of a real arena is a bug: asserted. */
#ifndef SL_BASE_ARENA_H
#define SL_BASE_ARENA_H

#include "base/status.h"
#include <stddef.h>
#include <stdint.h>

typedef struct sl_arena {
    unsigned char *base; /* NULL: measuring */
    size_t used_bytes, size_bytes;
    void *blocks; /* pass-through mode: list of own allocations */
    int is_open;
} sl_arena;

/* A measuring arena: `sl_arena a = SL_ARENA_MEASURE;` then carve, then read used_bytes. */
/* clang-format off */
#define SL_ARENA_MEASURE { 0 }
/* clang-format on */

sl_status sl_arena_open(sl_arena *arena, size_t size_bytes) SL_MUSTUSE;
void sl_arena_close(sl_arena *arena);
void *sl_arena_take(sl_arena *arena, size_t count, size_t size); /* NULL only when measuring */
float *sl_arena_f32(sl_arena *arena, size_t rows, size_t cols);
double *sl_arena_f64(sl_arena *arena, size_t rows, size_t cols);
int32_t *sl_arena_i32(sl_arena *arena, size_t rows, size_t cols);

#endif
