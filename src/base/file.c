#include "base/file.h"
#include "base/alloc.h"
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WALK_DESCRIPTORS = 16, NAME_TRIES = 100 };

static sl_status io_failed(const char *wanted)
{
    return SL_FAIL(SL_EIO, "want to %s, found: %s", wanted, strerror(errno));
}

sl_status sl_file_write_all(int fd, const void *data, size_t bytes)
{
    const char *at = data;

    while (bytes) {
        const ssize_t done = write(fd, at, bytes);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return io_failed("write");
        at += done;
        bytes -= (size_t)done;
    }
    return SL_OK;
}

sl_status sl_file_sync(int fd)
{
    int failed;

    do
        failed = fsync(fd);
    while (failed && errno == EINTR);
    /* EINVAL: a file system or pipe that cannot be synced; there is nothing to make durable */
    return failed && errno != EINVAL ? io_failed("fsync") : SL_OK;
}

sl_status sl_file_took_rows(FILE *to)
{
    if (!ferror(to))
        return SL_OK;
    return sl_err_hint(SL_FAIL(SL_EIO, "want to write rows, found a write error"),
                       "is there room left, and does the reader still read?");
}

sl_status sl_file_sync_folder(const char *path)
{
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    sl_status st;

    if (fd < 0)
        return sl_err_where(io_failed("open the folder"), "%s", path);
    st = sl_file_sync(fd);
    close(fd);
    return sl_err_where(st, "%s", path);
}

sl_status sl_file_create(int *fd, const char *path, unsigned mode)
{
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;

    *fd = open(path, flags, mode);
    if (*fd < 0 && errno == EEXIST && unlink(path) == 0)
        *fd = open(path, flags, mode);
    return *fd < 0 ? io_failed("create it") : SL_OK;
}

sl_status sl_file_stream(FILE **out, const char *path)
{
    int fd;

    *out = NULL;
    SL_TRY(sl_file_create(&fd, path, 0666));
    *out = fdopen(fd, "w");
    if (*out)
        return SL_OK;
    close(fd);
    unlink(path);
    return io_failed("write it");
}

/* Opens a file that did not exist, in the folder of path: another name for each process and call,
 * so that two writers of one path cannot meet in one temporary file. */
static sl_status open_temporary(int *fd, char name[PATH_MAX], const char *path)
{
    static atomic_uint calls;

    for (int i = 0; i < NAME_TRIES; i++) {
        const int bytes = snprintf(name, PATH_MAX, "%s.tmp-%ld-%u", path, (long)getpid(),
                                   atomic_fetch_add(&calls, 1));

        if (bytes >= PATH_MAX)
            return SL_FAIL(SL_EARG, "want a path below %d bytes, found %d", PATH_MAX, bytes);
        *fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (*fd >= 0)
            return SL_OK;
        if (errno != EEXIST)
            break;
    }
    return io_failed("create it");
}

sl_status sl_file_sync_name(const char *path)
{
    size_t n = strlen(path);
    char folder[PATH_MAX];

    while (n > 1 && path[n - 1] == '/') /* "RUN/" is a name in the folder above RUN */
        n--;
    while (n && path[n - 1] != '/')
        n--;
    if (!n)
        return sl_file_sync_folder(".");
    if (n >= sizeof folder)
        return SL_FAIL(SL_EARG, "want a path below %d bytes, found %zu", PATH_MAX, n);
    memcpy(folder, path, n);
    folder[n] = 0;
    return sl_file_sync_folder(folder);
}

static sl_status write_and_rename(const char *path, const void *data, size_t bytes)
{
    char name[PATH_MAX];
    int fd = -1, is_closed;
    sl_status st;

    SL_TRY(open_temporary(&fd, name, path));
    st = sl_file_write_all(fd, data, bytes);
    if (st == SL_OK)
        st = sl_file_sync(fd);
    is_closed = close(fd) == 0;
    if (st == SL_OK && !is_closed)
        st = io_failed("close it");
    if (st == SL_OK && rename(name, path))
        st = io_failed("rename the temporary file to it");
    if (st != SL_OK)
        unlink(name);
    else
        st = sl_file_sync_name(path);
    return st;
}

sl_status sl_file_publish(const char *part, const char *path)
{
    const int fd = open(part, O_RDONLY | O_CLOEXEC);
    sl_status st;

    if (fd < 0)
        return sl_err_where(io_failed("open it"), "%s", part);
    st = sl_file_sync(fd);
    close(fd);
    if (st == SL_OK && rename(part, path))
        st = io_failed("rename the temporary file to it");
    if (st == SL_OK)
        st = sl_file_sync_name(path);
    return sl_err_where(st, "%s", path);
}

sl_status sl_file_write_atomic(const char *path, const void *data, size_t bytes)
{
    return sl_err_where(write_and_rename(path, data, bytes), "%s", path);
}

sl_status sl_file_new_folder(const char *path)
{
    if (!mkdir(path, 0700))
        return SL_OK;
    if (errno == EEXIST)
        return sl_err_where(SL_FAIL(SL_EARG, "want a new folder, found one that exists"), "%s",
                            path);
    return sl_err_where(io_failed("make the folder"), "%s", path);
}

int sl_file_is_folder(const char *path)
{
    struct stat s;

    return lstat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

int sl_file_exists(const char *path)
{
    struct stat s;

    return stat(path, &s) == 0;
}

static int remove_entry(const char *path, const struct stat *s, int type, struct FTW *level)
{
    (void)s;
    (void)type;
    (void)level;
    return remove(path);
}

sl_status sl_file_remove_tree(const char *path)
{
    if (nftw(path, remove_entry, WALK_DESCRIPTORS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT))
        return sl_err_where(io_failed("remove it"), "%s", path);
    return SL_OK;
}

sl_status sl_file_join(char *out, size_t size, const char *folder, const char *name)
{
    const size_t n = strlen(folder);
    const char *between = n && folder[n - 1] != '/' ? "/" : "";
    const int bytes = snprintf(out, size, "%s%s%s", folder, between, name);

    if (bytes < 0 || (size_t)bytes >= size)
        return SL_FAIL(SL_EARG, "want a path below %zu bytes, found %d (%s%s%s)", size, bytes,
                       folder, between, name);
    return SL_OK;
}

static sl_status map_descriptor(sl_map *out, int fd)
{
    struct stat s;
    void *data;

    if (fstat(fd, &s))
        return io_failed("know its size");
    if (!S_ISREG(s.st_mode))
        return SL_FAIL(SL_EARG, "want a regular file, found another kind");
    if (!s.st_size) { /* mmap refuses to map nothing */
        *out = (sl_map){ (const unsigned char *)"", 0 };
        return SL_OK;
    }
    data = mmap(NULL, (size_t)s.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED)
        return io_failed("map it");
    *out = (sl_map){ data, (size_t)s.st_size };
    return SL_OK;
}

sl_status sl_map_open(sl_map *out, const char *path)
{
    /* a pipe would wait for its writer */
    const int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    sl_status st;

    *out = (sl_map){ 0 };
    if (fd < 0)
        return sl_err_where(io_failed("read it"), "%s", path);
    st = map_descriptor(out, fd);
    close(fd);
    return sl_err_where(st, "%s", path);
}

void sl_map_close(sl_map *map)
{
    if (map && map->bytes)
        munmap((void *)(uintptr_t)map->data, map->bytes);
    if (map)
        *map = (sl_map){ 0 };
}
