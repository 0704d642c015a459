/* A file driver of libhdf5 that reads an open descriptor: what is read is what was checked, and a
 * process that may open nothing can still read. Reading beyond the end is an error, where the
 * library's own driver gives zeros. */
#include "run/h5_int.h"

#include "base/alloc.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct fd_file {
    H5FD_t door; /* the library's part: stands first */
    int fd;
    haddr_t end_allocated, end;
} fd_file;

/* name: "/" and the descriptor in decimals: for a relative name the library would ask the system
 * where it is. The driver borrows the descriptor. */
static H5FD_t *open_fd(const char *name, unsigned flags, hid_t access, haddr_t most)
{
    const long fd = strtol(name + 1, NULL, 10);
    const off_t end = fd >= 0 && fd <= INT_MAX ? lseek((int)fd, 0, SEEK_END) : -1;
    fd_file *f = NULL;

    (void)access;
    if ((flags & H5F_ACC_RDWR) || end < 0 || (haddr_t)end > most ||
        sl_take(&f, 1, sizeof *f) != SL_OK)
        return NULL;
    f->fd = (int)fd;
    f->end = (haddr_t)end;
    return &f->door;
}

static herr_t close_fd(H5FD_t *file)
{
    sl_free(file);
    return 0;
}

static herr_t query(const H5FD_t *file, unsigned long *flags)
{
    (void)file;
    *flags = H5FD_FEAT_ACCUMULATE_METADATA_READ | H5FD_FEAT_DATA_SIEVE;
    return 0;
}

static haddr_t get_eoa(const H5FD_t *file, H5FD_mem_t type)
{
    (void)type;
    return ((const fd_file *)file)->end_allocated;
}

static herr_t set_eoa(H5FD_t *file, H5FD_mem_t type, haddr_t at)
{
    (void)type;
    ((fd_file *)file)->end_allocated = at;
    return 0;
}

static haddr_t get_eof(const H5FD_t *file, H5FD_mem_t type)
{
    (void)type;
    return ((const fd_file *)file)->end;
}

static herr_t read_fd(H5FD_t *file, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t bytes,
                      void *to)
{
    const fd_file *f = (const fd_file *)file;

    (void)type;
    (void)transfer;
    if (at > f->end || bytes > f->end - at)
        return -1;
    for (size_t done = 0; done < bytes;) {
        const ssize_t n = pread(f->fd, (char *)to + done, bytes - done, (off_t)(at + done));

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        done += (size_t)n;
    }
    return 0;
}

static herr_t write_fd(H5FD_t *file, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t bytes,
                       const void *from)
{
    (void)file;
    (void)type;
    (void)transfer;
    (void)at;
    (void)bytes;
    (void)from;
    return -1;
}

static const H5FD_class_t driver = {
#if H5_VERSION_GE(1, 13, 2)
    .version = H5FD_CLASS_VERSION,
    .value = (H5FD_class_value_t)(H5_VFD_RESERVED + 1),
#endif
    .name = "descriptor",
    .maxaddr = (haddr_t)INT64_MAX,
    .fc_degree = H5F_CLOSE_WEAK,
    .open = open_fd,
    .close = close_fd,
    .query = query,
    .get_eoa = get_eoa,
    .set_eoa = set_eoa,
    .get_eof = get_eof,
    .read = read_fd,
    .write = write_fd,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

/* Registered once a process, behind the mutex: 1.10 uses a driver that it has let go of when the
 * last file closes after H5FDunregister. */
static hid_t registered = H5I_INVALID_HID;

sl_status sl_h5_open_fd(hid_t *out, int fd)
{
    sl_status st = SL_OK;
    hid_t access = H5I_INVALID_HID;
    char name[16];

    (void)snprintf(name, sizeof name, "/%d", fd);
    SL_TRY_OUT(sl_h5_access(&access));
    if (registered < 0)
        SL_TRY_OUT(SL_H5_ID(&registered, H5FDregister(&driver)));
    SL_TRY_OUT(SL_H5(H5Pset_driver(access, registered, NULL)));
    SL_TRY_OUT(SL_H5_ID(out, H5Fopen(name, H5F_ACC_RDONLY, access)));
out:
    sl_h5_close(&access);
    return st;
}
