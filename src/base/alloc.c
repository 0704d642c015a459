#include "base/alloc.h"
#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static atomic_size_t taken; /* successful takes and resizes of the system's table */

static void *counted(void *p)
{
    if (p)
        atomic_fetch_add_explicit(&taken, 1, memory_order_relaxed);
    return p;
}

static void *system_take(size_t bytes, size_t align)
{
    size_t whole;
    void *p;

    if (align <= alignof(max_align_t))
        return counted(calloc(1, bytes ? bytes : 1));
    if (bytes > SIZE_MAX - align)
        return NULL;
    whole = (bytes + align - 1) / align * align; /* aligned_alloc wants a multiple */
    p = aligned_alloc(align, whole ? whole : align);
    if (p)
        memset(p, 0, whole);
    return counted(p);
}

static void *system_resize(void *p, size_t bytes)
{
    return counted(realloc(p, bytes ? bytes : 1));
}

static const sl_alloc_table system_table = { system_take, system_resize, free };
static const sl_alloc_table *_Atomic current = &system_table;

const sl_alloc_table *sl_alloc_get(void)
{
    return atomic_load(&current);
}

void sl_alloc_set(const sl_alloc_table *table)
{
    atomic_store(&current, table ? table : &system_table);
}

size_t sl_alloc_count(void)
{
    return atomic_load(&taken);
}

sl_status sl_take(void *out, size_t count, size_t size)
{
    void *p = NULL;

    if (!size || count <= SIZE_MAX / size)
        p = sl_alloc_get()->take(count * size, alignof(max_align_t));
    memcpy(out, &p, sizeof p); /* out is the address of a pointer of any type */
    if (!p)
        return SL_FAIL(SL_ENOMEM, "want memory for %zu x %zu bytes, found none", count, size);
    return SL_OK;
}

sl_status sl_grow(void *array, size_t *capacity, size_t want, size_t size)
{
    size_t room = *capacity < 8 ? 8 : *capacity;
    void *p;

    if (want <= *capacity)
        return SL_OK;
    while (room < want)
        room = room > SIZE_MAX / 2 ? want : room * 2;
    if (size && room > SIZE_MAX / size)
        return SL_FAIL(SL_ENOMEM, "want memory for %zu x %zu bytes, found none", want, size);
    memcpy(&p, array, sizeof p);
    p = sl_alloc_get()->resize(p, room * size);
    if (!p)
        return SL_FAIL(SL_ENOMEM, "want memory for %zu x %zu bytes, found none", room, size);
    memcpy(array, &p, sizeof p);
    *capacity = room;
    return SL_OK;
}

sl_status sl_strdup(char **out, const char *text)
{
    const size_t bytes = strlen(text) + 1;

    SL_TRY(sl_take(out, bytes, 1));
    memcpy(*out, text, bytes);
    return SL_OK;
}

void sl_free(void *p)
{
    if (p)
        sl_alloc_get()->give(p);
}

sl_status sl_mul(size_t *out, size_t a, size_t b)
{
    if (b && a > SIZE_MAX / b)
        return SL_FAIL(SL_EARG, "want a size below 2^%zu, found %zu x %zu", sizeof(size_t) * 8, a,
                       b);
    *out = a * b;
    return SL_OK;
}
