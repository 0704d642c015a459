#include "run/io_int.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const sl_io_table system_calls = { write, fdatasync };
static const sl_io_table *_Atomic calls = &system_calls; /* tests change it while a run is open */

void sl_io_set(const sl_io_table *table)
{
    calls = table ? table : &system_calls;
}

sl_status sl_io_write(int fd, const void *data, size_t bytes)
{
    const char *at = data;

    while (bytes) {
        const ssize_t done = calls->write(fd, at, bytes);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return SL_FAIL(SL_EIO, "want to write %zu bytes, found: %s", bytes,
                           done ? strerror(errno) : "no progress");
        at += done;
        bytes -= (size_t)done;
    }
    return SL_OK;
}

sl_status sl_io_sync(int fd)
{
    int failed;

    do
        failed = calls->sync(fd);
    while (failed && errno == EINTR);
    if (failed)
        return SL_FAIL(SL_EIO, "want to sync, found: %s", strerror(errno));
    return SL_OK;
}
