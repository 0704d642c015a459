/* The limits of the child that reads a file from outside. The only file of the room that asks which
 * system this is. */
#include "run/cage_int.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#if defined(__linux__)
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif
#endif

/* The hard limit of processor time is a second later: the signal of the soft one says why. */
static int set_limit(int what, uint64_t most)
{
    const uint64_t later = what == RLIMIT_CPU ? 1 : 0;
    struct rlimit limit;

    if (getrlimit(what, &limit))
        return 0;
    if (limit.rlim_max != RLIM_INFINITY && (uint64_t)limit.rlim_max < most)
        most = limit.rlim_max; /* the parent's own is tighter */
    limit.rlim_cur = (rlim_t)most;
    if (limit.rlim_max == RLIM_INFINITY || (uint64_t)limit.rlim_max > most + later)
        limit.rlim_max = (rlim_t)(most + later);
    return setrlimit(what, &limit) == 0;
}

#if defined(__linux__)

/* Bytes of address space that the copy of the parent has; 0 when the system does not say. */
static uint64_t address_space(void)
{
    char text[64] = { 0 };
    const int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    const ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

    if (fd >= 0)
        (void)close(fd);
    return n > 0 ? strtoull(text, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

static int limit_memory(uint64_t bytes)
{
    const uint64_t now = address_space();

    return !now || set_limit(RLIMIT_AS, now + bytes);
}

static void close_others(int low, int high)
{
    const int edge[3][2] = { { 0, low - 1 }, { low + 1, high - 1 }, { high + 1, -1 } };

    for (int i = 0; i < 3; i++) {
        const unsigned first = (unsigned)edge[i][0], last = (unsigned)edge[i][1];

        if (edge[i][1] >= 0 && edge[i][1] < edge[i][0])
            continue;
#ifdef SYS_close_range
        if (syscall(SYS_close_range, first, last, 0) == 0)
            continue;
#endif
        for (unsigned fd = first; fd <= last && fd < 65536; fd++)
            (void)close((int)fd);
    }
}

#ifdef ARCHITECTURE

/* Reading the one descriptor, memory that holds no code, answering, ending: nothing else. */
static const int allowed[] = {
    SYS_read,
    SYS_write,
    SYS_pread64,
    SYS_lseek,
    SYS_close,
    SYS_munmap,
    SYS_mremap,
    SYS_brk,
    SYS_madvise,
    SYS_futex,
    SYS_exit,
    SYS_exit_group,
    SYS_rt_sigreturn,
    SYS_rt_sigprocmask,
    SYS_clock_gettime,
    SYS_getpid,
    SYS_gettid,
    SYS_sched_yield,
    SYS_sysinfo,
    SYS_getrandom,
    SYS_restart_syscall,
};
enum { ALLOWED_COUNT = sizeof allowed / sizeof allowed[0] };

#define AT(member) ((unsigned)offsetof(struct seccomp_data, member))
#define LOAD(at) (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (at))
#define IF_EQUAL(value, yes, no)                                                                   \
    (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)(value), (yes), (no))
#define IF_ANY(bits, yes, no)                                                                      \
    (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (unsigned)(bits), (yes), (no))
#define ANSWER(what) (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, (unsigned)(what))

/* Calls of the list pass; mmap and mprotect pass unless they ask for executable memory; all others
 * fail with EPERM, which the library takes as an error of the system. */
static int forbid_calls(void)
{
    struct sock_filter code[ALLOWED_COUNT + 12];
    struct sock_fprog program = { .filter = code };
    unsigned n = 0;

    code[n++] = LOAD(AT(arch));
    code[n++] = IF_EQUAL(ARCHITECTURE, 1, 0);
    code[n++] = ANSWER(SECCOMP_RET_KILL_PROCESS);
    code[n++] = LOAD(AT(nr));
    for (unsigned i = 0; i < ALLOWED_COUNT; i++)
        code[n++] = IF_EQUAL(allowed[i], (unsigned char)(ALLOWED_COUNT + 5 - i), 0);
    code[n++] = IF_EQUAL(SYS_mmap, 2, 0);
    code[n++] = IF_EQUAL(SYS_mprotect, 1, 0);
    code[n++] = ANSWER(SECCOMP_RET_ERRNO | EPERM);
    code[n++] = LOAD(AT(args[2])); /* protection, in the lower half on little-endian machines */
    code[n++] = IF_ANY(PROT_EXEC, 0, 1);
    code[n++] = ANSWER(SECCOMP_RET_ERRNO | EPERM);
    code[n++] = ANSWER(SECCOMP_RET_ALLOW);
    program.len = (unsigned short)n;
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0)
        return 1;
    return errno == EINVAL; /* a kernel without filters */
}

#else

static int forbid_calls(void)
{
    return 1;
}

#endif

static int forbid(void)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)prctl(PR_SET_DUMPABLE, 0);
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && forbid_calls();
}

#else

static int limit_memory(uint64_t bytes)
{
    return set_limit(RLIMIT_DATA, bytes);
}

static void close_others(int low, int high)
{
    for (int fd = 0; fd < 4096; fd++)
        if (fd != low && fd != high)
            (void)close(fd);
}

static int forbid(void)
{
    return 1;
}

#endif

int sl_cage_confine(int file_fd, int socket_fd, const sl_cage_limits *limits)
{
    const int low = file_fd < socket_fd ? file_fd : socket_fd;
    const int high = file_fd < socket_fd ? socket_fd : file_fd;

    close_others(low, high);
    return limit_memory(limits->memory_bytes) && set_limit(RLIMIT_CPU, limits->cpu_s) &&
           set_limit(RLIMIT_FSIZE, 0) && set_limit(RLIMIT_CORE, 0) && forbid();
}
