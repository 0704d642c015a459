/* Takes the place of libc's calls in the test program, libraries included. The calls themselves go
 * to the kernel. */
#undef _FILE_OFFSET_BITS /* calls have two names then, and both are taken */
#include "harness/disk_int.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { INODES = 1 << 14, LATE = 1 << 22 };

t_disk_event *t_disk_log;
size_t t_disk_log_count;

static struct {
    t_disk_plan plan;
    volatile int is_on; /* read before the lock: a child of the program goes by without a call */
    int has_hit;
    size_t calls, by_kind[T_DISK_CALLS], room, root_bytes;
    pthread_mutex_t lock;
    struct {
        ino_t inode;
        int file;
    } known[INODES];
    size_t known_count;
    int files;
    /* T_DISK_LATE: what waits for the sync */
    int late_fd;
    size_t late_bytes;
    unsigned char late[LATE];
} disk = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void leave_alone(void)
{
    disk.is_on = 0;
}

static void die(const char *why)
{
    (void)fprintf(stderr, "disk: %s\n", why);
    abort();
}

static int is_below(const char *path)
{
    return !strncmp(path, disk.plan.root, disk.root_bytes) &&
           (path[disk.root_bytes] == '/' || !path[disk.root_bytes]);
}

/* 1 and the path: an open file or folder below root. */
static int path_of(char path[PATH_MAX], int fd)
{
    char link[64];
    ssize_t n;

    if (!disk.is_on)
        return 0;
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, path, PATH_MAX - 1);
    if (n < 0)
        return 0;
    path[n] = 0;
    return is_below(path);
}

static int is_ours(const char *path)
{
    return disk.is_on && is_below(path);
}

/* 1: this call is the one. Counts it. */
static int strikes(t_disk_call kind)
{
    const size_t n = disk.calls++;
    const int now = n == disk.plan.at || (disk.plan.fault == T_DISK_FAIL_ON && n > disk.plan.at);

    disk.by_kind[kind]++;
    if (disk.plan.fault == T_DISK_NONE || disk.plan.fault == T_DISK_SLOW || !now)
        return 0;
    disk.has_hit = 1;
    if (disk.plan.fault == T_DISK_KILL)
        (void)kill(getpid(), SIGKILL);
    return 1;
}

static int fails(void)
{
    return disk.plan.fault == T_DISK_FAIL || disk.plan.fault == T_DISK_FAIL_ON;
}

static void kill_after(int is_struck)
{
    if (is_struck && disk.plan.fault == T_DISK_KILL_HALF)
        (void)kill(getpid(), SIGKILL);
}

static int file_of_inode(ino_t inode, int is_new)
{
    size_t i = disk.known_count;

    while (!is_new && i && disk.known[i - 1].inode != inode)
        i--;
    if (!is_new && i)
        return disk.known[i - 1].file;
    if (disk.known_count == INODES)
        die("too many files");
    disk.known[disk.known_count].inode = inode;
    disk.known[disk.known_count++].file = ++disk.files;
    return disk.files;
}

static int file_at(const char *path, int is_new)
{
    struct stat s;

    if (lstat(path, &s))
        return 0;
    return file_of_inode(s.st_ino, is_new);
}

static t_disk_event *add(t_disk_event_kind kind, int file)
{
    if (t_disk_log_count == disk.room) {
        disk.room = disk.room ? 2 * disk.room : 1024;
        t_disk_log = realloc(t_disk_log, disk.room * sizeof *t_disk_log);
        if (!t_disk_log)
            die("no memory");
    }
    t_disk_log[t_disk_log_count] = (t_disk_event){ .kind = kind, .file = file };
    return &t_disk_log[t_disk_log_count++];
}

static void set_entry(t_disk_entry *e, const char *path, int file)
{
    const char *slash = strrchr(path, '/');
    char folder[PATH_MAX];

    (void)snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
    e->folder = file_at(folder, 0);
    e->file = file;
    if (snprintf(e->name, sizeof e->name, "%s", slash + 1) >= (int)sizeof e->name)
        die("too long a name");
}

static void log_entry(const char *path, int is_new, int is_folder)
{
    const int file = is_new ? file_at(path, 1) : 0;
    t_disk_event *e = add(T_EVENT_ENTRY, file);

    e->is_folder = is_folder;
    e->at = 1;
    set_entry(&e->entry[0], path, file);
}

static void log_write(int fd, const void *data, size_t bytes, uint64_t at)
{
    struct stat s;
    t_disk_event *e;

    if (fstat(fd, &s))
        die("no such file");
    e = add(T_EVENT_WRITE, file_of_inode(s.st_ino, 0));
    e->at = at;
    e->bytes = bytes;
    e->data = malloc(bytes ? bytes : 1);
    if (!e->data)
        die("no memory");
    memcpy(e->data, data, bytes);
}

static void log_fd(t_disk_event_kind kind, int fd, uint64_t at)
{
    struct stat s;

    if (fstat(fd, &s))
        die("no such file");
    add(kind, file_of_inode(s.st_ino, 0))->at = at;
}

/* Where a write of this descriptor begins. */
static uint64_t place_of(int fd)
{
    struct stat s;

    if (!(fcntl(fd, F_GETFL) & O_APPEND))
        return (uint64_t)lseek(fd, 0, SEEK_CUR);
    return fstat(fd, &s) ? 0 : (uint64_t)s.st_size;
}

static ssize_t plain_write(int fd, const void *data, size_t bytes, off_t at)
{
    const uint64_t place = at < 0 ? place_of(fd) : (uint64_t)at;
    const ssize_t done =
        at < 0 ? syscall(SYS_write, fd, data, bytes) : syscall(SYS_pwrite64, fd, data, bytes, at);

    if (done > 0 && disk.plan.is_logged)
        log_write(fd, data, (size_t)done, place);
    return done;
}

static ssize_t slow_write(int fd, const void *data, size_t bytes, off_t at)
{
    if (disk.calls % 2) {
        errno = EINTR;
        return -1;
    }
    return plain_write(fd, data, bytes < 8 ? bytes : bytes / 2 + 1, at);
}

/* Only bytes of a journal wait. */
static ssize_t late_write(const char *path, int fd, const void *data, size_t bytes, off_t at)
{
    if (!strstr(path, "/journal-") || disk.late_bytes + bytes > LATE)
        return plain_write(fd, data, bytes, at);
    memcpy(disk.late + disk.late_bytes, data, bytes);
    disk.late_bytes += bytes;
    disk.late_fd = fd;
    return (ssize_t)bytes;
}

static void write_late(void)
{
    if (disk.late_bytes)
        (void)plain_write(disk.late_fd, disk.late, disk.late_bytes, -1);
    disk.late_bytes = 0;
}

static ssize_t struck_write(int fd, const void *data, size_t bytes, off_t at)
{
    if (bytes > 100)
        (void)plain_write(fd, data, bytes / 2, at);
    if (!fails())
        kill_after(1);
    errno = disk.plan.error;
    return -1;
}

static ssize_t any_write(int fd, const void *data, size_t bytes, off_t at)
{
    char path[PATH_MAX];
    ssize_t done;

    if (!path_of(path, fd))
        return at < 0 ? syscall(SYS_write, fd, data, bytes)
                      : syscall(SYS_pwrite64, fd, data, bytes, at);
    pthread_mutex_lock(&disk.lock);
    if (strikes(T_DISK_WRITE))
        done = struck_write(fd, data, bytes, at);
    else if (disk.plan.fault == T_DISK_SLOW)
        done = slow_write(fd, data, bytes, at);
    else if (disk.plan.spoil == T_DISK_LATE)
        done = late_write(path, fd, data, bytes, at);
    else
        done = plain_write(fd, data, bytes, at);
    pthread_mutex_unlock(&disk.lock);
    return done;
}

ssize_t write(int fd, const void *data, size_t bytes)
{
    return any_write(fd, data, bytes, -1);
}

ssize_t pwrite(int fd, const void *data, size_t bytes, off_t at)
{
    return any_write(fd, data, bytes, at);
}

ssize_t pwrite64(int fd, const void *data, size_t bytes, off64_t at)
{
    return any_write(fd, data, bytes, at);
}

static int does_nothing(const char *path, int is_data_only, int is_folder)
{
    switch (disk.plan.spoil) {
    case T_DISK_NO_SYNC:
        return is_data_only;
    case T_DISK_NO_FOLDER_SYNC:
        return is_folder;
    case T_DISK_NO_FILE_SYNC:
        return !is_folder && !is_data_only;
    case T_DISK_NO_TEXT_SYNC:
        return strstr(path, "/texts-") != NULL;
    default:
        return 0;
    }
}

/* The bytes need not reach the medium of the test's machine: the log says what would. */
static int logged_sync(const char *path, int fd, int is_data_only)
{
    struct stat s;

    if (fstat(fd, &s))
        die("no such file");
    if (!does_nothing(path, is_data_only, S_ISDIR(s.st_mode)) && disk.plan.is_logged)
        log_fd(T_EVENT_SYNC, fd, 0);
    if (disk.plan.spoil == T_DISK_LATE && disk.late_fd == fd)
        write_late();
    return 0;
}

static int any_sync(int fd, long number)
{
    char path[PATH_MAX];
    int failed = 0, is_struck;

    if (!path_of(path, fd))
        return (int)syscall(number, fd);
    pthread_mutex_lock(&disk.lock);
    is_struck = strikes(T_DISK_SYNC);
    if ((is_struck && fails()) || (disk.plan.fault == T_DISK_SLOW && disk.calls % 2)) {
        errno = is_struck ? disk.plan.error : EINTR;
        failed = -1;
    } else
        failed = logged_sync(path, fd, number == SYS_fdatasync);
    kill_after(is_struck);
    pthread_mutex_unlock(&disk.lock);
    return failed;
}

int fsync(int fd)
{
    return any_sync(fd, SYS_fsync);
}

int fdatasync(int fd)
{
    return any_sync(fd, SYS_fdatasync);
}

/* A call on a name under the plan: made unless it is the one that is struck and the plan fails it.
 */
static int struck_call(int *is_struck, t_disk_call kind, long number, const char *path, long second)
{
    *is_struck = strikes(kind);
    errno = disk.plan.error;
    return *is_struck && fails() ? -1 : (int)syscall(number, path, second);
}

static void log_rename(const char *from, const char *to)
{
    const int file = file_at(to, 0);
    t_disk_event *e = add(T_EVENT_ENTRY, file);

    e->at = 2;
    set_entry(&e->entry[0], from, 0);
    set_entry(&e->entry[1], to, file);
}

int rename(const char *from, const char *to)
{
    int failed, is_struck;

    if (!is_ours(from))
        return (int)syscall(SYS_rename, from, to);
    pthread_mutex_lock(&disk.lock);
    failed = struck_call(&is_struck, T_DISK_RENAME, SYS_rename, from, (long)to);
    if (!failed && disk.plan.is_logged)
        log_rename(from, to);
    kill_after(is_struck);
    pthread_mutex_unlock(&disk.lock);
    return failed;
}

static int any_removal(const char *path, long number)
{
    int failed, is_struck;

    if (!is_ours(path))
        return (int)syscall(number, path);
    pthread_mutex_lock(&disk.lock);
    failed = struck_call(&is_struck, T_DISK_UNLINK, number, path, 0);
    if (!failed && disk.plan.is_logged)
        log_entry(path, 0, 0);
    kill_after(is_struck);
    pthread_mutex_unlock(&disk.lock);
    return failed;
}

int unlink(const char *path)
{
    return any_removal(path, SYS_unlink);
}

int rmdir(const char *path)
{
    return any_removal(path, SYS_rmdir);
}

int remove(const char *path)
{
    struct stat s;

    return any_removal(path, !lstat(path, &s) && S_ISDIR(s.st_mode) ? SYS_rmdir : SYS_unlink);
}

int mkdir(const char *path, mode_t mode)
{
    int failed, is_struck;

    if (!is_ours(path))
        return (int)syscall(SYS_mkdir, path, mode);
    pthread_mutex_lock(&disk.lock);
    failed = struck_call(&is_struck, T_DISK_NEW, SYS_mkdir, path, (long)mode);
    if (!failed && disk.plan.is_logged)
        log_entry(path, 1, 1);
    kill_after(is_struck);
    pthread_mutex_unlock(&disk.lock);
    return failed;
}

static int any_open(const char *path, int flags, mode_t mode)
{
    int fd = -1, is_struck = 0, is_new;

    if (!is_ours(path) || !(flags & (O_CREAT | O_TRUNC)))
        return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    pthread_mutex_lock(&disk.lock);
    is_new = access(path, F_OK) != 0;
    is_struck = strikes(T_DISK_NEW);
    errno = disk.plan.error;
    if (!is_struck || !fails())
        fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    if (fd >= 0 && disk.plan.is_logged && is_new)
        log_entry(path, 1, 0);
    else if (fd >= 0 && disk.plan.is_logged && (flags & O_TRUNC))
        log_fd(T_EVENT_SIZE, fd, 0);
    kill_after(is_struck);
    pthread_mutex_unlock(&disk.lock);
    return fd;
}

static mode_t mode_of(int flags, va_list more)
{
    return flags & O_CREAT ? va_arg(more, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
    va_list more;
    mode_t mode;

    va_start(more, flags);
    mode = mode_of(flags, more);
    va_end(more);
    return any_open(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list more;
    mode_t mode;

    va_start(more, flags);
    mode = mode_of(flags, more);
    va_end(more);
    return any_open(path, flags, mode);
}

static int any_cut(int fd, off_t size)
{
    char path[PATH_MAX];
    int failed = -1, is_struck;

    if (!path_of(path, fd))
        return (int)syscall(SYS_ftruncate, fd, size);
    pthread_mutex_lock(&disk.lock);
    is_struck = strikes(T_DISK_CUT);
    errno = disk.plan.error;
    if (!is_struck || !fails())
        failed = (int)syscall(SYS_ftruncate, fd, size);
    if (!failed && disk.plan.is_logged)
        log_fd(T_EVENT_SIZE, fd, (uint64_t)size);
    kill_after(is_struck);
    pthread_mutex_unlock(&disk.lock);
    return failed;
}

int ftruncate(int fd, off_t size)
{
    return any_cut(fd, size);
}

int ftruncate64(int fd, off64_t size)
{
    return any_cut(fd, size);
}

void t_disk_begin(const t_disk_plan *plan)
{
    static int is_registered;

    if (!is_registered && pthread_atfork(NULL, NULL, leave_alone))
        die("no handler of forks");
    is_registered = 1;
    disk.plan = *plan;
    disk.root_bytes = strlen(plan->root);
    disk.calls = 0;
    memset(disk.by_kind, 0, sizeof disk.by_kind);
    disk.has_hit = 0;
    disk.late_bytes = 0;
    if (plan->is_logged) {
        t_disk_forget();
        (void)file_at(plan->root, 1);
    }
    disk.is_on = 1;
}

size_t t_disk_end(size_t *calls)
{
    disk.is_on = 0;
    if (calls)
        memcpy(calls, disk.by_kind, sizeof disk.by_kind);
    return disk.calls;
}

int t_disk_hit(void)
{
    return disk.has_hit;
}

void t_disk_mark(int64_t value)
{
    if (!disk.is_on || !disk.plan.is_logged)
        return;
    pthread_mutex_lock(&disk.lock);
    add(T_EVENT_MARK, 0)->at = (uint64_t)value;
    pthread_mutex_unlock(&disk.lock);
}

size_t t_disk_events(void)
{
    return t_disk_log_count;
}

void t_disk_forget(void)
{
    for (size_t i = 0; i < t_disk_log_count; i++)
        free(t_disk_log[i].data);
    free(t_disk_log);
    t_disk_log = NULL;
    t_disk_log_count = disk.room = disk.known_count = 0;
    disk.files = 0;
}
