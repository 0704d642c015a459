/* The allocator table: the one place where the program takes memory from the system. Tests replace
 * the table to count calls or to make the n-th fail. */
#ifndef SL_BASE_ALLOC_H
#define SL_BASE_ALLOC_H

#include "base/status.h"
#include <stddef.h>

typedef struct sl_alloc_table {
    void *(*take)(size_t bytes, size_t align); /* zeroed; NULL when out of memory */
    void *(*resize)(void *p, size_t bytes);    /* like realloc, default alignment only */
    void (*give)(void *p);
} sl_alloc_table;

const sl_alloc_table *sl_alloc_get(void);
void sl_alloc_set(const sl_alloc_table *table); /* NULL: back to the system's */
size_t sl_alloc_count(void); /* successful takes and resizes of the system's table so far */

/* *out = zeroed array of count elements, owned by the caller, given back with sl_free.
 * Errors: SL_ENOMEM, also when count * size overflows. */
sl_status sl_take(void *out, size_t count, size_t size) SL_MUSTUSE;
/* Grows *array (elements of size bytes) to hold at least want; *capacity is kept in elements. */
sl_status sl_grow(void *array, size_t *capacity, size_t want, size_t size) SL_MUSTUSE;
sl_status sl_strdup(char **out, const char *text) SL_MUSTUSE;
void sl_free(void *p);

/* *out = a * b. Errors: SL_EARG on overflow. For sizes from outside. */
sl_status sl_mul(size_t *out, size_t a, size_t b) SL_MUSTUSE;

#endif
