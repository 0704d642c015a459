/* States: measuring (never opened; only counts), open with one block, open in pass-through mode
 * with a list of blocks. sl_arena_open makes the move to open, sl_arena_close back to measuring.
 * Invariant: used_bytes is the same in all of them after the same takes. */
#include "base/arena.h"
#include "base/alloc.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define ALIGN_BYTES 64

/* Head of an own allocation in pass-through mode; the caller's bytes begin ALIGN_BYTES further. */
typedef struct block {
    struct block *next;
} block;
_Static_assert(sizeof(block) <= ALIGN_BYTES, "the head fits before the aligned bytes");

static void *pass_through(sl_arena *arena, size_t bytes)
{
    block *own = sl_alloc_get()->take(ALIGN_BYTES + bytes, ALIGN_BYTES);

    assert(own); /* a diagnostic mode: a real arena took all its memory when it was opened */
    own->next = arena->blocks;
    arena->blocks = own;
    return (unsigned char *)own + ALIGN_BYTES;
}

sl_status sl_arena_open(sl_arena *arena, size_t size_bytes)
{
    const char *mode = getenv("SL_ARENA_MALLOC");
    sl_arena fresh = { .size_bytes = size_bytes, .is_open = 1 };

    if (!mode || strcmp(mode, "1")) {
        fresh.base = sl_alloc_get()->take(size_bytes, ALIGN_BYTES);
        if (!fresh.base)
            return SL_FAIL(SL_ENOMEM, "want an arena of %zu bytes, found less memory", size_bytes);
    }
    *arena = fresh;
    return SL_OK;
}

void sl_arena_close(sl_arena *arena)
{
    if (!arena)
        return;
    sl_free(arena->base);
    for (block *b = arena->blocks, *next; b; b = next) {
        next = b->next;
        sl_free(b);
    }
    *arena = (sl_arena)SL_ARENA_MEASURE;
}

void *sl_arena_take(sl_arena *arena, size_t count, size_t size)
{
    const size_t first = arena->used_bytes;
    size_t bytes;

    assert(!size || count <= (SIZE_MAX - ALIGN_BYTES - first) / size);
    bytes = (count * size + ALIGN_BYTES - 1) / ALIGN_BYTES * ALIGN_BYTES;
    arena->used_bytes = first + bytes;
    if (!arena->is_open)
        return NULL;
    assert(arena->used_bytes <= arena->size_bytes);
    return arena->base ? arena->base + first : pass_through(arena, count * size);
}

/* rows * cols; an overflow is a bug of the caller, whose shapes are checked before they come here
 */
static size_t elements(size_t rows, size_t cols)
{
    assert(!cols || rows <= SIZE_MAX / cols);
    return rows * cols;
}

float *sl_arena_f32(sl_arena *arena, size_t rows, size_t cols)
{
    return sl_arena_take(arena, elements(rows, cols), sizeof(float));
}

double *sl_arena_f64(sl_arena *arena, size_t rows, size_t cols)
{
    return sl_arena_take(arena, elements(rows, cols), sizeof(double));
}

int32_t *sl_arena_i32(sl_arena *arena, size_t rows, size_t cols)
{
    return sl_arena_take(arena, elements(rows, cols), sizeof(int32_t));
}
