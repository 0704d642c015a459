/* Sorting where there may be nothing to sort. */
#ifndef SL_BASE_SORT_H
#define SL_BASE_SORT_H

#include <stdlib.h>

/* count rows of size bytes in the order of compare, as qsort does, which must not be given a null
 * pointer even for no row (C11 7.22.5): an empty column has no memory. */
static inline void sl_sort(void *rows, size_t count, size_t size,
                           int (*compare)(const void *, const void *))
{
    if (count > 1)
        qsort(rows, count, size, compare);
}

#endif
