/* The child, its socket, and what the parent makes of its end. */
#include "run/cage_int.h"

#include "run/h5_int.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CONFINE_FAILED = 3 }; /* exit code of a child without its limits */

/* Before the data of an answer. */
typedef struct frame {
    int32_t status;
    uint64_t bytes;
    unsigned char head[SL_CAGE_HEAD];
    char message[512], place[512], hint[512];
} frame;

sl_cage_limits sl_cage_limits_for(uint64_t file_bytes, uint64_t array_bytes)
{
    const uint64_t library = (uint64_t)256 << 20; /* caches, chunks, the library's own tables */
    const unsigned seconds = 20 + (unsigned)(file_bytes >> 22 > 3600 ? 3600 : file_bytes >> 22);

    return (sl_cage_limits){ .memory_bytes = library + 2 * array_bytes,
                             .cpu_s = seconds,
                             .wait_s = 3 * (int)seconds };
}

/* --- the child */

static int read_all(int fd, void *to, size_t bytes)
{
    for (size_t done = 0; done < bytes;) {
        const ssize_t n = read(fd, (char *)to + done, bytes - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return 0;
        done += (size_t)n;
    }
    return 1;
}

static int write_all(int fd, const void *from, size_t bytes)
{
    for (size_t done = 0; done < bytes;) {
        const ssize_t n = write(fd, (const char *)from + done, bytes - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return 0;
        done += (size_t)n;
    }
    return 1;
}

static void serve(int fd, const sl_cage_work *work)
{
    unsigned char question[SL_CAGE_QUESTION];
    uint32_t bytes;

    while (read_all(fd, &bytes, sizeof bytes) && bytes <= sizeof question &&
           read_all(fd, question, bytes)) {
        sl_cage_answer answer = { .bytes = 0 };
        frame f = { .status = (int32_t)work->answer(&answer, work->state, question, bytes) };

        f.bytes = f.status == SL_OK ? answer.bytes : 0;
        memcpy(f.head, answer.head, sizeof f.head);
        (void)snprintf(f.message, sizeof f.message, "%s", sl_err_message());
        (void)snprintf(f.place, sizeof f.place, "%s", sl_err_place());
        (void)snprintf(f.hint, sizeof f.hint, "%s", sl_err_hint_text());
        sl_err_clear();
        if (!write_all(fd, &f, sizeof f) || !write_all(fd, answer.data, f.bytes))
            break;
    }
}

/* What the parent does on a signal is not the child's to do. The parent answers Ctrl-C. */
static void reset_signals(void)
{
    static const int fatal[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTERM, SIGPIPE };
    struct sigaction act = { .sa_handler = SIG_DFL };

    for (size_t i = 0; i < sizeof fatal / sizeof fatal[0]; i++)
        (void)sigaction(fatal[i], &act, NULL);
    act.sa_handler = SIG_IGN;
    (void)sigaction(SIGINT, &act, NULL);
}

static _Noreturn void live(int file_fd, int socket_fd, const sl_cage_work *work,
                           const sl_cage_limits *limits)
{
    sl_err_clear();
    sl_h5_forked();
    reset_signals();
    if (!sl_cage_confine(file_fd, socket_fd, limits))
        _exit(CONFINE_FAILED);
    serve(socket_fd, work);
    _exit(0);
}

/* --- the parent */

sl_status sl_cage_open(sl_cage *out, int file_fd, const sl_cage_work *work,
                       const sl_cage_limits *limits)
{
    int pair[2];
    pid_t pid;

    *out = (sl_cage){ .fd = -1, .limits = *limits };
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
        return SL_FAIL(SL_EIO, "want a socket to a child process, found: %s", strerror(errno));
    sl_h5_begin(); /* no other thread is inside the library while it is copied */
    pid = fork();
    if (pid == 0)
        live(file_fd, pair[1], work, limits);
    sl_h5_end();
    (void)close(pair[1]);
    if (pid < 0) {
        (void)close(pair[0]);
        return SL_FAIL(SL_EIO, "want a child process to read in, found: %s", strerror(errno));
    }
    out->pid = pid;
    out->fd = pair[0];
    return SL_OK;
}

/* Takes the child's end away; returns its wait status, or -1 when there is none to be had. */
static int reap(sl_cage *cage, int is_kill)
{
    int status = -1;
    pid_t got;

    if (cage->fd >= 0)
        (void)close(cage->fd);
    if (is_kill)
        (void)kill(cage->pid, SIGKILL);
    do {
        got = waitpid(cage->pid, &status, 0);
    } while (got < 0 && errno == EINTR);
    cage->pid = 0;
    cage->fd = -1;
    return got < 0 ? -1 : status;
}

static sl_status how_it_ended(int status)
{
    if (status >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == CONFINE_FAILED)
        return SL_FAIL(SL_EIO, "want limits for the process that reads, found them refused");
    if (status >= 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
        return SL_FAIL(SL_EFORMAT, "want a file that can be read, found one that takes too long");
    if (status >= 0 && WIFSIGNALED(status))
        return SL_FAIL(SL_EFORMAT,
                       "want a file that can be read, found one that ends libhdf5 by signal %d",
                       WTERMSIG(status));
    return SL_FAIL(SL_EFORMAT, "want a file that can be read, found one that ends libhdf5");
}

static sl_status lose(sl_cage *cage)
{
    return sl_err_hint(how_it_ended(reap(cage, 0)),
                       "it was read in a process of its own; nothing of it was taken");
}

static sl_status time_out(sl_cage *cage)
{
    const int seconds = cage->limits.wait_s;

    (void)reap(cage, 1);
    return sl_err_hint(SL_FAIL(SL_EFORMAT,
                               "want a file that can be read, found one without an answer in %d s",
                               seconds),
                       "it was read in a process of its own; nothing of it was taken");
}

static sl_status receive(void *to, size_t bytes, sl_cage *cage)
{
    for (size_t done = 0; done < bytes;) {
        struct pollfd p = { .fd = cage->fd, .events = POLLIN };
        const int ready = poll(&p, 1, cage->limits.wait_s * 1000);
        ssize_t n;

        if (ready < 0 && errno == EINTR)
            continue;
        if (ready == 0)
            return time_out(cage);
        n = recv(cage->fd, (char *)to + done, bytes - done, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return lose(cage);
        done += (size_t)n;
    }
    return SL_OK;
}

/* Questions fit into the socket's buffer, so this does not wait. */
static sl_status send_all(sl_cage *cage, const void *from, size_t bytes)
{
    for (size_t done = 0; done < bytes;) {
        const ssize_t n = send(cage->fd, (const char *)from + done, bytes - done, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return lose(cage);
        done += (size_t)n;
    }
    return SL_OK;
}

/* Words of a process that may not be ours any more: one line of printable text. */
static void scrub(char *text, size_t size)
{
    text[size - 1] = '\0';
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
}

static sl_status repeat_failure(frame *f)
{
    sl_status st;

    scrub(f->message, sizeof f->message);
    scrub(f->place, sizeof f->place);
    scrub(f->hint, sizeof f->hint);
    if (f->status < 0 || f->status >= SL_STATUS_COUNT || !f->message[0]) /* taken over */
        return SL_FAIL(SL_EFORMAT, "want an answer about the file, found none that makes sense");
    st = SL_FAIL((sl_status)f->status, "%s", f->message);
    if (f->place[0])
        st = sl_err_where(st, "%s", f->place);
    return f->hint[0] ? sl_err_hint(st, "%s", f->hint) : st;
}

sl_status sl_cage_ask(sl_cage_answer *answer, sl_cage *cage, const void *question, size_t bytes)
{
    const uint32_t length = (uint32_t)bytes;
    frame f;

    SL_CHECK(bytes <= SL_CAGE_QUESTION);
    if (!cage->pid)
        return SL_FAIL(SL_EFORMAT, "want the process that reads this file, found it ended");
    SL_TRY(send_all(cage, &length, sizeof length));
    SL_TRY(send_all(cage, question, bytes));
    SL_TRY(receive(&f, sizeof f, cage));
    if (f.status != SL_OK)
        return repeat_failure(&f);
    *answer = (sl_cage_answer){ .bytes = f.bytes };
    memcpy(answer->head, f.head, sizeof answer->head);
    return SL_OK;
}

sl_status sl_cage_take(void *to, size_t bytes, sl_cage *cage)
{
    if (!cage->pid)
        return SL_FAIL(SL_EFORMAT, "want the process that reads this file, found it ended");
    return receive(to, bytes, cage);
}

void sl_cage_close(sl_cage *cage)
{
    if (cage->pid)
        (void)reap(cage, 1);
}
