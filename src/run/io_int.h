/* The system calls that decide whether rows survive, as a table, so that tests can log them, make
 * the n-th fail, or shorten a write. */
#ifndef SL_RUN_IO_INT_H
#define SL_RUN_IO_INT_H

#include "base/status.h"
#include <stddef.h>
#include <sys/types.h>

typedef struct sl_io_table {
    ssize_t (*write)(int fd, const void *data, size_t bytes);
    int (*sync)(int fd); /* fdatasync */
} sl_io_table;

void sl_io_set(const sl_io_table *table); /* NULL: back to the system's */

/* Writes all, completing short writes and EINTR. Errors: SL_EIO. */
sl_status sl_io_write(int fd, const void *data, size_t bytes) SL_MUSTUSE;
sl_status sl_io_sync(int fd) SL_MUSTUSE;

#endif
